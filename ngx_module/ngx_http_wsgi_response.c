
/*
 * The callbacks that answer a request.  The library calls them in the loop,
 * from wsgi_poll(), in this order, perhaps after early hints: start, write or
 * send_file as often as needed, finish.  Where one returns non-zero the request
 * is none of the library's any more.
 *
 * What runs in here may end the request, and with it the context: nothing
 * touches either after ngx_http_finalize_request() or
 * ngx_http_run_posted_requests().
 */


#include "ngx_http_wsgi_module.h"


static int ngx_http_wsgi_divert(ngx_http_wsgi_ctx_t *ctx,
    const wsgi_head *head);
static ngx_int_t ngx_http_wsgi_flush(ngx_http_request_t *r);
static int ngx_http_wsgi_added(ngx_http_wsgi_ctx_t *ctx, uint32_t flags);
static void ngx_http_wsgi_give_up(ngx_http_wsgi_ctx_t *ctx, uint32_t flags);


int
ngx_http_wsgi_start(void *data, const wsgi_head *head)
{
    ngx_http_wsgi_ctx_t  *ctx = data;

    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = ctx->request;

    ngx_http_set_log_request(r->connection->log, r);

    if (ngx_http_wsgi_divert(ctx, head)) {
        return 1;
    }

    if (ngx_http_wsgi_create_headers(r, head) != NGX_OK) {
        return ngx_http_wsgi_leave(ctx, NGX_HTTP_INTERNAL_SERVER_ERROR);
    }

    ngx_http_wsgi_limit_rate(r);

    ngx_http_wsgi_before_response(ctx);

    ctx->started = 1;

    /*
     * A short header stays in r->out until the first bytes of the body come,
     * and goes out with them in one writev().
     */

    rc = ngx_http_send_header(r);

    if (r->filter_finalize) {
        ctx->filter_rc = rc;
        return ngx_http_wsgi_leave(ctx, NGX_DONE);
    }

    if (rc == NGX_ERROR && ngx_http_wsgi_ignore_abort(ctx) == NGX_OK) {
        return 0;
    }

    if (rc == NGX_OK && (r->background || r->post_action) && r->header_only) {

        /* nobody reads the answer of a mirror, but the work is to be done */

        ngx_http_wsgi_discard(ctx);

        return 0;
    }

    if (rc == NGX_ERROR || rc > NGX_OK || (r->header_only && !head->no_body)) {
        return ngx_http_wsgi_leave(ctx, rc);
    }

    return 0;
}


/*
 * Something else may answer in place of the response: an error page, the
 * location that X-Accel-Redirect names, or 503 where memory is full.
 */

static int
ngx_http_wsgi_divert(ngx_http_wsgi_ctx_t *ctx, const wsgi_head *head)
{
    ngx_int_t            rc;
    ngx_str_t            uri;
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = ctx->request;
    c = r->connection;

    if (ngx_http_wsgi_process_accel(r, head) != NGX_OK) {
        return ngx_http_wsgi_leave(ctx, NGX_HTTP_INTERNAL_SERVER_ERROR);
    }

    rc = ngx_http_wsgi_intercept(r, head);

    if (rc != NGX_DECLINED) {
        return ngx_http_wsgi_leave(ctx, rc);
    }

    rc = ngx_http_wsgi_find_redirect(r, head, &uri);

    if (rc == NGX_ERROR) {
        return ngx_http_wsgi_leave(ctx, NGX_HTTP_INTERNAL_SERVER_ERROR);
    }

    if (rc == NGX_DECLINED) {

        if (head->no_body || r->header_only) {
            return 0;
        }

        rc = ngx_http_wsgi_check_memory(r);

        return rc == NGX_OK ? 0 : ngx_http_wsgi_leave(ctx, rc);
    }

    ngx_http_wsgi_give_up(ctx, WSGI_ABANDON_ANSWERED);

    ngx_http_wsgi_detach(ctx);

    ngx_http_wsgi_redirect(r, &uri);

    ngx_http_run_posted_requests(c);

    return 1;
}


int
ngx_http_wsgi_write(void *data, wsgi_buffer *const *buffers, size_t count,
    uint32_t flags)
{
    ngx_http_wsgi_ctx_t  *ctx = data;

    ngx_http_request_t  *r;

    r = ctx->request;

    ngx_http_set_log_request(r->connection->log, r);

    if (ngx_http_wsgi_add_buffers(ctx, buffers, count) != NGX_OK) {
        return ngx_http_wsgi_leave(ctx, NGX_ERROR);
    }

    return ngx_http_wsgi_added(ctx, flags);
}


int
ngx_http_wsgi_send_file(void *data, int fd, uint64_t offset, uint64_t length,
    uint32_t flags)
{
    ngx_http_wsgi_ctx_t  *ctx = data;

    ngx_http_request_t  *r;

    r = ctx->request;

    ngx_http_set_log_request(r->connection->log, r);

    if (ngx_http_wsgi_add_file(ctx, fd, offset, length) != NGX_OK) {
        return ngx_http_wsgi_leave(ctx, NGX_ERROR);
    }

    return ngx_http_wsgi_added(ctx, flags);
}


void
ngx_http_wsgi_finish(void *data, wsgi_outcome outcome, uint32_t retry_after)
{
    ngx_http_wsgi_ctx_t  *ctx = data;

    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    ngx_http_wsgi_measure(ctx);

    r = ctx->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    ctx->retry_after = retry_after;

    if (ctx->lost) {
        (void) ngx_http_wsgi_end(ctx, ctx->lost);

    } else if (ngx_http_wsgi_must_drain(ctx)) {
        ngx_http_wsgi_drain(ctx, outcome);
        ngx_http_run_posted_requests(c);

    } else {
        ngx_http_wsgi_complete(ctx, outcome);
    }
}


/* all that the application gave is with the filters */

void
ngx_http_wsgi_complete(ngx_http_wsgi_ctx_t *ctx, wsgi_outcome outcome)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = ctx->request;

    switch (outcome) {

    case WSGI_COMPLETE:

        if (ctx->last_sent || r->header_only) {
            rc = NGX_OK;

        } else {
            rc = ngx_http_send_special(r, NGX_HTTP_LAST);
        }

        break;

    case WSGI_REFUSED:
        rc = ngx_http_wsgi_unavailable(r, ctx->retry_after);
        break;

    case WSGI_TRUNCATED:
        rc = ngx_http_wsgi_truncate(r);
        break;

    default: /* WSGI_FAILED */
        rc = NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    (void) ngx_http_wsgi_end(ctx, rc);
}


/*
 * Ends a response so that the client can tell that something is missing: no
 * last chunk, fewer bytes than Content-Length, RST_STREAM with HTTP/2.
 */

ngx_int_t
ngx_http_wsgi_truncate(ngx_http_request_t *r)
{
    if (!r->background) {
        r->main->keepalive = 0;
    }

    if (r->header_only) {

        /* nothing is missed of a body that nobody gets, such as a mirror's */

        return NGX_OK;
    }

    return ngx_http_wsgi_flush(r);
}


/*
 * The filters send what they keep.  A filter that keeps nothing, such as gzip,
 * sends an empty buffer, and while "limit_rate" delays the client nginx stores
 * that.  gzip does not pass on the call that would take it out again, so nginx
 * would close the connection only after "send_timeout".
 */

static ngx_int_t
ngx_http_wsgi_flush(ngx_http_request_t *r)
{
    ngx_int_t     rc;
    ngx_chain_t  *cl;

    rc = ngx_http_send_special(r, NGX_HTTP_FLUSH);

    for (cl = r->main->out; cl; cl = cl->next) {

        if (ngx_buf_size(cl->buf) != 0 || cl->buf->last_buf) {
            return rc;
        }
    }

    r->main->out = NULL;
    r->connection->buffered &= ~NGX_HTTP_WRITE_BUFFERED;

    return rc;
}


static int
ngx_http_wsgi_added(ngx_http_wsgi_ctx_t *ctx, uint32_t flags)
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

        if (rc == NGX_ERROR && ngx_http_wsgi_ignore_abort(ctx) == NGX_OK) {
            return 0;
        }

        return ngx_http_wsgi_leave(ctx, rc);
    }

    if (ctx->last) {

        /* "finish" follows at once and does the rest */

        return 0;
    }

    if (ngx_http_wsgi_wait_client(ctx->request) != NGX_OK) {
        return ngx_http_wsgi_leave(ctx, NGX_ERROR);
    }

    ngx_http_run_posted_requests(c);

    return 0;
}


/*
 * The request ends before the application has; with NGX_DONE because a filter
 * has answered, as ngx_http_filter_finalize_request() does.
 */

int
ngx_http_wsgi_leave(ngx_http_wsgi_ctx_t *ctx, ngx_int_t rc)
{
    ngx_http_wsgi_give_up(ctx, rc == NGX_ERROR ? 0 : WSGI_ABANDON_ANSWERED);

    if (rc == NGX_DONE) {
        rc = ctx->filter_rc;
    }

    return ngx_http_wsgi_end(ctx, rc);
}


static void
ngx_http_wsgi_give_up(ngx_http_wsgi_ctx_t *ctx, uint32_t flags)
{
    ngx_http_wsgi_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(ctx->request, ngx_http_wsgi_module);

    ngx_http_wsgi_abandon(ctx, wlcf->read_timeout, flags);
}


int
ngx_http_wsgi_end(ngx_http_wsgi_ctx_t *ctx, ngx_int_t rc)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = ctx->request;
    c = r->connection;

    /* with an error nginx does it, unless an error page reads the body */

    if (rc != NGX_ERROR && rc < NGX_HTTP_SPECIAL_RESPONSE) {
        ngx_http_wsgi_discard_body(ctx);
    }

    ngx_http_wsgi_detach(ctx);

    ngx_http_finalize_request(r, rc);

    ngx_http_run_posted_requests(c);

    return 1;
}
