// c_host: answers one request, given on the command line, as a CGI program would.
//
//     c_host app.py callable [METHOD [/path?query]]
//
// The response goes to stdout, the log to stderr. With POST and PUT, stdin is the request's body.
// Exit code 0 if the response is whole, else 1.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wsgi.h"

static void put(wsgi_str s) {
    fwrite(s.data, 1, s.size, stdout);
}

// Flushes stdout. Not 0 if a write to it failed, now or before: its reader has left.
static int send_now(void) {
    return fflush(stdout) != 0 || ferror(stdout);
}

static int on_start(void *request, const wsgi_head *head) {
    (void) request;
    printf("Status: %u ", (unsigned) head->status);
    put(head->reason);
    putchar('\n');
    for (size_t i = 0; i < head->headers_count; i++) {
        put(head->headers[i].name);
        fputs(": ", stdout);
        put(head->headers[i].value);
        putchar('\n');
    }
    if (head->content_length >= 0) {
        printf("Content-Length: %lld\n", (long long) head->content_length);
    }
    putchar('\n');
    return send_now();
}

static int on_write(void *request, wsgi_buffer *const *buffers, size_t count, uint32_t flags) {
    (void) request;
    (void) flags;
    for (size_t i = 0; i < count; i++) {
        fwrite(buffers[i]->data, 1, buffers[i]->size, stdout);
        wsgi_buffer_release(buffers[i]); // ours from now on, also if the write failed
    }
    return send_now(); // PEP 3333: a server must not delay a block
}

static void on_finish(void *request, wsgi_outcome outcome, uint32_t retry_after) {
    *(wsgi_outcome *) request = outcome; // what the callbacks are given is the host's own affair
    if (outcome == WSGI_FAILED) {
        puts("Status: 500 Internal Server Error\n");
    } else if (outcome == WSGI_REFUSED) {
        printf("Status: 503 Service Unavailable\nRetry-After: %u\n\n", (unsigned) retry_after);
    }
}

static ptrdiff_t on_read(void *request, uint8_t *buffer, size_t size) {
    (void) request;
    // 0 at the end of a file is the end of the body. On a socket it would be a client that has left
    // too early: WSGI_READ_GONE.
    ssize_t got = read(STDIN_FILENO, buffer, size);
    return got < 0 ? WSGI_READ_BROKEN : got;
}

static void on_log(void *data, void *request, wsgi_level level, wsgi_str line) {
    (void) data;
    (void) request;
    (void) level;
    fprintf(stderr, "%.*s\n", (int) line.size, (const char *) line.data);
}

// Ends the program if a call failed, with the library's sentence.
static void need(wsgi_status status, wsgi_error *const *error) {
    if (status != WSGI_OK) {
        wsgi_str message = wsgi_error_message(*error);
        fprintf(stderr, "c_host: %.*s\n", (int) message.size, (const char *) message.data);
        wsgi_error_release(*error);
        exit(1);
    }
}

static void fill(wsgi_request *request, const char *method, const char *target) {
    const wsgi_request empty = WSGI_REQUEST_INIT;
    *request = empty;
    request->method = wsgi_str_from(method);
    request->request_uri = wsgi_str_from(target);
    request->path_info = wsgi_str_from(target);
    const char *mark = strchr(target, '?');
    if (mark != NULL) {
        request->path_info.size = (size_t) (mark - target);
        request->query_string = wsgi_str_from(mark + 1);
    }
    request->protocol = wsgi_str_from("HTTP/1.1");
    if (strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0) {
        request->body_kind = WSGI_BODY_READ;
    }
}

int main(int argc, char **argv) {
    if (argc < 3 || argc > 5) {
        fputs("usage: c_host app.py callable [METHOD [/path?query]]\n", stderr);
        return 1;
    }

    wsgi_host host = WSGI_HOST_INIT;
    host.start = on_start;
    host.write = on_write;
    host.finish = on_finish;
    host.read = on_read;
    host.log = on_log;

    wsgi_runtime_config config = WSGI_RUNTIME_CONFIG_INIT;
    config.host = &host;

    wsgi_app_config where = WSGI_APP_CONFIG_INIT;
    where.target = argv[1];
    where.callable = argv[2];

    wsgi_runtime *runtime;
    wsgi_app *app;
    wsgi_error *error = NULL;
    need(wsgi_runtime_start(&config, &runtime, &error), &error);
    need(wsgi_app_load(runtime, &where, &app, &error), &error);
    need(wsgi_app_wait(app, 0, &error), &error);

    wsgi_request request;
    wsgi_outcome outcome;
    fill(&request, argc > 3 ? argv[3] : "GET", argc > 4 ? argv[4] : "/");
    need(wsgi_run(app, &request, &outcome, &error), &error);

    wsgi_app_release(app);
    need(wsgi_runtime_stop(runtime, 2000, &error), &error);
    return outcome == WSGI_COMPLETE ? 0 : 1;
}
