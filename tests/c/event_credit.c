// event_credit.c: the application must wait for a host that keeps its buffers.

#define _POSIX_C_SOURCE 200809L

#include "event_host.h"

// The thread does not wait after the last block: the only thread answers another request while the
// host has the block.
static void a_last_block_waits_for_nothing(void) {
    wsgi_request page = request_for("/page"), hello = request_for("/hello");
    page.buffer_size = 64 * 1024;
    one.hold = 1;
    submit(&one, &page);
    submit(&two, &hello);
    UNTIL(one.finished && two.finished);
    ENSURE(one.outcome == WSGI_COMPLETE && one.size == 1048576 && one.held_count == 1);
}

// A buffer counts more than its bytes. Otherwise small buffers would cost many times what they
// hold.
static void small_blocks_count_what_they_cost(void) {
    wsgi_request request = request_for("/letters");
    request.buffer_size = 64 * 1024;
    one.hold = 1;
    submit(&one, &request);
    until_phase(&one, WSGI_PHASE_HOST);
    ENSURE(wsgi_poll(host.runtime, 0, NULL) == WSGI_OK);
    ENSURE(one.size > 0);
    ENSURE(one.size + one.held_count * WSGI_BUFFER_COST <= 2 * 64 * 1024);
    wsgi_cancel(one.exchange);
    one.exchange = NULL;
}

// Small blocks that are known together travel in few buffers.
static void a_list_of_small_blocks_is_joined(void) {
    one.hold = 1;
    submit_path(&one, "/rows");
    UNTIL(one.finished);
    ENSURE(one.outcome == WSGI_COMPLETE && one.size == 200000);
    ENSURE(memcmp(one.body, "0123456789abcdefghi\n0123", 24) == 0);
    ENSURE(one.held_count <= 200000 / (48 * 1024) + 1);
}

// The host keeps its buffers and gives their credit back: the application goes on to its end.
static void credit_without_a_release(void) {
    wsgi_request request = request_for("/large");
    request.buffer_size = 64 * 1024;
    one.hold = 1;
    submit(&one, &request);
    while (!one.finished) {
        turn();
        for (size_t i = 0; i < one.held_count; i++) {
            wsgi_buffer_return_credit(one.held[i]);
        }
    }
    ENSURE(one.outcome == WSGI_COMPLETE && one.size == 64 * 16384 && one.held_count == 64);
    wsgi_buffer_return_credit(NULL);
}

// While output is paused no application hands over a block. Afterwards each application goes on.
static void paused_output(void) {
    wsgi_request page = request_for("/page"), large = request_for("/large");
    wsgi_pause_output(NULL, 1);
    wsgi_pause_output(host.runtime, 1);
    wsgi_pause_output(host.runtime, 1);
    submit(&one, &page);
    until_phase(&one, WSGI_PHASE_HOST);
    ENSURE(wsgi_poll(host.runtime, 0, NULL) == WSGI_OK && one.size == 0);
    wsgi_pause_output(host.runtime, 0);
    UNTIL(one.finished);
    submit(&two, &large);
    UNTIL(two.finished);
    ENSURE(one.size == 1048576 && two.size == 64 * 16384);
}

const struct scenario scenarios_of_credit[] = {
    STAGES(a_last_block_waits_for_nothing, 1),
    STAGES(small_blocks_count_what_they_cost, 1),
    STAGES(a_list_of_small_blocks_is_joined, 1),
    STAGES(credit_without_a_release, 1),
    STAGES(paused_output, 1),
    END_OF_SCENARIOS,
};
