
/*
 * The head of a response: headers go where nginx's filters look for them. The
 * library has checked names and values.
 */


#include "ngx_http_wsgi_module.h"


typedef struct ngx_http_wsgi_header_s  ngx_http_wsgi_header_t;

typedef ngx_int_t (*ngx_http_wsgi_header_pt)(ngx_http_request_t *r,
    ngx_table_elt_t *h, ngx_uint_t offset);

struct ngx_http_wsgi_header_s {
    ngx_str_t                name;
    ngx_http_wsgi_header_pt  handler;
    ngx_uint_t               offset;
};


static ngx_int_t ngx_http_wsgi_set_status(ngx_http_request_t *r,
    const wsgi_head *head);
static ngx_int_t ngx_http_wsgi_copy_header(ngx_http_request_t *r,
    const wsgi_header *from);
static ngx_int_t ngx_http_wsgi_push_header(ngx_http_request_t *r,
    ngx_table_elt_t *h, ngx_uint_t offset);
static ngx_int_t ngx_http_wsgi_known_header(ngx_http_request_t *r,
    ngx_table_elt_t *h, ngx_uint_t offset);
static ngx_int_t ngx_http_wsgi_multi_header(ngx_http_request_t *r,
    ngx_table_elt_t *h, ngx_uint_t offset);
static ngx_int_t ngx_http_wsgi_content_type(ngx_http_request_t *r,
    ngx_table_elt_t *h, ngx_uint_t offset);
static ngx_int_t ngx_http_wsgi_last_modified(ngx_http_request_t *r,
    ngx_table_elt_t *h, ngx_uint_t offset);
static ngx_int_t ngx_http_wsgi_location(ngx_http_request_t *r,
    ngx_table_elt_t *h, ngx_uint_t offset);


static ngx_http_wsgi_header_t  ngx_http_wsgi_headers_out[] = {

    { ngx_string("Content-Type"), ngx_http_wsgi_content_type, 0 },

    { ngx_string("Cache-Control"), ngx_http_wsgi_multi_header,
                 offsetof(ngx_http_headers_out_t, cache_control) },

    { ngx_string("Link"), ngx_http_wsgi_multi_header,
                 offsetof(ngx_http_headers_out_t, link) },

    { ngx_string("Location"), ngx_http_wsgi_location, 0 },

    { ngx_string("Last-Modified"), ngx_http_wsgi_last_modified, 0 },

    { ngx_string("ETag"), ngx_http_wsgi_known_header,
                 offsetof(ngx_http_headers_out_t, etag) },

    { ngx_string("Date"), ngx_http_wsgi_known_header,
                 offsetof(ngx_http_headers_out_t, date) },

    { ngx_string("Server"), ngx_http_wsgi_known_header,
                 offsetof(ngx_http_headers_out_t, server) },

    { ngx_string("Expires"), ngx_http_wsgi_known_header,
                 offsetof(ngx_http_headers_out_t, expires) },

    { ngx_string("Accept-Ranges"), ngx_http_wsgi_known_header,
                 offsetof(ngx_http_headers_out_t, accept_ranges) },

    { ngx_string("Content-Range"), ngx_http_wsgi_known_header,
                 offsetof(ngx_http_headers_out_t, content_range) },

    { ngx_string("Content-Encoding"), ngx_http_wsgi_known_header,
                 offsetof(ngx_http_headers_out_t, content_encoding) },

    { ngx_null_string, ngx_http_wsgi_push_header, 0 }
};


ngx_int_t
ngx_http_wsgi_create_headers(ngx_http_request_t *r, const wsgi_head *head)
{
    size_t  i;

    if (ngx_http_wsgi_set_status(r, head) != NGX_OK) {
        return NGX_ERROR;
    }

    r->headers_out.content_length_n = head->content_length;

    for (i = 0; i < head->headers_count; i++) {
        if (ngx_http_wsgi_copy_header(r, &head->headers[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    /* it is for the application to say 304 or 412, and to serve ranges */

    r->disable_not_modified = 1;
    r->allow_ranges = 0;

    return NGX_OK;
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


static ngx_int_t
ngx_http_wsgi_copy_header(ngx_http_request_t *r, const wsgi_header *from)
{
    u_char                  *p;
    ngx_table_elt_t          h;
    ngx_http_wsgi_header_t  *known;

    p = ngx_pnalloc(r->pool, from->name.size + from->value.size + 2);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(&h, sizeof(ngx_table_elt_t));

    /* a header whose hash is 0 is not sent */

    h.hash = 1;

    h.key.len = from->name.size;
    h.key.data = p;
    p = ngx_cpymem(p, from->name.data, from->name.size);
    *p++ = '\0';

    h.value.len = from->value.size;
    h.value.data = p;

    if (from->value.size) {
        p = ngx_cpymem(p, from->value.data, from->value.size);
    }

    *p = '\0';

    for (known = ngx_http_wsgi_headers_out; known->name.len; known++) {
        if (known->name.len == h.key.len
            && ngx_strncasecmp(known->name.data, h.key.data, h.key.len) == 0)
        {
            break;
        }
    }

    return known->handler(r, &h, known->offset);
}


static ngx_int_t
ngx_http_wsgi_push_header(ngx_http_request_t *r, ngx_table_elt_t *h,
    ngx_uint_t offset)
{
    ngx_table_elt_t  *ho;

    ho = ngx_list_push(&r->headers_out.headers);
    if (ho == NULL) {
        return NGX_ERROR;
    }

    *ho = *h;

    return NGX_OK;
}


static ngx_int_t
ngx_http_wsgi_known_header(ngx_http_request_t *r, ngx_table_elt_t *h,
    ngx_uint_t offset)
{
    ngx_table_elt_t  *ho, **ph;

    ho = ngx_list_push(&r->headers_out.headers);
    if (ho == NULL) {
        return NGX_ERROR;
    }

    *ho = *h;

    ph = (ngx_table_elt_t **) ((char *) &r->headers_out + offset);
    *ph = ho;

    return NGX_OK;
}


static ngx_int_t
ngx_http_wsgi_multi_header(ngx_http_request_t *r, ngx_table_elt_t *h,
    ngx_uint_t offset)
{
    ngx_table_elt_t  *ho, **ph;
#if (nginx_version < 1023000)
    ngx_array_t      *pa;
#endif

    ho = ngx_list_push(&r->headers_out.headers);
    if (ho == NULL) {
        return NGX_ERROR;
    }

    *ho = *h;

#if (nginx_version >= 1023000)

    ph = (ngx_table_elt_t **) ((char *) &r->headers_out + offset);

    while (*ph) {
        ph = &(*ph)->next;
    }

#else

    pa = (ngx_array_t *) ((char *) &r->headers_out + offset);

    if (pa->elts == NULL
        && ngx_array_init(pa, r->pool, 2, sizeof(ngx_table_elt_t *)) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ph = ngx_array_push(pa);
    if (ph == NULL) {
        return NGX_ERROR;
    }

#endif

    *ph = ho;

    return NGX_OK;
}


/*
 * nginx keeps the type and its charset apart, to match "gzip_types" and not to
 * add a charset where there is one.
 */

static ngx_int_t
ngx_http_wsgi_content_type(ngx_http_request_t *r, ngx_table_elt_t *h,
    ngx_uint_t offset)
{
    u_char  *p, *semicolon, *last;

    r->headers_out.content_type = h->value;
    r->headers_out.content_type_len = h->value.len;
    r->headers_out.content_type_lowcase = NULL;
    ngx_str_null(&r->headers_out.charset);

    last = h->value.data + h->value.len;

    for (p = h->value.data; p < last; p++) {

        if (*p != ';') {
            continue;
        }

        semicolon = p;

        while (p + 1 < last && (p[1] == ' ' || p[1] == '\t')) {
            p++;
        }

        if (last - p <= 8
            || ngx_strncasecmp(p + 1, (u_char *) "charset=", 8) != 0)
        {
            continue;
        }

        p += 9;

        if (p < last && *p == '"') {
            p++;
        }

        if (p < last && last[-1] == '"') {
            last--;
        }

        r->headers_out.content_type_len = semicolon - h->value.data;
        r->headers_out.charset.data = p;
        r->headers_out.charset.len = last - p;

        break;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_wsgi_last_modified(ngx_http_request_t *r, ngx_table_elt_t *h,
    ngx_uint_t offset)
{
    r->headers_out.last_modified_time = ngx_parse_http_time(h->value.data,
                                                            h->value.len);

    return ngx_http_wsgi_known_header(r, h,
                           offsetof(ngx_http_headers_out_t, last_modified));
}


/*
 * A path stays out of nginx's sight, or "absolute_redirect" would put the
 * server's name in front of it: that is not what the application said.
 */

static ngx_int_t
ngx_http_wsgi_location(ngx_http_request_t *r, ngx_table_elt_t *h,
    ngx_uint_t offset)
{
    if (h->value.len && h->value.data[0] == '/') {
        return ngx_http_wsgi_push_header(r, h, 0);
    }

    return ngx_http_wsgi_known_header(r, h,
                                offsetof(ngx_http_headers_out_t, location));
}


ngx_int_t
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

    return ngx_http_wsgi_push_header(r, &h, 0);
}
