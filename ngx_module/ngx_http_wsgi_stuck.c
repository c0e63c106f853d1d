
/*
 * Applications that do not come back: a request is given up while its thread
 * is watched by the library, and a worker with too many such threads leaves
 * its place to a new one.
 */


#include "ngx_http_wsgi_module.h"


/* what the log says of a request whose thread is late */
#define NGX_HTTP_WSGI_ABOUT_LEN  256


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

    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "WSGI0125 %uz threads are stuck, more than "
                  "\"wsgi_max_stuck\", this worker leaves its place to a new "
                  "one", stuck);

    ngx_quit = 1;
}
