
/*
 * The module as nginx sees it: directives, contexts, hooks.
 *
 *     location / {
 *         wsgi_app  /srv/app.py  hello_world;
 *     }
 */


#include "ngx_http_wsgi_module.h"


static ngx_int_t ngx_http_wsgi_init(ngx_conf_t *cf);
static char *ngx_http_wsgi_check_threads(ngx_conf_t *cf, void *post,
    void *data);
static char *ngx_http_wsgi_check_msec(ngx_conf_t *cf, void *post, void *data);
static char *ngx_http_wsgi_check_size(ngx_conf_t *cf, void *post, void *data);


static ngx_conf_post_t  ngx_http_wsgi_threads_post =
    { ngx_http_wsgi_check_threads };

static ngx_conf_post_t  ngx_http_wsgi_msec_post =
    { ngx_http_wsgi_check_msec };

static ngx_conf_post_t  ngx_http_wsgi_size_post =
    { ngx_http_wsgi_check_size };

static ngx_conf_post_t  ngx_http_wsgi_header_name_post =
    { ngx_http_wsgi_check_header_name };

/* with a few bytes for each turn of the loop a response would not end */

static ngx_conf_num_bounds_t  ngx_http_wsgi_write_size_bounds =
    { ngx_conf_check_num_bounds, 4096, NGX_MAX_INT32_VALUE };

static ngx_conf_num_bounds_t  ngx_http_wsgi_max_queue_bounds =
    { ngx_conf_check_num_bounds, 1, 1000000 };

static ngx_conf_num_bounds_t  ngx_http_wsgi_max_stuck_bounds =
    { ngx_conf_check_num_bounds, 0, WSGI_MAX_THREADS };


static ngx_command_t  ngx_http_wsgi_commands[] = {

    { ngx_string("wsgi_app"),
      NGX_HTTP_LOC_CONF|NGX_HTTP_LIF_CONF|NGX_CONF_TAKE12,
      ngx_http_wsgi_app,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("wsgi_param"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_HTTP_LIF_CONF
                        |NGX_CONF_TAKE23,
      ngx_http_wsgi_param,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("wsgi_script_name"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_HTTP_LIF_CONF
                        |NGX_CONF_TAKE1,
      ngx_http_wsgi_script_name,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("wsgi_buffer_size"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_wsgi_loc_conf_t, buffer_size),
      &ngx_http_wsgi_size_post },

    { ngx_string("wsgi_queue_timeout"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_wsgi_loc_conf_t, queue_timeout),
      &ngx_http_wsgi_msec_post },

    { ngx_string("wsgi_read_timeout"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_wsgi_loc_conf_t, read_timeout),
      &ngx_http_wsgi_msec_post },

    { ngx_string("wsgi_send_timeout"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_wsgi_loc_conf_t, send_timeout),
      &ngx_http_wsgi_msec_post },

    { ngx_string("wsgi_buffering"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_wsgi_loc_conf_t, buffering),
      NULL },

    { ngx_string("wsgi_max_temp_file_size"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_off_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_wsgi_loc_conf_t, max_temp_file_size),
      NULL },

    { ngx_string("wsgi_temp_file_write_size"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_wsgi_loc_conf_t, temp_file_write_size),
      &ngx_http_wsgi_write_size_bounds },

    { ngx_string("wsgi_temp_path"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1234,
      ngx_conf_set_path_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_wsgi_loc_conf_t, temp_path),
      NULL },

    { ngx_string("wsgi_interrupt"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_wsgi_loc_conf_t, interrupt),
      NULL },

    { ngx_string("wsgi_request_buffering"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_wsgi_loc_conf_t, request_buffering),
      NULL },

    { ngx_string("wsgi_ignore_client_abort"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_wsgi_loc_conf_t, ignore_client_abort),
      NULL },

    { ngx_string("wsgi_pass_request_headers"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_wsgi_loc_conf_t, upstream.pass_request_headers),
      NULL },

    { ngx_string("wsgi_pass_request_body"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_wsgi_loc_conf_t, upstream.pass_request_body),
      NULL },

    { ngx_string("wsgi_intercept_errors"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_wsgi_loc_conf_t, upstream.intercept_errors),
      NULL },

    { ngx_string("wsgi_force_ranges"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_wsgi_loc_conf_t, upstream.force_ranges),
      NULL },

    { ngx_string("wsgi_limit_rate"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_set_complex_value_size_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_wsgi_loc_conf_t, limit_rate),
      NULL },

    { ngx_string("wsgi_pass_header"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_array_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_wsgi_loc_conf_t, upstream.pass_headers),
      &ngx_http_wsgi_header_name_post },

    { ngx_string("wsgi_hide_header"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_array_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_wsgi_loc_conf_t, upstream.hide_headers),
      &ngx_http_wsgi_header_name_post },

    { ngx_string("wsgi_ignore_headers"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_conf_set_bitmask_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_wsgi_loc_conf_t, upstream.ignore_headers),
      &ngx_http_upstream_ignore_headers_masks },

    { ngx_string("wsgi_python_home"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_wsgi_python_home,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("wsgi_python_path"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_wsgi_python_path,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("wsgi_threads"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_wsgi_main_conf_t, threads),
      &ngx_http_wsgi_threads_post },

    { ngx_string("wsgi_max_queue"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_wsgi_main_conf_t, max_queue),
      &ngx_http_wsgi_max_queue_bounds },

    { ngx_string("wsgi_max_buffered"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_wsgi_main_conf_t, max_buffered),
      &ngx_http_wsgi_size_post },

    { ngx_string("wsgi_max_stuck"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_wsgi_main_conf_t, max_stuck),
      &ngx_http_wsgi_max_stuck_bounds },

    { ngx_string("wsgi_umask"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_wsgi_umask,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("wsgi_shutdown_timeout"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_wsgi_main_conf_t, shutdown_timeout),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_wsgi_module_ctx = {
    ngx_http_wsgi_add_variables,           /* preconfiguration */
    ngx_http_wsgi_init,                    /* postconfiguration */

    ngx_http_wsgi_create_main_conf,        /* create main configuration */
    ngx_http_wsgi_init_main_conf,          /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_wsgi_create_loc_conf,         /* create location configuration */
    ngx_http_wsgi_merge_loc_conf           /* merge location configuration */
};


ngx_module_t  ngx_http_wsgi_module = {
    NGX_MODULE_V1,
    &ngx_http_wsgi_module_ctx,             /* module context */
    ngx_http_wsgi_commands,                /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_http_wsgi_init_module,             /* init module */
    ngx_http_wsgi_init_process,            /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_wsgi_exit_process,            /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_int_t
ngx_http_wsgi_init(ngx_conf_t *cf)
{
    ngx_http_wsgi_main_conf_t  *wmcf;

    wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_wsgi_module);

    if (wmcf->apps.nelts == 0) {
        return NGX_OK;
    }

    if (ngx_http_wsgi_check_runtime(cf) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_wsgi_add_body_filter();

    return NGX_OK;
}


static char *
ngx_http_wsgi_check_threads(ngx_conf_t *cf, void *post, void *data)
{
    ngx_int_t  *np = data;

    if (*np > WSGI_MAX_THREADS) {
        return "must be at most " ngx_value(WSGI_MAX_THREADS)
               ": set \"worker_processes\" higher instead";
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_wsgi_check_msec(ngx_conf_t *cf, void *post, void *data)
{
    ngx_msec_t  *msp = data;

    if (*msp == 0) {
        return "must be more than 0: no request could be answered in no time";
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_wsgi_check_size(ngx_conf_t *cf, void *post, void *data)
{
    size_t  *sp = data;

    if (*sp == 0) {
        return "must be more than 0: the application could send nothing";
    }

    return NGX_CONF_OK;
}
