// workers.c: a queue under a lock, and threads that live as long as the server. The library keeps
// Python's thread state for each of them, so that `threading.local` lasts from request to request.

#define _POSIX_C_SOURCE 200809L

#include "workers.h"

#include <stdlib.h>
#include <time.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct exchange *first;
static struct exchange **last = &first;
static int stopping;

static pthread_t *threads;
static size_t threads_count;
static size_t idle_count;

static void *work(void *app) {
    for (;;) {
        pthread_mutex_lock(&lock);
        idle_count++;
        pthread_cond_broadcast(&changed);
        while (first == NULL && !stopping) {
            pthread_cond_wait(&changed, &lock);
        }
        idle_count--;
        struct exchange *exchange = first;
        if (exchange != NULL) {
            first = exchange->next;
            if (first == NULL) {
                last = &first;
            }
        }
        pthread_mutex_unlock(&lock);
        if (exchange == NULL) {
            return NULL;
        }
        exchange_run(exchange, (wsgi_app *) app);
    }
}

int workers_start(wsgi_app *app, size_t count) {
    threads = (pthread_t *) calloc(count, sizeof *threads);
    if (threads == NULL) {
        return 0;
    }
    for (; threads_count < count; threads_count++) {
        if (pthread_create(&threads[threads_count], NULL, work, app) != 0) {
            return 0;
        }
    }
    return 1;
}

void workers_submit(struct exchange *exchange) {
    pthread_mutex_lock(&lock);
    *last = exchange;
    last = &exchange->next;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

int workers_idle(unsigned seconds) {
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += seconds;
    int timed_out = 0;
    pthread_mutex_lock(&lock);
    while ((first != NULL || idle_count < threads_count) && !timed_out) {
        timed_out = pthread_cond_timedwait(&changed, &lock, &deadline) != 0;
    }
    pthread_mutex_unlock(&lock);
    return !timed_out;
}

void workers_stop(void) {
    pthread_mutex_lock(&lock);
    stopping = 1;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    for (size_t i = 0; i < threads_count; i++) {
        pthread_join(threads[i], NULL);
    }
    free(threads);
}
