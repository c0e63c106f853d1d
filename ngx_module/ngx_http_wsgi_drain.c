
/*
 * A response whose application has given all that it will give, and which its
 * client has not taken.  The request goes on without the library.
 */


#include "ngx_http_wsgi_module.h"


/*
 * Not all of it is in the filters, or it holds memory that no file relieves:
 * then its client is watched until it has taken it.
 */

ngx_uint_t
ngx_http_wsgi_must_drain(ngx_http_wsgi_ctx_t *ctx)
{
    return ctx->out != NULL || (ctx->pinned && ngx_http_wsgi_is_behind(ctx));
}


void
ngx_http_wsgi_drain(ngx_http_wsgi_ctx_t *ctx, wsgi_outcome outcome)
{
    ngx_http_request_t        *r;
    ngx_http_wsgi_loc_conf_t  *wlcf;

    r = ctx->request;
    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wsgi_module);

    ctx->finished = 1;
    ctx->outcome = outcome;
    ctx->waits = 0;

    ctx->exchange = NULL;

    ngx_http_wsgi_detach_body(ctx);
    ngx_http_wsgi_discard_early(ctx);

    /* it keeps a worker that shuts down from leaving before the end */

    ngx_add_timer(&ctx->timer, ngx_min(wlcf->read_timeout, wlcf->send_timeout));

    if ((!r->discard_body && ngx_http_wsgi_watch_client(r) != NGX_OK)
        || ngx_http_wsgi_wait_client(r) != NGX_OK)
    {
        (void) ngx_http_wsgi_end(ctx, NGX_ERROR);
    }
}
