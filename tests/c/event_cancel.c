// event_cancel.c: clients that leave, in each phase, and the phases themselves.

#define _POSIX_C_SOURCE 200809L

#include "event_host.h"

#include <sched.h>

static struct answer one, two, three;

static void cancel(struct answer *answer) {
    wsgi_cancel(answer->exchange);
    answer->exchange = NULL;
    answer->calls_then = answer->calls;
}

// Waits for a phase that no event announces.
static void until_phase(struct answer *answer, wsgi_phase phase) {
    while (wsgi_exchange_phase(answer->exchange, NULL) != phase) {
        sched_yield();
    }
}

// Answers another request to its end: what was said before it has been delivered then.
static void another(const char *path) {
    wsgi_request request = request_for(path);
    answer_free(&three);
    submit(&three, &request);
    UNTIL(three.finished);
    ENSURE_BODY(three, "Hello world!");
    answer_free(&three);
}

static void end(void) {
    ENSURE(one.calls == one.calls_then && !one.finished);
    answer_free(&one);
    answer_free(&two);
    host_stop();
}

// One thread, which waits for a body; the second request never gets it.
static void cancel_queued(const char *folder) {
    uint64_t since = 99, queued = 99, began;
    wsgi_request request = request_for("/hello");
    host_start(in_folder(folder, "stages.py"), "application", 1, 0, 0);
    submit_push(&two, "/body", NULL, 0);
    UNTIL(two.wants > 0);
    until_phase(&two, WSGI_PHASE_HOST);
    submit(&one, &request);
    ENSURE(wsgi_exchange_phase(one.exchange, &since) == WSGI_PHASE_QUEUED && since < 60 * 1000);
    wsgi_exchange_time(two.exchange, &began);
    while (wsgi_exchange_time(one.exchange, &queued) < 5) {
        sched_yield();
    }
    ENSURE(queued >= 5 && wsgi_exchange_time(two.exchange, &since) >= 5 && since == began);
    cancel(&one);
    ENSURE(wsgi_body_push(two.exchange, NULL, 0, WSGI_PUSH_LAST, NULL) == WSGI_OK);
    UNTIL(two.finished);
    another("/hello");
    ENSURE(one.calls == 0);
    end();
}

static void cancel_running(const char *folder) {
    wsgi_request request = request_for("/first");
    host_start(in_folder(folder, "stages.py"), "application", 2, 0, 0);
    request.request_id = wsgi_str_from("id-7");
    submit(&one, &request);
    UNTIL(one.size == 3);
    ENSURE(wsgi_exchange_phase(one.exchange, NULL) == WSGI_PHASE_RUNNING);
    cancel(&one);
    another("/open");
    another("/closed");
    UNTIL(strstr(host.log, "WSGI0208"));
    ENSURE(strstr(host.log, "complete: \"GET /first\", request id-7\n"));
    end();
}

// The thread is late at once: the log says where it is, and the library does not mind if it is not.
static void abandon_running(const char *folder) {
    wsgi_request request = request_for("/first");
    wsgi_str about = wsgi_str_from("the first");
    wsgi_abandon(NULL, about, 0, 0);
    host_start(in_folder(folder, "stages.py"), "application", 2, 0, 0);
    submit(&one, &request);
    UNTIL(one.size == 3);
    another("/waiting");
    wsgi_abandon(one.exchange, about, 0, WSGI_ABANDON_INTERRUPT);
    one.exchange = NULL;
    one.calls_then = one.calls;
    UNTIL(strstr(host.log, "is late with the first") && strstr(host.log, "in first"));
    another("/open");
    another("/closed");
    UNTIL(strstr(host.log, "has come back from the first"));
    end();
}

// The host answers by itself: nobody is told that the client has left, because it has not.
static void abandon_answered(const char *folder) {
    wsgi_request request = request_for("/first");
    wsgi_str about = wsgi_str_from("the first");
    host_start(in_folder(folder, "stages.py"), "application", 2, 0, 0);
    submit(&one, &request);
    UNTIL(one.size == 3);
    wsgi_abandon(one.exchange, about, 60000, WSGI_ABANDON_ANSWERED);
    one.exchange = NULL;
    one.calls_then = one.calls;
    another("/open");
    another("/closed");
    ENSURE(strstr(host.log, "WSGI0208") == NULL);
    end();
}

// The host keeps its buffers: the application waits for credit, and close() is called all the same.
static void cancel_without_credit(const char *folder) {
    wsgi_request request = request_for("/large");
    host_start(in_folder(folder, "stages.py"), "application", 2, 0, 0);
    request.buffer_size = 64 * 1024;
    one.hold = 1;
    submit(&one, &request);
    UNTIL(one.size >= 64 * 1024);
    until_phase(&one, WSGI_PHASE_HOST);
    ENSURE(one.size <= 2 * 64 * 1024);
    cancel(&one);
    another("/closed");
    ENSURE(one.held_count > 0 && one.held[0]->data[0] == 'x');
    end();
}

static void credit_comes_back(const char *folder) {
    wsgi_request request = request_for("/large");
    host_start(in_folder(folder, "stages.py"), "application", 2, 0, 0);
    request.buffer_size = 64 * 1024;
    one.hold = 1;
    submit(&one, &request);
    while (one.size < 64 * 16384) {
        UNTIL(one.held_count > 0);
        release_held(&one);
    }
    UNTIL(one.finished);
    ENSURE(one.outcome == WSGI_COMPLETE && one.size == 64 * 16384);
    answer_free(&one);
    host_stop();
}

static void cancel_waiting_for_body(const char *folder) {
    host_start(in_folder(folder, "stages.py"), "application", 1, 0, 0);
    submit_push(&one, "/body", NULL, 0);
    UNTIL(one.wants > 0);
    cancel(&one);
    another("/hello"); // the only thread is free again
    end();
}

// The application is done, and wsgi_poll has not been called.
static void cancel_done(const char *folder) {
    wsgi_request request = request_for("/hello");
    host_start(in_folder(folder, "stages.py"), "application", 2, 0, 0);
    another("/hello");
    submit(&one, &request);
    until_phase(&one, WSGI_PHASE_DONE);
    cancel(&one);
    another("/hello");
    ENSURE(one.calls == 0);
    end();
}

static void cancel_inside(struct answer *self) {
    cancel(self);
}

static void cancel_in_a_callback(const char *folder) {
    wsgi_request request = request_for("/hello");
    host_start(in_folder(folder, "stages.py"), "application", 2, 0, 0);
    one.in_start = cancel_inside;
    submit(&one, &request);
    UNTIL(one.calls > 0);
    another("/hello");
    ENSURE(one.status == 200 && one.size == 0);
    end();
}

static void submit_inside(struct answer *self) {
    wsgi_request request = request_for("/hello");
    (void) self;
    submit(&two, &request);
}

static void submit_in_a_callback(const char *folder) {
    wsgi_request request = request_for("/hello");
    host_start(in_folder(folder, "stages.py"), "application", 2, 0, 0);
    one.in_start = submit_inside;
    submit(&one, &request);
    UNTIL(one.finished && two.finished);
    ENSURE_BODY(two, "Hello world!");
    answer_free(&one);
    answer_free(&two);
    host_stop();
}

static void start_returns_non_zero(const char *folder) {
    wsgi_request request = request_for("/hello");
    host_start(in_folder(folder, "stages.py"), "application", 2, 0, 0);
    one.refuse_start = 1;
    submit(&one, &request);
    UNTIL(one.calls > 0);
    another("/hello");
    ENSURE(one.size == 0);
    one.calls_then = 1;
    end();
}

static void write_returns_non_zero(const char *folder) {
    wsgi_request request = request_for("/large");
    host_start(in_folder(folder, "stages.py"), "application", 2, 0, 0);
    one.refuse_write = 1;
    submit(&one, &request);
    UNTIL(one.calls > 1);
    another("/closed");
    one.calls_then = 2;
    end();
}

// The application goes on for nobody: without waiting for what the host keeps, and to its end.
static void discard_without_credit(const char *folder) {
    size_t size;
    wsgi_request request = request_for("/large");
    host_start(in_folder(folder, "stages.py"), "application", 2, 0, 0);
    request.buffer_size = 64 * 1024;
    one.hold = 1;
    submit(&one, &request);
    UNTIL(one.size >= 64 * 1024);
    until_phase(&one, WSGI_PHASE_HOST);
    size = one.size;
    wsgi_discard(one.exchange);
    UNTIL(one.finished);
    ENSURE(one.outcome == WSGI_COMPLETE && one.size == size);
    ENSURE(one.held_count > 0 && one.held[0]->data[0] == 'x');
    another("/closed");
    answer_free(&one);
    host_stop();
}

static void discard_inside(struct answer *self) {
    wsgi_discard(self->exchange);
    wsgi_discard(NULL);
}

static void discard_in_a_callback(const char *folder) {
    wsgi_request request = request_for("/hello");
    host_start(in_folder(folder, "stages.py"), "application", 2, 0, 0);
    one.in_start = discard_inside;
    submit(&one, &request);
    UNTIL(one.finished);
    ENSURE(one.status == 200 && one.size == 0 && one.outcome == WSGI_COMPLETE);
    answer_free(&one);
    host_stop();
}

static void cancel_after_discard(const char *folder) {
    wsgi_request request = request_for("/first");
    host_start(in_folder(folder, "stages.py"), "application", 2, 0, 0);
    submit(&one, &request);
    UNTIL(one.size == 3);
    wsgi_discard(one.exchange);
    cancel(&one);
    another("/open");
    another("/closed");
    end();
}

const struct scenario scenarios_of_cancel[] = {
    {"cancel_queued", cancel_queued},
    {"cancel_running", cancel_running},
    {"abandon_running", abandon_running},
    {"abandon_answered", abandon_answered},
    {"cancel_without_credit", cancel_without_credit},
    {"credit_comes_back", credit_comes_back},
    {"cancel_waiting_for_body", cancel_waiting_for_body},
    {"cancel_done", cancel_done},
    {"cancel_in_a_callback", cancel_in_a_callback},
    {"submit_in_a_callback", submit_in_a_callback},
    {"start_returns_non_zero", start_returns_non_zero},
    {"write_returns_non_zero", write_returns_non_zero},
    {"discard_without_credit", discard_without_credit},
    {"discard_in_a_callback", discard_in_a_callback},
    {"cancel_after_discard", cancel_after_discard},
    {NULL, NULL},
};
