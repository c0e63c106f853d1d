// client.c: makes a request of what a client sends, and sends what the callbacks queue. No function
// here waits.

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// A piece of a response that waits: a buffer of the library, or a text that was allocated.
struct piece {
    struct piece *next;
    wsgi_buffer *buffer; // NULL for a text
    char *text;          // NULL for a buffer
    size_t size;
};

struct server server;

struct client *client_create(int fd, const struct sockaddr_in *address) {
    struct client *self = (struct client *) calloc(1, sizeof *self);
    if (self != NULL) {
        inet_ntop(AF_INET, &address->sin_addr, self->address, sizeof self->address);
        self->fd = fd;
        self->last = &self->first;
    }
    return self;
}

// ---- What is sent

static void queue(struct client *self, wsgi_buffer *buffer, char *text, size_t size) {
    struct piece *piece = (struct piece *) calloc(1, sizeof *piece);
    if (piece == NULL || (buffer == NULL && text == NULL)) {
        abort(); // no memory
    }
    piece->buffer = buffer;
    piece->text = text;
    piece->size = size;
    *self->last = piece;
    self->last = &piece->next;
}

// Answers without the application.
static void refuse(struct client *self, const char *status, unsigned retry_after) {
    size_t size = 0;
    char *text = http_refusal(status, retry_after, &size);
    queue(self, NULL, text, size);
    self->all_queued = 1;
}

static void drop_first(struct client *self) {
    struct piece *piece = self->first;
    self->first = piece->next;
    if (self->first == NULL) {
        self->last = &self->first;
    }
    self->sent = 0;
    wsgi_buffer_release(piece->buffer); // returns credit: the application can go on
    free(piece->text);
    free(piece);
}

// Sends what the socket takes. 0 if the client has left, or must be left.
static int send_some(struct client *self) {
    while (self->first != NULL) {
        const struct piece *piece = self->first;
        const char *data = piece->buffer ? (const char *) piece->buffer->data : piece->text;
        ssize_t sent = send(self->fd, data + self->sent, piece->size - self->sent,
                            MSG_NOSIGNAL | MSG_DONTWAIT | (piece->next ? MSG_MORE : 0));
        if (sent < 0) {
            return errno == EAGAIN || errno == EINTR;
        }
        self->sent += (size_t) sent;
        if (self->sent == piece->size) {
            drop_first(self);
        }
    }
    if (self->all_queued && self->truncated && !self->has_length) {
        // A connection that is closed would look like the end of a whole response. A reset does not.
        struct linger now = {1, 0};
        setsockopt(self->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        return 0;
    }
    if (self->all_queued) {
        // The client closes the connection next. Until then we read what it still sends: close() of
        // a socket with unread bytes resets the connection, and the client may lose the response.
        shutdown(self->fd, SHUT_WR);
        self->all_sent = 1;
    }
    return 1;
}

// ---- What is received

// Gives the library as much of the body as it takes. It calls `want_body` for the rest.
static void push(struct client *self) {
    size_t size = self->in_size < self->body_left ? self->in_size : (size_t) self->body_left;
    size_t taken = 0;
    if (size > 0) {
        wsgi_body_push(self->exchange, (const uint8_t *) self->in, size,
                       size == self->body_left ? WSGI_PUSH_LAST : 0, &taken);
    }
    self->body_left -= taken;
    self->in_size -= taken;
    memmove(self->in, self->in + taken, self->in_size);
}

static void submit(struct client *self, wsgi_request *request) {
    request->server_name = wsgi_str_from("127.0.0.1");
    request->server_port = wsgi_str_from(server.port);
    request->remote_addr = wsgi_str_from(self->address);
    if (request->content_length > 0) {
        request->body_kind = WSGI_BODY_PUSH;
        self->body_left = (uint64_t) request->content_length;
    }
    wsgi_error *error = NULL;
    if (wsgi_submit(server.app, request, self, &self->exchange, &error) == WSGI_OK) {
        server.unfinished++;
        return;
    }
    unsigned retry = wsgi_error_retry_after(error); // 0 if there is nothing to wait for
    refuse(self, retry > 0 ? "503 Service Unavailable" : "500 Internal Server Error", retry);
    wsgi_str message = wsgi_error_message(error);
    fprintf(stderr, "event_host: %.*s\n", (int) message.size, (const char *) message.data);
    wsgi_error_release(error);
}

// Is the head here? Then it becomes a request, and what follows it is body.
static void read_head(struct client *self) {
    struct http_head head;
    const char *end = (const char *) memmem(self->in, self->in_size, "\r\n\r\n", 4);
    if (end == NULL && self->in_size < sizeof self->in - 1) {
        return;
    }
    self->has_head = 1;
    size_t size = end != NULL ? (size_t) (end + 2 - self->in) : 0;
    const char *refusal = end != NULL ? http_parse(&head, self->in, size)
                                      : "431 Request Header Fields Too Large";
    if (refusal != NULL) {
        refuse(self, refusal, 0);
        return;
    }
    submit(self, &head.request);
    self->in_size -= size + 2;
    memmove(self->in, self->in + size + 2, self->in_size);
}

// Receives what the socket has. 0 if the client has left.
static int receive(struct client *self) {
    if (self->has_head && self->exchange == NULL) {
        self->in_size = 0; // no application reads it any more
    }
    ssize_t got = recv(self->fd, self->in + self->in_size, sizeof self->in - 1 - self->in_size,
                       MSG_DONTWAIT);
    if (got <= 0) {
        return got < 0 && (errno == EAGAIN || errno == EINTR);
    }
    self->in_size += (size_t) got;
    if (!self->has_head) {
        read_head(self);
    }
    if (self->exchange != NULL) {
        push(self);
    }
    return 1;
}

// ---- The callbacks. wsgi_poll calls them. They only queue, and the loop sends

static int on_start(void *request, const wsgi_head *head) {
    struct client *self = (struct client *) request;
    size_t size = 0;
    char *text = http_head(head, &size);
    self->has_length = head->content_length >= 0 || head->no_body;
    queue(self, NULL, text, size);
    return 0;
}

static int on_write(void *request, wsgi_buffer *const *buffers, size_t count, uint32_t flags) {
    struct client *self = (struct client *) request;
    (void) flags;
    for (size_t i = 0; i < count; i++) {
        queue(self, buffers[i], NULL, buffers[i]->size); // we own it until all of it is sent
    }
    return 0;
}

static void on_finish(void *request, wsgi_outcome outcome, uint32_t retry_after) {
    struct client *self = (struct client *) request;
    server.unfinished--;
    self->exchange = NULL;
    self->all_queued = 1;
    self->truncated = outcome == WSGI_TRUNCATED;
    if (outcome == WSGI_FAILED) {
        refuse(self, "500 Internal Server Error", 0);
    } else if (outcome == WSGI_REFUSED) {
        refuse(self, "503 Service Unavailable", retry_after);
    }
}

static int on_want_body(void *request) {
    push((struct client *) request);
    return 0;
}

void client_callbacks(wsgi_host *host) {
    host->start = on_start;
    host->write = on_write;
    host->finish = on_finish;
    host->want_body = on_want_body;
}

// ---- For the loop

// Bytes that we do not receive stay in the socket, and the client waits.
short client_events(const struct client *self) {
    int events = 0;
    if (self->exchange == NULL || (self->body_left > 0 && self->in_size == 0)) {
        events |= POLLIN;
    } else if (self->body_left == 0) {
        events |= POLLRDHUP; // a client that ends its side has left, for us as for nginx
    }
    if (self->first != NULL || (self->all_queued && !self->all_sent)) {
        events |= POLLOUT;
    }
    return (short) events;
}

int client_serve(struct client *self, short events) {
    return !(events & (POLLERR | POLLHUP | POLLRDHUP)) && (!(events & POLLIN) || receive(self))
           && (!(events & POLLOUT) || send_some(self));
}

void client_destroy(struct client *self) {
    wsgi_cancel(self->exchange); // after that no callback gets `self`
    while (self->first != NULL) {
        drop_first(self);
    }
    close(self->fd);
    free(self);
}
