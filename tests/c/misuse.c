// misuse: calls of wsgi.h that break its rules, and what they return.
//
//     misuse events|blocking app.py
//
// Prints a line for each check; test_misuse.py reads them.

#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "misuse.h"

static int failures;

void check(const char *sentence, long got, long expected) {
    if (got == expected) {
        printf("ok %s\n", sentence);
    } else {
        printf("not ok %s: %ld instead of %ld\n", sentence, got, expected);
        failures++;
    }
}

// The call and its text. The macro checks and releases `error`; `e` is the argument for the call.
#define EXPECT(expected, call)                                  \
    do {                                                        \
        wsgi_error *e = NULL;                                   \
        check(#call " is " #expected, (long) (call), expected); \
        if (e != NULL) {                                        \
            look_at(e, expected);                               \
        }                                                       \
    } while (0)

static void look_at(wsgi_error *error, long expected) {
    check("  the error has the same status", wsgi_error_status(error), expected);
    check("  the error has a sentence", wsgi_error_message(error).size > 10, 1);
    wsgi_error_release(error);
}

static int marker; // the callbacks get its address as their request
static wsgi_runtime *polled;
static wsgi_status polled_inside = WSGI_OK;
static int finished;

static int on_start(void *request, const wsgi_head *head) {
    (void) request;
    (void) head;
    polled_inside = wsgi_poll(polled, 0, NULL);
    return 0;
}

static int on_write(void *request, wsgi_buffer *const *buffers, size_t count, uint32_t flags) {
    (void) request;
    (void) flags;
    for (size_t i = 0; i < count; i++) {
        wsgi_buffer_release(buffers[i]);
    }
    return 0;
}

static void on_finish(void *request, wsgi_outcome outcome, uint32_t retry_after) {
    (void) request;
    (void) outcome;
    (void) retry_after;
    finished++;
}

static void on_log(void *data, void *request, wsgi_level level, wsgi_str line) {
    (void) data;
    (void) request;
    (void) level;
    fprintf(stderr, "%.*s\n", (int) line.size, (const char *) line.data);
}

static void on_notify(void *data) {
    char byte = 0;
    ssize_t written = write(*(int *) data, &byte, 1);
    (void) written; // a full pipe also wakes the loop
}

// Zeros with the sizes: the header allows this as well as the initialisers.
static wsgi_host a_host(void) {
    wsgi_host host;
    memset(&host, 0, sizeof host);
    host.struct_size = sizeof host;
    host.start = on_start;
    host.write = on_write;
    host.finish = on_finish;
    host.log = on_log;
    return host;
}

static wsgi_runtime_config a_config(const wsgi_host *host) {
    wsgi_runtime_config config;
    memset(&config, 0, sizeof config);
    config.struct_size = sizeof config;
    config.abi_version = WSGI_ABI_VERSION;
    config.host = host;
    return config;
}

static wsgi_app_config an_app(const char *target, const char *callable) {
    wsgi_app_config config;
    memset(&config, 0, sizeof config);
    config.struct_size = sizeof config;
    config.target = target;
    config.callable = callable;
    return config;
}

static wsgi_request a_request(void) {
    wsgi_request request = WSGI_REQUEST_INIT;
    request.method = wsgi_str_from("GET");
    return request;
}

static void with_nothing(void) {
    wsgi_runtime *runtime;
    wsgi_app *app;
    wsgi_exchange *exchange;
    check("the library has the version of the header", wsgi_abi_version(), WSGI_ABI_VERSION);
    check("the version is a text", strncmp(wsgi_version(), "libwsgi/", 8), 0);
    EXPECT(WSGI_INVALID, wsgi_error_status(NULL));
    check("NULL as an error has no sentence", (long) wsgi_error_message(NULL).size, 0);
    check("NULL as an error has no time", (long) wsgi_error_retry_after(NULL), 0);
    check("a status has a name", strcmp(wsgi_status_name(WSGI_BUSY), "WSGI_BUSY"), 0);
    check("the last status has a name, too", strcmp(wsgi_status_name(WSGI_PANIC), "WSGI_PANIC"), 0);
    check("other numbers have no name", strcmp(wsgi_status_name(-1), "WSGI_?"), 0);
    wsgi_error_release(NULL);
    wsgi_app_release(NULL);
    wsgi_buffer_release(NULL);
    wsgi_cancel(NULL);
    EXPECT(WSGI_INVALID, wsgi_runtime_check(NULL, &e));
    EXPECT(WSGI_INVALID, wsgi_runtime_check(NULL, NULL));
    EXPECT(WSGI_INVALID, wsgi_runtime_start(NULL, &runtime, &e));
    check("a start that failed sets the runtime to NULL", runtime == NULL, 1);
    EXPECT(WSGI_INVALID, wsgi_runtime_start(NULL, NULL, NULL));
    EXPECT(WSGI_INVALID, wsgi_runtime_stop(NULL, 1, &e));
    EXPECT(WSGI_INVALID, wsgi_poll(NULL, 0, NULL));
    EXPECT(WSGI_INVALID, wsgi_app_check(NULL, &e));
    EXPECT(WSGI_INVALID, wsgi_app_load(NULL, NULL, &app, &e));
    EXPECT(WSGI_INVALID, wsgi_app_wait(NULL, 1, &e));
    EXPECT(WSGI_INVALID, wsgi_submit(NULL, NULL, NULL, &exchange, &e));
    EXPECT(WSGI_INVALID, wsgi_run(NULL, NULL, NULL, &e));
    EXPECT(WSGI_INVALID, wsgi_body_push(NULL, NULL, 0, 0, NULL));
    EXPECT(WSGI_PHASE_DONE, wsgi_exchange_phase(NULL, NULL));
    EXPECT(0, wsgi_exchange_time(NULL, NULL));
}

static void wrong_configurations(void) {
    wsgi_host host = a_host();
    wsgi_runtime_config good = a_config(&host), bad;
    EXPECT(WSGI_OK, wsgi_runtime_check(&good, &e));
    bad = good, bad.struct_size = 8;
    EXPECT(WSGI_INVALID, wsgi_runtime_check(&bad, &e));
    bad = good, bad.abi_version = WSGI_ABI_VERSION + 1;
    EXPECT(WSGI_WRONG_VERSION, wsgi_runtime_check(&bad, &e));
    bad = good, bad.threads = 1025;
    EXPECT(WSGI_INVALID, wsgi_runtime_check(&bad, &e));
    bad = good, bad.log_line_size = 63;
    EXPECT(WSGI_INVALID, wsgi_runtime_check(&bad, &e));
    bad = good, bad.flags = 1u << 31;
    EXPECT(WSGI_INVALID, wsgi_runtime_check(&bad, &e));
    bad = good, bad.python_home = "/no/such/folder";
    EXPECT(WSGI_INVALID, wsgi_runtime_check(&bad, &e));
    bad = good, bad.python_path_count = 1;
    EXPECT(WSGI_INVALID, wsgi_runtime_check(&bad, &e));
}

static void wrong_hosts(void) {
    wsgi_runtime *runtime;
    wsgi_host host;
    wsgi_runtime_config config = a_config(NULL);
    EXPECT(WSGI_INVALID, wsgi_runtime_start(&config, &runtime, &e));
    config.host = &host;
    host = a_host(), host.struct_size = 0;
    EXPECT(WSGI_INVALID, wsgi_runtime_start(&config, &runtime, &e));
    host = a_host(), host.start = NULL;
    EXPECT(WSGI_INVALID, wsgi_runtime_start(&config, &runtime, &e));
    host = a_host(), host.write = NULL;
    EXPECT(WSGI_INVALID, wsgi_runtime_start(&config, &runtime, &e));
    host = a_host(), host.finish = NULL;
    EXPECT(WSGI_INVALID, wsgi_runtime_start(&config, &runtime, &e));
    host = a_host(), host.log = NULL;
    EXPECT(WSGI_INVALID, wsgi_runtime_start(&config, &runtime, &e));
    config.abi_version = 0;
    EXPECT(WSGI_WRONG_VERSION, wsgi_runtime_start(&config, &runtime, &e));
}

static void wrong_apps(const char *file) {
    wsgi_app_config config = an_app(file, "hello");
    EXPECT(WSGI_OK, wsgi_app_check(&config, &e));
    config.struct_size = 1;
    EXPECT(WSGI_INVALID, wsgi_app_check(&config, &e));
    config = an_app(NULL, "hello");
    EXPECT(WSGI_INVALID, wsgi_app_check(&config, &e));
    config = an_app("/no/such/file.py", "hello");
    EXPECT(WSGI_INVALID, wsgi_app_check(&config, &e));
    config = an_app("/", "hello");
    EXPECT(WSGI_INVALID, wsgi_app_check(&config, &e));
    config = an_app(file, "");
    EXPECT(WSGI_INVALID, wsgi_app_check(&config, &e));
    config = an_app("module:", NULL);
    EXPECT(WSGI_INVALID, wsgi_app_check(&config, &e));
}

static void wrong_requests(wsgi_app *app) {
    wsgi_exchange *exchange;
    wsgi_request good = a_request(), bad = good;
    EXPECT(WSGI_INVALID, wsgi_submit(app, NULL, &marker, &exchange, &e));
    EXPECT(WSGI_INVALID, wsgi_submit(app, &good, NULL, &exchange, &e));
    EXPECT(WSGI_INVALID, wsgi_submit(app, &good, &marker, NULL, &e));
    bad.struct_size--;
    EXPECT(WSGI_INVALID, wsgi_submit(app, &bad, &marker, &exchange, &e));
    check("a submit that failed sets the exchange to NULL", exchange == NULL, 1);
    bad = good, bad.body_kind = WSGI_BODY_READ;
    EXPECT(WSGI_INVALID, wsgi_submit(app, &bad, &marker, &exchange, &e));
    bad = good, bad.body_kind = 77;
    EXPECT(WSGI_INVALID, wsgi_submit(app, &bad, &marker, &exchange, &e));
    contradictions(app, good);
    wrong_members(app, good);
    bad = good, bad.body_kind = WSGI_BODY_PUSH; // the host has no want_body
    EXPECT(WSGI_INVALID, wsgi_submit(app, &bad, &marker, &exchange, &e));
    bad = good, bad.body_kind = WSGI_BODY_FILE, bad.body_fd = -1;
    EXPECT(WSGI_INVALID, wsgi_submit(app, &bad, &marker, &exchange, &e));
    bad = good, bad.body_kind = WSGI_BODY_MEMORY, bad.body_parts_count = 1;
    EXPECT(WSGI_INVALID, wsgi_submit(app, &bad, &marker, &exchange, &e));
    bad = good, bad.headers_count = 1;
    EXPECT(WSGI_INVALID, wsgi_submit(app, &bad, &marker, &exchange, &e));
    bad = good, bad.path_info.size = 1;
    EXPECT(WSGI_INVALID, wsgi_submit(app, &bad, &marker, &exchange, &e));
    bad = good, bad.path_info.size = SIZE_MAX / 4; // more memory than there is
    EXPECT(WSGI_INVALID, wsgi_submit(app, &bad, &marker, &exchange, &e));
    wsgi_str parts[2] = {{NULL, SIZE_MAX}, {NULL, SIZE_MAX}};
    bad = good, bad.body_kind = WSGI_BODY_MEMORY, bad.body_parts = parts, bad.body_parts_count = 2;
    EXPECT(WSGI_INVALID, wsgi_submit(app, &bad, &marker, &exchange, &e));
}

static void wrong_runs(wsgi_app *app) {
    wsgi_request good = a_request(), bad = good;
    EXPECT(WSGI_INVALID, wsgi_run(app, NULL, &marker, &e));
    EXPECT(WSGI_INVALID, wsgi_run(app, &good, NULL, &e));
    bad.body_kind = WSGI_BODY_PUSH;
    EXPECT(WSGI_INVALID, wsgi_run(app, &bad, &marker, &e));
    bad = good, bad.body_kind = WSGI_BODY_READ; // the host has no read
    EXPECT(WSGI_INVALID, wsgi_run(app, &bad, &marker, &e));
}

static void in_a_forked_child(wsgi_runtime *runtime, wsgi_app *app, const char *file) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        failures = 0;
        wsgi_app *other;
        wsgi_exchange *exchange;
        wsgi_request request = a_request();
        wsgi_app_config where = an_app(file, "hello");
        EXPECT(WSGI_FORKED, wsgi_app_load(runtime, &where, &other, &e));
        EXPECT(WSGI_FORKED, wsgi_app_wait(app, 1, &e));
        EXPECT(WSGI_FORKED, wsgi_submit(app, &request, &marker, &exchange, &e));
        EXPECT(WSGI_FORKED, wsgi_run(app, &request, &marker, &e));
        EXPECT(WSGI_FORKED, wsgi_poll(runtime, 0, NULL));
        EXPECT(WSGI_FORKED, wsgi_runtime_stop(runtime, 1, &e));
        fflush(stdout);
        _exit(failures != 0);
    }
    int status = -1;
    waitpid(child, &status, 0);
    check("the child ended well", status, 0);
}

static void after_stop(wsgi_runtime *runtime, wsgi_app *app, const char *file) {
    wsgi_app *other;
    wsgi_exchange *exchange;
    wsgi_request request = a_request();
    wsgi_app_config where = an_app(file, "hello");
    EXPECT(WSGI_STOPPING, wsgi_runtime_stop(runtime, 1, &e));
    EXPECT(WSGI_STOPPING, wsgi_app_load(runtime, &where, &other, &e));
    EXPECT(WSGI_STOPPING, wsgi_app_wait(app, 1, &e));
    EXPECT(WSGI_STOPPING, wsgi_submit(app, &request, &marker, &exchange, &e));
    EXPECT(WSGI_STOPPING, wsgi_run(app, &request, &marker, &e));
    EXPECT(WSGI_OK, wsgi_poll(runtime, 0, NULL));
}

// A request without a pushed body, polled to its end.
static void around_an_exchange(wsgi_runtime *runtime, wsgi_app *app, int wake) {
    wsgi_exchange *exchange = NULL;
    wsgi_request request = a_request();
    EXPECT(WSGI_OK, wsgi_submit(app, &request, &marker, &exchange, &e));
    EXPECT(WSGI_INVALID, wsgi_body_push(exchange, (const uint8_t *) "x", 1, 0, NULL));
    EXPECT(WSGI_INVALID, wsgi_body_push(exchange, NULL, 1, 0, NULL));
    EXPECT(WSGI_INVALID, wsgi_body_push(exchange, NULL, 0, 99, NULL));
    polled = runtime;
    while (!finished) {
        char byte;
        if (read(wake, &byte, 1) < 1) {
            break;
        }
        wsgi_poll(runtime, 0, NULL);
    }
    check("the request ended", finished, 1);
    check("wsgi_poll inside a callback is WSGI_INVALID", polled_inside, WSGI_INVALID);
}

static int run(int events, const char *file) {
    int wake[2];
    if (pipe(wake) != 0) {
        return 1;
    }
    wsgi_host host = a_host();
    host.data = &wake[1];
    host.notify = events ? on_notify : NULL;
    wsgi_runtime_config config = a_config(&host);
    config.threads = (uint32_t) events;
    wsgi_app_config where = an_app(file, "hello");
    wsgi_runtime *runtime, *second;
    wsgi_app *app;
    wsgi_exchange *exchange;
    wsgi_request request = a_request();

    EXPECT(WSGI_OK, wsgi_runtime_start(&config, &runtime, &e));
    EXPECT(WSGI_INVALID, wsgi_runtime_start(&config, &second, &e));
    EXPECT(WSGI_INVALID, wsgi_app_load(runtime, NULL, &app, &e));
    EXPECT(WSGI_INVALID, wsgi_app_load(runtime, &where, NULL, &e));
    EXPECT(WSGI_OK, wsgi_app_load(runtime, &where, &app, &e));
    EXPECT(WSGI_OK, wsgi_app_wait(app, 0, &e));
    if (events) {
        EXPECT(WSGI_INVALID, wsgi_run(app, &request, &marker, &e));
        wrong_requests(app);
        around_an_exchange(runtime, app, wake[0]);
    } else {
        EXPECT(WSGI_INVALID, wsgi_submit(app, &request, &marker, &exchange, &e));
        wrong_runs(app);
    }
    in_a_forked_child(runtime, app, file);
    EXPECT(WSGI_OK, wsgi_runtime_stop(runtime, 5000, &e));
    after_stop(runtime, app, file);
    wsgi_app_release(app);
    close(wake[0]);
    close(wake[1]);
    return failures != 0;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fputs("usage: misuse events|blocking app.py\n", stderr);
        return 2;
    }
    with_nothing();
    wrong_configurations();
    wrong_hosts();
    wrong_apps(argv[2]);
    return run(strcmp(argv[1], "events") == 0, argv[2]);
}
