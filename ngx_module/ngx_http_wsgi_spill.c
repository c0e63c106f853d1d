
/*
 * What clients do not take goes from memory to a temporary file, as with
 * proxy_pass.  The application gets its credit back and ends, and its thread
 * is free, however slow the client is.
 *
 * That happens when a response holds its share of memory ("wsgi_buffering",
 * half of "wsgi_buffer_size"), and when all responses of the worker together
 * hold theirs ("wsgi_max_buffered").
 */


#include "ngx_http_wsgi_module.h"


/* what a response may hold while all of them hold too much */
#define NGX_HTTP_WSGI_SMALL     32768

/* seconds between two lines of the log about that */
#define NGX_HTTP_WSGI_LOG_EACH  60

/* what all responses write together before others have their turn */
#define NGX_HTTP_WSGI_TURN      2097152


static ngx_uint_t ngx_http_wsgi_is_full(ngx_http_request_t *r);
static ngx_int_t ngx_http_wsgi_store_out(ngx_http_wsgi_ctx_t *ctx);
static void ngx_http_wsgi_count_turn(size_t size);
static void ngx_http_wsgi_turn_ends(ngx_event_t *ev);
static ngx_uint_t ngx_http_wsgi_must_spill(ngx_http_wsgi_ctx_t *ctx);
static ngx_uint_t ngx_http_wsgi_waits_for_parts(ngx_http_request_t *r);
static ngx_uint_t ngx_http_wsgi_can_spill(ngx_http_wsgi_ctx_t *ctx);
static void ngx_http_wsgi_return_credit(ngx_http_wsgi_ctx_t *ctx);
static void ngx_http_wsgi_return_credit_of(ngx_chain_t *cl);
static void ngx_http_wsgi_log_tight(void);


static size_t       ngx_http_wsgi_turn_size;
static ngx_event_t  ngx_http_wsgi_turn_event;

/* the last attempt to write to a file has failed */
static ngx_uint_t   ngx_http_wsgi_no_files;


/*
 * Before the request goes to Python, and again when its response begins: other
 * responses may have taken the memory since.
 */

ngx_int_t
ngx_http_wsgi_check_memory(ngx_http_request_t *r)
{
    if (!ngx_http_wsgi_is_full(r)) {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "WSGI0129 responses that clients have not taken hold more "
                  "than \"wsgi_max_buffered\", and no file can store them, "
                  "answering 503");

    return ngx_http_wsgi_unavailable(r, NGX_HTTP_WSGI_RETRY_AFTER);
}


/*
 * Responses that cannot go to files hold more than they may, all together, and
 * one more would too: no request can be taken.
 */

static ngx_uint_t
ngx_http_wsgi_is_full(ngx_http_request_t *r)
{
    ngx_http_wsgi_loc_conf_t   *wlcf;
    ngx_http_wsgi_main_conf_t  *wmcf;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wsgi_module);
    wmcf = ngx_http_get_module_main_conf(r, ngx_http_wsgi_module);

    return ngx_http_wsgi_is_pinned(r)
           && (ngx_http_wsgi_no_files
               || wlcf->max_temp_file_size < (off_t) wmcf->max_buffered);
}


ngx_uint_t
ngx_http_wsgi_is_pinned(ngx_http_request_t *r)
{
    ngx_http_wsgi_main_conf_t  *wmcf;

    wmcf = ngx_http_get_module_main_conf(r, ngx_http_wsgi_module);

    return ngx_http_wsgi_pinned() > wmcf->max_buffered;
}


ngx_uint_t
ngx_http_wsgi_is_tight(ngx_http_wsgi_ctx_t *ctx)
{
    ngx_http_wsgi_main_conf_t  *wmcf;

    if (ctx->held <= NGX_HTTP_WSGI_SMALL) {
        return 0;
    }

    wmcf = ngx_http_get_module_main_conf(ctx->request, ngx_http_wsgi_module);

    return ngx_http_wsgi_buffered() > wmcf->max_buffered
           && ngx_http_wsgi_can_spill(ctx);
}


/*
 * What the filters do not have is in ctx->out: it stays in memory or goes to a
 * file.  NGX_AGAIN: others must have their turn before the rest, or with "later"
 * set before all of it.
 */

ngx_int_t
ngx_http_wsgi_spill(ngx_http_wsgi_ctx_t *ctx, ngx_uint_t later)
{
    ngx_int_t  rc;

    rc = NGX_OK;

    if (ctx->out == NULL) {
        ngx_http_wsgi_set_backlog(ctx, 0);

        if (ctx->busy == NULL) {
            ngx_http_wsgi_renew_temp_file(ctx);
        }

    } else if (later && ngx_http_wsgi_must_spill(ctx)) {
        rc = NGX_AGAIN;

    } else {
        rc = ngx_http_wsgi_store_out(ctx);
    }

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    ngx_http_wsgi_pin(ctx, !ngx_http_wsgi_can_spill(ctx));

    ngx_http_wsgi_return_credit(ctx);

    return rc;
}


/*
 * Stores what must be stored.  An error of the file does not end the response,
 * which goes on in memory, and its application waits.
 */

static ngx_int_t
ngx_http_wsgi_store_out(ngx_http_wsgi_ctx_t *ctx)
{
    size_t                     size;
    ssize_t                    n;
    ngx_http_wsgi_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(ctx->request, ngx_http_wsgi_module);

    size = 0;

    ngx_http_wsgi_set_backlog(ctx, 0);

    while (ngx_http_wsgi_must_spill(ctx)) {

        ngx_log_debug3(NGX_LOG_DEBUG_HTTP, ctx->request->connection->log, 0,
                       "wsgi spill, held:%uz of %uz stored:%uz",
                       ctx->held, ngx_http_wsgi_buffered(), size);

        if (size >= wlcf->temp_file_write_size
            || ngx_http_wsgi_turn_size >= NGX_HTTP_WSGI_TURN)
        {
            ngx_http_wsgi_set_backlog(ctx, ctx->held);
            return NGX_AGAIN;
        }

        n = ngx_http_wsgi_store(ctx);

        if (n == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (n == 0) {

            /* all of it is in a file already */

            return NGX_OK;
        }

        if (n == NGX_DECLINED) {
            ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                          "WSGI0135 no temporary file can be written for the "
                          "response, its application waits for the client");

            ctx->no_temp_file = 1;
            ngx_http_wsgi_no_files = 1;
            return NGX_OK;
        }

        ngx_http_wsgi_no_files = 0;

        size += n;

        ngx_http_wsgi_count_turn(n);
    }

    return NGX_OK;
}


/* before any response that waits for the next turn, as it is posted first */

static void
ngx_http_wsgi_count_turn(size_t size)
{
    ngx_http_wsgi_turn_size += size;

    ngx_http_wsgi_turn_event.handler = ngx_http_wsgi_turn_ends;
    ngx_http_wsgi_turn_event.log = ngx_cycle->log;

    ngx_post_event(&ngx_http_wsgi_turn_event, &ngx_posted_next_events);
}


static void
ngx_http_wsgi_turn_ends(ngx_event_t *ev)
{
    ngx_http_wsgi_turn_size = 0;
}


/*
 * Counts what waits to be written.  Applications can be faster than a disk:
 * while too much waits, they wait too.
 */

void
ngx_http_wsgi_set_backlog(ngx_http_wsgi_ctx_t *ctx, size_t size)
{
    static size_t  backlog;

    ngx_http_wsgi_main_conf_t  *wmcf;

    if (ctx->backlog == size) {
        return;
    }

    backlog += size;
    backlog -= ctx->backlog;

    ctx->backlog = size;

    wmcf = ngx_http_get_module_main_conf(ctx->request, ngx_http_wsgi_module);

    if (backlog > wmcf->max_buffered) {
        ngx_http_wsgi_pause_output(1);

    } else if (backlog <= wmcf->max_buffered / 2) {
        ngx_http_wsgi_pause_output(0);
    }
}


/* the response holds more than its share, and need not */

static ngx_uint_t
ngx_http_wsgi_must_spill(ngx_http_wsgi_ctx_t *ctx)
{
    ngx_http_request_t        *r;
    ngx_http_wsgi_loc_conf_t  *wlcf;

    if (!ngx_http_wsgi_can_spill(ctx)) {
        return 0;
    }

    if (ngx_http_wsgi_is_tight(ctx)) {
        ngx_http_wsgi_log_tight();
        return 1;
    }

    r = ctx->request;
    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wsgi_module);

    /* a part of a page waits for others, which may wait for its thread */

    return (ctx->buffering || ngx_http_wsgi_waits_for_parts(r))
           && ctx->held > wlcf->buffer_size / 2;
}


/* other parts of the page come first, or nginx has not sent them yet */

static ngx_uint_t
ngx_http_wsgi_waits_for_parts(ngx_http_request_t *r)
{
    return r->postponed || r->connection->data != r;
}


static ngx_uint_t
ngx_http_wsgi_can_spill(ngx_http_wsgi_ctx_t *ctx)
{
    off_t                      size;
    ngx_http_wsgi_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(ctx->request, ngx_http_wsgi_module);

    size = ctx->temp_file ? ctx->temp_file->offset : 0;

    return !ctx->no_temp_file && size < wlcf->max_temp_file_size;
}


/*
 * The filters have more of this response than its share, in blocks that were
 * too large.  All that follows goes to a file, so the application need not
 * wait for them.
 *
 * Nor may it wait for other parts of its page: they may wait for its thread.
 * Where no file may be used they all stay in memory, as long as there is any.
 */

static void
ngx_http_wsgi_return_credit(ngx_http_wsgi_ctx_t *ctx)
{
    ngx_uint_t           unbounded;
    ngx_http_request_t  *r;

    r = ctx->request;

    unbounded = ctx->pinned && ngx_http_wsgi_waits_for_parts(r)
                && !ngx_http_wsgi_is_pinned(r);

    if (unbounded && !ctx->unbounded) {
        ngx_http_wsgi_return_credit_of(ctx->busy);
        ngx_http_wsgi_return_credit_of(ctx->out);
    }

    ctx->unbounded = unbounded;

    if (!ctx->credit_returned && ngx_http_wsgi_must_spill(ctx)) {
        ctx->credit_returned = 1;
        ngx_http_wsgi_return_credit_of(ctx->busy);
    }
}


static void
ngx_http_wsgi_return_credit_of(ngx_chain_t *cl)
{
    ngx_http_wsgi_piece_t  *piece;

    for ( /* void */ ; cl; cl = cl->next) {
        piece = ngx_http_wsgi_get_piece(cl);

        if (piece->buffer) {
            wsgi_buffer_return_credit(piece->buffer);
        }
    }
}


static void
ngx_http_wsgi_log_tight(void)
{
    static time_t  next;

    if (ngx_time() < next) {
        return;
    }

    next = ngx_time() + NGX_HTTP_WSGI_LOG_EACH;

    ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                  "WSGI0128 responses that clients have not taken hold %uz "
                  "bytes, more than \"wsgi_max_buffered\", more of them go to "
                  "temporary files", ngx_http_wsgi_buffered());
}
