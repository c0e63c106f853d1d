// misuse_requests.c: requests that contradict themselves, and the sentence that names the member.

#define _POSIX_C_SOURCE 200809L

#include "misuse.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int part_of_no_request;

// The sentence names the member.
static void told(wsgi_app *app, const wsgi_request *request, const char *member) {
    wsgi_exchange *exchange;
    wsgi_error *error = NULL;
    char sentence[500];
    check(member, wsgi_submit(app, request, &part_of_no_request, &exchange, &error), WSGI_INVALID);
    wsgi_str message = wsgi_error_message(error);
    snprintf(sentence, sizeof sentence, "%.*s", (int) message.size, (const char *) message.data);
    check(sentence, strstr(sentence, member) != NULL, 1);
    wsgi_error_release(error);
}

void wrong_members(wsgi_app *app, wsgi_request good) {
    wsgi_request bad = good;
    bad.method.size = 0;
    told(app, &bad, "`method`");
    bad = good, bad.script_name = wsgi_str_from("no/slash");
    told(app, &bad, "`script_name`");
    bad = good, bad.script_name = wsgi_str_from("/slash/");
    told(app, &bad, "`script_name`");
    bad = good, bad.auth_type = wsgi_str_from("Basic");
    told(app, &bad, "`auth_type`");
    bad = good, bad.content_length = -2;
    told(app, &bad, "`content_length`");
    bad = good, bad.early_hints = 7;
    told(app, &bad, "`early_hints`");
    wsgi_header params[1] = {{wsgi_str_from(""), wsgi_str_from("value")}};
    bad = good, bad.params = params, bad.params_count = 1;
    told(app, &bad, "`params`");
    params[0].name = wsgi_str_from("wsgi.input");
    told(app, &bad, "`params`");
    bad = good, bad.query_string.data = NULL, bad.query_string.size = 5;
    told(app, &bad, "`query_string`");
}

// A body must be as long as the request states, or the library refuses it.
void contradictions(wsgi_app *app, wsgi_request good) {
    wsgi_request bad = good;
    bad.content_length = 50;
    told(app, &bad, "`content_length`");
    wsgi_str part = wsgi_str_from("hello");
    for (int64_t length = 4; length <= 6; length += 2) {
        bad = good, bad.body_kind = WSGI_BODY_MEMORY, bad.content_length = length;
        bad.body_parts = &part, bad.body_parts_count = 1;
        told(app, &bad, "`content_length`");
    }
    FILE *file = tmpfile();
    fputs("0123456789", file);
    fflush(file);
    bad = good, bad.body_kind = WSGI_BODY_FILE, bad.body_fd = fileno(file);
    bad.body_length = 5, bad.content_length = 50;
    told(app, &bad, "`content_length`");
    bad.content_length = -1, bad.body_length = 11;
    told(app, &bad, "`body_fd`");
    bad.body_length = 5, bad.body_offset = 6;
    told(app, &bad, "`body_fd`");
    bad.body_offset = UINT64_MAX;
    told(app, &bad, "`body_fd`");
    fclose(file);
    int ends[2];
    if (pipe(ends) == 0) {
        bad.body_fd = ends[0], bad.body_offset = 0;
        told(app, &bad, "`body_fd`");
        close(ends[0]);
        close(ends[1]);
    }
}
