// http.h: what event_host has of HTTP.

#ifndef HTTP_H
#define HTTP_H

#include "wsgi.h"

#define HTTP_MAX_HEAD (16 * 1024)
#define HTTP_MAX_HEADERS 64
#define HTTP_PORT_SIZE 6

// A socket that listens on 127.0.0.1, at the port that is wanted, or at any for "0"; `port` gets its
// number. -1, with errno, if that is not possible.
int http_listen(const char *wanted, char *port);

struct http_head {
    wsgi_request request; // its strings are in the text that was parsed, and in `path`
    wsgi_header headers[HTTP_MAX_HEADERS];
    char path[HTTP_MAX_HEAD];
};

// Parses the lines of a head in place, each with its CR LF, without the empty one at the end. There
// are fewer than HTTP_MAX_HEAD bytes, and room for a NUL behind them. Returns NULL, and
// `self->request` can be submitted as long as both stay where they are; or the status of the response
// that refuses the request.
const char *http_parse(struct http_head *self, char *lines, size_t size);

// The head of a response, and a whole response without a body; `retry_after` in seconds, or 0. To be
// freed. NULL for no memory.
char *http_head(const wsgi_head *head, size_t *size);
char *http_refusal(const char *status, unsigned retry_after, size_t *size);

#endif
