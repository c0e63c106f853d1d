
/*
 * The body of a request, which nginx has read into memory or into a file.
 */


#include "ngx_http_wsgi_module.h"


static ngx_int_t ngx_http_wsgi_set_parts(ngx_http_request_t *r,
    ngx_chain_t *bufs, wsgi_request *wr);


ngx_int_t
ngx_http_wsgi_set_body(ngx_http_request_t *r, wsgi_request *wr)
{
    ngx_buf_t                 *b;
    ngx_chain_t               *bufs;
    ngx_http_wsgi_ctx_t       *ctx;
    ngx_http_wsgi_loc_conf_t  *wlcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_wsgi_module);

    if (ctx->body_streamed) {
        ngx_http_wsgi_set_stream(r, wr);
        return NGX_OK;
    }

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wsgi_module);

    bufs = NULL;

    if (wlcf->upstream.pass_request_body && r->request_body) {
        bufs = r->request_body->bufs;
    }

    if (bufs == NULL) {

        /*
         * A length that the client has stated is that of a body which is not
         * there: it was the parent's, has been discarded, or is not passed.
         */

        wr->content_length = (r->headers_in.content_length_n < 0) ? -1 : 0;
        return NGX_OK;
    }

    b = bufs->buf;

    if (bufs->next || ngx_buf_in_memory(b) || !b->in_file) {
        return ngx_http_wsgi_set_parts(r, bufs, wr);
    }

    /* the rest of a short body may have come at once */

    ngx_http_wsgi_no_inherit(b->file->fd);

    wr->body_kind = WSGI_BODY_FILE;
    wr->body_fd = b->file->fd;
    wr->body_offset = b->file_pos;
    wr->body_length = b->file_last - b->file_pos;

    /* also for a chunked body, whose length is known now */

    wr->content_length = wr->body_length;

    return NGX_OK;
}


static ngx_int_t
ngx_http_wsgi_set_parts(ngx_http_request_t *r, ngx_chain_t *bufs,
    wsgi_request *wr)
{
    ngx_uint_t    n;
    wsgi_str     *parts;
    ngx_chain_t  *cl;

    n = 0;

    for (cl = bufs; cl; cl = cl->next) {
        n++;
    }

    parts = ngx_palloc(r->pool, n * sizeof(wsgi_str));
    if (parts == NULL) {
        return NGX_ERROR;
    }

    wr->body_kind = WSGI_BODY_MEMORY;
    wr->body_parts = parts;
    wr->body_parts_count = n;

    for (cl = bufs; cl; cl = cl->next) {

        /* an empty body is one buffer that is nowhere and says "last" */

        if (!ngx_buf_in_memory(cl->buf) && ngx_buf_size(cl->buf) != 0) {
            ngx_log_error(NGX_LOG_ALERT, r->connection->log, 0,
                          "WSGI0113 the request body is neither in memory nor "
                          "in one file: another module has changed it");
            return NGX_ERROR;
        }

        parts->data = cl->buf->pos;
        parts->size = ngx_buf_size(cl->buf);

        wr->content_length += parts->size;
        parts++;
    }

    return NGX_OK;
}
