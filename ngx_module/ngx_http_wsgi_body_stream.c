
/*
 * The body of a request as it arrives ("wsgi_request_buffering off"): reading
 * begins when the application asks, and stops while it has enough.
 *
 * What nginx has read is moved from r->request_body to the context at once.
 * Subrequests and error pages see an empty body then, and not a piece of one
 * that they would take for the whole.
 */


#include "ngx_http_wsgi_module.h"


/* how often one request is read from before others get their turn */
#define NGX_HTTP_WSGI_READ_LIMIT  32


static ngx_int_t ngx_http_wsgi_begin_body(ngx_http_wsgi_ctx_t *ctx);
static void ngx_http_wsgi_body_begun(ngx_http_request_t *r);
static ngx_int_t ngx_http_wsgi_pump_body(ngx_http_wsgi_ctx_t *ctx);
static ngx_int_t ngx_http_wsgi_push_body(ngx_http_wsgi_ctx_t *ctx);
static ngx_int_t ngx_http_wsgi_check_buf(ngx_http_request_t *r,
    ngx_buf_t *b);
static void ngx_http_wsgi_read_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_wsgi_broken_body(ngx_http_wsgi_ctx_t *ctx,
    ngx_int_t rc);


/*
 * A body that is not here yet, and that is this request's own.  All others
 * are taken as they are: those of subrequests, those that another module has
 * read or discarded.
 */

ngx_uint_t
ngx_http_wsgi_can_stream(ngx_http_request_t *r)
{
    ngx_http_wsgi_loc_conf_t   *wlcf;
    ngx_http_wsgi_main_conf_t  *wmcf;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wsgi_module);
    wmcf = ngx_http_get_module_main_conf(r, ngx_http_wsgi_module);

    /* without threads it is this one that runs Python, and it cannot wait */

    if (wlcf->request_buffering
        || !wlcf->upstream.pass_request_body
        || wmcf->threads == 0
        || r != r->main
        || r->request_body
        || r->discard_body
        || r->post_action)
    {
        return 0;
    }

#if (NGX_HTTP_V2)
    if (r->stream && r->stream->skip_data) {
        return 0;
    }
#endif

    return r->headers_in.content_length_n > 0 || r->headers_in.chunked;
}


void
ngx_http_wsgi_set_stream(ngx_http_request_t *r, wsgi_request *wr)
{
    wr->body_kind = WSGI_BODY_PUSH;
    wr->content_length = r->headers_in.chunked
                             ? -1 : r->headers_in.content_length_n;
}


/* the callback: the application waits, and has taken all that was pushed */

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

    if (!ctx->body_begun) {
        rc = ngx_http_wsgi_begin_body(ctx);

        if (rc != NGX_OK) {
            return ngx_http_wsgi_end(ctx, ngx_http_wsgi_broken_body(ctx, rc));
        }

    } else if (ctx->body_blocked) {
        ctx->body_blocked = 0;

        /* HTTP/2 goes on measuring the client while nobody reads from it */

        if (rev->timer_set) {
            ngx_del_timer(rev);
        }

        rev->timedout = 0;

    } else {

        /* the client is awaited already, or has just sent the last byte */

        return 0;
    }

    rc = ngx_http_wsgi_pump_body(ctx);

    if (rc != NGX_OK) {
        return ngx_http_wsgi_end(ctx, ngx_http_wsgi_broken_body(ctx, rc));
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
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = ctx->request;

    ctx->body_begun = 1;

    if (ctx->started) {

        /* 100 cannot come after the beginning of the response */

        r->expect_tested = 1;
    }

    r->request_body_no_buffering = 1;

    rc = ngx_http_read_client_request_body(r, ngx_http_wsgi_body_begun);

    if (rc == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    /* it has counted the request once more, and taken this handler away */

    r->main->count--;
    r->write_event_handler = ngx_http_wsgi_write_handler;

    if (rc == NGX_AGAIN) {

        /*
         * An HTTP/2 stream that is closed on the client's side is to be
         * buffered after all, by a handler that may finalize the request and
         * knows nothing of Python.  Here it is read like any other.
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
 * Moves bytes from the client to the application until one of them has no
 * more to give or room for no more.  Anything but NGX_OK ends the request.
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

            /* the client is throttled: it is not to blame for the silence */

            ctx->body_blocked = 1;

            if (rev->timer_set) {
                ngx_del_timer(rev);
            }

            return ngx_http_wsgi_watch_client(r);
        }

        if (rc != NGX_OK) {
            return rc;
        }

        if (ctx->body_ended) {
            return ngx_http_wsgi_watch_client(r);
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


/* NGX_AGAIN: there is no room, and "want_body" will say when there is */

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

        b->pos += taken;

        if (b->pos != b->last) {
            return NGX_AGAIN;
        }

        ctx->body = cl->next;
        ngx_free_chain(r->pool, cl);
    }

    if (!r->reading_body) {
        ctx->body_ended = 1;

        if (wsgi_body_push(ctx->exchange, NULL, 0, WSGI_PUSH_LAST, NULL)
            != WSGI_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_wsgi_check_buf(ngx_http_request_t *r, ngx_buf_t *b)
{
    if (!ngx_buf_in_memory(b) && ngx_buf_size(b) != 0) {
        ngx_log_error(NGX_LOG_ALERT, r->connection->log, 0,
                      "WSGI0113 the request body is neither in memory nor "
                      "in one file: another module has changed it");
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_http_wsgi_read_handler(ngx_http_request_t *r)
{
    ngx_int_t             rc;
    ngx_http_wsgi_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_wsgi_module);

    if (ctx == NULL) {
        r->read_event_handler = ngx_http_block_reading;
        return;
    }

    rc = ngx_http_wsgi_pump_body(ctx);

    if (rc != NGX_OK) {
        ngx_http_wsgi_cancel(ctx, ngx_http_wsgi_broken_body(ctx, rc));
    }
}


/*
 * While a subrequest is active, nginx calls its handlers and not ours.  Once
 * it is done, we hear of that here, and may have missed what the client did.
 */

void
ngx_http_wsgi_missed_body(ngx_http_wsgi_ctx_t *ctx)
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
 * The rest of the body will not come: what the client is answered, if it is
 * still there.  The application's next read raises OSError, as its exchange
 * is cancelled.
 */

static ngx_int_t
ngx_http_wsgi_broken_body(ngx_http_wsgi_ctx_t *ctx, ngx_int_t rc)
{
    ngx_http_request_t  *r;

    r = ctx->request;

    if (r->connection->error) {
        return NGX_HTTP_CLIENT_CLOSED_REQUEST;
    }

    if (rc == NGX_ERROR) {
        rc = NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (!ctx->started || rc == NGX_HTTP_REQUEST_TIME_OUT) {
        return rc;
    }

    return ngx_http_wsgi_truncate(r);
}
