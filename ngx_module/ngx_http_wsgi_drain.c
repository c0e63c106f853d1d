
/*
 * A response whose application has ended, and whose client has not taken all of
 * it.  The request goes on without the library.
 */


#include "ngx_http_wsgi_module.h"


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

    ngx_log_debug3(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "wsgi drain, held:%uz pinned:%d outcome:%d",
                   ctx->held, ctx->pinned, (int) outcome);

    ngx_http_wsgi_detach_body(ctx);
    ngx_http_wsgi_discard_early(ctx);

    /* the timer keeps a worker that shuts down from leaving before the end */

    ngx_add_timer(&ctx->timer, ngx_min(wlcf->read_timeout, wlcf->send_timeout));

    ngx_http_wsgi_set_write_handler(r);

    if ((!r->discard_body && ngx_http_wsgi_watch_client(ctx) != NGX_OK)
        || ngx_http_wsgi_wait_client(r) != NGX_OK)
    {
        (void) ngx_http_wsgi_finalize(ctx, NGX_ERROR);
    }
}
