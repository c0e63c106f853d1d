
/*
 * The body of a response in nginx's chains.  Each piece holds a buffer of the
 * library until its bytes are sent.
 */


#include "ngx_http_wsgi_module.h"


static void ngx_http_wsgi_count_held(ngx_http_wsgi_ctx_t *ctx,
    ssize_t size);
static ngx_http_wsgi_piece_t *ngx_http_wsgi_add_piece(
    ngx_http_wsgi_ctx_t *ctx);
static void ngx_http_wsgi_release_piece(ngx_http_wsgi_ctx_t *ctx,
    ngx_http_wsgi_piece_t *piece);
static void ngx_http_wsgi_release_sent(ngx_http_wsgi_ctx_t *ctx);
static void ngx_http_wsgi_release_all(void *data);


/* the memory that the responses of this worker hold, all together */

static size_t  ngx_http_wsgi_held;

/* the part of it that cannot go to a temporary file */

static size_t  ngx_http_wsgi_held_pinned;


size_t
ngx_http_wsgi_buffered(void)
{
    return ngx_http_wsgi_held;
}


size_t
ngx_http_wsgi_pinned(void)
{
    return ngx_http_wsgi_held_pinned;
}


/* sets whether the memory of this response can go to a file */

void
ngx_http_wsgi_pin(ngx_http_wsgi_ctx_t *ctx, ngx_uint_t pinned)
{
    if (ctx->pinned == pinned) {
        return;
    }

    ctx->pinned = pinned;

    if (pinned) {
        ngx_http_wsgi_held_pinned += ctx->held;

    } else {
        ngx_http_wsgi_held_pinned -= ctx->held;
    }
}


static void
ngx_http_wsgi_count_held(ngx_http_wsgi_ctx_t *ctx, ssize_t size)
{
    ctx->held += size;
    ngx_http_wsgi_held += size;

    if (ctx->pinned) {
        ngx_http_wsgi_held_pinned += size;
    }
}


/*
 * What is not sent when the request ends is released with the pool.  A cleanup
 * handler of the request would be too early: with HTTP/2 it runs while nginx
 * may have sent half of a frame that points to the bytes.
 */

ngx_int_t
ngx_http_wsgi_init_output(ngx_http_wsgi_ctx_t *ctx)
{
    ngx_pool_cleanup_t  *cln;

    ctx->last_out = &ctx->out;

    cln = ngx_pool_cleanup_add(ctx->request->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_wsgi_release_all;
    cln->data = ctx;

    return NGX_OK;
}


/* the context that a handler of the pool belongs to, or NULL */

ngx_http_wsgi_ctx_t *
ngx_http_wsgi_cleanup_ctx(ngx_pool_cleanup_t *cln)
{
    return cln->handler == ngx_http_wsgi_release_all ? cln->data : NULL;
}


ngx_int_t
ngx_http_wsgi_add_buffers(ngx_http_wsgi_ctx_t *ctx,
    wsgi_buffer *const *buffers, size_t count)
{
    size_t                  i;
    ngx_buf_t              *b;
    ngx_http_wsgi_piece_t  *piece;

    for (i = 0; i < count; i++) {

        piece = ngx_http_wsgi_add_piece(ctx);

        if (piece == NULL) {

            /* the callback owns all of them, also if it fails */

            while (i < count) {
                wsgi_buffer_release(buffers[i++]);
            }

            return NGX_ERROR;
        }

        piece->buffer = buffers[i];

        if (ctx->unbounded) {
            wsgi_buffer_return_credit(buffers[i]);
        }

        ngx_http_wsgi_count_held(ctx, buffers[i]->size + WSGI_BUFFER_COST);

        b = &piece->buf;

        b->start = (u_char *) buffers[i]->data;
        b->end = b->start + buffers[i]->size;
        b->pos = b->start;
        b->last = b->end;
        b->memory = 1;
    }

    return NGX_OK;
}


/*
 * The file stays open as long as the request, although its piece may be used
 * up: where a filter must see the bytes, nginx copies them and then still
 * sends the copy from the file, by sendfile().
 */

ngx_int_t
ngx_http_wsgi_add_file(ngx_http_wsgi_ctx_t *ctx, int fd, uint64_t offset,
    uint64_t length)
{
    ngx_buf_t                *b;
    ngx_file_t               *file;
    ngx_pool_cleanup_t       *cln;
    ngx_http_request_t       *r;
    ngx_http_wsgi_piece_t    *piece;
    ngx_pool_cleanup_file_t  *clnf;

    r = ctx->request;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_pool_cleanup_file_t));

    if (cln == NULL) {
        (void) ngx_close_file(fd);
        return NGX_ERROR;
    }

    cln->handler = ngx_pool_cleanup_file;
    clnf = cln->data;

    /* for messages of nginx about a close() that fails */

    clnf->fd = fd;
    clnf->name = (u_char *) "wsgi.file_wrapper";
    clnf->log = r->pool->log;

    file = ngx_pcalloc(r->pool, sizeof(ngx_file_t));
    piece = file ? ngx_http_wsgi_add_piece(ctx) : NULL;

    if (piece == NULL) {
        return NGX_ERROR;
    }

    /* for messages about a read() or a sendfile() */

    ngx_str_set(&file->name, "wsgi.file_wrapper");

    file->fd = fd;
    file->log = r->connection->log;

    b = &piece->buf;

    b->in_file = 1;
    b->file = file;
    b->file_pos = (off_t) offset;
    b->file_last = (off_t) (offset + length);

    return NGX_OK;
}


static ngx_http_wsgi_piece_t *
ngx_http_wsgi_add_piece(ngx_http_wsgi_ctx_t *ctx)
{
    ngx_chain_t  *cl;

    cl = ngx_http_wsgi_create_piece(ctx);
    if (cl == NULL) {
        return NULL;
    }

    *ctx->last_out = cl;
    ctx->last_out = &cl->next;

    return ngx_http_wsgi_get_piece(cl);
}


/* a piece that is in no chain; its buf is empty */

ngx_chain_t *
ngx_http_wsgi_create_piece(ngx_http_wsgi_ctx_t *ctx)
{
    ngx_pool_t             *pool;
    ngx_chain_t            *cl;
    ngx_http_wsgi_piece_t  *piece;

    /* pieces are used again, or a long stream would grow the pool */

    cl = ctx->free;

    if (cl) {
        ctx->free = cl->next;
        piece = ngx_http_wsgi_get_piece(cl);
        ngx_memzero(&piece->buf, sizeof(ngx_buf_t));

    } else {
        pool = ctx->request->pool;

        cl = ngx_alloc_chain_link(pool);
        if (cl == NULL) {
            return NULL;
        }

        piece = ngx_pcalloc(pool, sizeof(ngx_http_wsgi_piece_t));
        if (piece == NULL) {
            return NULL;
        }

        piece->next = ctx->pieces;
        ctx->pieces = piece;

        cl->buf = &piece->buf;
    }

    piece->used = 1;
    piece->buf.tag = (ngx_buf_tag_t) &ngx_http_wsgi_module;

    cl->next = NULL;

    return cl;
}


/* for a piece that was taken out of its chain */

void
ngx_http_wsgi_free_piece(ngx_http_wsgi_ctx_t *ctx, ngx_chain_t *cl)
{
    ngx_http_wsgi_release_piece(ctx, ngx_http_wsgi_get_piece(cl));

    cl->next = ctx->free;
    ctx->free = cl;
}


/*
 * Hands a chain of pieces to the filters.  With none it asks them to send what
 * they could not send before.  PEP 3333, "Buffering and Streaming": a server
 * "must not delay the transmission of any block".  So the last buffer has
 * "flush" set.  NGX_DONE: a filter has answered instead of this response.
 */

ngx_int_t
ngx_http_wsgi_output(ngx_http_wsgi_ctx_t *ctx, ngx_chain_t *out)
{
    ngx_int_t            rc;
    ngx_buf_t           *b;
    ngx_chain_t         *cl;
    ngx_http_request_t  *r;

    r = ctx->request;

    for (cl = out; cl; cl = cl->next) {

        if (cl->next) {
            continue;
        }

        b = cl->buf;

        if (ctx->last && ctx->out == NULL) {
            b->last_buf = (r == r->main);
            b->last_in_chain = 1;
            ctx->last_sent = 1;
        }

        /* the end of a part of a page is not the end of the page */

        b->flush = !b->last_buf;
    }

    rc = ngx_http_output_filter(r, out);

    if (r->filter_finalize) {
        ctx->filter_rc = rc;
        return NGX_DONE;
    }

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    ngx_chain_update_chains(r->pool, &ctx->free, &ctx->busy, &out,
                            (ngx_buf_tag_t) &ngx_http_wsgi_module);

    ngx_http_wsgi_release_sent(ctx);

    return NGX_OK;
}


static void
ngx_http_wsgi_release_sent(ngx_http_wsgi_ctx_t *ctx)
{
    ngx_chain_t            *cl;
    ngx_http_wsgi_piece_t  *piece;

    /* the latest are in front: no piece behind an unused one is used */

    for (cl = ctx->free; cl; cl = cl->next) {
        piece = ngx_http_wsgi_get_piece(cl);

        if (!piece->used) {
            return;
        }

        ngx_http_wsgi_release_piece(ctx, piece);
    }
}


static void
ngx_http_wsgi_release_piece(ngx_http_wsgi_ctx_t *ctx,
    ngx_http_wsgi_piece_t *piece)
{
    ssize_t  cost;

    piece->used = 0;

    if (piece->buffer) {
        cost = piece->buffer->size + WSGI_BUFFER_COST;

        ngx_http_wsgi_count_held(ctx, -cost);

        wsgi_buffer_release(piece->buffer);
        piece->buffer = NULL;
    }
}


static void
ngx_http_wsgi_release_all(void *data)
{
    ngx_http_wsgi_ctx_t  *ctx = data;

    ngx_http_wsgi_piece_t  *piece;

    for (piece = ctx->pieces; piece; piece = piece->next) {
        ngx_http_wsgi_release_piece(ctx, piece);
    }
}
