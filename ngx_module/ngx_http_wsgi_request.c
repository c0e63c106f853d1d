
/*
 * A request on its way to Python: its body is read, unless the application
 * reads it as it arrives, and it is submitted.  Then a timer and a cleanup
 * handler watch it, and its client is watched.
 */


#include "ngx_http_wsgi_module.h"


static void ngx_http_wsgi_body_handler(ngx_http_request_t *r);
static void ngx_http_wsgi_begin(ngx_http_request_t *r, ngx_uint_t streamed);
static ngx_http_wsgi_ctx_t *ngx_http_wsgi_create_ctx(ngx_http_request_t *r);
static ngx_int_t ngx_http_wsgi_submit(ngx_http_wsgi_ctx_t *ctx);
static ngx_int_t ngx_http_wsgi_refused(ngx_http_request_t *r,
    wsgi_status status, wsgi_error *error);


ngx_int_t
ngx_http_wsgi_handler(ngx_http_request_t *r)
{
    ngx_int_t   rc;
    ngx_uint_t  streamed;

    ngx_http_wsgi_mask_log(r);

    streamed = ngx_http_wsgi_can_stream(r);

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "wsgi handler, streamed:%ui", streamed);

    if (streamed) {

        /* the body is read when the application reads it */

        r->main->count++;
        ngx_http_wsgi_begin(r, 1);

        return NGX_DONE;
    }

    /*
     * The body is read before the request goes to Python: a slow upload holds
     * a connection, and not a thread.
     */

    r->request_body_in_single_buf = 1;

    rc = ngx_http_read_client_request_body(r, ngx_http_wsgi_body_handler);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    return NGX_DONE;
}


static void
ngx_http_wsgi_body_handler(ngx_http_request_t *r)
{
    ngx_http_wsgi_begin(r, 0);
}


static void
ngx_http_wsgi_begin(ngx_http_request_t *r, ngx_uint_t streamed)
{
    ngx_int_t                  rc;
    ngx_http_wsgi_ctx_t       *ctx;
    ngx_http_wsgi_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wsgi_module);

    ctx = ngx_http_wsgi_create_ctx(r);

    if (ctx == NULL) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    ctx->body_streamed = streamed;
    ctx->buffering = wlcf->buffering;

    rc = ngx_http_wsgi_submit(ctx);

    if (rc != NGX_OK) {
        ngx_http_finalize_request(r, rc);
        return;
    }

    ngx_http_wsgi_set_write_handler(r);

    if (ngx_http_wsgi_watch_client(ctx) != NGX_OK) {

        /* not by ngx_http_wsgi_finalize(): nginx uses the request after this */

        ngx_http_wsgi_abandon(ctx, wlcf->read_timeout, 0);

        ngx_http_wsgi_detach(ctx);

        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
    }
}


static ngx_http_wsgi_ctx_t *
ngx_http_wsgi_create_ctx(ngx_http_request_t *r)
{
    ngx_http_wsgi_ctx_t  *ctx;

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_wsgi_ctx_t));
    if (ctx == NULL) {
        return NULL;
    }

    ctx->request = r;

    if (ngx_http_wsgi_init_output(ctx) != NGX_OK) {
        return NULL;
    }

    ctx->cleanup = ngx_http_cleanup_add(r, 0);
    if (ctx->cleanup == NULL) {
        return NULL;
    }

    ctx->cleanup->data = ctx;

    ngx_http_set_ctx(r, ctx, ngx_http_wsgi_module);

    return ctx;
}


static ngx_int_t
ngx_http_wsgi_submit(ngx_http_wsgi_ctx_t *ctx)
{
    wsgi_app                  *app;
    ngx_int_t                  rc;
    wsgi_error                *error;
    wsgi_status                status;
    wsgi_request               wr;
    ngx_http_request_t        *r;
    ngx_http_wsgi_loc_conf_t  *wlcf;

    r = ctx->request;
    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wsgi_module);

    rc = ngx_http_wsgi_check_memory(r);

    if (rc != NGX_OK) {
        return rc;
    }

    app = ngx_http_wsgi_get_app(wlcf->app, r->connection->log);

    if (app == NULL) {
        return ngx_http_wsgi_unavailable(r, NGX_HTTP_WSGI_RETRY_AFTER);
    }

    rc = ngx_http_wsgi_create_request(r, &wr);

    if (rc != NGX_OK) {
        return rc;
    }

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "wsgi submit, body:%d length:%L",
                   (int) wr.body_kind, wr.content_length);

    error = NULL;
    status = wsgi_submit(app, &wr, ctx, &ctx->exchange, &error);

    if (status != WSGI_OK) {
        return ngx_http_wsgi_refused(r, status, error);
    }

    ctx->cleanup->handler = ngx_http_wsgi_cleanup;
    ctx->was_submitted = 1;

    ngx_http_wsgi_poll_soon();

    ngx_http_wsgi_start_timer(ctx);

    return NGX_OK;
}


static ngx_int_t
ngx_http_wsgi_refused(ngx_http_request_t *r, wsgi_status status,
    wsgi_error *error)
{
    ngx_http_wsgi_log_error(NGX_LOG_ERR, r->connection->log, error,
                            "WSGI0114 the request was not taken");

    switch (status) {

    case WSGI_BUSY:
    case WSGI_STOPPING:
    case WSGI_UNAVAILABLE:
    case WSGI_PYTHON:
        return ngx_http_wsgi_unavailable(r, NGX_HTTP_WSGI_RETRY_AFTER);

    default:
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
}
