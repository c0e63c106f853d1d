// event_host: the event-driven half of wsgi.h, as a C program uses it.
//
//     event_host SCENARIO folder-of-apps
//
// Without arguments it lists the scenarios. Exit code 0 if the scenario passed.

#define _POSIX_C_SOURCE 200809L

#include "event_host.h"

#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct host host;
struct answer one, two, three;

void ensure(int condition, const char *text, const char *file, int line) {
    if (!condition) {
        fprintf(stderr, "%s:%d: not so: %s\n", file, line, text);
        exit(1);
    }
}

// ---- The callbacks

static void append(struct answer *self, const void *data, size_t size) {
    self->body = (char *) realloc(self->body, self->size + size + 1);
    ENSURE(self->body != NULL);
    memcpy(self->body + self->size, data, size);
    self->size += size;
    self->body[self->size] = '\0';
}

static int on_early_hints(void *request, const wsgi_header *headers, size_t count) {
    struct answer *self = (struct answer *) request;
    ENSURE(self->status == 0 && !self->finished && count > 0);
    self->calls++;
    for (size_t i = 0; i < count; i++, self->hints++) {
        ENSURE(headers[i].name.size == 4 && memcmp(headers[i].name.data, "Link", 4) == 0);
        ENSURE(headers[i].value.size == 2 && headers[i].value.data[1] == 'a' + self->hints);
    }
    if (self->refuse_hints) {
        self->exchange = NULL;
    }
    return self->refuse_hints;
}

static int on_start(void *request, const wsgi_head *head) {
    struct answer *self = (struct answer *) request;
    ENSURE(self->status == 0 && !self->finished);
    self->calls++;
    self->status = head->status;
    self->content_length = head->content_length;
    self->no_body = head->no_body;
    if (self->in_start != NULL) {
        self->in_start(self);
    }
    if (self->refuse_start) {
        self->exchange = NULL;
    }
    return self->refuse_start;
}

static int on_write(void *request, wsgi_buffer *const *buffers, size_t count, uint32_t flags) {
    struct answer *self = (struct answer *) request;
    ENSURE(self->status != 0 && !self->finished && !self->last && count > 0);
    self->calls++;
    self->last = (flags & WSGI_WRITE_LAST) != 0;
    for (size_t i = 0; i < count; i++) {
        ENSURE(buffers[i]->size > 0);
        append(self, buffers[i]->data, buffers[i]->size);
        if (self->hold) {
            ENSURE(self->held_count < MAX_HELD);
            self->held[self->held_count++] = buffers[i];
        } else {
            wsgi_buffer_release(buffers[i]);
        }
    }
    if (self->refuse_write) {
        self->exchange = NULL;
    }
    return self->refuse_write;
}

static int on_send_file(void *request, int fd, uint64_t offset, uint64_t length, uint32_t flags) {
    struct answer *self = (struct answer *) request;
    ENSURE(self->status != 0 && !self->finished && !self->last && length > 0);
    self->calls++;
    self->files++;
    self->last = (flags & WSGI_WRITE_LAST) != 0;
    char *bytes = (char *) malloc(length);
    ENSURE(bytes != NULL && pread(fd, bytes, length, (off_t) offset) == (ssize_t) length);
    append(self, bytes, length);
    free(bytes);
    close(fd);
    return 0;
}

static void on_finish(void *request, wsgi_outcome outcome, uint32_t retry_after) {
    struct answer *self = (struct answer *) request;
    ENSURE(!self->finished);
    ENSURE(!self->last || outcome == WSGI_COMPLETE);
    self->calls++;
    self->finished = 1;
    self->outcome = outcome;
    self->retry_after = retry_after;
    self->exchange = NULL;
}

static int on_want_body(void *request) {
    struct answer *self = (struct answer *) request;
    self->calls++;
    self->wants++;
    if (self->step > 0) {
        push_some(self);
    }
    return 0;
}

static void on_log(void *data, void *request, wsgi_level level, wsgi_str line) {
    (void) data;
    (void) request;
    (void) level;
    size_t used = strlen(host.log);
    snprintf(host.log + used, sizeof host.log - used, "%.*s\n", (int) line.size,
             (const char *) line.data);
}

static void on_notify(void *data) {
    uint64_t one = 1;
    ENSURE(write(*(int *) data, &one, sizeof one) == sizeof one);
}

// ---- The loop

void turn(void) {
    struct pollfd wake = {host.wake, POLLIN, 0};
    uint64_t count;
    ENSURE(poll(&wake, 1, 60 * 1000) == 1);
    ENSURE(read(host.wake, &count, sizeof count) == sizeof count);
    ENSURE(count >= 1); // once for each wsgi_poll, of which the last turn had several
    size_t left;
    do {
        ENSURE(wsgi_poll(host.runtime, 1, &left) == WSGI_OK);
    } while (left > 0);
}

void until_phase(struct answer *answer, wsgi_phase phase) {
    while (wsgi_exchange_phase(answer->exchange, NULL) != phase) {
        sched_yield();
    }
}

void host_start(const char *file, const char *callable, unsigned threads, unsigned max_queue,
                int takes_files) {
    wsgi_host table = WSGI_HOST_INIT;
    host.wake = host.own_descriptor ? -1 : eventfd(0, EFD_CLOEXEC);
    table.data = &host.wake;
    table.early_hints = on_early_hints;
    table.start = on_start;
    table.write = on_write;
    table.send_file = takes_files ? on_send_file : NULL;
    table.finish = on_finish;
    table.want_body = on_want_body;
    table.log = on_log;
    table.notify = host.own_descriptor ? NULL : on_notify;
    wsgi_runtime_config config = WSGI_RUNTIME_CONFIG_INIT;
    config.host = &table;
    config.threads = threads;
    config.max_queue = max_queue;
    config.flags = host.own_descriptor ? WSGI_EVENTFD : 0;
    ENSURE(wsgi_runtime_start(&config, &host.runtime, NULL) == WSGI_OK);
    if (host.own_descriptor) {
        host.wake = wsgi_runtime_fd(host.runtime);
    }
    host.app = host_load(file, callable);
}

wsgi_app *host_load(const char *file, const char *callable) {
    wsgi_app *app;
    wsgi_app_config where = WSGI_APP_CONFIG_INIT;
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", host.folder, file);
    where.target = path;
    where.callable = callable;
    ENSURE(wsgi_app_load(host.runtime, &where, &app, NULL) == WSGI_OK);
    return app;
}

void host_stop(void) {
    wsgi_app_release(host.app);
    ENSURE(wsgi_runtime_stop(host.runtime, 10 * 1000, NULL) == WSGI_OK);
    ENSURE(wsgi_poll(host.runtime, 0, NULL) == WSGI_OK);
    // host.wake stays open: an application that still runs may notify the host.
}

// ---- Requests

wsgi_request request_for(const char *path) {
    wsgi_request request = WSGI_REQUEST_INIT;
    request.method = wsgi_str_from("GET");
    request.path_info = wsgi_str_from(path);
    return request;
}

void submit(struct answer *answer, const wsgi_request *request) {
    ENSURE(wsgi_submit(host.app, request, answer, &answer->exchange, NULL) == WSGI_OK);
}

void submit_path(struct answer *answer, const char *path) {
    wsgi_request request = request_for(path);
    submit(answer, &request);
}

void submit_and_hold(void) {
    wsgi_request request = request_for("/large");
    request.buffer_size = 64 * 1024;
    one.hold = 1;
    submit(&one, &request);
    UNTIL(one.size >= 64 * 1024);
    until_phase(&one, WSGI_PHASE_HOST);
}

void submit_push(struct answer *answer, const char *path, const char *upload, size_t size) {
    wsgi_request request = request_for(path);
    request.body_kind = WSGI_BODY_PUSH;
    answer->upload = upload;
    answer->upload_size = size;
    submit(answer, &request);
}

void push_some(struct answer *self) {
    if (self->upload == NULL) {
        return; // all bytes are pushed
    }
    size_t size = self->upload_size < self->step ? self->upload_size : self->step;
    uint32_t flags = size == self->upload_size ? WSGI_PUSH_LAST : 0;
    size_t taken = 0;
    const uint8_t *data = (const uint8_t *) self->upload;
    ENSURE(wsgi_body_push(self->exchange, data, size, flags, &taken) == WSGI_OK);
    self->partly += taken < size;
    self->upload += taken;
    self->upload_size -= taken;
    if (flags == WSGI_PUSH_LAST && taken == size) {
        self->upload = NULL;
    }
}

void release_held(struct answer *answer) {
    while (answer->held_count > 0) {
        wsgi_buffer_release(answer->held[--answer->held_count]);
    }
}

void answer_free(struct answer *answer) {
    release_held(answer);
    free(answer->body);
    memset(answer, 0, sizeof *answer);
}

// ---- The program

static void run(const struct scenario *scenario) {
    if (scenario->file != NULL) {
        host_start(scenario->file, scenario->callable, scenario->threads, scenario->max_queue,
                   scenario->takes_files);
    }
    scenario->run();
    answer_free(&one);
    answer_free(&two);
    answer_free(&three);
    if (scenario->file != NULL) {
        host_stop();
    }
}

int main(int argc, char **argv) {
    const struct scenario *const all[] = {scenarios_of_bodies, scenarios_of_cancel,
                                          scenarios_of_credit, scenarios_of_ends,
                                          scenarios_of_imports, scenarios_of_wakeups};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        for (const struct scenario *scenario = all[i]; scenario->name != NULL; scenario++) {
            if (argc == 1) {
                puts(scenario->name);
            } else if (argc == 3 && strcmp(scenario->name, argv[1]) == 0) {
                host.folder = argv[2];
                run(scenario);
                return 0;
            }
        }
    }
    return argc == 1 ? 0 : 2;
}
