
/*
 * Early hints: header fields that the application knows before its response,
 * as a response 103 of their own. nginx can send these since 1.29.0, to the
 * clients that the directive "early_hints" selects.
 */


#include "ngx_http_wsgi_module.h"


#if (NGX_HTTP_WSGI_EARLY_HINTS)


static ngx_int_t ngx_http_wsgi_send_hints(ngx_http_request_t *r,
    const wsgi_header *headers, size_t count);


int
ngx_http_wsgi_early_hints(void *data, const wsgi_header *headers, size_t count)
{
    ngx_http_wsgi_ctx_t  *ctx = data;

    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = ctx->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, c->log, 0,
                   "wsgi early hints, n:%uz", count);

    if (ngx_http_wsgi_send_hints(r, headers, count) == NGX_ERROR) {
        return ngx_http_wsgi_send_failed(ctx, NGX_ERROR);
    }

    if (ngx_http_wsgi_wait_client(r) != NGX_OK) {
        return ngx_http_wsgi_finalize(ctx, NGX_ERROR);
    }

    ngx_http_run_posted_requests(c);

    return 0;
}


/*
 * nginx sends the list of response headers.  Other modules may have put
 * headers of the response there, so the hints use another list.
 */

static ngx_int_t
ngx_http_wsgi_send_hints(ngx_http_request_t *r, const wsgi_header *headers,
    size_t count)
{
    size_t                     i;
    ngx_int_t                  rc;
    ngx_list_t                 saved;
    ngx_table_elt_t            h, *ho;
    ngx_http_wsgi_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wsgi_module);

    saved = r->headers_out.headers;

    rc = ngx_list_init(&r->headers_out.headers, r->pool, count,
                       sizeof(ngx_table_elt_t));

    for (i = 0; rc == NGX_OK && i < count; i++) {

        rc = ngx_http_wsgi_make_header(r, &headers[i], &h);

        if (rc != NGX_OK
            || ngx_hash_find(&wlcf->upstream.hide_headers_hash, h.hash,
                             h.lowcase_key, h.key.len))
        {
            continue;
        }

        ho = ngx_list_push(&r->headers_out.headers);

        if (ho == NULL) {
            rc = NGX_ERROR;
            break;
        }

        *ho = h;
    }

    if (rc == NGX_OK) {
        rc = ngx_http_send_early_hints(r);
    }

    /* the list has not moved, so "last" may still point into it */

    r->headers_out.headers = saved;

    return rc;
}


#endif
