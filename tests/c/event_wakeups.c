// event_wakeups.c: how a loop learns that it must call wsgi_poll.

#define _POSIX_C_SOURCE 200809L

#include "event_host.h"

#include <poll.h>
#include <unistd.h>

#define MANY 100

static struct answer many[MANY];

static int readable(int milliseconds) {
    struct pollfd wake = {host.wake, POLLIN, 0};
    return poll(&wake, 1, milliseconds);
}

// The library notifies once more a loop that reads its eventfd after wsgi_poll, or loses what it
// read.
static void lost_wake_up(void) {
    uint64_t count;
    submit_path(&one, "/hello");
    for (int i = 0; i < 3; i++) {
        ENSURE(readable(60 * 1000) == 1);
        ENSURE(read(host.wake, &count, sizeof count) == sizeof count);
        ENSURE(!one.finished);
    }
    UNTIL(one.finished);
    ENSURE_BODY(one, "Hello world!");
}

// The library's own descriptor is readable as long as there is work to do. So a loop may poll one
// item at a time and ignore how many are left.
static void poll_until_finished(int count) {
    for (;;) {
        int finished = 0;
        for (int i = 0; i < count; i++) {
            finished += many[i].finished;
        }
        if (finished == count) {
            return;
        }
        ENSURE(readable(60 * 1000) == 1);
        ENSURE(wsgi_poll(host.runtime, 1, NULL) == WSGI_OK);
    }
}

static void own_descriptor(void) {
    wsgi_request request = request_for("/hello");
    host.own_descriptor = 1;
    ENSURE(wsgi_runtime_fd(NULL) == -1);
    host_start("stages.py", "application", 2, 0, 0);
    for (int i = 0; i < MANY; i++) {
        submit(&many[i], &request);
    }
    poll_until_finished(MANY);
    for (int i = 0; i < MANY; i++) {
        ENSURE_BODY(many[i], "Hello world!");
        answer_free(&many[i]);
    }
    while (readable(0) == 1) {
        ENSURE(wsgi_poll(host.runtime, 0, NULL) == WSGI_OK);
    }
    host_stop();
}

// Without threads all work is done in wsgi_poll, so the descriptor must be readable.
static void own_descriptor_without_threads(void) {
    wsgi_request request = request_for("/hello");
    host.own_descriptor = 1;
    host_start("stages.py", "application", 0, 0, 0);
    for (int round = 0; round < 2; round++) {
        submit(&many[0], &request);
        submit(&many[1], &request);
        poll_until_finished(2);
        answer_free(&many[0]);
        answer_free(&many[1]);
    }
    host_stop();
}

const struct scenario scenarios_of_wakeups[] = {
    STAGES(lost_wake_up, 2),
    BY_ITSELF(own_descriptor),
    BY_ITSELF(own_descriptor_without_threads),
    END_OF_SCENARIOS,
};
