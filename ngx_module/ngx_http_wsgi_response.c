
/*
 * The callbacks that answer a request.  The library calls them in the loop,
 * from wsgi_poll(), in this order, perhaps after early hints: start, write or
 * send_file as often as needed, finish.  If one returns non-zero, the library
 * does not call back for the request again.
 *
 * ngx_http_wsgi_finalize() and ngx_http_run_posted_requests() may free the
 * request, and with it the context: nothing touches either afterwards.
 */


#include "ngx_http_wsgi_module.h"


static int ngx_http_wsgi_intercept(ngx_http_wsgi_ctx_t *ctx,
    const wsgi_head *head);
static void ngx_http_wsgi_before_response(ngx_http_wsgi_ctx_t *ctx);
static int ngx_http_wsgi_send_added(ngx_http_wsgi_ctx_t *ctx, uint32_t flags);


int
ngx_http_wsgi_start(void *data, const wsgi_head *head)
{
    ngx_http_wsgi_ctx_t  *ctx = data;

    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = ctx->request;

    ngx_http_set_log_request(r->connection->log, r);

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "wsgi start: %uD, length:%L",
                   head->status, head->content_length);

    if (ngx_http_wsgi_intercept(ctx, head)) {
        return 1;
    }

    if (ngx_http_wsgi_create_headers(r, head) != NGX_OK) {
        return ngx_http_wsgi_finalize(ctx, NGX_HTTP_INTERNAL_SERVER_ERROR);
    }

    ngx_http_wsgi_limit_rate(r);

    ngx_http_wsgi_before_response(ctx);

    ctx->started = 1;

    /*
     * A short header stays in r->out until the first bytes of the body follow,
     * and nginx sends both in one writev().
     */

    rc = ngx_http_send_header(r);

    if (r->filter_finalize) {
        ctx->filter_rc = rc;
        return ngx_http_wsgi_finalize(ctx, NGX_DONE);
    }

    if (rc == NGX_ERROR) {
        return ngx_http_wsgi_send_failed(ctx, rc);
    }

    if (rc == NGX_OK && (r->background || r->post_action) && r->header_only) {

        /* the answer of a mirror has no reader, but its work must be done */

        ngx_http_wsgi_discard(ctx);

        return 0;
    }

    if (rc > NGX_OK || (r->header_only && !head->no_body)) {
        return ngx_http_wsgi_finalize(ctx, rc);
    }

    return 0;
}


/*
 * Something else may replace the response: an error page, the location that
 * X-Accel-Redirect names, or 503 where memory is full.
 */

static int
ngx_http_wsgi_intercept(ngx_http_wsgi_ctx_t *ctx, const wsgi_head *head)
{
    ngx_int_t                  rc;
    ngx_str_t                  uri;
    ngx_connection_t          *c;
    ngx_http_request_t        *r;
    ngx_http_wsgi_loc_conf_t  *wlcf;

    r = ctx->request;
    c = r->connection;

    if (ngx_http_wsgi_process_accel(r, head) != NGX_OK) {
        return ngx_http_wsgi_finalize(ctx, NGX_HTTP_INTERNAL_SERVER_ERROR);
    }

    rc = ngx_http_wsgi_intercept_error(r, head);

    if (rc != NGX_DECLINED) {
        ngx_log_debug1(NGX_LOG_DEBUG_HTTP, c->log, 0,
                       "wsgi intercept: %i", rc);

        return ngx_http_wsgi_finalize(ctx, rc);
    }

    rc = ngx_http_wsgi_find_redirect(r, head, &uri);

    if (rc == NGX_ERROR) {
        return ngx_http_wsgi_finalize(ctx, NGX_HTTP_INTERNAL_SERVER_ERROR);
    }

    if (rc == NGX_DECLINED) {

        if (head->no_body || r->header_only) {
            return 0;
        }

        rc = ngx_http_wsgi_check_memory(r);

        return rc == NGX_OK ? 0 : ngx_http_wsgi_finalize(ctx, rc);
    }

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, c->log, 0,
                   "wsgi redirect: \"%V\"", &uri);

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wsgi_module);

    ngx_http_wsgi_abandon(ctx, wlcf->read_timeout, WSGI_CANCEL_ANSWERED);

    ngx_http_wsgi_detach(ctx);

    ngx_http_wsgi_redirect(r, &uri);

    ngx_http_run_posted_requests(c);

    return 1;
}


/*
 * A client that waits for 100 and gets a response instead may leave out the
 * body or not.  What follows could be body or request, so the connection must
 * end.
 */

static void
ngx_http_wsgi_before_response(ngx_http_wsgi_ctx_t *ctx)
{
    ngx_http_request_t  *r;

    r = ctx->request;

    if (ngx_http_wsgi_is_unread(ctx) && r->headers_in.expect) {
        r->keepalive = 0;
    }
}


int
ngx_http_wsgi_write(void *data, wsgi_buffer *const *buffers, size_t count,
    uint32_t flags)
{
    ngx_http_wsgi_ctx_t  *ctx = data;

    ngx_http_request_t  *r;

    r = ctx->request;

    ngx_http_set_log_request(r->connection->log, r);

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "wsgi write, n:%uz last:%d",
                   count, (flags & WSGI_WRITE_LAST) != 0);

    if (ngx_http_wsgi_add_buffers(ctx, buffers, count) != NGX_OK) {
        return ngx_http_wsgi_finalize(ctx, NGX_ERROR);
    }

    return ngx_http_wsgi_send_added(ctx, flags);
}


int
ngx_http_wsgi_send_file(void *data, int fd, uint64_t offset, uint64_t length,
    uint32_t flags)
{
    ngx_http_wsgi_ctx_t  *ctx = data;

    ngx_http_request_t  *r;

    r = ctx->request;

    ngx_http_set_log_request(r->connection->log, r);

    ngx_log_debug3(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "wsgi send file, fd:%d %uL+%uL", fd, offset, length);

    if (ngx_http_wsgi_add_file(ctx, fd, offset, length) != NGX_OK) {
        return ngx_http_wsgi_finalize(ctx, NGX_ERROR);
    }

    return ngx_http_wsgi_send_added(ctx, flags);
}


static int
ngx_http_wsgi_send_added(ngx_http_wsgi_ctx_t *ctx, uint32_t flags)
{
    ngx_int_t                   rc;
    ngx_connection_t           *c;
    ngx_http_wsgi_main_conf_t  *wmcf;

    c = ctx->request->connection;
    wmcf = ngx_http_get_module_main_conf(ctx->request, ngx_http_wsgi_module);

    if (flags & WSGI_WRITE_LAST) {
        ctx->last = 1;
    }

    rc = ngx_http_wsgi_send(ctx, wmcf->threads == 0);

    if (rc != NGX_OK) {
        return ngx_http_wsgi_send_failed(ctx, rc);
    }

    if (ctx->last) {

        /* "finish" follows at once and ends the request */

        return 0;
    }

    if (ngx_http_wsgi_wait_client(ctx->request) != NGX_OK) {
        return ngx_http_wsgi_finalize(ctx, NGX_ERROR);
    }

    ngx_http_run_posted_requests(c);

    return 0;
}


void
ngx_http_wsgi_finish(void *data, wsgi_outcome outcome, uint32_t retry_after)
{
    ngx_http_wsgi_ctx_t  *ctx = data;

    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    /* the library releases the exchange when this returns */

    ngx_http_wsgi_save_times(ctx);
    ctx->exchange = NULL;

    r = ctx->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, c->log, 0,
                   "wsgi finish: %d, out:%d", (int) outcome, ctx->out != NULL);

    ctx->retry_after = retry_after;

    if (ctx->client_rc) {
        (void) ngx_http_wsgi_finalize(ctx, ctx->client_rc);

    } else if (ngx_http_wsgi_must_drain(ctx)) {
        ngx_http_wsgi_drain(ctx, outcome);
        ngx_http_run_posted_requests(c);

    } else {
        ngx_http_wsgi_complete(ctx, outcome);
    }
}
