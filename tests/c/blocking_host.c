// blocking_host: the blocking half of wsgi.h when a client leaves, a run is cancelled, or all ends.
//
//     blocking_host SCENARIO app.py
//
// Without arguments it lists the scenarios. Exit code 0 if the scenario passed.

#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "wsgi.h"

#define ENSURE(condition)                                                         \
    do {                                                                          \
        if (!(condition)) {                                                       \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            exit(1);                                                              \
        }                                                                         \
    } while (0)

struct answer {
    const char *path;
    int64_t content_length;
    wsgi_status status; // the result of wsgi_run
    unsigned begun;
    int writes;
    char body[256];
    size_t size;
    int finished;
    wsgi_outcome outcome;
    const char *upload; // what `read` returns first
    ptrdiff_t then;     // what `read` returns after that
    int reads;
    void (*in_write)(struct answer *self);
    sem_t written;
};

static const char *file;
static wsgi_runtime *runtime;
static wsgi_app *app;
static int gate[2];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char lines[64 * 1024]; // the log: level, whether there is a request, and the line

static int on_start(void *request, const wsgi_head *head) {
    struct answer *self = (struct answer *) request;
    self->begun = head->status;
    return 0;
}

static int on_write(void *request, wsgi_buffer *const *buffers, size_t count, uint32_t flags) {
    struct answer *self = (struct answer *) request;
    (void) flags;
    self->writes++;
    for (size_t i = 0; i < count; i++) {
        memcpy(self->body + self->size, buffers[i]->data, buffers[i]->size);
        self->size += buffers[i]->size;
        wsgi_buffer_release(buffers[i]);
    }
    if (self->in_write != NULL) {
        self->in_write(self);
    }
    sem_post(&self->written);
    return 0;
}

static void on_finish(void *request, wsgi_outcome outcome, uint32_t retry_after) {
    struct answer *self = (struct answer *) request;
    (void) retry_after;
    self->finished++;
    self->outcome = outcome;
}

static ptrdiff_t on_read(void *request, uint8_t *buffer, size_t size) {
    struct answer *self = (struct answer *) request;
    self->reads++;
    if (self->upload == NULL) {
        return self->then;
    }
    size_t length = strlen(self->upload);
    ENSURE(length <= size);
    memcpy(buffer, self->upload, length);
    self->upload = NULL;
    return (ptrdiff_t) length;
}

static void on_log(void *data, void *request, wsgi_level level, wsgi_str line) {
    (void) data;
    pthread_mutex_lock(&lock);
    size_t used = strlen(lines);
    snprintf(lines + used, sizeof lines - used, "%d %s %.*s\n", (int) level,
             request != NULL ? "request" : "-", (int) line.size, (const char *) line.data);
    pthread_mutex_unlock(&lock);
}

static int logged(const char *text) {
    pthread_mutex_lock(&lock);
    int found = strstr(lines, text) != NULL;
    pthread_mutex_unlock(&lock);
    return found;
}

static void load(const char *callable) {
    wsgi_app_config where = WSGI_APP_CONFIG_INIT;
    where.target = file;
    where.callable = callable;
    ENSURE(wsgi_app_load(runtime, &where, &app, NULL) == WSGI_OK);
}

static void start(void) {
    char number[12];
    ENSURE(pipe(gate) == 0);
    snprintf(number, sizeof number, "%d", gate[0]);
    setenv("GATE", number, 1);
    wsgi_host host = WSGI_HOST_INIT;
    host.start = on_start;
    host.write = on_write;
    host.finish = on_finish;
    host.read = on_read;
    host.log = on_log;
    wsgi_runtime_config config = WSGI_RUNTIME_CONFIG_INIT;
    config.host = &host;
    ENSURE(wsgi_runtime_start(&config, &runtime, NULL) == WSGI_OK);
    load("application");
    ENSURE(wsgi_app_wait(app, 0, NULL) == WSGI_OK);
}

static void stop(void) {
    wsgi_app_release(app);
    ENSURE(wsgi_runtime_stop(runtime, 60 * 1000, NULL) == WSGI_OK);
}

static void begin(struct answer *self, const char *path) {
    memset(self, 0, sizeof *self);
    self->path = path;
    self->content_length = -1;
    sem_init(&self->written, 0, 0);
}

static void *run(void *data) {
    struct answer *self = (struct answer *) data;
    wsgi_request request = WSGI_REQUEST_INIT;
    request.method = wsgi_str_from("POST");
    request.path_info = wsgi_str_from(self->path);
    request.request_id = wsgi_str_from("id-7");
    request.content_length = self->content_length;
    request.body_kind = WSGI_BODY_READ;
    self->status = wsgi_run(app, &request, self, NULL);
    return NULL;
}

static struct answer one, two;

static pthread_t in_a_thread(struct answer *self) {
    pthread_t thread;
    ENSURE(pthread_create(&thread, NULL, run, self) == 0);
    return thread;
}

static void until_written(struct answer *self) {
    while (sem_wait(&self->written) != 0) {
        // interrupted
    }
}

static long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

// ---- Uploads

// The client leaves in the middle: the library logs that, for each way in which a host may report
// it.
static void upload_breaks_off(void) {
    static const ptrdiff_t ways[] = {0, WSGI_READ_BROKEN, WSGI_READ_GONE};
    start();
    for (size_t i = 0; i < 3; i++) {
        begin(&one, "/read");
        one.content_length = 50;
        one.upload = "some";
        one.then = ways[i];
        run(&one);
        ENSURE(one.status == WSGI_GONE && !one.finished && !one.begun && one.reads == 2);
    }
    ENSURE(logged("0 request WSGI0219 the client left before its request body was whole: "
                  "\"POST /read\", request id-7\n"));
    ENSURE(logged("0 request WSGI0208 the client left before the response was complete: "));
    ENSURE(!logged("WSGI0201") && !logged("2 request"));
    stop();
}

// An application that catches the error may still answer, unless the client is gone.
static void upload_breaks_off_and_is_caught(void) {
    start();
    begin(&one, "/echo");
    one.content_length = 50;
    one.upload = "some";
    run(&one);
    ENSURE(one.status == WSGI_OK && one.outcome == WSGI_COMPLETE);
    ENSURE(one.size == 7 && memcmp(one.body, "OSError", 7) == 0);
    begin(&one, "/echo");
    one.then = WSGI_READ_GONE;
    run(&one);
    ENSURE(one.status == WSGI_GONE && !one.begun && !one.finished);
    stop();
}

// The library reads a body to its length only; on a socket the next read would wait for a request.
static void upload_is_read_to_its_length(void) {
    start();
    begin(&one, "/echo");
    one.content_length = 4;
    one.upload = "some";
    run(&one);
    ENSURE(one.status == WSGI_OK && one.reads == 1 && memcmp(one.body, "some", 5) == 0);
    stop();
}

// ---- Cancelling

static void cancel_inside(struct answer *self) {
    ENSURE(wsgi_run_cancel(runtime, self) == WSGI_OK);
}

static void cancel_in_a_callback(void) {
    start();
    begin(&one, "/two");
    one.in_write = cancel_inside;
    run(&one);
    ENSURE(one.status == WSGI_GONE && one.writes == 1 && !one.finished);
    ENSURE(wsgi_run_cancel(runtime, &one) == WSGI_GONE);
    ENSURE(wsgi_run_cancel(runtime, NULL) == WSGI_INVALID);
    ENSURE(wsgi_run_cancel(NULL, &one) == WSGI_INVALID);
    stop();
}

// The application is notified, and another run goes on.
static void cancel_from_another_thread(void) {
    start();
    begin(&one, "/asks");
    begin(&two, "/gate");
    pthread_t first = in_a_thread(&one), second = in_a_thread(&two);
    until_written(&one);
    until_written(&two);
    ENSURE(wsgi_run_cancel(runtime, &one) == WSGI_OK);
    pthread_join(first, NULL);
    ENSURE(one.status == WSGI_GONE && one.writes == 1 && !one.finished);
    ENSURE(write(gate[1], "a", 1) == 1);
    pthread_join(second, NULL);
    ENSURE(two.status == WSGI_OK && two.outcome == WSGI_COMPLETE && two.writes == 2);
    stop();
}

static void cancel_waiting_for_an_import(void) {
    start();
    wsgi_app_release(app);
    load("late()");
    begin(&one, "/hello");
    pthread_t thread = in_a_thread(&one);
    while (wsgi_run_cancel(runtime, &one) == WSGI_GONE) {
        // it has not begun
    }
    pthread_join(thread, NULL);
    ENSURE(one.status == WSGI_GONE && !one.begun && !one.finished);
    ENSURE(write(gate[1], "a", 1) == 1);
    stop();
}

// ---- Stopping

static void stop_ends_what_runs(void) {
    start();
    begin(&one, "/asks");
    pthread_t thread = in_a_thread(&one);
    until_written(&one);
    ENSURE(wsgi_runtime_stop(runtime, 60 * 1000, NULL) == WSGI_OK);
    pthread_join(thread, NULL);
    ENSURE(one.status == WSGI_GONE && one.writes == 1 && !one.finished);
    ENSURE(!logged("WSGI0003"));
    begin(&one, "/hello");
    run(&one);
    ENSURE(one.status == WSGI_STOPPING && !one.begun && !one.finished);
}

// The application does not end in time. It may use all of the time. What it writes afterwards
// reaches no client, though its thread goes on.
static void stop_gives_up(void) {
    start();
    begin(&one, "/gate");
    pthread_t thread = in_a_thread(&one);
    while (!logged("at the gate")) {
        sched_yield();
    }
    long begun = now();
    ENSURE(wsgi_runtime_stop(runtime, 400, NULL) == WSGI_OK);
    ENSURE(now() - begun >= 395); // a little less than 400, as both are rounded
    ENSURE(logged("WSGI0003"));
    ENSURE(write(gate[1], "a", 1) == 1);
    pthread_join(thread, NULL);
    ENSURE(one.status == WSGI_GONE && one.writes == 1 && !one.finished);
    ENSURE(logged("2 - through the gate"));
}

static void stop_inside(struct answer *self) {
    (void) self;
    stop();
}

static void stop_in_a_callback(void) {
    start();
    begin(&one, "/two");
    one.in_write = stop_inside;
    long begun = now();
    run(&one);
    ENSURE(now() - begun < 30 * 1000);
    ENSURE(one.status == WSGI_GONE && one.writes == 1 && !one.finished);
    ENSURE(!logged("WSGI0003"));
}

static void stop_while_an_import_is_waited_for(void) {
    start();
    wsgi_app_release(app);
    load("late()");
    begin(&one, "/hello");
    pthread_t thread = in_a_thread(&one);
    ENSURE(wsgi_runtime_stop(runtime, 1, NULL) == WSGI_OK);
    pthread_join(thread, NULL);
    ENSURE(one.status == WSGI_STOPPING || one.status == WSGI_GONE);
    ENSURE(!one.begun && !one.finished);
    _exit(0); // the import still waits at the gate
}

static void run_inside(struct answer *self) {
    (void) self;
    begin(&two, "/hello");
    run(&two);
}

static void run_in_a_callback(void) {
    start();
    begin(&one, "/two");
    one.in_write = run_inside;
    run(&one);
    ENSURE(one.status == WSGI_OK && one.writes == 2 && two.status == WSGI_OK && two.writes == 1);
    stop();
}

static const struct scenario {
    const char *name;
    void (*run)(void);
} scenarios[] = {
    {"upload_breaks_off", upload_breaks_off},
    {"upload_breaks_off_and_is_caught", upload_breaks_off_and_is_caught},
    {"upload_is_read_to_its_length", upload_is_read_to_its_length},
    {"cancel_in_a_callback", cancel_in_a_callback},
    {"cancel_from_another_thread", cancel_from_another_thread},
    {"cancel_waiting_for_an_import", cancel_waiting_for_an_import},
    {"stop_ends_what_runs", stop_ends_what_runs},
    {"stop_gives_up", stop_gives_up},
    {"stop_in_a_callback", stop_in_a_callback},
    {"stop_while_an_import_is_waited_for", stop_while_an_import_is_waited_for},
    {"run_in_a_callback", run_in_a_callback},
};

int main(int argc, char **argv) {
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
        if (argc == 1) {
            puts(scenarios[i].name);
        } else if (argc == 3 && strcmp(scenarios[i].name, argv[1]) == 0) {
            file = argv[2];
            scenarios[i].run();
            return 0;
        }
    }
    return argc == 1 ? 0 : 2;
}
