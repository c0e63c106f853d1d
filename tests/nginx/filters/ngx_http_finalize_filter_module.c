
/*
 * For tests: a filter that answers 403 instead of the response, as
 * image_filter, xslt and firewalls do.
 *
 *     finalize header;    when it sees the header
 *     finalize body;      holds the header back, and answers at the first
 *                         bytes of the body
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


#define NGX_HTTP_FINALIZE_HEADER  1
#define NGX_HTTP_FINALIZE_BODY    2


static void *ngx_http_finalize_create_conf(ngx_conf_t *cf);
static ngx_int_t ngx_http_finalize_init(ngx_conf_t *cf);


extern ngx_module_t  ngx_http_finalize_filter_module;


static ngx_conf_enum_t  ngx_http_finalize_when[] = {
    { ngx_string("header"), NGX_HTTP_FINALIZE_HEADER },
    { ngx_string("body"), NGX_HTTP_FINALIZE_BODY },
    { ngx_null_string, 0 }
};


static ngx_command_t  ngx_http_finalize_commands[] = {

    { ngx_string("finalize"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      &ngx_http_finalize_when },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_finalize_ctx = {
    NULL,                                  /* preconfiguration */
    ngx_http_finalize_init,                /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_finalize_create_conf,         /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_finalize_filter_module = {
    NGX_MODULE_V1,
    &ngx_http_finalize_ctx,                /* module context */
    ngx_http_finalize_commands,            /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;
static ngx_http_output_body_filter_pt    ngx_http_next_body_filter;


static ngx_uint_t
ngx_http_finalize_get(ngx_http_request_t *r)
{
    ngx_uint_t  *when;

    when = ngx_http_get_module_loc_conf(r, ngx_http_finalize_filter_module);

    if (r->filter_finalize || *when == NGX_CONF_UNSET_UINT) {
        return 0;
    }

    return *when;
}


static ngx_int_t
ngx_http_finalize_header_filter(ngx_http_request_t *r)
{
    switch (ngx_http_finalize_get(r)) {

    case NGX_HTTP_FINALIZE_HEADER:
        return ngx_http_filter_finalize_request(r,
                                            &ngx_http_finalize_filter_module,
                                            NGX_HTTP_FORBIDDEN);

    case NGX_HTTP_FINALIZE_BODY:
        return NGX_OK;
    }

    return ngx_http_next_header_filter(r);
}


static ngx_int_t
ngx_http_finalize_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    if (ngx_http_finalize_get(r) != NGX_HTTP_FINALIZE_BODY) {
        return ngx_http_next_body_filter(r, in);
    }

    if (in == NULL) {
        return NGX_OK;
    }

    return ngx_http_filter_finalize_request(r,
                                            &ngx_http_finalize_filter_module,
                                            NGX_HTTP_FORBIDDEN);
}


static void *
ngx_http_finalize_create_conf(ngx_conf_t *cf)
{
    ngx_uint_t  *when;

    when = ngx_palloc(cf->pool, sizeof(ngx_uint_t));

    if (when) {
        *when = NGX_CONF_UNSET_UINT;
    }

    return when;
}


static ngx_int_t
ngx_http_finalize_init(ngx_conf_t *cf)
{
    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_finalize_header_filter;

    ngx_http_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_http_finalize_body_filter;

    return NGX_OK;
}


/* what nginx's configure writes for a dynamic module */

ngx_module_t *ngx_modules[] = {
    &ngx_http_finalize_filter_module,
    NULL
};

char *ngx_module_names[] = {
    "ngx_http_finalize_filter_module",
    NULL
};

char *ngx_module_order[] = {
    "ngx_http_finalize_filter_module",
    "ngx_http_copy_filter_module",
    NULL
};
