
/*
 * Header fields of a response that nginx's filters look at.  Each goes to the
 * place where they look.  All others are only sent.
 */


#include "ngx_http_wsgi_module.h"


typedef struct ngx_http_wsgi_field_s  ngx_http_wsgi_field_t;

typedef ngx_int_t (*ngx_http_wsgi_field_pt)(ngx_http_request_t *r,
    ngx_table_elt_t *h, ngx_uint_t offset);

struct ngx_http_wsgi_field_s {
    ngx_str_t                name;
    ngx_http_wsgi_field_pt   handler;
    ngx_uint_t               offset;
    ngx_uint_t               redirect;  /* outlives X-Accel-Redirect */
};


static ngx_http_wsgi_field_t *ngx_http_wsgi_find_field(u_char *name,
    size_t len);
static ngx_table_elt_t *ngx_http_wsgi_push(ngx_http_request_t *r,
    ngx_table_elt_t *h);
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
static ngx_int_t ngx_http_wsgi_accept_ranges(ngx_http_request_t *r,
    ngx_table_elt_t *h, ngx_uint_t offset);
static ngx_int_t ngx_http_wsgi_www_authenticate(ngx_http_request_t *r,
    ngx_table_elt_t *h, ngx_uint_t offset);


static ngx_http_wsgi_field_t  ngx_http_wsgi_fields[] = {

    { ngx_string("Content-Type"), ngx_http_wsgi_content_type, 0, 1 },

    { ngx_string("Set-Cookie"), ngx_http_wsgi_push_header, 0, 1 },

    { ngx_string("Content-Disposition"), ngx_http_wsgi_push_header, 0, 1 },

    { ngx_string("Cache-Control"), ngx_http_wsgi_multi_header,
                 offsetof(ngx_http_headers_out_t, cache_control), 1 },

    { ngx_string("Expires"), ngx_http_wsgi_known_header,
                 offsetof(ngx_http_headers_out_t, expires), 1 },

    { ngx_string("Accept-Ranges"), ngx_http_wsgi_accept_ranges, 0, 1 },

    { ngx_string("Link"), ngx_http_wsgi_multi_header,
                 offsetof(ngx_http_headers_out_t, link), 0 },

    { ngx_string("Location"), ngx_http_wsgi_location, 0, 0 },

    { ngx_string("Last-Modified"), ngx_http_wsgi_last_modified, 0, 0 },

    { ngx_string("ETag"), ngx_http_wsgi_known_header,
                 offsetof(ngx_http_headers_out_t, etag), 0 },

    { ngx_string("Date"), ngx_http_wsgi_known_header,
                 offsetof(ngx_http_headers_out_t, date), 0 },

    { ngx_string("Server"), ngx_http_wsgi_known_header,
                 offsetof(ngx_http_headers_out_t, server), 0 },

    { ngx_string("WWW-Authenticate"), ngx_http_wsgi_www_authenticate, 0, 0 },

    { ngx_string("Content-Range"), ngx_http_wsgi_known_header,
                 offsetof(ngx_http_headers_out_t, content_range), 0 },

    { ngx_string("Content-Encoding"), ngx_http_wsgi_known_header,
                 offsetof(ngx_http_headers_out_t, content_encoding), 0 },

    { ngx_null_string, ngx_http_wsgi_push_header, 0, 0 }
};


ngx_int_t
ngx_http_wsgi_add_field(ngx_http_request_t *r, ngx_table_elt_t *h)
{
    ngx_http_wsgi_field_t  *field;

    field = ngx_http_wsgi_find_field(h->key.data, h->key.len);

    return field->handler(r, h, field->offset);
}


/* X-Accel-Redirect: whether the header goes to the new location */

ngx_uint_t
ngx_http_wsgi_outlives_redirect(const wsgi_header *header)
{
    return ngx_http_wsgi_find_field((u_char *) header->name.data,
                                    header->name.size)->redirect;
}


/* the last one, which has no name, if no other matches */

static ngx_http_wsgi_field_t *
ngx_http_wsgi_find_field(u_char *name, size_t len)
{
    ngx_http_wsgi_field_t  *field;

    for (field = ngx_http_wsgi_fields; field->name.len; field++) {
        if (field->name.len == len
            && ngx_strncasecmp(field->name.data, name, len) == 0)
        {
            break;
        }
    }

    return field;
}


static ngx_table_elt_t *
ngx_http_wsgi_push(ngx_http_request_t *r, ngx_table_elt_t *h)
{
    ngx_table_elt_t  *ho;

    ho = ngx_list_push(&r->headers_out.headers);

    if (ho) {
        *ho = *h;
    }

    return ho;
}


static ngx_int_t
ngx_http_wsgi_push_header(ngx_http_request_t *r, ngx_table_elt_t *h,
    ngx_uint_t offset)
{
    return ngx_http_wsgi_push(r, h) ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_http_wsgi_known_header(ngx_http_request_t *r, ngx_table_elt_t *h,
    ngx_uint_t offset)
{
    ngx_table_elt_t  *ho, **ph;

    ho = ngx_http_wsgi_push(r, h);
    if (ho == NULL) {
        return NGX_ERROR;
    }

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

    ho = ngx_http_wsgi_push(r, h);
    if (ho == NULL) {
        return NGX_ERROR;
    }

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
 * nginx must not see a path: "absolute_redirect" would put the name of the
 * server before it, which the application did not send.
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


/* with "wsgi_force_ranges" nginx serves ranges, and sends this header */

static ngx_int_t
ngx_http_wsgi_accept_ranges(ngx_http_request_t *r, ngx_table_elt_t *h,
    ngx_uint_t offset)
{
    ngx_http_wsgi_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wsgi_module);

    if (wlcf->upstream.force_ranges) {
        return NGX_OK;
    }

    return ngx_http_wsgi_known_header(r, h,
                           offsetof(ngx_http_headers_out_t, accept_ranges));
}


/* "auth_request" takes it from here */

static ngx_int_t
ngx_http_wsgi_www_authenticate(ngx_http_request_t *r, ngx_table_elt_t *h,
    ngx_uint_t offset)
{
#if (nginx_version >= 1023000)

    return ngx_http_wsgi_multi_header(r, h,
                       offsetof(ngx_http_headers_out_t, www_authenticate));

#else

    /* nginx keeps one here and sends all */

    if (r->headers_out.www_authenticate) {
        return ngx_http_wsgi_push_header(r, h, 0);
    }

    return ngx_http_wsgi_known_header(r, h,
                       offsetof(ngx_http_headers_out_t, www_authenticate));

#endif
}
