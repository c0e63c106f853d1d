// client.h: one client of event_host: its request, its response, and how far both are.

#ifndef CLIENT_H
#define CLIENT_H

#include <netinet/in.h>

#include "http.h"

struct piece;

struct client {
    int fd;
    char address[INET_ADDRSTRLEN];
    char in[HTTP_MAX_HEAD]; // bytes that were received and not used yet
    size_t in_size;
    int has_head;                // the head is complete, the rest is body
    uint64_t body_left;          // how much of the body the library does not have yet
    wsgi_exchange *exchange;     // NULL before the request, and when it is over
    struct piece *first, **last; // the queue of what is not sent yet
    size_t sent;                 // how much of the first piece is sent
    int all_queued, all_sent;
    int has_length, truncated; // about the response
};

// What all requests have in common.
extern struct server {
    wsgi_app *app;
    char port[HTTP_PORT_SIZE];
    size_t unfinished; // requests that were submitted and for which no `finish` has come
} server;

// A client that has just connected, by accept(2). NULL for no memory.
struct client *client_create(int fd, const struct sockaddr_in *address);

// The events of its socket that poll(2) must wait for.
short client_events(const struct client *self);

// Does what the events allow. 0 if the client has left, or must be left. Destroy it then.
int client_serve(struct client *self, short events);

// Cancels its request, too, if that is still running.
void client_destroy(struct client *self);

// Sets the callbacks that get a request. Their `request` is the client.
void client_callbacks(wsgi_host *host);

#endif
