
/*
 * What a response requests of nginx: X-Accel-*, and with
 * "wsgi_intercept_errors" an error page that replaces it.
 */


#include "ngx_http_wsgi_module.h"


static const wsgi_header *ngx_http_wsgi_find_accel(ngx_http_request_t *r,
    const wsgi_head *head, const char *name, ngx_uint_t ignore);
static const wsgi_header *ngx_http_wsgi_find_header(const wsgi_head *head,
    const char *name, size_t from);
static void ngx_http_wsgi_set_buffering(ngx_http_request_t *r,
    const wsgi_header *header);
static ngx_int_t ngx_http_wsgi_set_charset(ngx_http_request_t *r,
    const wsgi_header *header);
static ngx_uint_t ngx_http_wsgi_has_error_page(ngx_http_request_t *r,
    ngx_int_t status);
static ngx_int_t ngx_http_wsgi_keep_headers(ngx_http_request_t *r,
    const wsgi_head *head);
static ngx_int_t ngx_http_wsgi_copy_str(ngx_http_request_t *r,
    const wsgi_str *from, ngx_str_t *to);


/*
 * X-Accel-Limit-Rate and X-Accel-Charset also apply to what replaces this
 * response.  X-Accel-Buffering overrides "wsgi_buffering".
 */

ngx_int_t
ngx_http_wsgi_process_accel(ngx_http_request_t *r, const wsgi_head *head)
{
    ngx_int_t           rate;
    const wsgi_header  *header;

    header = ngx_http_wsgi_find_accel(r, head, "X-Accel-Limit-Rate",
                                      NGX_HTTP_UPSTREAM_IGN_XA_LIMIT_RATE);

    if (header) {
        rate = ngx_atoi((u_char *) header->value.data, header->value.size);

        if (rate != NGX_ERROR) {
            r->limit_rate = (size_t) rate;
            r->limit_rate_set = 1;
        }
    }

    header = ngx_http_wsgi_find_accel(r, head, "X-Accel-Buffering",
                                      NGX_HTTP_UPSTREAM_IGN_XA_BUFFERING);

    if (header) {
        ngx_http_wsgi_set_buffering(r, header);
    }

    header = ngx_http_wsgi_find_accel(r, head, "X-Accel-Charset",
                                      NGX_HTTP_UPSTREAM_IGN_XA_CHARSET);

    if (header) {
        return ngx_http_wsgi_set_charset(r, header);
    }

    return NGX_OK;
}


/* only nginx's words count */

static void
ngx_http_wsgi_set_buffering(ngx_http_request_t *r, const wsgi_header *header)
{
    u_char               *value;
    ngx_http_wsgi_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_wsgi_module);
    value = (u_char *) header->value.data;

    if (header->value.size == 2 && ngx_strncasecmp(value, (u_char *) "no", 2)
                                   == 0)
    {
        ctx->buffering = 0;
    }

    if (header->value.size == 3 && ngx_strncasecmp(value, (u_char *) "yes", 3)
                                   == 0)
    {
        ctx->buffering = 1;
    }
}


static ngx_int_t
ngx_http_wsgi_set_charset(ngx_http_request_t *r, const wsgi_header *header)
{
    ngx_str_t  *charset;

    charset = ngx_palloc(r->pool, sizeof(ngx_str_t));
    if (charset == NULL) {
        return NGX_ERROR;
    }

    if (ngx_http_wsgi_copy_str(r, &header->value, charset) != NGX_OK) {
        return NGX_ERROR;
    }

    r->headers_out.override_charset = charset;

    return NGX_OK;
}


/*
 * uwsgi_pass reads a response and sends it at two speeds.  Here there is one
 * speed, so the lower of the two rates applies.
 */

void
ngx_http_wsgi_limit_rate(ngx_http_request_t *r)
{
    size_t                     rate;
    ngx_http_core_loc_conf_t  *clcf;
    ngx_http_wsgi_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wsgi_module);

    rate = ngx_http_complex_value_size(r, wlcf->limit_rate, 0);

    if (rate == 0) {
        return;
    }

    if (!r->limit_rate_set) {
        clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

        r->limit_rate = ngx_http_complex_value_size(r, clcf->limit_rate, 0);
        r->limit_rate_set = 1;
    }

    if (r->limit_rate == 0 || r->limit_rate > rate) {
        r->limit_rate = rate;
    }
}


/*
 * NGX_DECLINED if the client gets the response, else the status to finalize
 * with
 */

ngx_int_t
ngx_http_wsgi_intercept_error(ngx_http_request_t *r, const wsgi_head *head)
{
    const wsgi_header         *header;
    ngx_http_wsgi_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wsgi_module);

    if (!wlcf->upstream.intercept_errors
        || head->status < NGX_HTTP_SPECIAL_RESPONSE
        || !ngx_http_wsgi_has_error_page(r, head->status))
    {
        return NGX_DECLINED;
    }

    if (head->status != NGX_HTTP_UNAUTHORIZED) {
        return head->status;
    }

    /* without it a browser does not ask for a password */

    header = ngx_http_wsgi_find_header(head, "WWW-Authenticate", 0);

    while (header) {

        if (ngx_http_wsgi_copy_header(r, header) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        header = ngx_http_wsgi_find_header(head, "WWW-Authenticate",
                                           header - head->headers + 1);
    }

    return head->status;
}


static ngx_uint_t
ngx_http_wsgi_has_error_page(ngx_http_request_t *r, ngx_int_t status)
{
    ngx_uint_t                 i;
    ngx_http_err_page_t       *page;
    ngx_http_core_loc_conf_t  *clcf;

    /* nginx would close the connection if a handler returned these */

    if (status == NGX_HTTP_REQUEST_TIME_OUT || status == NGX_HTTP_CLOSE) {
        return 0;
    }

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (clcf->error_pages == NULL) {
        return 0;
    }

    page = clcf->error_pages->elts;

    for (i = 0; i < clcf->error_pages->nelts; i++) {
        if (page[i].status == status) {
            return 1;
        }
    }

    return 0;
}


/*
 * X-Accel-Redirect: NGX_DECLINED if the response has none.  With NGX_OK "uri"
 * is the new location, and r->headers_out has the headers that go there with
 * the request.
 */

ngx_int_t
ngx_http_wsgi_find_redirect(ngx_http_request_t *r, const wsgi_head *head,
    ngx_str_t *uri)
{
    const wsgi_header  *header;

    header = ngx_http_wsgi_find_accel(r, head, "X-Accel-Redirect",
                                      NGX_HTTP_UPSTREAM_IGN_XA_REDIRECT);

    if (header == NULL) {
        return NGX_DECLINED;
    }

    if (ngx_http_wsgi_copy_str(r, &header->value, uri) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_wsgi_keep_headers(r, head);
}


static ngx_int_t
ngx_http_wsgi_keep_headers(ngx_http_request_t *r, const wsgi_head *head)
{
    size_t  i;

    for (i = 0; i < head->headers_count; i++) {
        if (ngx_http_wsgi_outlives_redirect(&head->headers[i])
            && ngx_http_wsgi_copy_header(r, &head->headers[i]) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/*
 * Another location answers.  It gets a GET, as an error page does; a named
 * location gets the request unchanged.
 */

void
ngx_http_wsgi_redirect(ngx_http_request_t *r, ngx_str_t *uri)
{
    ngx_str_t   args;
    ngx_uint_t  flags;

    r->read_event_handler = ngx_http_block_reading;

    if (uri->data[0] == '@') {
        ngx_http_named_location(r, uri);
        ngx_http_finalize_request(r, NGX_DONE);
        return;
    }

    ngx_str_null(&args);
    flags = NGX_HTTP_LOG_UNSAFE;

    if (ngx_http_parse_unsafe_uri(r, uri, &args, &flags) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_HTTP_NOT_FOUND);
        return;
    }

    if (r->method != NGX_HTTP_HEAD) {
        r->method = NGX_HTTP_GET;
        r->method_name = ngx_http_core_get_method;
    }

    ngx_http_internal_redirect(r, uri, &args);
    ngx_http_finalize_request(r, NGX_DONE);
}


/* NULL also if "wsgi_ignore_headers" names it */

static const wsgi_header *
ngx_http_wsgi_find_accel(ngx_http_request_t *r, const wsgi_head *head,
    const char *name, ngx_uint_t ignore)
{
    const wsgi_header         *header;
    ngx_http_wsgi_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wsgi_module);

    if (wlcf->upstream.ignore_headers & ignore) {
        return NULL;
    }

    header = ngx_http_wsgi_find_header(head, name, 0);

    if (header) {
        ngx_log_debug3(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                       "wsgi accel: \"%s: %*s\"",
                       name, header->value.size, header->value.data);
    }

    return header;
}


static const wsgi_header *
ngx_http_wsgi_find_header(const wsgi_head *head, const char *name, size_t from)
{
    size_t              i, len;
    const wsgi_header  *header;

    len = ngx_strlen(name);

    for (i = from; i < head->headers_count; i++) {

        header = &head->headers[i];

        if (header->name.size == len
            && ngx_strncasecmp((u_char *) header->name.data, (u_char *) name,
                               len)
               == 0)
        {
            return header;
        }
    }

    return NULL;
}


/* a zero follows, because nginx may read the first byte of an empty string */

static ngx_int_t
ngx_http_wsgi_copy_str(ngx_http_request_t *r, const wsgi_str *from,
    ngx_str_t *to)
{
    u_char  *p;

    p = ngx_pnalloc(r->pool, from->size + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    to->len = from->size;
    to->data = p;

    if (from->size) {
        p = ngx_cpymem(p, from->data, from->size);
    }

    *p = '\0';

    return NGX_OK;
}
