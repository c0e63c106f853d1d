
/*
 * The client of a request: whether it is still there, when it can take more,
 * and what becomes of its request once it has left.
 */


#include "ngx_http_wsgi_module.h"


static ngx_int_t ngx_http_wsgi_send_buffered(ngx_http_wsgi_ctx_t *ctx);
static void ngx_http_wsgi_abort_handler(ngx_http_request_t *r);
static void ngx_http_wsgi_write_failed(ngx_http_wsgi_ctx_t *ctx,
    ngx_int_t rc);


ngx_int_t
ngx_http_wsgi_watch_client(ngx_http_request_t *r)
{
    ngx_event_t               *rev;
    ngx_http_wsgi_loc_conf_t  *wlcf;

    r->write_event_handler = ngx_http_wsgi_write_handler;

    /* the client of a post_action has its response already, it may go */

    if (r->post_action) {
        return NGX_OK;
    }

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wsgi_module);

    if (wlcf->ignore_client_abort) {
        r->read_event_handler = ngx_http_wsgi_abort_handler;
        return NGX_OK;
    }

    r->read_event_handler = ngx_http_test_reading;

    rev = r->connection->read;

    if (rev->ready) {
        ngx_post_event(rev, &ngx_posted_events);
        return NGX_OK;
    }

    return ngx_handle_read_event(rev, 0);
}


/* HTTP/2 tells of a broken connection and of a reset stream in this way */

static void
ngx_http_wsgi_abort_handler(ngx_http_request_t *r)
{
    ngx_http_wsgi_ctx_t  *ctx;

    if (r->connection->error) {
        ctx = ngx_http_get_module_ctx(r, ngx_http_wsgi_module);

        (void) ngx_http_wsgi_ignore_abort(ctx);

        return;
    }

    ngx_http_block_reading(r);
}


/*
 * With "wsgi_ignore_client_abort" the request goes on without its client.
 * Its application works for nobody then, and nginx sends nothing more: what
 * is on its way stays where it is, since a frame of HTTP/2 may point to it,
 * and the library does not wait for it.
 */

ngx_int_t
ngx_http_wsgi_ignore_abort(ngx_http_wsgi_ctx_t *ctx)
{
    ngx_event_t               *wev;
    ngx_connection_t          *c;
    ngx_http_request_t        *r;
    ngx_http_wsgi_loc_conf_t  *wlcf;

    r = ctx->request;
    c = r->connection;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wsgi_module);

    if (!wlcf->ignore_client_abort || !(c->error || c->timedout)) {
        return NGX_DECLINED;
    }

    if (ctx->lost) {
        return NGX_OK;
    }

    if (ctx->body_begun && !ctx->body_ended) {

        /* it would wait for the rest of a body that does not come */

        return NGX_DECLINED;
    }

    ngx_log_error(NGX_LOG_INFO, c->log, 0,
                  "WSGI0130 the client is gone, and the application goes on "
                  "without it");

    ctx->lost = c->timedout ? NGX_HTTP_REQUEST_TIME_OUT
                            : NGX_HTTP_CLIENT_CLOSED_REQUEST;

    wsgi_discard(ctx->exchange);

    r->read_event_handler = ngx_http_block_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    wev = c->write;

    if (wev->timer_set) {
        ngx_del_timer(wev);
    }

    return NGX_OK;
}


void
ngx_http_wsgi_unwatch_client(ngx_http_request_t *r)
{
    if (r->read_event_handler == ngx_http_wsgi_abort_handler) {
        r->read_event_handler = ngx_http_block_reading;
    }

    r->write_event_handler = ngx_http_request_empty_handler;
}


/*
 * The access log is to tell whole responses from those that their clients did
 * not wait for.  nginx does so by itself if nothing was sent.  A cleanup
 * handler of the request, which runs before its line is written.
 */

void
ngx_http_wsgi_log_abort(void *data)
{
    ngx_http_wsgi_ctx_t  *ctx = data;

    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = ctx->request;
    c = r->connection;

    /* a worker that shuts down closes connections, as do timeouts */

    if (ctx->started && r == r->main
        && c->error && !c->close && !c->timedout)
    {
        r->headers_out.status = NGX_HTTP_CLIENT_CLOSED_REQUEST;
    }
}


/* the client can take more: what it takes is credit for the application */

void
ngx_http_wsgi_write_handler(ngx_http_request_t *r)
{
    ngx_event_t          *wev;
    ngx_connection_t     *c;
    ngx_http_wsgi_ctx_t  *ctx;

    c = r->connection;
    wev = c->write;
    ctx = ngx_http_get_module_ctx(r, ngx_http_wsgi_module);

    if (wev->timedout) {
        ngx_log_error(NGX_LOG_INFO, c->log, NGX_ETIMEDOUT,
                      "client timed out");
        c->timedout = 1;

        ngx_http_wsgi_write_failed(ctx, NGX_HTTP_REQUEST_TIME_OUT);
        return;
    }

    ngx_http_wsgi_missed_body(ctx);

    /* nginx may hold what is none of ours any more: behind a subrequest */

    if (ctx->busy || r->buffered || r->postponed || c->buffered) {
        if (ngx_http_wsgi_send_buffered(ctx) != NGX_OK) {
            ngx_http_wsgi_write_failed(ctx, NGX_ERROR);
            return;
        }
    }

    if (ngx_http_wsgi_wait_client(r) != NGX_OK) {
        ngx_http_wsgi_cancel(ctx, NGX_ERROR);
    }
}


static ngx_int_t
ngx_http_wsgi_send_buffered(ngx_http_wsgi_ctx_t *ctx)
{
    ngx_http_request_t  *r;

    r = ctx->request;

    if (ctx->started || r != r->main || !r->connection->buffered) {
        return ngx_http_wsgi_output(ctx, 0);
    }

    /* early hints: the filters of the body know nothing of the response yet */

    return ngx_http_write_filter(r, NULL) == NGX_ERROR ? NGX_ERROR : NGX_OK;
}


static void
ngx_http_wsgi_write_failed(ngx_http_wsgi_ctx_t *ctx, ngx_int_t rc)
{
    if (ngx_http_wsgi_ignore_abort(ctx) != NGX_OK) {
        ngx_http_wsgi_cancel(ctx, rc);
    }
}


ngx_int_t
ngx_http_wsgi_wait_client(ngx_http_request_t *r)
{
    ngx_event_t               *wev;
    ngx_connection_t          *c;
    ngx_http_core_loc_conf_t  *clcf;

    c = r->connection;
    wev = c->write;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    /* a subrequest may have to wait until those before it are done */

    if (c->data == r
        && ngx_handle_write_event(wev, clcf->send_lowat) != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* then the timer is that of "limit_rate" */

    if (wev->delayed) {
        return NGX_OK;
    }

    if (wev->active && !wev->ready) {
        ngx_add_timer(wev, clcf->send_timeout);

    } else if (wev->timer_set) {
        ngx_del_timer(wev);
    }

    return NGX_OK;
}
