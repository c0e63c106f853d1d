// workers.h: the threads that run the application, and the exchanges that wait for one of them.

#ifndef HTTPD_HOST_WORKERS_H
#define HTTPD_HOST_WORKERS_H

#include "exchange.h"

// Starts `count` threads that answer with `app`, which is theirs until workers_stop. Returns 0 if
// the system gives no thread.
int workers_start(wsgi_app *app, size_t count);

// Any thread: the next free worker calls exchange_run.
void workers_submit(struct exchange *exchange);

// Waits until nothing is queued and no application runs. Returns 0 if that takes too long.
int workers_idle(unsigned seconds);

// Ends and joins the threads. Nothing may be submitted any more.
void workers_stop(void);

#endif
