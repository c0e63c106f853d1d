// client.h: one client of event_host: its request, its response, and how far both are.

#ifndef CLIENT_H
#define CLIENT_H

#include <netinet/in.h>

#include "http.h"

struct piece;

struct client {
    int fd;
    char address[INET_ADDRSTRLEN];
    char in[HTTP_MAX_HEAD]; // what was received and is not used yet
    size_t in_size;
    int has_head;            // what comes now is body
    uint64_t body_left;      // how much of the body the library does not have
    wsgi_exchange *exchange; // NULL before it, and when it is over
    struct piece *first, **last; // what is to be sent
    size_t sent;                 // of the first piece
    int all_queued, all_sent;
    int has_length, truncated; // the response
};

// What all requests have in common.
extern struct server {
    wsgi_app *app;
    char port[HTTP_PORT_SIZE];
    size_t unfinished; // requests that were submitted and for which no `finish` has come
} server;

// A client that has just connected, by accept(2). NULL for no memory.
struct client *client_create(int fd, const struct sockaddr_in *address);

// For which events of its socket poll(2) is to wait.
short client_events(const struct client *self);

// Does what the events allow. 0 if the client is gone, or is to be left: then destroy it.
int client_serve(struct client *self, short events);

// Ends its request too, if that is still running.
void client_destroy(struct client *self);

// Sets the callbacks that belong to a request, which is a client here.
void client_callbacks(wsgi_host *host);

#endif
