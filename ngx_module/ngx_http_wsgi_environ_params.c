
/*
 * Keys of environ besides those of CGI: the keys of TLS, and those of
 * "wsgi_param", which override them.
 */


#include "ngx_http_wsgi_module.h"


/* SSL_PROTOCOL and SSL_CIPHER */
#define NGX_HTTP_WSGI_TLS_PARAMS  2


#if (NGX_HTTP_SSL)
static ngx_int_t ngx_http_wsgi_set_tls(ngx_http_request_t *r,
    wsgi_header **params);
#endif


ngx_int_t
ngx_http_wsgi_set_params(ngx_http_request_t *r, wsgi_request *wr)
{
    ngx_str_t                  value;
    ngx_uint_t                 i, n, most;
    wsgi_header               *params;
    ngx_http_wsgi_param_t     *param;
    ngx_http_wsgi_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wsgi_module);

    n = wlcf->params ? wlcf->params->nelts : 0;
    most = n;

#if (NGX_HTTP_SSL)
    if (r->connection->ssl) {
        most += NGX_HTTP_WSGI_TLS_PARAMS;
    }
#endif

    if (most == 0) {
        return NGX_OK;
    }

    params = ngx_palloc(r->pool, most * sizeof(wsgi_header));
    if (params == NULL) {
        return NGX_ERROR;
    }

    wr->params = params;

#if (NGX_HTTP_SSL)
    if (r->connection->ssl && ngx_http_wsgi_set_tls(r, &params) != NGX_OK) {
        return NGX_ERROR;
    }
#endif

    param = n ? wlcf->params->elts : NULL;

    for (i = 0; i < n; i++) {

        if (ngx_http_complex_value(r, &param[i].value, &value) != NGX_OK) {
            return NGX_ERROR;
        }

        if (value.len == 0 && param[i].if_not_empty) {
            continue;
        }

        ngx_http_wsgi_set_str(&params->name, &param[i].name);
        ngx_http_wsgi_set_str(&params->value, &value);
        params++;
    }

    wr->params_count = params - wr->params;

    return NGX_OK;
}


/* keys whose values are objects, which a string cannot replace */

ngx_uint_t
ngx_http_wsgi_param_is_lent(ngx_str_t *name)
{
    ngx_uint_t         i;
    static ngx_str_t   lent[] = {
        ngx_string("wsgi.input"),
        ngx_string("wsgi.errors"),
        ngx_string("wsgi.early_hints"),
        ngx_string("libwsgi.client_disconnected"),
        ngx_null_string
    };

    for (i = 0; lent[i].len; i++) {
        if (name->len == lent[i].len
            && ngx_memcmp(name->data, lent[i].data, name->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


#if (NGX_HTTP_SSL)

/* PEP 3333: "as many of the Apache SSL environment variables" as apply */

static ngx_int_t
ngx_http_wsgi_set_tls(ngx_http_request_t *r, wsgi_header **params)
{
    ngx_str_t          name, value;
    ngx_connection_t  *c;

    c = r->connection;

    /* these set only the data, which ends with a NUL */

    if (ngx_ssl_get_protocol(c, r->pool, &value) != NGX_OK) {
        return NGX_ERROR;
    }

    value.len = ngx_strlen(value.data);

    ngx_str_set(&name, "SSL_PROTOCOL");
    ngx_http_wsgi_set_str(&(*params)->name, &name);
    ngx_http_wsgi_set_str(&(*params)->value, &value);
    (*params)++;

    if (ngx_ssl_get_cipher_name(c, r->pool, &value) != NGX_OK) {
        return NGX_ERROR;
    }

    value.len = ngx_strlen(value.data);

    ngx_str_set(&name, "SSL_CIPHER");
    ngx_http_wsgi_set_str(&(*params)->name, &name);
    ngx_http_wsgi_set_str(&(*params)->value, &value);
    (*params)++;

    return NGX_OK;
}

#endif
