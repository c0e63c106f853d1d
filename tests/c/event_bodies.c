// event_bodies.c: bodies of requests of all kinds, and bodies of responses that stream.

#define _POSIX_C_SOURCE 200809L

#include "event_host.h"

#include <stdlib.h>
#include <unistd.h>

static void hello(void) {
    wsgi_request request = request_for("/");
    submit(&one, &request);
    UNTIL(one.finished);
    ENSURE(one.status == 200 && one.content_length == 12 && !one.no_body);
    ENSURE_BODY(one, "Hello world!");
    ENSURE(one.outcome == WSGI_COMPLETE && one.retry_after == 0);
    answer_free(&one);

    request.method = wsgi_str_from("HEAD");
    submit(&one, &request);
    UNTIL(one.finished);
    ENSURE(one.no_body && one.content_length == 12 && one.size == 0);
}

static void in_memory(void) {
    static const wsgi_str parts[] = {
        {(const uint8_t *) "ab", 2}, {NULL, 0}, {(const uint8_t *) "c", 1}};
    wsgi_request request = request_for("/echo");
    request.body_kind = WSGI_BODY_MEMORY;
    request.body_parts = parts;
    request.body_parts_count = 3;
    submit(&one, &request);
    UNTIL(one.finished);
    ENSURE_BODY(one, "abc");
}

// Only the given part of the file is the body. The host may close the file after the submit.
static void in_a_file(void) {
    wsgi_request request = request_for("/echo");
    FILE *file = tmpfile();
    ENSURE(file != NULL && fputs("0123456789", file) >= 0 && fflush(file) == 0);
    request.body_kind = WSGI_BODY_FILE;
    request.body_fd = fileno(file);
    request.body_offset = 2;
    request.body_length = 5;
    submit(&one, &request);
    fclose(file);
    UNTIL(one.finished);
    ENSURE_BODY(one, "23456");
}

// More than fits at once: the library takes a part, and requests the rest.
static void pushed(void) {
    size_t size = 2 * 1000 * 1000;
    char *upload = (char *) malloc(size);
    ENSURE(upload != NULL);
    for (size_t i = 0; i < size; i++) {
        upload[i] = (char) (i * 31 % 251);
    }
    one.step = size;
    submit_push(&one, "/echo", upload, size);
    UNTIL(one.finished);
    ENSURE(one.partly > 0 && one.wants > 1);
    ENSURE(one.size == size && memcmp(one.body, upload, size) == 0);
    answer_free(&one);

    // The library calls want_body until the host has pushed all, for a host that pushes only then.
    one.step = 1000;
    submit_push(&one, "/echo", upload, 100 * 1000);
    UNTIL(one.finished);
    ENSURE(one.wants >= 100);
    ENSURE(one.size == 100 * 1000 && memcmp(one.body, upload, one.size) == 0);
    answer_free(&one);

    one.step = 1;
    submit_push(&one, "/echo", upload, 0);
    UNTIL(one.finished);
    ENSURE(one.size == 0 && one.outcome == WSGI_COMPLETE);
    answer_free(&one);
    free(upload);
}

static void broken(void) {
    submit_push(&one, "/echo", NULL, 0);
    const uint8_t *some = (const uint8_t *) "some";
    size_t taken = 0;
    ENSURE(wsgi_body_push(one.exchange, some, 4, WSGI_PUSH_BROKEN, NULL) == WSGI_INVALID);
    ENSURE(wsgi_body_push(one.exchange, some, 4, 0, &taken) == WSGI_OK && taken == 4);
    ENSURE(wsgi_body_push(one.exchange, NULL, 0, WSGI_PUSH_BROKEN, NULL) == WSGI_OK);
    ENSURE(wsgi_body_push(one.exchange, some, 4, 0, NULL) == WSGI_INVALID);
    UNTIL(one.finished);
    ENSURE_BODY(one, "OSError");
}

// The library must not take a body for whole if it is not as long as stated. The host gets an
// error, and the application gets what it gets for a body that breaks off.
static void not_as_long_as_stated(void) {
    static const uint8_t bytes[] = "0123456789";
    static const struct {
        size_t size;
        uint32_t flags;
    } wrong[] = {{5, WSGI_PUSH_LAST}, {0, WSGI_PUSH_LAST}, {9, 0}, {9, WSGI_PUSH_LAST}};
    wsgi_request request = request_for("/echo");
    request.body_kind = WSGI_BODY_PUSH;
    request.content_length = 8;
    for (size_t i = 0; i < 4; i++) {
        submit(&one, &request);
        size_t taken = 99;
        ENSURE(wsgi_body_push(one.exchange, bytes, wrong[i].size, wrong[i].flags, &taken)
               == WSGI_INVALID);
        ENSURE(taken == 0);
        ENSURE(wsgi_body_push(one.exchange, NULL, 0, WSGI_PUSH_LAST, NULL) == WSGI_INVALID);
        UNTIL(one.finished);
        ENSURE_BODY(one, "OSError");
        answer_free(&one);
    }
    submit(&one, &request);
    ENSURE(wsgi_body_push(one.exchange, bytes, 5, 0, NULL) == WSGI_OK);
    ENSURE(wsgi_body_push(one.exchange, bytes + 5, 3, WSGI_PUSH_LAST, NULL) == WSGI_OK);
    UNTIL(one.finished);
    ENSURE_BODY(one, "01234567");
    answer_free(&one);

    request.path_info.data = (const uint8_t *) "/body"; // this one does not catch the error
    submit(&one, &request);
    ENSURE(wsgi_body_push(one.exchange, NULL, 0, WSGI_PUSH_BROKEN, NULL) == WSGI_OK);
    UNTIL(one.finished);
    ENSURE(one.outcome == WSGI_FAILED && strstr(host.log, "WSGI0219 the client left before its"));
    ENSURE(strstr(host.log, "WSGI0201") == NULL);
}

// Each line comes back before the next one is sent.
static void both_ways(void) {
    static const char *const lines[] = {"first\n", "second\n", "third\n"};
    size_t expected = 0;
    submit_push(&one, "/", NULL, 0);
    for (size_t i = 0; i < 3; i++) {
        UNTIL(one.wants > (int) i);
        const uint8_t *data = (const uint8_t *) lines[i];
        ENSURE(wsgi_body_push(one.exchange, data, strlen(lines[i]), 0, NULL) == WSGI_OK);
        expected += strlen(lines[i]);
        UNTIL(one.size == expected);
    }
    UNTIL(one.wants > 3);
    ENSURE(wsgi_body_push(one.exchange, NULL, 0, WSGI_PUSH_LAST, NULL) == WSGI_OK);
    UNTIL(one.finished);
    ENSURE_BODY(one, "first\nsecond\nthird\n");
}

static void file_response(void) {
    submit_path(&one, "/file");
    UNTIL(one.finished);
    ENSURE(one.files == 1 && one.outcome == WSGI_COMPLETE);
    ENSURE(strncmp(one.body, "One application", 15) == 0);
}

static void file_response_without_send_file(void) {
    submit_path(&one, "/file");
    UNTIL(one.finished);
    ENSURE(one.files == 0 && one.outcome == WSGI_COMPLETE);
    ENSURE(strncmp(one.body, "One application", 15) == 0);
}

const struct scenario scenarios_of_bodies[] = {
    {"hello", hello, "echo.py", "hello", 2, 0, 0},
    STAGES(in_memory, 2),
    STAGES(in_a_file, 2),
    STAGES(pushed, 2),
    STAGES(broken, 2),
    STAGES(not_as_long_as_stated, 2),
    {"both_ways", both_ways, "echo.py", "lines", 2, 0, 0},
    {"file_response", file_response, "stages.py", "application", 2, 0, 1},
    STAGES(file_response_without_send_file, 2),
    END_OF_SCENARIOS,
};
