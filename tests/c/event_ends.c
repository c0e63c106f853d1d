// event_ends.c: the four outcomes, a full queue, and the end of the runtime.

#define _POSIX_C_SOURCE 200809L

#include "event_host.h"

#include <poll.h>

static void failed(void) {
    submit_path(&one, "/fail");
    UNTIL(one.finished);
    ENSURE(one.outcome == WSGI_FAILED && one.status == 0 && one.calls == 1);
    ENSURE(strstr(host.log, "ValueError: before the head") != NULL);
}

static void truncated(void) {
    submit_path(&one, "/truncate");
    UNTIL(one.finished);
    ENSURE(one.outcome == WSGI_TRUNCATED && one.status == 200 && !one.last);
    ENSURE_BODY(one, "half");
    ENSURE(strstr(host.log, "ValueError: after the first block") != NULL);
}

static void refused(void) {
    wsgi_request request = request_for("/hello");
    submit(&one, &request);
    UNTIL(one.finished);
    ENSURE(one.outcome == WSGI_REFUSED && one.status == 0 && one.retry_after > 0);
    ENSURE(strstr(host.log, "no_such_name") != NULL);
    answer_free(&one);
    wsgi_error *error = NULL;
    ENSURE(wsgi_submit(host.app, &request, &one, &one.exchange, &error) == WSGI_UNAVAILABLE);
    ENSURE(wsgi_error_retry_after(error) >= 1);
    wsgi_error_release(error);
}

// One thread, which is busy, and room for one more request: the library refuses the third.
static void full_queue(void) {
    wsgi_request request = request_for("/hello");
    wsgi_error *error = NULL;
    submit_push(&one, "/body", NULL, 0);
    UNTIL(one.wants > 0);
    submit(&two, &request);
    ENSURE(wsgi_submit(host.app, &request, &three, &three.exchange, &error) == WSGI_BUSY);
    ENSURE(three.exchange == NULL && wsgi_error_status(error) == WSGI_BUSY);
    ENSURE(wsgi_error_retry_after(error) == 1);
    wsgi_error_release(error);
    ENSURE(wsgi_body_push(one.exchange, NULL, 0, WSGI_PUSH_LAST, NULL) == WSGI_OK);
    UNTIL(one.finished && two.finished);
    ENSURE(three.calls == 0);
}

// Requests and polling go on after the application was released.
static void release_the_application(void) {
    submit_push(&one, "/body", NULL, 0);
    UNTIL(one.wants > 0);
    wsgi_app_release(host.app);
    host.app = NULL;
    ENSURE(wsgi_body_push(one.exchange, NULL, 0, WSGI_PUSH_LAST, NULL) == WSGI_OK);
    UNTIL(one.finished);
    ENSURE_BODY(one, "Hello world!");
}

// Two callables of one file are two applications.
static void two_applications(void) {
    wsgi_request request = request_for("/");
    wsgi_app *first = host.app;
    host.app = host_load("echo.py", "describe");
    submit(&one, &request);
    wsgi_app_release(host.app);
    host.app = first;
    submit(&two, &request);
    UNTIL(one.finished && two.finished);
    ENSURE(one.status == 202 && two.status == 200);
}

// wsgi_poll serves at most the given number of items, and returns how many are left.
static void one_at_a_time(void) {
    struct pollfd wake = {-1, POLLIN, 0};
    wsgi_request request = request_for("/hello");
    struct answer *const all[] = {&one, &two, &three};
    size_t left;
    wake.fd = host.wake;
    for (size_t i = 0; i < 3; i++) {
        submit(all[i], &request);
        while (wsgi_exchange_phase(all[i]->exchange, NULL) != WSGI_PHASE_DONE) {
            poll(&wake, 1, 1);
        }
    }
    for (size_t i = 0; i < 3; i++) {
        ENSURE(wsgi_poll(host.runtime, 1, &left) == WSGI_OK && left == 2 - i);
        ENSURE(one.finished + two.finished + three.finished == (int) i + 1);
    }
}

// Hints arrive while the application goes on. Hints for a client that cannot have them arrive
// nowhere.
static void early_hints(void) {
    wsgi_request request = request_for("/hints");
    request.early_hints = 1;
    submit(&one, &request);
    UNTIL(one.hints == 2);
    ENSURE(one.status == 0);
    request = request_for("/open");
    request.early_hints = 1;
    submit(&two, &request);
    UNTIL(one.finished && two.finished);
    ENSURE(one.hints == 3 && one.outcome == WSGI_COMPLETE && two.hints == 0);
    ENSURE_BODY(one, "Hello world!");
    request = request_for("/hints");
    submit(&three, &request);
    UNTIL(three.finished);
    ENSURE(three.hints == 0 && three.outcome == WSGI_FAILED);
    ENSURE(strstr(host.log, "KeyError: 'wsgi.early_hints'") != NULL);
}

static void early_hints_return_non_zero(void) {
    wsgi_request request = request_for("/hints");
    request.early_hints = 1;
    one.refuse_hints = 1;
    submit(&one, &request);
    UNTIL(one.hints == 2);
    ENSURE(one.exchange == NULL);
    request = request_for("/open");
    submit(&two, &request);
    UNTIL(two.finished && strstr(host.log, "WSGI0208") != NULL);
    ENSURE(one.calls == 1);
}

// The library calls nothing for a request that runs when the runtime stops; its buffers stay valid.
static void stop_while_running(void) {
    host_start("stages.py", "application", 2, 0, 0);
    submit_and_hold();
    int calls = one.calls;
    host_stop();
    ENSURE(one.calls == calls && one.held_count > 0);
    for (size_t i = 0; i < one.held_count; i++) {
        ENSURE(one.held[i]->data[one.held[i]->size - 1] == 'x');
    }
}

const struct scenario scenarios_of_ends[] = {
    STAGES(failed, 2),
    STAGES(truncated, 2),
    {"refused", refused, "stages.py", "no_such_name", 2, 0, 0},
    {"full_queue", full_queue, "stages.py", "application", 1, 1, 0},
    STAGES(release_the_application, 1),
    {"two_applications", two_applications, "echo.py", "hello", 2, 0, 0},
    STAGES(one_at_a_time, 2),
    STAGES(early_hints, 2),
    STAGES(early_hints_return_non_zero, 2),
    BY_ITSELF(stop_while_running),
    END_OF_SCENARIOS,
};
