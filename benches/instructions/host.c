// host.c: an event-driven host for callgrind, which counts the instructions of COUNT requests for
// one application. As the nginx module does, it submits a few requests, then calls wsgi_poll once.
// It drops all blocks that it gets.
//
// Usage: host APP_FILE CALLABLE THREADS COUNT HEADERS_FILE CLIENTS UPLOAD_BYTES ANSWER_BYTES
//
// HEADERS_FILE has a "Name: value" on each line, and may be /dev/null. CLIENTS is the number of
// clients that send requests in alternation. With one client all requests are the same. The program
// fails unless each answer has ANSWER_BYTES.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include <valgrind/callgrind.h>

#include "wsgi.h"

// After this number of requests the caches are filled, and Python has specialised the application's
// code.
#define WARM_UP 320
#define BATCH 16
#define MAX_HEADERS 64
#define MAX_CLIENTS 16

#define ENSURE(condition)                                                       \
    do {                                                                        \
        if (!(condition)) {                                                     \
            fprintf(stderr, "%s:%d: not " #condition "\n", __FILE__, __LINE__); \
            _exit(1);                                                           \
        }                                                                       \
    } while (0)

static wsgi_runtime *runtime;
static wsgi_app *app;
static int wake;
static char headers_text[64 * 1024];
static wsgi_header headers[MAX_CLIENTS][MAX_HEADERS];
static size_t headers_count;
static unsigned long finished;
static uint64_t answered;
static unsigned threads;

// ---- The callbacks

static int on_start(void *request, const wsgi_head *head) {
    (void) request;
    ENSURE(head->status == 200);
    return 0;
}

static int on_write(void *request, wsgi_buffer *const *buffers, size_t count, uint32_t flags) {
    (void) request;
    (void) flags;
    for (size_t i = 0; i < count; i++) {
        answered += buffers[i]->size;
        wsgi_buffer_release(buffers[i]);
    }
    return 0;
}

static int on_send_file(void *request, int fd, uint64_t offset, uint64_t length, uint32_t flags) {
    (void) request;
    (void) offset;
    (void) flags;
    answered += length;
    close(fd);
    return 0;
}

static void on_finish(void *request, wsgi_outcome outcome, uint32_t retry_after) {
    (void) request;
    (void) retry_after;
    ENSURE(outcome == WSGI_COMPLETE);
    finished++;
}

static void on_log(void *data, void *request, wsgi_level level, wsgi_str line) {
    (void) data;
    (void) request;
    (void) level;
    fprintf(stderr, "%.*s\n", (int) line.size, (const char *) line.data);
}

// Does what an event loop needs. This program does not wait for it, but asks for the phase.
static void on_notify(void *data) {
    uint64_t one = 1;
    (void) data;
    ENSURE(write(wake, &one, sizeof one) == sizeof one);
}

// ---- Requests

static wsgi_str str(const char *text) {
    wsgi_str result = {(const uint8_t *) text, strlen(text)};
    return result;
}

static void read_headers(const char *path) {
    FILE *file = fopen(path, "r");
    ENSURE(file != NULL);
    size_t size = fread(headers_text, 1, sizeof headers_text - 1, file);
    fclose(file);
    headers_text[size] = '\0';
    headers[0][0].name = str("Host");
    headers[0][0].value = str("127.0.0.1:8080");
    headers_count = 1;
    for (char *line = strtok(headers_text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        char *colon = strstr(line, ": ");
        ENSURE(colon != NULL && headers_count < MAX_HEADERS);
        *colon = '\0';
        headers[0][headers_count].name = str(line);
        headers[0][headers_count++].value = str(colon + 2);
    }
}

// The same text. Its last character is the client's own.
static wsgi_str of_client(wsgi_str text, size_t client) {
    char *copy = (char *) calloc(1, text.size + 1);
    ENSURE(copy != NULL && text.size > 0);
    memcpy(copy, text.data, text.size);
    copy[text.size - 1] = (char) ('a' + client);
    return str(copy);
}

static void fill_for_client(wsgi_request *request, size_t client) {
    request->path_info = of_client(str("/ "), client);
    request->request_uri = request->path_info;
    request->remote_port = of_client(request->remote_port, client);
    request->request_id = of_client(request->request_id, client);
    for (size_t i = 0; i < headers_count; i++) {
        headers[client][i].name = headers[0][i].name;
        headers[client][i].value = of_client(headers[0][i].value, client);
    }
    request->headers = headers[client];
}

static void fill(wsgi_request *request, const wsgi_str *body) {
    memset(request, 0, sizeof *request);
    request->struct_size = sizeof *request;
    request->method = str(body->size > 0 ? "POST" : "GET");
    request->path_info = str("/");
    request->request_uri = str("/");
    request->protocol = str("HTTP/1.1");
    request->scheme = str("http");
    request->server_name = str("127.0.0.1");
    request->server_port = str("8080");
    request->server_addr = str("127.0.0.1");
    request->remote_addr = str("127.0.0.1");
    request->remote_port = str("51234");
    request->document_root = str("/srv/html");
    request->request_id = str("8f6d1a2b3c4d5e6f708192a3b4c5d6e7");
    request->headers = headers[0];
    request->headers_count = headers_count;
    request->content_length = -1;
    if (body->size > 0) {
        request->content_length = (int64_t) body->size;
        request->body_kind = WSGI_BODY_MEMORY;
        request->body_parts = body;
        request->body_parts_count = 1;
    }
}

// Whether the pool still works on the requests from `first` on, which it answers in this order. It
// does not if one of them waits for this thread, for example with more than 8 MB that are not
// fetched yet.
static int is_pool_busy(wsgi_exchange *const *batch, unsigned long first, unsigned long count) {
    for (unsigned long i = first; i < count; i++) {
        wsgi_phase phase = wsgi_exchange_phase(batch[i], NULL);
        if (phase < WSGI_PHASE_DONE) {
            return phase != WSGI_PHASE_HOST;
        }
    }
    return 0;
}

// Sleeps until the pool has nothing more to do. nginx's loop would fetch the first answers while
// the pool makes others. Their number, and that of the instructions, would depend on the clock.
static void wait_for_pool(wsgi_exchange *const *batch, unsigned long first, unsigned long count) {
    struct timespec pause = {0, 2 * 1000 * 1000};
    while (is_pool_busy(batch, first, count)) {
        nanosleep(&pause, NULL);
    }
    nanosleep(&pause, NULL); // the thread goes to sleep too
}

static void answer(const wsgi_request *requests, size_t clients, unsigned long count) {
    while (finished < count) {
        unsigned long begin = finished;
        unsigned long until = begin + BATCH < count ? begin + BATCH : count;
        wsgi_exchange *batch[BATCH];
        for (unsigned long i = begin; i < until; i++) {
            const wsgi_request *request = &requests[i % clients];
            ENSURE(wsgi_submit(app, request, &finished, &batch[i - begin], NULL) == WSGI_OK);
        }
        ENSURE(wsgi_poll(runtime, 0, NULL) == WSGI_OK);
        while (finished < until) {
            if (threads > 0) {
                wait_for_pool(batch, finished - begin, until - begin);
            }
            ENSURE(wsgi_poll(runtime, 0, NULL) == WSGI_OK);
        }
    }
}

// ---- The program

static void start(const char *file, const char *callable) {
    static wsgi_host table;
    static wsgi_runtime_config config;
    table.struct_size = sizeof table;
    table.start = on_start;
    table.write = on_write;
    table.send_file = on_send_file;
    table.finish = on_finish;
    table.log = on_log;
    table.notify = on_notify;
    config.struct_size = sizeof config;
    config.abi_version = WSGI_ABI_VERSION;
    config.host = &table;
    config.flags = WSGI_BATCH;
    config.threads = threads;
    wake = eventfd(0, EFD_CLOEXEC);
    ENSURE(wsgi_runtime_start(&config, &runtime, NULL) == WSGI_OK);
    wsgi_app_config where;
    memset(&where, 0, sizeof where);
    where.struct_size = sizeof where;
    where.target = file;
    where.callable = callable;
    ENSURE(wsgi_app_load(runtime, &where, &app, NULL) == WSGI_OK);
    ENSURE(wsgi_app_wait(app, 0, NULL) == WSGI_OK);
}

int main(int argc, char **argv) {
    ENSURE(argc == 9);
    threads = (unsigned) strtoul(argv[3], NULL, 10);
    unsigned long count = strtoul(argv[4], NULL, 10);
    size_t clients = strtoul(argv[6], NULL, 10);
    uint64_t size = strtoul(argv[8], NULL, 10);
    ENSURE(clients >= 1 && clients <= MAX_CLIENTS);
    start(argv[1], argv[2]);
    read_headers(argv[5]);
    wsgi_str body = {NULL, strtoul(argv[7], NULL, 10)};
    body.data = (const uint8_t *) calloc(1, body.size + 1);
    wsgi_request requests[MAX_CLIENTS];
    for (size_t client = 0; client < clients; client++) {
        fill(&requests[client], &body);
        if (client > 0) {
            fill_for_client(&requests[client], client);
        }
    }
    answer(requests, clients, WARM_UP);
    CALLGRIND_START_INSTRUMENTATION;
    answer(requests, clients, WARM_UP + count);
    CALLGRIND_STOP_INSTRUMENTATION;
    ENSURE(answered == (WARM_UP + count) * size);
    wsgi_app_release(app);
    ENSURE(wsgi_runtime_stop(runtime, 10 * 1000, NULL) == WSGI_OK);
    fflush(NULL);
    _exit(0);
}
