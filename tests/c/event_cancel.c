// event_cancel.c: clients that leave, in each phase, and the phases themselves.

#define _POSIX_C_SOURCE 200809L

#include "event_host.h"

#include <sched.h>

static void cancel(struct answer *answer) {
    wsgi_cancel(answer->exchange);
    answer->exchange = NULL;
    answer->calls_then = answer->calls;
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

static void ensure_silence(void) {
    ENSURE(one.calls == one.calls_then && !one.finished);
}

// One thread, which waits for a body; the second request never gets it.
static void cancel_queued(void) {
    uint64_t since = 99, queued = 99, began;
    submit_push(&two, "/body", NULL, 0);
    UNTIL(two.wants > 0);
    until_phase(&two, WSGI_PHASE_HOST);
    submit_path(&one, "/hello");
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
    ensure_silence();
}

static void cancel_running(void) {
    wsgi_request request = request_for("/first");
    request.request_id = wsgi_str_from("id-7");
    submit(&one, &request);
    UNTIL(one.size == 3);
    ENSURE(wsgi_exchange_phase(one.exchange, NULL) == WSGI_PHASE_RUNNING);
    cancel(&one);
    another("/open");
    another("/closed");
    UNTIL(strstr(host.log, "WSGI0208"));
    ENSURE(strstr(host.log, "complete: \"GET /first\", request id-7\n"));
    ensure_silence();
}

// The thread is late at once: the log says where it is, and the library does not mind if it is not.
static void cancel_watched_running(void) {
    wsgi_str about = wsgi_str_from("the first");
    wsgi_cancel_watched(NULL, about, 0, 0);
    submit_path(&one, "/first");
    UNTIL(one.size == 3);
    another("/waiting");
    wsgi_cancel_watched(one.exchange, about, 0, WSGI_CANCEL_INTERRUPT);
    one.exchange = NULL;
    one.calls_then = one.calls;
    UNTIL(strstr(host.log, "is late with the first") && strstr(host.log, "in first"));
    another("/open");
    another("/closed");
    UNTIL(strstr(host.log, "has come back from the first"));
    ensure_silence();
}

// The host answers by itself. For the application the client is not gone.
static void cancel_answered(void) {
    wsgi_str about = wsgi_str_from("the first");
    submit_path(&one, "/first");
    UNTIL(one.size == 3);
    wsgi_cancel_watched(one.exchange, about, 60000, WSGI_CANCEL_ANSWERED);
    one.exchange = NULL;
    one.calls_then = one.calls;
    another("/open");
    another("/closed");
    ENSURE(strstr(host.log, "WSGI0208") == NULL);
    ensure_silence();
}

// The host keeps its buffers. The application waits for credit, and close() is called nevertheless.
static void cancel_without_credit(void) {
    submit_and_hold();
    ENSURE(one.size <= 2 * 64 * 1024);
    cancel(&one);
    another("/closed");
    ENSURE(one.held_count > 0 && one.held[0]->data[0] == 'x');
    ensure_silence();
}

static void credit_comes_back(void) {
    wsgi_request request = request_for("/large");
    request.buffer_size = 64 * 1024;
    one.hold = 1;
    submit(&one, &request);
    while (one.size < 64 * 16384) {
        UNTIL(one.held_count > 0);
        release_held(&one);
    }
    UNTIL(one.finished);
    ENSURE(one.outcome == WSGI_COMPLETE && one.size == 64 * 16384);
}

static void cancel_waiting_for_body(void) {
    submit_push(&one, "/body", NULL, 0);
    UNTIL(one.wants > 0);
    cancel(&one);
    another("/hello"); // the only thread is free again
    ensure_silence();
}

// The application is done, and wsgi_poll has not been called.
static void cancel_done(void) {
    another("/hello");
    submit_path(&one, "/hello");
    until_phase(&one, WSGI_PHASE_DONE);
    cancel(&one);
    another("/hello");
    ENSURE(one.calls == 0);
    ensure_silence();
}

static void cancel_inside(struct answer *self) {
    cancel(self);
}

static void cancel_in_a_callback(void) {
    one.in_start = cancel_inside;
    submit_path(&one, "/hello");
    UNTIL(one.calls > 0);
    another("/hello");
    ENSURE(one.status == 200 && one.size == 0);
    ensure_silence();
}

static void submit_inside(struct answer *self) {
    (void) self;
    submit_path(&two, "/hello");
}

static void submit_in_a_callback(void) {
    one.in_start = submit_inside;
    submit_path(&one, "/hello");
    UNTIL(one.finished && two.finished);
    ENSURE_BODY(two, "Hello world!");
}

static void start_returns_non_zero(void) {
    one.refuse_start = 1;
    submit_path(&one, "/hello");
    UNTIL(one.calls > 0);
    another("/hello");
    ENSURE(one.size == 0);
    one.calls_then = 1;
    ensure_silence();
}

static void write_returns_non_zero(void) {
    one.refuse_write = 1;
    submit_path(&one, "/large");
    UNTIL(one.calls > 1);
    another("/closed");
    one.calls_then = 2;
    ensure_silence();
}

// The application goes on for nobody: without waiting for what the host keeps, and to its end.
static void detach_without_credit(void) {
    size_t size;
    submit_and_hold();
    size = one.size;
    wsgi_detach_client(one.exchange);
    UNTIL(one.finished);
    ENSURE(one.outcome == WSGI_COMPLETE && one.size == size);
    ENSURE(one.held_count > 0 && one.held[0]->data[0] == 'x');
    another("/closed");
}

static void detach_inside(struct answer *self) {
    wsgi_detach_client(self->exchange);
    wsgi_detach_client(NULL);
}

static void detach_in_a_callback(void) {
    one.in_start = detach_inside;
    submit_path(&one, "/hello");
    UNTIL(one.finished);
    ENSURE(one.status == 200 && one.size == 0 && one.outcome == WSGI_COMPLETE);
}

static void cancel_after_detach(void) {
    submit_path(&one, "/first");
    UNTIL(one.size == 3);
    wsgi_detach_client(one.exchange);
    cancel(&one);
    another("/open");
    another("/closed");
    ensure_silence();
}

const struct scenario scenarios_of_cancel[] = {
    STAGES(cancel_queued, 1),
    STAGES(cancel_running, 2),
    STAGES(cancel_watched_running, 2),
    STAGES(cancel_answered, 2),
    STAGES(cancel_without_credit, 2),
    STAGES(credit_comes_back, 2),
    STAGES(cancel_waiting_for_body, 1),
    STAGES(cancel_done, 2),
    STAGES(cancel_in_a_callback, 2),
    STAGES(submit_in_a_callback, 2),
    STAGES(start_returns_non_zero, 2),
    STAGES(write_returns_non_zero, 2),
    STAGES(detach_without_credit, 2),
    STAGES(detach_in_a_callback, 2),
    STAGES(cancel_after_detach, 2),
    END_OF_SCENARIOS,
};
