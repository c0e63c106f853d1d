
/*
 * The body of a request as it arrives ("wsgi_request_buffering off"): reading
 * begins when the application asks, and stops while it has enough.
 *
 * What nginx has read is moved from r->request_body to the context at once.
 * Subrequests and error pages see an empty body then, and not a piece of one
 * that they would take for the whole.
 */


#include "ngx_http_wsgi_module.h"


/* the number of reads from one client before others get their turn */
#define NGX_HTTP_WSGI_READ_LIMIT  32


static ngx_int_t ngx_http_wsgi_begin_body(ngx_http_wsgi_ctx_t *ctx);
static void ngx_http_wsgi_body_begun(ngx_http_request_t *r);
static ngx_int_t ngx_http_wsgi_pump_body(ngx_http_wsgi_ctx_t *ctx);
static ngx_int_t ngx_http_wsgi_push_body(ngx_http_wsgi_ctx_t *ctx);
static void ngx_http_wsgi_read_handler(ngx_http_request_t *r);
static int ngx_http_wsgi_broken_body(ngx_http_wsgi_ctx_t *ctx, ngx_int_t rc);


/* a callback: the application waits, and has taken all that was pushed */

int
ngx_http_wsgi_want_body(void *data)
{
    ngx_http_wsgi_ctx_t  *ctx = data;

    ngx_int_t            rc;
    ngx_event_t         *rev;
    ngx_http_request_t  *r;

    r = ctx->request;
    rev = r->connection->read;

    ngx_http_set_log_request(r->connection->log, r);

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "wsgi want body, begun:%d blocked:%d",
                   ctx->body_begun, ctx->body_blocked);

    if (!ctx->body_begun) {
        rc = ngx_http_wsgi_begin_body(ctx);

        if (rc != NGX_OK) {
            return ngx_http_wsgi_broken_body(ctx, rc);
        }

    } else if (ctx->body_blocked) {
        ctx->body_blocked = 0;

        /* HTTP/2 keeps the timer of a client that is not read from */

        if (rev->timer_set) {
            ngx_del_timer(rev);
        }

        rev->timedout = 0;

    } else {

        /* the client must send first, or has just sent the last byte */

        return 0;
    }

    rc = ngx_http_wsgi_pump_body(ctx);

    if (rc != NGX_OK) {
        return ngx_http_wsgi_broken_body(ctx, rc);
    }

    return 0;
}


/*
 * PEP 3333: the response 100 is sent "if/when the application first attempts
 * to read from the input stream".
 */

static ngx_int_t
ngx_http_wsgi_begin_body(ngx_http_wsgi_ctx_t *ctx)
{
    ngx_int_t                  rc;
    ngx_http_request_t        *r;
    ngx_http_event_handler_pt  write_handler;

    r = ctx->request;

    ctx->body_begun = 1;

    if (ctx->started) {

        /* 100 cannot come after the beginning of the response */

        r->expect_tested = 1;
    }

    r->request_body_no_buffering = 1;

    write_handler = r->write_event_handler;

    rc = ngx_http_read_client_request_body(r, ngx_http_wsgi_body_begun);

    if (rc == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    /* it has counted the request once more, and set an empty handler */

    r->main->count--;
    r->write_event_handler = write_handler;

    if (rc == NGX_AGAIN) {

        /*
         * nginx buffers the body of an HTTP/2 stream that is closed on the
         * client's side, by a handler that may finalize the request and does
         * not know Python.  This body is read like any other.
         */

        r->request_body_no_buffering = 1;
        r->reading_body = 1;
    }

    return NGX_OK;
}


static void
ngx_http_wsgi_body_begun(ngx_http_request_t *r)
{
    /* ngx_http_read_client_request_body() needs one; its caller goes on */
}


/*
 * Moves bytes from the client to the application until the client has no more
 * to give or the application has no room.  Anything but NGX_OK ends the
 * request.
 */

static ngx_int_t
ngx_http_wsgi_pump_body(ngx_http_wsgi_ctx_t *ctx)
{
    ngx_int_t                 rc;
    ngx_uint_t                n;
    ngx_event_t              *rev;
    ngx_http_request_t       *r;
    ngx_http_request_body_t  *rb;

    r = ctx->request;
    rb = r->request_body;
    rev = r->connection->read;

    r->read_event_handler = ngx_http_wsgi_read_handler;

    for (n = 0; n < NGX_HTTP_WSGI_READ_LIMIT; n++) {

        if (ctx->body == NULL) {
            ctx->body = rb->bufs;
            rb->bufs = NULL;
        }

        rc = ngx_http_wsgi_push_body(ctx);

        if (rc == NGX_AGAIN) {

            /* the client may not send: it must not time out */

            ctx->body_blocked = 1;

            if (rev->timer_set) {
                ngx_del_timer(rev);
            }

            return ngx_http_wsgi_watch_client(ctx);
        }

        if (rc != NGX_OK) {
            return rc;
        }

        if (ctx->body_ended) {
            return ngx_http_wsgi_watch_client(ctx);
        }

        rc = ngx_http_read_unbuffered_request_body(r);

        if (rc == NGX_ERROR || rc >= NGX_HTTP_SPECIAL_RESPONSE) {
            return rc;
        }

        if (rb->bufs == NULL && r->reading_body) {
            return NGX_OK;
        }
    }

    ngx_post_event(rev, &ngx_posted_next_events);

    return NGX_OK;
}


/* NGX_AGAIN: there is no room; the library calls "want_body" when there is */

static ngx_int_t
ngx_http_wsgi_push_body(ngx_http_wsgi_ctx_t *ctx)
{
    size_t               taken;
    ngx_buf_t           *b;
    ngx_chain_t         *cl;
    ngx_http_request_t  *r;

    r = ctx->request;

    while (ctx->body) {
        cl = ctx->body;
        b = cl->buf;

        if (ngx_http_wsgi_check_buf(r, b) != NGX_OK
            || wsgi_body_push(ctx->exchange, b->pos, b->last - b->pos, 0,
                              &taken)
               != WSGI_OK)
        {
            return NGX_ERROR;
        }

        ngx_log_debug2(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                       "wsgi push: %uz of %uz",
                       taken, (size_t) (b->last - b->pos));

        b->pos += taken;

        if (b->pos != b->last) {
            return NGX_AGAIN;
        }

        ctx->body = cl->next;
        ngx_free_chain(r->pool, cl);
    }

    if (!r->reading_body) {
        ctx->body_ended = 1;

        ngx_log_debug0(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                       "wsgi push last");

        if (wsgi_body_push(ctx->exchange, NULL, 0, WSGI_PUSH_LAST, NULL)
            != WSGI_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static void
ngx_http_wsgi_read_handler(ngx_http_request_t *r)
{
    ngx_int_t             rc;
    ngx_http_wsgi_ctx_t  *ctx;

    ngx_log_debug0(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "wsgi read handler");

    ctx = ngx_http_get_module_ctx(r, ngx_http_wsgi_module);

    if (ctx == NULL) {
        r->read_event_handler = ngx_http_block_reading;
        return;
    }

    rc = ngx_http_wsgi_pump_body(ctx);

    if (rc != NGX_OK) {
        (void) ngx_http_wsgi_broken_body(ctx, rc);
    }
}


/*
 * While a subrequest is active, nginx calls its handlers and not those of this
 * request, which may have missed that the client has sent, or is silent for too
 * long.
 */

void
ngx_http_wsgi_resume_reading(ngx_http_wsgi_ctx_t *ctx)
{
    ngx_event_t  *rev;

    if (!ctx->body_begun || ctx->body_blocked || ctx->body_ended) {
        return;
    }

    rev = ctx->request->connection->read;

    if (rev->ready) {
        rev->timedout = 0;
        ngx_post_event(rev, &ngx_posted_events);

    } else if (rev->timedout) {
        ngx_post_event(rev, &ngx_posted_events);
    }
}


/*
 * The rest of the body will not come.  The client is answered, if it has not
 * left; the application's next read raises OSError.
 */

static int
ngx_http_wsgi_broken_body(ngx_http_wsgi_ctx_t *ctx, ngx_int_t rc)
{
    ngx_http_request_t        *r;
    ngx_http_wsgi_loc_conf_t  *wlcf;

    r = ctx->request;
    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wsgi_module);

    if (rc == NGX_ERROR) {
        rc = NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (r->connection->error) {
        rc = NGX_HTTP_CLIENT_CLOSED_REQUEST;

    } else if (ctx->started && rc != NGX_HTTP_REQUEST_TIME_OUT) {
        rc = ngx_http_wsgi_truncate(r);
    }

    /* the client is the cause, whatever the status */

    ngx_http_wsgi_abandon(ctx, wlcf->read_timeout, 0);

    return ngx_http_wsgi_finalize(ctx, rc);
}
