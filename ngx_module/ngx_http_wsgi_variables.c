
/*
 * The variables $wsgi_queue_time and $wsgi_time: how long a request waited for
 * a thread, and how long its application took.
 */


#include "ngx_http_wsgi_module.h"


static ngx_int_t ngx_http_wsgi_time_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);


static ngx_http_variable_t  ngx_http_wsgi_variables[] = {

    { ngx_string("wsgi_queue_time"), NULL, ngx_http_wsgi_time_variable,
      offsetof(ngx_http_wsgi_times_t, queued), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("wsgi_time"), NULL, ngx_http_wsgi_time_variable,
      offsetof(ngx_http_wsgi_times_t, running), NGX_HTTP_VAR_NOCACHEABLE, 0 },

      ngx_http_null_variable
};


ngx_int_t
ngx_http_wsgi_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_wsgi_variables; v->name.len; v++) {

        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


/* until now, while the library has the request */

void
ngx_http_wsgi_save_times(ngx_http_wsgi_ctx_t *ctx)
{
    uint64_t  passed, queued;

    if (ctx->exchange == NULL) {
        return;
    }

    passed = wsgi_exchange_time(ctx->exchange, &queued);

    ctx->times.queued = (ngx_msec_t) queued;
    ctx->times.running = (ngx_msec_t) (passed - queued);
}


/*
 * Several applications may have had a request: its own, and the one of its
 * error page.  The times are the sum over them.  When the log needs it, only
 * the pool still leads to their contexts.
 */

static ngx_int_t
ngx_http_wsgi_time_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char               *p;
    ngx_msec_t            ms;
    ngx_uint_t            found;
    ngx_pool_cleanup_t   *cln;
    ngx_http_wsgi_ctx_t  *ctx;

    ms = 0;
    found = 0;

    for (cln = r->pool->cleanup; cln; cln = cln->next) {

        ctx = ngx_http_wsgi_cleanup_ctx(cln);

        if (ctx == NULL || ctx->request != r || !ctx->was_submitted) {
            continue;
        }

        ngx_http_wsgi_save_times(ctx);

        ms += *(ngx_msec_t *) ((u_char *) &ctx->times + data);
        found = 1;
    }

    if (!found) {
        v->not_found = 1;
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, NGX_TIME_T_LEN + 4);
    if (p == NULL) {
        return NGX_ERROR;
    }

    v->len = ngx_sprintf(p, "%T.%03M", (time_t) (ms / 1000), ms % 1000) - p;
    v->data = p;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}
