
/*
 * The body of a request: in memory or in a file, where nginx has read it, or
 * read as it arrives.  One that the application does not read is discarded.
 */


#include "ngx_http_wsgi_module.h"


static ngx_int_t ngx_http_wsgi_set_parts(ngx_http_request_t *r,
    ngx_chain_t *bufs, wsgi_request *wr);
static void ngx_http_wsgi_discard_unread(ngx_http_wsgi_ctx_t *ctx);


/*
 * Whether the body is read as it arrives: one that nginx has not read, and that
 * is this request's own.  The body of a subrequest, and one that another module
 * has read or discarded, is taken as it is.
 */

ngx_uint_t
ngx_http_wsgi_can_stream(ngx_http_request_t *r)
{
    ngx_http_wsgi_loc_conf_t   *wlcf;
    ngx_http_wsgi_main_conf_t  *wmcf;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wsgi_module);
    wmcf = ngx_http_get_module_main_conf(r, ngx_http_wsgi_module);

    /* with "wsgi_threads 0" this thread runs Python, and it cannot wait */

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


ngx_int_t
ngx_http_wsgi_set_body(ngx_http_request_t *r, wsgi_request *wr)
{
    ngx_buf_t                 *b;
    ngx_chain_t               *bufs;
    ngx_http_wsgi_ctx_t       *ctx;
    ngx_http_wsgi_loc_conf_t  *wlcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_wsgi_module);

    if (ctx->body_streamed) {
        wr->body_kind = WSGI_BODY_PUSH;
        wr->content_length = r->headers_in.chunked
                                 ? -1 : r->headers_in.content_length_n;
        return NGX_OK;
    }

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wsgi_module);

    bufs = NULL;

    if (wlcf->upstream.pass_request_body && r->request_body) {
        bufs = r->request_body->bufs;
    }

    if (bufs == NULL) {

        /*
         * There is no body: the parent of a subrequest had it, another module
         * has discarded it, or it is not passed.  A length that the client
         * stated does not count.
         */

        wr->content_length = (r->headers_in.content_length_n < 0) ? -1 : 0;
        return NGX_OK;
    }

    b = bufs->buf;

    if (bufs->next || ngx_buf_in_memory(b) || !b->in_file) {
        return ngx_http_wsgi_set_parts(r, bufs, wr);
    }

    wr->body_kind = WSGI_BODY_FILE;
    wr->body_fd = b->file->fd;
    wr->body_offset = b->file_pos;
    wr->body_length = b->file_last - b->file_pos;

    /* a chunked body has a known length now */

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

        if (ngx_http_wsgi_check_buf(r, cl->buf) != NGX_OK) {
            return NGX_ERROR;
        }

        parts->data = cl->buf->pos;
        parts->size = ngx_buf_size(cl->buf);

        wr->content_length += parts->size;
        parts++;
    }

    return NGX_OK;
}


/* an empty body is one buffer that is nowhere and has "last_buf" set */

ngx_int_t
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


/* whether nothing has read a body that the application reads as it arrives */

ngx_uint_t
ngx_http_wsgi_is_unread(ngx_http_wsgi_ctx_t *ctx)
{
    return ctx->body_streamed && !ctx->body_begun;
}


/*
 * The response waits for its client, which may still be sending the body, and
 * may not read before it has sent all of it.  A client that waits for 100 sends
 * nothing.
 */

void
ngx_http_wsgi_discard_early(ngx_http_wsgi_ctx_t *ctx)
{
    if (ngx_http_wsgi_is_unread(ctx) && !ctx->request->headers_in.expect) {
        ngx_http_wsgi_discard_unread(ctx);
    }
}


/*
 * The application has answered without reading the body, which nginx must not
 * take for the next request.  If the application has read a part of it, nginx
 * closes the connection.
 */

void
ngx_http_wsgi_discard_body(ngx_http_wsgi_ctx_t *ctx)
{
    ngx_http_request_t  *r;

    r = ctx->request;

    if (!ngx_http_wsgi_is_unread(ctx) || !r->keepalive) {
        return;
    }

    r->expect_tested = 1;

    ngx_http_wsgi_discard_unread(ctx);
}


static void
ngx_http_wsgi_discard_unread(ngx_http_wsgi_ctx_t *ctx)
{
    ngx_http_request_t  *r;

    r = ctx->request;

    /* nginx reads now: ngx_http_wsgi_detach() must not stop it */

    ctx->watched = 0;

    if (ngx_http_discard_request_body(r) != NGX_OK) {
        r->keepalive = 0;
    }
}
