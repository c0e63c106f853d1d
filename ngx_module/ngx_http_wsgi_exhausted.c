
/*
 * A worker with too many threads that do not come back: it leaves its place to
 * a new one.
 */


#include "ngx_http_wsgi_module.h"


/*
 * Milliseconds for which a worker that leaves its place waits for its clients
 * if "worker_shutdown_timeout" is not set.  It may be the only worker, and
 * takes no new clients meanwhile.
 */
#define NGX_HTTP_WSGI_LEAVE_TIMEOUT  5000

/* milliseconds for nginx to close the connections that are left */
#define NGX_HTTP_WSGI_CLOSE_TIMEOUT  1000


static void ngx_http_wsgi_limit_leaving(ngx_core_conf_t *ccf);
static void ngx_http_wsgi_leave_handler(ngx_event_t *ev);
static void ngx_http_wsgi_close_handler(ngx_event_t *ev);


static ngx_event_t  ngx_http_wsgi_leave_event;


/*
 * A callback, in the loop.  A worker that quits answers what it has.  The
 * master then starts another one, as it does for each worker that it has not
 * ended itself.
 */

void
ngx_http_wsgi_exhausted(void *data, size_t stuck)
{
    ngx_core_conf_t  *ccf;

    if (ngx_exiting) {
        return;
    }

    if (ngx_process != NGX_PROCESS_WORKER) {
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
                      "WSGI0126 %uz threads are stuck, more than "
                      "\"wsgi_max_stuck\", and there is no master process to "
                      "replace this one, restart nginx", stuck);
        return;
    }

    ccf = (ngx_core_conf_t *) ngx_get_conf(ngx_cycle->conf_ctx,
                                           ngx_core_module);

    ngx_http_wsgi_limit_leaving(ccf);

    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "WSGI0125 %uz threads are stuck, more than "
                  "\"wsgi_max_stuck\", this worker leaves its place to a new "
                  "one, and waits at most %M ms for its clients",
                  stuck, ccf->shutdown_timeout);

    ngx_quit = 1;
}


/*
 * The master starts the new worker when this one is gone, so the slowest
 * client must not decide when that is.  The configuration is the worker's own
 * copy; nginx reads it when it handles ngx_quit.
 */

static void
ngx_http_wsgi_limit_leaving(ngx_core_conf_t *ccf)
{
    ngx_event_t  *ev;

    if (ccf->shutdown_timeout == 0) {
        ccf->shutdown_timeout = NGX_HTTP_WSGI_LEAVE_TIMEOUT;
    }

    ev = &ngx_http_wsgi_leave_event;

    ev->handler = ngx_http_wsgi_leave_handler;
    ev->data = ccf;
    ev->log = ngx_cycle->log;
    ev->cancelable = 1;

    ngx_add_timer(ev, ccf->shutdown_timeout);
}


/* nginx's own timer, set later for the same time, closes them */

static void
ngx_http_wsgi_leave_handler(ngx_event_t *ev)
{
    ngx_core_conf_t  *ccf = ev->data;

    ngx_log_error(NGX_LOG_WARN, ev->log, 0,
                  "WSGI0118 after %M ms this worker, which leaves its place to "
                  "a new one, cuts off the connections that are still open",
                  ccf->shutdown_timeout);

    ev->handler = ngx_http_wsgi_close_handler;

    ngx_add_timer(ev, NGX_HTTP_WSGI_CLOSE_TIMEOUT);
}


/*
 * A closed connection does not end a request that goes on without its client
 * ("wsgi_ignore_client_abort", "proxy_ignore_client_abort").
 */

static void
ngx_http_wsgi_close_handler(ngx_event_t *ev)
{
    ngx_terminate = 1;
}
