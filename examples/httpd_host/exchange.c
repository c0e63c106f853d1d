// exchange.c: the body's file, the response's queue, and the callbacks that fill and empty them.

#define _POSIX_C_SOURCE 200809L

#include "exchange.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct exchange *exchange_create(const char *target) {
    struct exchange *self = (struct exchange *) calloc(1, sizeof *self);
    if (self == NULL) {
        return NULL;
    }
    self->target = strdup(target);
    if (self->target == NULL) {
        free(self);
        return NULL;
    }
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->changed, NULL);
    return self;
}

// ---- The body, from the connection's thread to the worker's

int exchange_feed(struct exchange *self, const char *data, size_t size) {
    // Only this thread changes body_received: it may read it without the lock.
    off_t end = (off_t) self->body_received;
    while (size > 0) {
        ssize_t written = self->body ? pwrite(fileno(self->body), data, size, end) : -1;
        if (written < 0) {
            return 0;
        }
        data += written;
        size -= (size_t) written;
        end += written;
    }
    pthread_mutex_lock(&self->lock);
    self->body_received = (uint64_t) end;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
    return 1;
}

static ptrdiff_t on_read(void *request, uint8_t *buffer, size_t size) {
    struct exchange *self = (struct exchange *) request;
    pthread_mutex_lock(&self->lock);
    while (self->body_received == self->body_read && !self->body_whole && !self->gone) {
        pthread_cond_wait(&self->changed, &self->lock);
    }
    uint64_t available = self->body_received - self->body_read;
    int whole = self->body_whole;
    pthread_mutex_unlock(&self->lock);
    if (available == 0) {
        return whole ? 0 : WSGI_READ_GONE;
    }
    // No further than what was announced: the other thread may be writing behind it.
    size_t wanted = available < size ? (size_t) available : size;
    ssize_t got = pread(fileno(self->body), buffer, wanted, (off_t) self->body_read);
    if (got <= 0) {
        return WSGI_READ_BROKEN; // the disk
    }
    self->body_read += (uint64_t) got;
    return got;
}

// ---- The response, from the worker's thread to the connection's

// libmicrohttpd asks for up to `size` bytes more of the body. In its mode of a thread for each
// connection this may wait.
static ssize_t take(void *exchange, uint64_t position, char *to, size_t size) {
    struct exchange *self = (struct exchange *) exchange;
    (void) position;
    pthread_mutex_lock(&self->lock);
    while (self->count == 0 && !self->finished) {
        pthread_cond_wait(&self->changed, &self->lock);
    }
    wsgi_buffer *buffer = self->count > 0 ? self->queue[self->first] : NULL;
    int complete = self->outcome == WSGI_COMPLETE;
    pthread_mutex_unlock(&self->lock);
    if (buffer == NULL) {
        // An error ends the connection without a last chunk: the client can tell.
        return complete ? MHD_CONTENT_READER_END_OF_STREAM : MHD_CONTENT_READER_END_WITH_ERROR;
    }

    size_t rest = buffer->size - self->sent;
    size_t count = rest < size ? rest : size;
    memcpy(to, buffer->data + self->sent, count);
    self->sent += count;
    if (count == rest) {
        pthread_mutex_lock(&self->lock);
        self->first = (self->first + 1) % QUEUE_SIZE;
        self->count--;
        self->sent = 0;
        pthread_cond_broadcast(&self->changed);
        pthread_mutex_unlock(&self->lock);
        wsgi_buffer_release(buffer);
    }
    return (ssize_t) count;
}

static int on_write(void *request, wsgi_buffer *const *buffers, size_t count, uint32_t flags) {
    struct exchange *self = (struct exchange *) request;
    (void) flags;
    int gone = 0;
    for (size_t i = 0; i < count; i++) {
        pthread_mutex_lock(&self->lock);
        while (self->count == QUEUE_SIZE && !self->gone) {
            pthread_cond_wait(&self->changed, &self->lock);
        }
        gone = self->gone;
        if (!gone) {
            self->queue[(self->first + self->count) % QUEUE_SIZE] = buffers[i];
            self->count++;
            pthread_cond_broadcast(&self->changed);
        }
        pthread_mutex_unlock(&self->lock);
        if (gone) {
            wsgi_buffer_release(buffers[i]);
        }
    }
    return gone;
}

// The response begins, with this head.
static int begin(struct exchange *self, unsigned status, struct MHD_Response *response) {
    pthread_mutex_lock(&self->lock);
    self->status = status;
    self->response = response;
    int gone = self->gone || response == NULL;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
    return gone;
}

// Our strings have a length, libmicrohttpd's a NUL at the end.
static char *terminated(wsgi_str s) {
    char *copy = (char *) malloc(s.size + 1);
    if (copy != NULL) {
        if (s.size > 0) {
            memcpy(copy, s.data, s.size);
        }
        copy[s.size] = '\0';
    }
    return copy;
}

// libmicrohttpd refuses tabs, which mean the same as spaces, and an empty value, which is left out.
static int add_header(struct MHD_Response *response, const wsgi_header *header) {
    char *name = terminated(header->name);
    char *value = terminated(header->value);
    for (char *tab = value; tab != NULL && (tab = strchr(tab, '\t')) != NULL;) {
        *tab = ' ';
    }
    int added = name != NULL && value != NULL
                && (*value == '\0' || MHD_add_response_header(response, name, value) == MHD_YES);
    free(name);
    free(value);
    return added;
}

static int on_start(void *request, const wsgi_head *head) {
    struct exchange *self = (struct exchange *) request;
    uint64_t size = head->content_length < 0 ? MHD_SIZE_UNKNOWN : (uint64_t) head->content_length;
    struct MHD_Response *response =
        MHD_create_response_from_callback(size, 32 * 1024, take, self, NULL);
    for (size_t i = 0; response != NULL && i < head->headers_count; i++) {
        if (!add_header(response, &head->headers[i])) {
            MHD_destroy_response(response);
            response = NULL;
        }
    }
    return begin(self, head->status, response);
}

// A response of the host's own, where the application gave none.
static void refuse(struct exchange *self, unsigned status, const char *text, unsigned retry_after) {
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(text), (void *) text, MHD_RESPMEM_PERSISTENT);
    if (response != NULL) {
        char seconds[12];
        snprintf(seconds, sizeof seconds, "%u", retry_after);
        MHD_add_response_header(response, "Content-Type", "text/plain");
        if (retry_after > 0) {
            MHD_add_response_header(response, "Retry-After", seconds);
        }
    }
    begin(self, status, response);
}

static void on_finish(void *request, wsgi_outcome outcome, uint32_t retry_after) {
    struct exchange *self = (struct exchange *) request;
    if (outcome == WSGI_FAILED) {
        refuse(self, 500, "The application failed.\n", 0);
    } else if (outcome == WSGI_REFUSED) {
        refuse(self, 503, "The application is not available.\n", retry_after);
    }
    pthread_mutex_lock(&self->lock);
    self->outcome = outcome;
    self->finished = 1;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

void exchange_callbacks(wsgi_host *host) {
    host->start = on_start;
    host->write = on_write;
    host->finish = on_finish;
    host->read = on_read;
}

void exchange_run(struct exchange *self, wsgi_app *app) {
    wsgi_error *error = NULL;
    wsgi_status status = wsgi_run(app, &self->request, self, &error);
    if (status != WSGI_OK && status != WSGI_GONE) {
        wsgi_str message = wsgi_error_message(error);
        fprintf(stderr, "httpd_host: %.*s\n", (int) message.size, (const char *) message.data);
    }
    wsgi_error_release(error);
    if (self->response == NULL) { // only this thread sets it
        int later = status == WSGI_UNAVAILABLE || status == WSGI_PYTHON || status == WSGI_STOPPING;
        refuse(self, later ? 503 : 500, "The request could not be answered.\n", later);
    }

    pthread_mutex_lock(&self->lock);
    if (status != WSGI_OK) {
        self->outcome = WSGI_TRUNCATED;
    }
    self->finished = 1;
    self->left = 1;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

enum MHD_Result exchange_answer(struct exchange *self, struct MHD_Connection *connection) {
    pthread_mutex_lock(&self->lock);
    self->body_whole = 1;
    pthread_cond_broadcast(&self->changed);
    while (self->response == NULL && !self->left) {
        pthread_cond_wait(&self->changed, &self->lock);
    }
    struct MHD_Response *response = self->response;
    unsigned status = self->status;
    pthread_mutex_unlock(&self->lock);
    return response == NULL ? MHD_NO : MHD_queue_response(connection, status, response);
}

void exchange_destroy(struct exchange *self) {
    pthread_mutex_lock(&self->lock);
    self->gone = 1;
    pthread_cond_broadcast(&self->changed);
    while (self->submitted && !self->left) {
        pthread_cond_wait(&self->changed, &self->lock);
    }
    pthread_mutex_unlock(&self->lock);

    for (size_t i = 0; i < self->count; i++) {
        wsgi_buffer_release(self->queue[(self->first + i) % QUEUE_SIZE]);
    }
    if (self->response != NULL) {
        MHD_destroy_response(self->response);
    }
    if (self->body != NULL) {
        fclose(self->body);
    }
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->lock);
    free(self->headers);
    free(self->target);
    free(self);
}
