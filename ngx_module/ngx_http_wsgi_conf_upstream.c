
/*
 * The directives of nginx's upstream modules by another name.  They use
 * nginx's own fields and functions, so that they mean the same.
 */


#include "ngx_http_wsgi_module.h"


/* the headers that clients do not get without "wsgi_pass_header" */

static ngx_str_t  ngx_http_wsgi_hide_headers[] = {
    ngx_string("X-Accel-Expires"),
    ngx_string("X-Accel-Redirect"),
    ngx_string("X-Accel-Limit-Rate"),
    ngx_string("X-Accel-Buffering"),
    ngx_string("X-Accel-Charset"),
    ngx_null_string
};


void
ngx_http_wsgi_init_upstream_conf(ngx_http_wsgi_loc_conf_t *conf)
{
    /*
     * set by ngx_pcalloc():
     *
     *     conf->temp_path = NULL;
     *     conf->upstream.ignore_headers = 0;
     *     conf->upstream.hide_headers_hash = { NULL, 0 };
     */

    conf->buffering = NGX_CONF_UNSET;
    conf->max_temp_file_size = NGX_CONF_UNSET;
    conf->temp_file_write_size = NGX_CONF_UNSET_SIZE;
    conf->limit_rate = NGX_CONF_UNSET_PTR;

    conf->upstream.hide_headers = NGX_CONF_UNSET_PTR;
    conf->upstream.pass_headers = NGX_CONF_UNSET_PTR;
    conf->upstream.intercept_errors = NGX_CONF_UNSET;
    conf->upstream.force_ranges = NGX_CONF_UNSET;
    conf->upstream.pass_request_headers = NGX_CONF_UNSET;
    conf->upstream.pass_request_body = NGX_CONF_UNSET;
}


char *
ngx_http_wsgi_merge_upstream_conf(ngx_conf_t *cf,
    ngx_http_wsgi_loc_conf_t *prev, ngx_http_wsgi_loc_conf_t *conf)
{
    ngx_hash_init_t  hash;

    ngx_conf_merge_value(conf->buffering, prev->buffering, 1);
    ngx_conf_merge_off_value(conf->max_temp_file_size,
                             prev->max_temp_file_size, 1024 * 1024 * 1024);
    ngx_conf_merge_size_value(conf->temp_file_write_size,
                              prev->temp_file_write_size, 256 * 1024);

    if (conf->temp_path == NULL) {
        conf->temp_path = prev->temp_path;
    }

    ngx_conf_merge_ptr_value(conf->limit_rate, prev->limit_rate, NULL);

    ngx_conf_merge_value(conf->upstream.intercept_errors,
                         prev->upstream.intercept_errors, 0);
    ngx_conf_merge_value(conf->upstream.force_ranges,
                         prev->upstream.force_ranges, 0);
    ngx_conf_merge_value(conf->upstream.pass_request_headers,
                         prev->upstream.pass_request_headers, 1);
    ngx_conf_merge_value(conf->upstream.pass_request_body,
                         prev->upstream.pass_request_body, 1);

    ngx_conf_merge_bitmask_value(conf->upstream.ignore_headers,
                                 prev->upstream.ignore_headers,
                                 NGX_CONF_BITMASK_SET);

    hash.max_size = 512;
    hash.bucket_size = ngx_align(64, ngx_cacheline_size);
    hash.name = "wsgi_hide_headers_hash";

    if (ngx_http_upstream_hide_headers_hash(cf, &conf->upstream,
                                            &prev->upstream,
                                            ngx_http_wsgi_hide_headers, &hash)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* a name with a colon at its end would match no header */

char *
ngx_http_wsgi_check_header_name(ngx_conf_t *cf, void *post, void *data)
{
    ngx_str_t  *name = data;

    size_t  i;
    u_char  ch;

    for (i = 0; i < name->len; i++) {

        ch = name->data[i];

        if ((ch < 'a' || ch > 'z') && (ch < 'A' || ch > 'Z')
            && (ch < '0' || ch > '9')
            && ngx_strchr("!#$%&'*+-.^_`|~", ch) == NULL)
        {
            break;
        }
    }

    if (i == name->len && i != 0) {
        return NGX_CONF_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid header name \"%V\": write the name alone, "
                       "such as \"X-Powered-By\"", name);

    return NGX_CONF_ERROR;
}
