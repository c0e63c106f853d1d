
/*
 * The client of a request: whether it is still there, and what becomes of its
 * request once it has left.
 */


#include "ngx_http_wsgi_module.h"


static void ngx_http_wsgi_abort_handler(ngx_http_request_t *r);
static ngx_uint_t ngx_http_wsgi_is_whole(ngx_http_request_t *r);


ngx_int_t
ngx_http_wsgi_watch_client(ngx_http_request_t *r)
{
    ngx_event_t               *rev;
    ngx_http_wsgi_loc_conf_t  *wlcf;

    /* the client of a post_action has its response already, it may go */

    if (r->post_action) {
        r->write_event_handler = ngx_http_request_empty_handler;
        return NGX_OK;
    }

    r->write_event_handler = ngx_http_wsgi_write_handler;

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

    ctx = ngx_http_get_module_ctx(r, ngx_http_wsgi_module);

    if (ctx && r->connection->error) {

        if (ctx->finished) {
            ngx_http_wsgi_cancel(ctx, NGX_HTTP_CLIENT_CLOSED_REQUEST);
            return;
        }

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

    if (!wlcf->ignore_client_abort || !(c->error || c->timedout)
        || ctx->finished)
    {
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

    ngx_http_wsgi_discard(ctx);

    if (ctx->next_turn.posted) {
        ngx_delete_posted_event(&ctx->next_turn);
    }

    ngx_http_wsgi_set_backlog(ctx, 0);

    r->read_event_handler = ngx_http_block_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    wev = c->write;

    if (wev->timer_set) {
        ngx_del_timer(wev);
    }

    return NGX_OK;
}


/* the application finishes for nobody, and not without a limit */

void
ngx_http_wsgi_discard(ngx_http_wsgi_ctx_t *ctx)
{
    ctx->discarded = 1;
    ctx->discarded_at = ngx_current_msec;

    wsgi_discard(ctx->exchange);
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
        && c->error && !c->close && !c->timedout
        && !ngx_http_wsgi_is_whole(r))
    {
        r->headers_out.status = NGX_HTTP_CLIENT_CLOSED_REQUEST;
    }
}


/*
 * A client that has all of a response need not wait until the application has
 * come to its end.  What was sent is counted as for $body_bytes_sent.
 */

static ngx_uint_t
ngx_http_wsgi_is_whole(ngx_http_request_t *r)
{
    off_t  sent;

    sent = r->connection->sent - (off_t) r->header_size;

    if (r->header_only) {
        return sent >= 0;
    }

    return r->headers_out.content_length_n >= 0
           && sent >= r->headers_out.content_length_n;
}
