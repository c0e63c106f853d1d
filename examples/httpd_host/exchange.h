// exchange.h: one request and its response, where two threads meet.
//
// The connection's thread, which is libmicrohttpd's, feeds the request's body in and takes the
// response out. A worker's thread runs the application. Between them:
//
// * the body goes through a temporary file, so that an upload never waits for the application:
//   libmicrohttpd sends no response before the upload is over, and an application that answers
//   first and reads later would otherwise wait without an end;
// * the response goes through a short queue of buffers, so that the application waits for a client
//   that is slow.

#ifndef HTTPD_HOST_EXCHANGE_H
#define HTTPD_HOST_EXCHANGE_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>

#include "wsgi.h"

// How many buffers wait for the client before the application does.
#define QUEUE_SIZE 16

struct exchange {
    // Filled by the connection's thread before a worker gets the exchange, then constant.
    char *target;
    wsgi_header *headers;
    wsgi_request request;
    char remote_addr[46]; // as long as an IPv6 address can be
    char remote_port[6];
    FILE *body; // NULL if the request has none
    int submitted;

    // The worker's own.
    uint64_t body_read;
    struct exchange *next;

    // Shared, under the lock; `changed` is signalled when one of them changes.
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t body_received;
    int body_whole;
    struct MHD_Response *response; // once the response has begun
    unsigned status;
    wsgi_buffer *queue[QUEUE_SIZE];
    size_t first;
    size_t count;
    int finished; // nothing more will be queued
    wsgi_outcome outcome;
    int gone; // the client has left
    int left; // the worker has done with the exchange

    // The connection's own: how much of the first buffer is sent.
    size_t sent;
};

// The callbacks of a wsgi_host, all but `log`. Their `request` is the exchange.
void exchange_callbacks(wsgi_host *host);

// The connection's thread: an exchange for a request target, which is copied. NULL for no memory.
struct exchange *exchange_create(const char *target);

// The connection's thread: appends to the body. Returns 0 if that failed.
int exchange_feed(struct exchange *exchange, const char *data, size_t size);

// The connection's thread: the body is whole. Waits until the response begins, then queues it.
enum MHD_Result exchange_answer(struct exchange *exchange, struct MHD_Connection *connection);

// The connection's thread: the request is over, well or badly. Waits for the worker, which borrows
// from the exchange and from the connection, and frees all.
void exchange_destroy(struct exchange *exchange);

// A worker's thread: runs the application. Do not use the exchange after that.
void exchange_run(struct exchange *exchange, wsgi_app *app);

#endif
