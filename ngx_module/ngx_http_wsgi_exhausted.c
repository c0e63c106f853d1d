
/*
 * Applications that do not come back: a request is given up while its thread
 * is watched by the library, and a worker with too many such threads leaves
 * its place to a new one.
 */


#include "ngx_http_wsgi_module.h"


/* what the log says of a request whose thread is late */
#define NGX_HTTP_WSGI_ABOUT_LEN  256

/*
 * Milliseconds.  A worker that leaves its place waits so long for its clients,
 * where "worker_shutdown_timeout" says nothing: as long as it waits, it may be
 * the only worker, and it takes no new clients.
 */
#define NGX_HTTP_WSGI_LEAVE_TIMEOUT  5000

/* and so long for nginx to close the connections that are left */
#define NGX_HTTP_WSGI_CLOSE_TIMEOUT  1000


static void ngx_http_wsgi_limit_leaving(ngx_core_conf_t *ccf);
static void ngx_http_wsgi_leave_handler(ngx_event_t *ev);
static void ngx_http_wsgi_close_handler(ngx_event_t *ev);


static ngx_event_t  ngx_http_wsgi_leave_event;


/*
 * The library is done with the request.  Its thread may not be: if it has not
 * come back after "late_after" milliseconds, it counts as stuck.  With
 * WSGI_ABANDON_ANSWERED in "flags" it was not the client that has left.
 */

void
ngx_http_wsgi_abandon(ngx_http_wsgi_ctx_t *ctx, ngx_msec_t late_after,
    uint32_t flags)
{
    u_char                    *p, about[NGX_HTTP_WSGI_ABOUT_LEN];
    wsgi_str                   text;
    ngx_connection_t          *c;
    ngx_http_request_t        *r;
    ngx_http_wsgi_loc_conf_t  *wlcf;

    ngx_http_wsgi_measure(ctx);

    r = ctx->request;
    c = r->connection;
    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wsgi_module);

    /* the request is gone when the library writes, so it gets a name */

    p = ngx_snprintf(about, NGX_HTTP_WSGI_ABOUT_LEN,
                     "request *%uA, client: %V, \"%V\"",
                     c->number, &c->addr_text, &r->request_line);

    text.data = about;
    text.size = p - about;

    if (wlcf->interrupt) {
        flags |= WSGI_ABANDON_INTERRUPT;
    }

    wsgi_abandon(ctx->exchange, text, late_after, flags);
}


/*
 * Called in the loop, from wsgi_poll().  A worker that quits answers what it
 * has, and the master starts another in its place, as it does for each that
 * ends without having been told to by the master itself.
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
 * The master starts the new worker when this one is gone.  So the slowest of
 * the clients must not decide when that is.  The configuration is the worker's
 * own copy; nginx reads it when it takes up ngx_quit.
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


/* nginx's own timer, set a moment later for the same time, closes them */

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
 * What a closed connection does not end: a request that goes on without its
 * client ("wsgi_ignore_client_abort", "proxy_ignore_client_abort").
 */

static void
ngx_http_wsgi_close_handler(ngx_event_t *ev)
{
    ngx_terminate = 1;
}
