
/*
 * The temporary file of one response: pieces of ctx->out are written to it and
 * become pieces of it.
 */


#include "ngx_http_wsgi_module.h"


static ngx_temp_file_t *ngx_http_wsgi_get_temp_file(ngx_http_wsgi_ctx_t *ctx);
static ssize_t ngx_http_wsgi_write_group(ngx_temp_file_t *tf,
    ngx_chain_t *cl, size_t limit);
static ngx_int_t ngx_http_wsgi_stored(ngx_http_wsgi_ctx_t *ctx,
    ngx_chain_t **ll, size_t size);


/*
 * Writes the first pieces of ctx->out that are in memory to the file.  Returns
 * the number of bytes, or NGX_DECLINED if the file cannot be written.
 */

ssize_t
ngx_http_wsgi_store(ngx_http_wsgi_ctx_t *ctx)
{
    ssize_t                    n;
    ngx_chain_t              **ll;
    ngx_temp_file_t           *tf;
    ngx_http_wsgi_loc_conf_t  *wlcf;

    ll = &ctx->out;

    while (*ll && !ngx_buf_in_memory((*ll)->buf)) {
        ll = &(*ll)->next;
    }

    if (*ll == NULL) {
        return 0;
    }

    wlcf = ngx_http_get_module_loc_conf(ctx->request, ngx_http_wsgi_module);

    tf = ngx_http_wsgi_get_temp_file(ctx);
    if (tf == NULL) {
        return NGX_ERROR;
    }

    n = ngx_http_wsgi_write_group(tf, *ll, wlcf->temp_file_write_size);

    ngx_log_debug3(NGX_LOG_DEBUG_HTTP, ctx->request->connection->log, 0,
                   "wsgi store: %z to fd:%d at:%O",
                   n, tf->file.fd, tf->offset);

    if (n <= 0) {
        return NGX_DECLINED;
    }

    if (tf->offset == 0) {
        ngx_http_wsgi_no_inherit(tf->file.fd);
    }

    if (ngx_http_wsgi_stored(ctx, ll, n) != NGX_OK) {
        return NGX_ERROR;
    }

    return n;
}


static ngx_temp_file_t *
ngx_http_wsgi_get_temp_file(ngx_http_wsgi_ctx_t *ctx)
{
    ngx_temp_file_t           *tf;
    ngx_http_request_t        *r;
    ngx_http_core_loc_conf_t  *clcf;
    ngx_http_wsgi_loc_conf_t  *wlcf;

    if (ctx->temp_file) {
        return ctx->temp_file;
    }

    r = ctx->request;

    tf = ngx_pcalloc(r->pool, sizeof(ngx_temp_file_t));
    if (tf == NULL) {
        return NULL;
    }

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);
    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wsgi_module);

    tf->file.fd = NGX_INVALID_FILE;
    tf->file.log = r->connection->log;
    tf->path = wlcf->temp_path ? wlcf->temp_path : clcf->client_body_temp_path;
    tf->pool = r->pool;
    tf->log_level = NGX_LOG_INFO;
    tf->warn = "WSGI0127 a response that its client is slow to take is "
               "buffered to a temporary file";

    ctx->temp_file = tf;

    return tf;
}


/* writes the pieces in memory that "cl" begins with, up to about "limit" */

static ssize_t
ngx_http_wsgi_write_group(ngx_temp_file_t *tf, ngx_chain_t *cl, size_t limit)
{
    off_t         size;
    ssize_t       n;
    ngx_buf_t     part;
    ngx_chain_t  *last, *next, one;

    size = ngx_buf_size(cl->buf);

    if (size > (off_t) limit) {
        part = *cl->buf;
        part.last = part.pos + limit;

        one.buf = &part;
        one.next = NULL;

        return ngx_write_chain_to_temp_file(tf, &one);
    }

    last = cl;

    while (last->next && ngx_buf_in_memory(last->next->buf)) {

        size += ngx_buf_size(last->next->buf);

        if (size > (off_t) limit) {
            break;
        }

        last = last->next;
    }

    next = last->next;
    last->next = NULL;

    n = ngx_write_chain_to_temp_file(tf, cl);

    last->next = next;

    return n;
}


/*
 * The file has the first "size" bytes of the pieces at "*ll".  They become one
 * piece of it, or part of the piece before: the chain stays short.
 */

static ngx_int_t
ngx_http_wsgi_stored(ngx_http_wsgi_ctx_t *ctx, ngx_chain_t **ll, size_t size)
{
    off_t             n;
    ngx_buf_t        *b;
    ngx_chain_t      *cl, *before;
    ngx_temp_file_t  *tf;

    tf = ctx->temp_file;
    before = NULL;

    for (cl = ctx->out; cl != *ll; cl = cl->next) {
        before = cl;
    }

    if (before == NULL || before->buf->file != &tf->file) {

        cl = ngx_http_wsgi_create_piece(ctx);
        if (cl == NULL) {
            return NGX_ERROR;
        }

        b = cl->buf;

        b->in_file = 1;
        b->temp_file = 1;
        b->file = &tf->file;
        b->file_pos = tf->offset;
        b->file_last = tf->offset;

        cl->next = *ll;
        *ll = cl;
        ll = &cl->next;

        before = cl;
    }

    before->buf->file_last += size;
    tf->offset += size;

    while (size) {
        cl = *ll;
        n = ngx_buf_size(cl->buf);

        if (n > (off_t) size) {
            cl->buf->pos += size;
            break;
        }

        size -= n;
        *ll = cl->next;

        ngx_http_wsgi_free_piece(ctx, cl);
    }

    if (*ll == NULL) {
        ctx->last_out = ll;
    }

    return NGX_OK;
}


/*
 * All pieces that were stored are used up.  A new file replaces the old one
 * before that has its full size: bytes of a file are not written over, as the
 * kernel may still be sending them.  The file is not closed while a filter may
 * have a copy of them in memory, which nginx nevertheless sends from the file.
 */

void
ngx_http_wsgi_renew_temp_file(ngx_http_wsgi_ctx_t *ctx)
{
    ngx_temp_file_t           *tf;
    ngx_http_request_t        *r;
    ngx_http_wsgi_loc_conf_t  *wlcf;

    r = ctx->request;
    tf = ctx->temp_file;

    if (tf == NULL) {
        return;
    }

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wsgi_module);

    if (tf->offset < wlcf->max_temp_file_size / 2) {
        return;
    }

    if (r->buffered || r->main->buffered || r->connection->buffered
        || r->postponed || r->connection->data != r)
    {
        return;
    }

    ngx_pool_run_cleanup_file(tf->pool, tf->file.fd);

    tf->file.fd = NGX_INVALID_FILE;
    tf->offset = 0;

    /* otherwise nginx adds a number to the name of the old file each time */

    ngx_str_null(&tf->file.name);
}
