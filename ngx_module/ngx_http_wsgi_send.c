
/*
 * What the filters get of a response and when, and the client that can take
 * more.  While the client keeps up, a block goes to the filters at once.  If it
 * does not, the block waits in ctx->out: there blocks can still go to a
 * temporary file, and the chain that nginx walks at each attempt is short.
 */


#include "ngx_http_wsgi_module.h"


/* the most of a response that the filters have while memory is tight */
#define NGX_HTTP_WSGI_SLICE       65536

/* the most that one response sends before others have their turn */
#define NGX_HTTP_WSGI_SEND_LIMIT  2097152


static ngx_uint_t ngx_http_wsgi_is_behind(ngx_http_wsgi_ctx_t *ctx);
static ngx_chain_t *ngx_http_wsgi_portion(ngx_http_wsgi_ctx_t *ctx);
static ngx_chain_t *ngx_http_wsgi_slice(ngx_http_wsgi_ctx_t *ctx);
static void ngx_http_wsgi_next_turn(ngx_http_wsgi_ctx_t *ctx);
static void ngx_http_wsgi_turn_handler(ngx_event_t *ev);
static void ngx_http_wsgi_write_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_wsgi_send_buffered(ngx_http_wsgi_ctx_t *ctx);


/*
 * Hands over what was added, as far as the client takes it, and stores the
 * rest.  With "later" set it stores in the next turn: an application that runs
 * in the loop would have all turns otherwise.  NGX_DONE: a filter has answered
 * in place of this response.
 */

ngx_int_t
ngx_http_wsgi_send(ngx_http_wsgi_ctx_t *ctx, ngx_uint_t later)
{
    off_t         size;
    ngx_int_t     rc;
    ngx_chain_t  *out, *cl;

    size = 0;

    while (ctx->out && !ngx_http_wsgi_is_behind(ctx)) {

        if (size >= NGX_HTTP_WSGI_SEND_LIMIT) {
            ngx_http_wsgi_set_backlog(ctx, 0);
            ngx_http_wsgi_next_turn(ctx);
            return NGX_OK;
        }

        out = ngx_http_wsgi_portion(ctx);

        if (out == NULL) {
            return NGX_ERROR;
        }

        for (cl = out; cl; cl = cl->next) {
            size += ngx_buf_size(cl->buf);
        }

        ctx->credit_returned = 0;

        rc = ngx_http_wsgi_output(ctx, out);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    rc = ngx_http_wsgi_spill(ctx, later);

    if (rc == NGX_AGAIN) {
        ngx_http_wsgi_next_turn(ctx);
        return NGX_OK;
    }

    return rc;
}


/*
 * Whether the filters have bytes that wait for the client, or for other parts
 * of the page.  A filter that keeps bytes for reasons of its own is given more:
 * it may wait for just that.
 *
 * nginx may have bytes for a client that can take more: it sends no more than
 * "sendfile_max_chunk" at once, and a thread of "aio" may be sending.
 */

static ngx_uint_t
ngx_http_wsgi_is_behind(ngx_http_wsgi_ctx_t *ctx)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    if (ctx->busy == NULL) {
        return 0;
    }

    r = ctx->request;
    c = r->connection;

    return !c->write->ready || c->write->delayed
           || (c->buffered & NGX_HTTP_WRITE_BUFFERED)
           || r->postponed || c->data != r;
}


/*
 * Cuts off the part that goes to the filters next.  It is all of it unless
 * memory is tight: bytes that a filter has cannot go to a file any more.
 */

static ngx_chain_t *
ngx_http_wsgi_portion(ngx_http_wsgi_ctx_t *ctx)
{
    off_t         size;
    ngx_chain_t  *out, **ll;

    out = ctx->out;

    if (!ngx_http_wsgi_is_tight(ctx)) {
        ctx->out = NULL;
        ctx->last_out = &ctx->out;
        return out;
    }

    if (ngx_buf_in_memory(out->buf)
        && ngx_buf_size(out->buf) > NGX_HTTP_WSGI_SLICE
        && ctx->busy == NULL)
    {
        return ngx_http_wsgi_slice(ctx);
    }

    size = 0;

    for (ll = &ctx->out; *ll; ll = &(*ll)->next) {

        if (ngx_buf_in_memory((*ll)->buf)) {
            size += ngx_buf_size((*ll)->buf);
        }

        if (size > NGX_HTTP_WSGI_SLICE && *ll != out) {
            break;
        }
    }

    ctx->out = *ll;
    *ll = NULL;

    if (ctx->out == NULL) {
        ctx->last_out = &ctx->out;
    }

    return out;
}


/*
 * The first bytes of a large block, copied: a piece of the block itself would
 * hold all of it until the client has taken that piece.
 */

static ngx_chain_t *
ngx_http_wsgi_slice(ngx_http_wsgi_ctx_t *ctx)
{
    ngx_buf_t    *b, *from;
    ngx_chain_t  *cl;

    if (ctx->slice == NULL) {
        ctx->slice = ngx_palloc(ctx->request->pool, NGX_HTTP_WSGI_SLICE);
        if (ctx->slice == NULL) {
            return NULL;
        }
    }

    cl = ngx_http_wsgi_create_piece(ctx);
    if (cl == NULL) {
        return NULL;
    }

    from = ctx->out->buf;
    b = cl->buf;

    b->start = ctx->slice;
    b->pos = b->start;
    b->last = ngx_cpymem(b->start, from->pos, NGX_HTTP_WSGI_SLICE);
    b->end = b->last;
    b->memory = 1;

    /* the block is longer than one slice */

    from->pos += NGX_HTTP_WSGI_SLICE;

    return cl;
}


/* sending or storing goes on after others have had their turn */

static void
ngx_http_wsgi_next_turn(ngx_http_wsgi_ctx_t *ctx)
{
    ngx_event_t  *ev;

    ev = &ctx->next_turn;

    ev->handler = ngx_http_wsgi_turn_handler;
    ev->log = ctx->request->connection->log;
    ev->data = ctx;

    ngx_post_event(ev, &ngx_posted_next_events);
}


static void
ngx_http_wsgi_turn_handler(ngx_event_t *ev)
{
    ngx_connection_t     *c;
    ngx_http_request_t   *r;
    ngx_http_wsgi_ctx_t  *ctx;

    ctx = ev->data;
    r = ctx->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    ngx_http_wsgi_write_handler(r);

    ngx_http_run_posted_requests(c);
}


/* the client of a post_action has its response already */

void
ngx_http_wsgi_set_write_handler(ngx_http_request_t *r)
{
    r->write_event_handler = r->post_action ? ngx_http_request_empty_handler
                                            : ngx_http_wsgi_write_handler;
}


/* the client can take more, which returns credit to the application */

static void
ngx_http_wsgi_write_handler(ngx_http_request_t *r)
{
    ngx_int_t             rc;
    ngx_event_t          *wev;
    ngx_connection_t     *c;
    ngx_http_wsgi_ctx_t  *ctx;

    c = r->connection;
    wev = c->write;
    ctx = ngx_http_get_module_ctx(r, ngx_http_wsgi_module);

    if (ctx == NULL) {
        r->write_event_handler = ngx_http_request_empty_handler;
        return;
    }

    ngx_log_debug3(NGX_LOG_DEBUG_HTTP, c->log, 0,
                   "wsgi write handler, held:%uz sent:%O timedout:%d",
                   ctx->held, c->sent, wev->timedout);

    if (wev->timedout) {
        ngx_log_error(NGX_LOG_INFO, c->log, NGX_ETIMEDOUT,
                      "client timed out");
        c->timedout = 1;

        (void) ngx_http_wsgi_send_failed(ctx, NGX_HTTP_REQUEST_TIME_OUT);
        return;
    }

    ngx_http_wsgi_resume_reading(ctx);

    /* nginx may hold bytes that ctx does not: they wait for a subrequest */

    if (ctx->busy || ctx->out || r->buffered || r->postponed || c->buffered) {

        rc = ngx_http_wsgi_send_buffered(ctx);

        if (rc != NGX_OK) {
            (void) ngx_http_wsgi_send_failed(ctx, rc);
            return;
        }
    }

    if (ctx->finished && !ngx_http_wsgi_must_drain(ctx)) {
        ngx_http_wsgi_complete(ctx, ctx->outcome);
        return;
    }

    if (ngx_http_wsgi_wait_client(r) != NGX_OK) {
        (void) ngx_http_wsgi_finalize(ctx, NGX_ERROR);
    }
}


static ngx_int_t
ngx_http_wsgi_send_buffered(ngx_http_wsgi_ctx_t *ctx)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = ctx->request;

    if (!ctx->started && r == r->main && r->connection->buffered) {

        /* early hints, which the filters of the body have not seen */

        return ngx_http_write_filter(r, NULL) == NGX_ERROR ? NGX_ERROR
                                                           : NGX_OK;
    }

    rc = ngx_http_wsgi_output(ctx, NULL);

    return rc == NGX_OK ? ngx_http_wsgi_send(ctx, 0) : rc;
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


/*
 * Whether the client must be watched after the application has ended, until it
 * has taken the response: the filters do not have all of it, or it holds memory
 * that no file relieves.
 */

ngx_uint_t
ngx_http_wsgi_must_drain(ngx_http_wsgi_ctx_t *ctx)
{
    return ctx->out != NULL || (ctx->pinned && ngx_http_wsgi_is_behind(ctx));
}
