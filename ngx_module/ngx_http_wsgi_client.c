
/*
 * The client of a request: it may leave, and then the request ends or goes on
 * without it.
 */


#include "ngx_http_wsgi_module.h"


static void ngx_http_wsgi_abort_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_wsgi_ignore_abort(ngx_http_wsgi_ctx_t *ctx);


ngx_int_t
ngx_http_wsgi_watch_client(ngx_http_wsgi_ctx_t *ctx)
{
    ngx_event_t               *rev;
    ngx_http_request_t        *r;
    ngx_http_wsgi_loc_conf_t  *wlcf;

    r = ctx->request;

    /* the client of a post_action has its response already, and may leave */

    if (r->post_action) {
        return NGX_OK;
    }

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wsgi_module);

    if (wlcf->ignore_client_abort) {
        ctx->watched = 1;
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


/* HTTP/2 reports a broken connection and a reset stream in this way */

static void
ngx_http_wsgi_abort_handler(ngx_http_request_t *r)
{
    ngx_http_wsgi_ctx_t  *ctx;

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "wsgi abort handler, error:%d", r->connection->error);

    ctx = ngx_http_get_module_ctx(r, ngx_http_wsgi_module);

    if (ctx && r->connection->error) {

        if (ctx->finished) {
            (void) ngx_http_wsgi_finalize(ctx, NGX_HTTP_CLIENT_CLOSED_REQUEST);
            return;
        }

        (void) ngx_http_wsgi_ignore_abort(ctx);

        return;
    }

    ngx_http_block_reading(r);
}


/*
 * nginx could not send: the application goes on without its client, or the
 * request ends.  Returns what a callback returns.
 */

int
ngx_http_wsgi_send_failed(ngx_http_wsgi_ctx_t *ctx, ngx_int_t rc)
{
    if (rc != NGX_DONE && ngx_http_wsgi_ignore_abort(ctx) == NGX_OK) {
        return 0;
    }

    return ngx_http_wsgi_finalize(ctx, rc);
}


/*
 * With "wsgi_ignore_client_abort" the request goes on without its client.
 * nginx sends nothing more.  Bytes that the filters have stay where they are,
 * since a frame of HTTP/2 may point to them; the library does not wait for
 * them.
 */

static ngx_int_t
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

    if (ctx->client_rc) {
        return NGX_OK;
    }

    if (ctx->body_begun && !ctx->body_ended) {

        /* the application would wait for a body whose rest does not come */

        return NGX_DECLINED;
    }

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, c->log, 0,
                   "wsgi ignore abort, timedout:%d", c->timedout);

    ngx_log_error(NGX_LOG_INFO, c->log, 0,
                  "WSGI0130 the client is gone, and the application goes on "
                  "without it");

    ctx->client_rc = c->timedout ? NGX_HTTP_REQUEST_TIME_OUT
                                 : NGX_HTTP_CLIENT_CLOSED_REQUEST;

    ngx_http_wsgi_discard(ctx);

    ctx->watched = 0;

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


/* the application may finish without a client, within "wsgi_read_timeout" */

void
ngx_http_wsgi_discard(ngx_http_wsgi_ctx_t *ctx)
{
    ctx->discarded = 1;
    ctx->discarded_at = ngx_current_msec;

    wsgi_detach_client(ctx->exchange);
}
