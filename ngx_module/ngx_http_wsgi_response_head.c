
/*
 * The head of a response: its status, and which of its headers the client
 * gets.  The library has checked names and values.
 */


#include "ngx_http_wsgi_module.h"


static ngx_int_t ngx_http_wsgi_set_status(ngx_http_request_t *r,
    const wsgi_head *head);
static void ngx_http_wsgi_set_ranges(ngx_http_request_t *r);
static ngx_int_t ngx_http_wsgi_add_retry_after(ngx_http_request_t *r,
    ngx_uint_t seconds);


ngx_int_t
ngx_http_wsgi_create_headers(ngx_http_request_t *r, const wsgi_head *head)
{
    size_t                     i;
    ngx_table_elt_t            h;
    ngx_http_wsgi_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wsgi_module);

    if (ngx_http_wsgi_set_status(r, head) != NGX_OK) {
        return NGX_ERROR;
    }

    r->headers_out.content_length_n = head->content_length;

    for (i = 0; i < head->headers_count; i++) {

        if (ngx_http_wsgi_make_header(r, &head->headers[i], &h) != NGX_OK) {
            return NGX_ERROR;
        }

        if (ngx_hash_find(&wlcf->upstream.hide_headers_hash, h.hash,
                          h.lowcase_key, h.key.len))
        {
            continue;
        }

        if (ngx_http_wsgi_add_field(r, &h) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    ngx_http_wsgi_set_ranges(r);

    return NGX_OK;
}


ngx_int_t
ngx_http_wsgi_copy_header(ngx_http_request_t *r, const wsgi_header *from)
{
    ngx_table_elt_t  h;

    if (ngx_http_wsgi_make_header(r, from, &h) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_wsgi_add_field(r, &h);
}


static ngx_int_t
ngx_http_wsgi_set_status(ngx_http_request_t *r, const wsgi_head *head)
{
    u_char  *p;

    r->headers_out.status = head->status;

    /*
     * nginx knows that 204 and 304 have no body only where it writes the
     * status line itself.
     */

    if (head->reason.size == 0
        || head->status == NGX_HTTP_NO_CONTENT
        || head->status == NGX_HTTP_NOT_MODIFIED
        || (head->status == NGX_HTTP_OK
            && head->reason.size == 2
            && ngx_memcmp(head->reason.data, "OK", 2) == 0))
    {
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, sizeof("200 ") - 1 + head->reason.size);
    if (p == NULL) {
        return NGX_ERROR;
    }

    r->headers_out.status_line.data = p;

    p = ngx_sprintf(p, "%03ui ", (ngx_uint_t) head->status);
    p = ngx_cpymem(p, head->reason.data, head->reason.size);

    r->headers_out.status_line.len = p - r->headers_out.status_line.data;

    return NGX_OK;
}


/*
 * The application decides on 304, 412 and ranges.  With "wsgi_force_ranges"
 * nginx cuts ranges out of the response while it passes, so it cannot send
 * more than one.
 */

static void
ngx_http_wsgi_set_ranges(ngx_http_request_t *r)
{
    ngx_http_wsgi_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wsgi_module);

    r->disable_not_modified = 1;
    r->allow_ranges = wlcf->upstream.force_ranges;
    r->single_range = wlcf->upstream.force_ranges;
}


ngx_int_t
ngx_http_wsgi_make_header(ngx_http_request_t *r, const wsgi_header *from,
    ngx_table_elt_t *h)
{
    u_char  *p;
    size_t   len;

    len = from->name.size;

    p = ngx_pnalloc(r->pool, 2 * (len + 1) + from->value.size + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->key.len = len;
    h->key.data = p;
    p = ngx_cpymem(p, from->name.data, len);
    *p++ = '\0';

    h->lowcase_key = p;
    h->hash = ngx_hash_strlow(p, h->key.data, len);
    p += len;
    *p++ = '\0';

    h->value.len = from->value.size;
    h->value.data = p;

    if (from->value.size) {
        p = ngx_cpymem(p, from->value.data, from->value.size);
    }

    *p = '\0';

    return NGX_OK;
}


ngx_int_t
ngx_http_wsgi_unavailable(ngx_http_request_t *r, ngx_uint_t retry_after)
{
    if (ngx_http_wsgi_add_retry_after(r, retry_after) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_HTTP_SERVICE_UNAVAILABLE;
}


static ngx_int_t
ngx_http_wsgi_add_retry_after(ngx_http_request_t *r, ngx_uint_t seconds)
{
    u_char           *p;
    ngx_table_elt_t   h;

    p = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(&h, sizeof(ngx_table_elt_t));

    h.hash = 1;
    ngx_str_set(&h.key, "Retry-After");
    h.value.data = p;
    h.value.len = ngx_sprintf(p, "%ui", seconds) - p;

    return ngx_http_wsgi_add_field(r, &h);
}
