
/*
 * What the application receives of a request: nginx's fields as those of
 * wsgi.h.  This file copies little, as the library copies everything.
 */


#include "ngx_http_wsgi_module.h"


static ngx_int_t ngx_http_wsgi_set_path(ngx_http_request_t *r,
    wsgi_request *wr);
static void ngx_http_wsgi_log_outside(ngx_http_request_t *r, ngx_str_t *name);
static void ngx_http_wsgi_set_protocol(ngx_http_request_t *r,
    wsgi_request *wr);
static void ngx_http_wsgi_set_root(ngx_http_request_t *r, wsgi_request *wr);
static ngx_int_t ngx_http_wsgi_set_headers(ngx_http_request_t *r,
    wsgi_request *wr);
static ngx_int_t ngx_http_wsgi_set_content_type(ngx_http_request_t *r,
    wsgi_request *wr);
static ngx_uint_t ngx_http_wsgi_authority(ngx_http_request_t *r,
    ngx_str_t *host);
#if (NGX_HTTP_WSGI_EARLY_HINTS)
static ngx_uint_t ngx_http_wsgi_can_hint(ngx_http_request_t *r);
#endif


ngx_int_t
ngx_http_wsgi_create_request(ngx_http_request_t *r, wsgi_request *wr)
{
    ngx_int_t                  rc;
    ngx_http_wsgi_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wsgi_module);

    ngx_memzero(wr, sizeof(wsgi_request));

    wr->struct_size = sizeof(wsgi_request);
    wr->buffer_size = wlcf->buffer_size;

    rc = ngx_http_wsgi_set_path(r, wr);
    if (rc != NGX_OK) {
        return rc;
    }

    ngx_http_wsgi_set_str(&wr->method, &r->method_name);
    ngx_http_wsgi_set_str(&wr->query_string, &r->args);
    ngx_http_wsgi_set_str(&wr->request_uri, &r->unparsed_uri);
    ngx_http_wsgi_set_protocol(r, wr);

    if (ngx_http_wsgi_set_server(r, wr) != NGX_OK
        || ngx_http_wsgi_set_peer(r, wr) != NGX_OK
        || ngx_http_wsgi_set_id(r, wr) != NGX_OK
        || (wlcf->upstream.pass_request_headers
                ? ngx_http_wsgi_set_headers(r, wr)
                : ngx_http_wsgi_set_content_type(r, wr)) != NGX_OK
        || ngx_http_wsgi_set_params(r, wr) != NGX_OK
        || ngx_http_wsgi_set_body(r, wr) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_wsgi_set_root(r, wr);
    ngx_http_wsgi_set_user(r, wr);

#if (NGX_HTTP_WSGI_EARLY_HINTS)
    wr->early_hints = ngx_http_wsgi_can_hint(r);
#endif

    return NGX_OK;
}


static ngx_int_t
ngx_http_wsgi_set_path(ngx_http_request_t *r, wsgi_request *wr)
{
    ngx_str_t                 *name;
    ngx_http_wsgi_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wsgi_module);
    name = &wlcf->script_name;

    /* a prefix consists of whole segments: "/blog" does not match "/blogs" */

    if (name->len
        && (r->uri.len < name->len
            || ngx_strncmp(r->uri.data, name->data, name->len) != 0
            || (r->uri.len > name->len && r->uri.data[name->len] != '/')))
    {
        ngx_http_wsgi_log_outside(r, name);
        return NGX_HTTP_NOT_FOUND;
    }

    wr->script_name.data = r->uri.data;
    wr->script_name.size = name->len;
    wr->path_info.data = r->uri.data + name->len;
    wr->path_info.size = r->uri.len - name->len;

    return NGX_OK;
}


/*
 * r->uri is decoded.  A line feed in it would let a client begin a line of the
 * log.
 */

static void
ngx_http_wsgi_log_outside(ngx_http_request_t *r, ngx_str_t *name)
{
    u_char     *p;
    ngx_str_t   path;
    uintptr_t   escaped;

    path = r->uri;
    escaped = ngx_escape_uri(NULL, path.data, path.len, NGX_ESCAPE_URI);

    if (escaped) {
        p = ngx_pnalloc(r->pool, path.len + 2 * escaped);

        if (p) {
            path.len = (u_char *) ngx_escape_uri(p, path.data, path.len,
                                                 NGX_ESCAPE_URI)
                       - p;
            path.data = p;

        } else {
            ngx_str_null(&path);
        }
    }

    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "WSGI0112 \"%V\" is not below \"wsgi_script_name %V\"",
                  &path, name);
}


/* an invalid request line, or that of HTTP/0.9, names no protocol */

static void
ngx_http_wsgi_set_protocol(ngx_http_request_t *r, wsgi_request *wr)
{
    ngx_str_t  protocol;

    protocol = r->http_protocol;

    if (protocol.len == 0) {

        if (r->http_version == NGX_HTTP_VERSION_9) {
            ngx_str_set(&protocol, "HTTP/0.9");

        } else {
            ngx_str_set(&protocol, "HTTP/1.0");
        }
    }

    ngx_http_wsgi_set_str(&wr->protocol, &protocol);
}


static void
ngx_http_wsgi_set_root(ngx_http_request_t *r, wsgi_request *wr)
{
    ngx_http_core_loc_conf_t   *clcf;
    ngx_http_variable_value_t  *vv;
    ngx_http_wsgi_main_conf_t  *wmcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (clcf->root_lengths == NULL) {
        ngx_http_wsgi_set_str(&wr->document_root, &clcf->root);
        return;
    }

    wmcf = ngx_http_get_module_main_conf(r, ngx_http_wsgi_module);

    vv = ngx_http_get_flushed_variable(r, wmcf->document_root_index);

    if (vv && !vv->not_found) {
        ngx_http_wsgi_set_str(&wr->document_root, vv);
    }
}


static ngx_int_t
ngx_http_wsgi_set_headers(ngx_http_request_t *r, wsgi_request *wr)
{
    ngx_str_t         name, host;
    ngx_uint_t        i, n, authority;
    wsgi_header      *headers;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    n = 1;      /* perhaps "Host" */

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        n += part->nelts;
    }

    headers = ngx_palloc(r->pool, n * sizeof(wsgi_header));
    if (headers == NULL) {
        return NGX_ERROR;
    }

    wr->headers = headers;

    /*
     * RFC 9112, 3.2.2: the host of the request line overrides the header.
     * With HTTP/3 there may be no header.
     */

    authority = ngx_http_wsgi_authority(r, &host);

    if (authority) {
        ngx_str_set(&name, "Host");
        ngx_http_wsgi_set_str(&headers->name, &name);
        ngx_http_wsgi_set_str(&headers->value, &host);
        headers++;
    }

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            /* nginx sets hash to 0 for an invalid header */

            if (h[i].hash == 0 || (authority && &h[i] == r->headers_in.host)) {
                continue;
            }

            ngx_http_wsgi_set_str(&headers->name, &h[i].key);
            ngx_http_wsgi_set_str(&headers->value, &h[i].value);
            headers++;
        }
    }

    wr->headers_count = headers - wr->headers;

    return NGX_OK;
}


/* an application needs this header to read a body */

static ngx_int_t
ngx_http_wsgi_set_content_type(ngx_http_request_t *r, wsgi_request *wr)
{
    wsgi_header  *header;

    if (r->headers_in.content_type == NULL) {
        return NGX_OK;
    }

    header = ngx_palloc(r->pool, sizeof(wsgi_header));
    if (header == NULL) {
        return NGX_ERROR;
    }

    ngx_http_wsgi_set_str(&header->name, &r->headers_in.content_type->key);
    ngx_http_wsgi_set_str(&header->value, &r->headers_in.content_type->value);

    wr->headers = header;
    wr->headers_count = 1;

    return NGX_OK;
}


static ngx_uint_t
ngx_http_wsgi_authority(ngx_http_request_t *r, ngx_str_t *host)
{
    u_char  *end;

    /* a subrequest has no request line of its own */

    r = r->main;

    if (r->host_start == NULL || r->host_end == NULL) {
        return 0;
    }

    end = r->host_end;

    /* a port in the request line is not always a part of the host */

    if (r->http_version < NGX_HTTP_VERSION_20) {
        while (*end == ':' || (*end >= '0' && *end <= '9')) {
            end++;
        }
    }

    host->data = r->host_start;
    host->len = end - r->host_start;

    return host->len != 0;
}


#if (NGX_HTTP_WSGI_EARLY_HINTS)

/*
 * Whether nginx sends early hints to this client.  An application on nginx's
 * own thread cannot give any: nothing is sent before it has returned.
 */

static ngx_uint_t
ngx_http_wsgi_can_hint(ngx_http_request_t *r)
{
    ngx_http_core_loc_conf_t   *clcf;
    ngx_http_wsgi_main_conf_t  *wmcf;

    wmcf = ngx_http_get_module_main_conf(r, ngx_http_wsgi_module);

    if (wmcf->threads == 0
        || r != r->main
        || r->post_action
        || r->http_version < NGX_HTTP_VERSION_11)
    {
        return 0;
    }

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    return ngx_http_test_predicates(r, clcf->early_hints) == NGX_DECLINED;
}

#endif
