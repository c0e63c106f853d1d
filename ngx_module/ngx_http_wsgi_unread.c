
/*
 * What becomes of a streamed body that the application does not read: it is
 * never taken for the next request.
 */


#include "ngx_http_wsgi_module.h"


/*
 * A client that waits for 100 and gets a response instead may leave out the
 * body or not.  What follows could be either body or request, so the
 * connection has to end.
 */

void
ngx_http_wsgi_before_response(ngx_http_wsgi_ctx_t *ctx)
{
    ngx_http_request_t  *r;

    r = ctx->request;

    if (ctx->body_streamed && !ctx->body_begun && r->headers_in.expect) {
        r->keepalive = 0;
    }
}


/*
 * The application has answered without reading.  A body of which something
 * was read is nginx's own business: it closes such a connection.
 */

void
ngx_http_wsgi_discard_body(ngx_http_wsgi_ctx_t *ctx)
{
    ngx_http_request_t  *r;

    r = ctx->request;

    if (!ctx->body_streamed || ctx->body_begun || !r->keepalive) {
        return;
    }

    r->expect_tested = 1;

    if (ngx_http_discard_request_body(r) != NGX_OK) {
        r->keepalive = 0;
    }
}


/*
 * The response waits for its client, which may be sending the body still and
 * read nothing until it has sent all of it.  One that waits for 100 does not.
 */

void
ngx_http_wsgi_discard_early(ngx_http_wsgi_ctx_t *ctx)
{
    ngx_http_request_t  *r;

    r = ctx->request;

    if (!ctx->body_streamed || ctx->body_begun || r->headers_in.expect) {
        return;
    }

    if (ngx_http_discard_request_body(r) != NGX_OK) {
        r->keepalive = 0;
    }
}


/* nobody reads the rest, and nobody waits for the client to send it */

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
