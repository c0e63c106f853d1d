
/*
 * The body of a response in nginx's chains.  Each piece holds a buffer of the
 * library, or an open file, until its bytes are sent.
 */


#include "ngx_http_wsgi_module.h"


struct ngx_http_wsgi_piece_s {
    ngx_buf_t               buf;      /* first: a chain link leads here */
    wsgi_buffer            *buffer;   /* held, or NULL */
    ngx_file_t             *file;     /* open unless fd is NGX_INVALID_FILE */
    ngx_http_wsgi_piece_t  *next;
};


static ngx_http_wsgi_piece_t *ngx_http_wsgi_add_piece(
    ngx_http_wsgi_ctx_t *ctx);
static ngx_int_t ngx_http_wsgi_release_piece(ngx_http_wsgi_piece_t *piece);
static void ngx_http_wsgi_release_sent(ngx_http_wsgi_ctx_t *ctx);
static void ngx_http_wsgi_release_all(void *data);


/*
 * What is not sent when the request ends is released with the pool.  A cleanup
 * handler of the request would be too early: with HTTP/2 it runs while a frame
 * that points to the bytes may still be half sent.
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

            /* they are all ours, whatever happens */

            while (i < count) {
                wsgi_buffer_release(buffers[i++]);
            }

            return NGX_ERROR;
        }

        piece->buffer = buffers[i];

        b = &piece->buf;

        b->start = (u_char *) buffers[i]->data;
        b->end = b->start + buffers[i]->size;
        b->pos = b->start;
        b->last = b->end;
        b->memory = 1;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_wsgi_add_file(ngx_http_wsgi_ctx_t *ctx, int fd, uint64_t offset,
    uint64_t length)
{
    ngx_buf_t              *b;
    ngx_file_t             *file;
    ngx_http_request_t     *r;
    ngx_http_wsgi_piece_t  *piece;

    r = ctx->request;

    file = ngx_pcalloc(r->pool, sizeof(ngx_file_t));
    piece = file ? ngx_http_wsgi_add_piece(ctx) : NULL;

    if (piece == NULL) {
        (void) ngx_close_file(fd);
        return NGX_ERROR;
    }

    /* for messages of nginx about a read() or a sendfile() that fails */

    ngx_str_set(&file->name, "wsgi.file_wrapper");

    file->fd = fd;
    file->log = r->connection->log;

    piece->file = file;

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
    ngx_pool_t             *pool;
    ngx_chain_t            *cl;
    ngx_http_wsgi_piece_t  *piece;

    /* pieces are used again, or a long stream would grow the pool for ever */

    cl = ctx->free;

    if (cl) {
        ctx->free = cl->next;
        piece = (ngx_http_wsgi_piece_t *) cl->buf;
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

    piece->buf.tag = (ngx_buf_tag_t) &ngx_http_wsgi_module;

    cl->next = NULL;
    *ctx->last_out = cl;
    ctx->last_out = &cl->next;

    return piece;
}


/*
 * Sends what was added, and with nothing added what could not be sent before.
 * PEP 3333, "Buffering and Streaming": a server "must not delay the
 * transmission of any block".  So the last buffer says flush.
 */

ngx_int_t
ngx_http_wsgi_output(ngx_http_wsgi_ctx_t *ctx, ngx_uint_t last)
{
    ngx_buf_t           *b;
    ngx_chain_t         *cl;
    ngx_http_request_t  *r;

    r = ctx->request;

    for (cl = ctx->out; cl; cl = cl->next) {

        if (cl->next) {
            continue;
        }

        b = cl->buf;

        if (last) {
            b->last_buf = (r == r->main);
            b->last_in_chain = 1;
        }

        /* the end of a part of a page is not the end of the page */

        b->flush = !b->last_buf;
    }

    if (ngx_http_output_filter(r, ctx->out) == NGX_ERROR) {
        return NGX_ERROR;
    }

    ngx_chain_update_chains(r->pool, &ctx->free, &ctx->busy, &ctx->out,
                            (ngx_buf_tag_t) &ngx_http_wsgi_module);

    ctx->last_out = &ctx->out;

    ngx_http_wsgi_release_sent(ctx);

    return NGX_OK;
}


static void
ngx_http_wsgi_release_sent(ngx_http_wsgi_ctx_t *ctx)
{
    ngx_chain_t  *cl;

    /* the latest are in front: the first that holds nothing ends the search */

    for (cl = ctx->free; cl; cl = cl->next) {
        if (ngx_http_wsgi_release_piece((ngx_http_wsgi_piece_t *) cl->buf)
            == NGX_DECLINED)
        {
            return;
        }
    }
}


static ngx_int_t
ngx_http_wsgi_release_piece(ngx_http_wsgi_piece_t *piece)
{
    if (piece->buffer) {
        wsgi_buffer_release(piece->buffer);
        piece->buffer = NULL;
        return NGX_OK;
    }

    if (piece->file && piece->file->fd != NGX_INVALID_FILE) {

        if (ngx_close_file(piece->file->fd) == NGX_FILE_ERROR) {
            ngx_log_error(NGX_LOG_ALERT, piece->file->log, ngx_errno,
                          ngx_close_file_n " \"%V\" failed",
                          &piece->file->name);
        }

        piece->file->fd = NGX_INVALID_FILE;
        return NGX_OK;
    }

    return NGX_DECLINED;
}


static void
ngx_http_wsgi_release_all(void *data)
{
    ngx_http_wsgi_ctx_t  *ctx = data;

    ngx_http_wsgi_piece_t  *piece;

    for (piece = ctx->pieces; piece; piece = piece->next) {
        (void) ngx_http_wsgi_release_piece(piece);
    }
}
