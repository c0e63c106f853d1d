
/*
 * Every way in which a request ends.
 *
 *     finalize   ends the request, with a status or an error as in nginx
 *     truncate   ends a response whose rest will not come
 *     abandon    ends the exchange: the library stops the application
 *     detach     ends the part of this module: its handlers and its timers
 *
 * ngx_http_wsgi_finalize() does all of it.  The request may be freed in it, and
 * the context with the request: its caller must not touch either afterwards.
 */


#include "ngx_http_wsgi_module.h"


/* the size of the name of a request whose thread is late, in the log */
#define NGX_HTTP_WSGI_ABOUT_LEN  256


static void ngx_http_wsgi_log_abort(void *data);
static ngx_uint_t ngx_http_wsgi_is_whole(ngx_http_request_t *r);


/* the filters have all that the application gave */

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

    (void) ngx_http_wsgi_finalize(ctx, rc);
}


/*
 * The client must notice that something is missing: there is no last chunk, or
 * there are fewer bytes than Content-Length; with HTTP/2 there is RST_STREAM.
 */

ngx_int_t
ngx_http_wsgi_truncate(ngx_http_request_t *r)
{
    ngx_http_wsgi_ctx_t  *ctx;

    ngx_log_debug0(NGX_LOG_DEBUG_HTTP, r->connection->log, 0, "wsgi truncate");

    if (!r->background) {
        r->main->keepalive = 0;
    }

    if (r->header_only) {

        /* the client gets no body, as that of a mirror: nothing is missing */

        return NGX_OK;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_wsgi_module);

    if (ctx && ctx->pieces) {

        /*
         * Each chain of the body ended with a flush.  One more would be empty
         * if gzip has nothing to send.  While "limit_rate" delays the client,
         * nginx stores an empty buffer, and gzip does not pass on the call that
         * would take it out again: the connection would stay open until
         * "send_timeout".
         */

        return NGX_OK;
    }

    return ngx_http_send_special(r, NGX_HTTP_FLUSH);
}


/*
 * With NGX_DONE a filter has answered in place of the response, as with
 * ngx_http_filter_finalize_request().  Returns what a callback returns when the
 * library must not call back for its request again.
 */

int
ngx_http_wsgi_finalize(ngx_http_wsgi_ctx_t *ctx, ngx_int_t rc)
{
    uint32_t                   flags;
    ngx_connection_t          *c;
    ngx_http_request_t        *r;
    ngx_http_wsgi_loc_conf_t  *wlcf;

    r = ctx->request;
    c = r->connection;
    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wsgi_module);

    /* with these two the client has left, or does not read */

    flags = (rc == NGX_ERROR || rc == NGX_HTTP_REQUEST_TIME_OUT)
                ? 0 : WSGI_CANCEL_ANSWERED;

    ngx_http_wsgi_abandon(ctx, wlcf->read_timeout, flags);

    if (rc == NGX_DONE) {
        rc = ctx->filter_rc;
    }

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, c->log, 0, "wsgi finalize: %i", rc);

    ngx_http_wsgi_detach(ctx);

    /* with an error nginx does it, unless an error page reads the body */

    if (rc != NGX_ERROR && rc < NGX_HTTP_SPECIAL_RESPONSE) {
        ngx_http_wsgi_discard_body(ctx);
    }

    ngx_http_finalize_request(r, rc);

    ngx_http_run_posted_requests(c);

    return 1;
}


/*
 * A cleanup handler: nginx ends the request, because the client has left or the
 * connection is broken.  The memory of the context is freed next.
 */

void
ngx_http_wsgi_cleanup(void *data)
{
    ngx_http_wsgi_ctx_t  *ctx = data;

    ngx_http_wsgi_loc_conf_t  *wlcf;

    ngx_log_debug0(NGX_LOG_DEBUG_HTTP, ctx->request->connection->log, 0,
                   "wsgi cleanup");

    wlcf = ngx_http_get_module_loc_conf(ctx->request, ngx_http_wsgi_module);

    ngx_http_wsgi_abandon(ctx, wlcf->read_timeout, 0);

    ngx_http_wsgi_detach(ctx);

    ngx_http_wsgi_log_abort(ctx);
}


/*
 * Ends the exchange, if the library has not ended it.  A thread that is still
 * in the application after "late_after" milliseconds counts as stuck.  With
 * WSGI_CANCEL_ANSWERED in "flags" the client has not left.
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

    if (ctx->exchange == NULL) {
        return;
    }

    ngx_http_wsgi_save_times(ctx);

    r = ctx->request;
    c = r->connection;
    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wsgi_module);

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, c->log, 0,
                   "wsgi abandon, late after:%M flags:%xD", late_after, flags);

    /* the library may log it after the request is freed, and needs a name */

    p = ngx_snprintf(about, NGX_HTTP_WSGI_ABOUT_LEN,
                     "request *%uA, client: %V, \"%V\"",
                     c->number, &c->addr_text, &r->request_line);

    text.data = about;
    text.size = p - about;

    if (wlcf->interrupt) {
        flags |= WSGI_CANCEL_INTERRUPT;
    }

    wsgi_cancel_watched(ctx->exchange, text, late_after, flags);

    ctx->exchange = NULL;
}


/*
 * The request may live on, with an error page or in another location.  Its
 * exchange was finished or abandoned before.
 */

void
ngx_http_wsgi_detach(ngx_http_wsgi_ctx_t *ctx)
{
    ngx_http_request_t  *r;

    r = ctx->request;

    ngx_log_debug0(NGX_LOG_DEBUG_HTTP, r->connection->log, 0, "wsgi detach");

    ctx->cleanup->handler = ngx_http_wsgi_log_abort;

    if (ctx->watched) {
        ctx->watched = 0;
        r->read_event_handler = ngx_http_block_reading;
    }

    r->write_event_handler = ngx_http_request_empty_handler;

    ngx_http_wsgi_detach_body(ctx);

    if (ctx->timer.timer_set) {
        ngx_del_timer(&ctx->timer);
    }

    if (ctx->next_turn.posted) {
        ngx_delete_posted_event(&ctx->next_turn);
    }

    ngx_http_wsgi_set_backlog(ctx, 0);
}


/* the application reads no more of a body that it has begun to read */

void
ngx_http_wsgi_detach_body(ngx_http_wsgi_ctx_t *ctx)
{
    ngx_event_t         *rev;
    ngx_http_request_t  *r;

    if (!ctx->body_begun) {
        return;
    }

    r = ctx->request;
    rev = r->connection->read;

    r->read_event_handler = ngx_http_block_reading;

    if (rev->timer_set) {
        ngx_del_timer(rev);
    }

    ctx->body = NULL;
}


/*
 * A cleanup handler, which nginx calls before it writes the access log: a
 * response that its client did not wait for is logged with 499.  nginx does so
 * itself only if nothing was sent.
 */

static void
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
