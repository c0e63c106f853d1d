
/*
 * Who the user is, if nginx knows it.  $remote_user is what the client says;
 * REMOTE_USER must be what "auth_basic" has verified.
 */


#include "ngx_http_wsgi_module.h"


static ngx_int_t ngx_http_wsgi_is_verified(ngx_http_request_t *r);


/*
 * nginx does not tell that a password was checked, but its configuration tells
 * that it had to be: this finds where "auth_basic" keeps it.  The offsets are
 * those of the module's own directives, so its structure need not be known.
 */

void
ngx_http_wsgi_find_auth_basic(ngx_conf_t *cf, ngx_http_wsgi_main_conf_t *wmcf)
{
    ngx_uint_t      i;
    ngx_module_t   *module;
    ngx_command_t  *cmd;

    for (i = 0; cf->cycle->modules[i]; i++) {

        module = cf->cycle->modules[i];

        if (module->type != NGX_HTTP_MODULE
            || ngx_strcmp(module->name, "ngx_http_auth_basic_module") != 0)
        {
            continue;
        }

        for (cmd = module->commands; cmd && cmd->name.len; cmd++) {

            if (ngx_strcmp(cmd->name.data, "auth_basic") == 0) {
                wmcf->auth_basic_realm = cmd->offset;

            } else if (ngx_strcmp(cmd->name.data, "auth_basic_user_file")
                       == 0)
            {
                wmcf->auth_basic_user_file = cmd->offset;
            }
        }

        wmcf->auth_basic = module;
    }
}


void
ngx_http_wsgi_set_user(ngx_http_request_t *r, wsgi_request *wr)
{
    if (r->headers_in.user.len == 0 || !ngx_http_wsgi_is_verified(r)) {
        return;
    }

    ngx_http_wsgi_set_str(&wr->remote_user, &r->headers_in.user);

    wr->auth_type.data = (const uint8_t *) "Basic";
    wr->auth_type.size = sizeof("Basic") - 1;
}


static ngx_int_t
ngx_http_wsgi_is_verified(ngx_http_request_t *r)
{
    u_char                     *conf;
    ngx_str_t                   value;
    ngx_http_complex_value_t   *realm;
    ngx_http_core_loc_conf_t   *clcf;
    ngx_http_wsgi_main_conf_t  *wmcf;

    wmcf = ngx_http_get_module_main_conf(r, ngx_http_wsgi_module);

    /* nobody is asked for a password in a subrequest */

    if (wmcf->auth_basic == NULL || r != r->main) {
        return 0;
    }

    /* with "satisfy any" it may have been the address that let the client in */

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (clcf->satisfy != NGX_HTTP_SATISFY_ALL) {
        return 0;
    }

    conf = r->loc_conf[wmcf->auth_basic->ctx_index];

    realm = *(ngx_http_complex_value_t **) (conf + wmcf->auth_basic_realm);

    if (realm == NULL || *(void **) (conf + wmcf->auth_basic_user_file) == NULL)
    {
        return 0;
    }

    if (ngx_http_complex_value(r, realm, &value) != NGX_OK) {
        return 0;
    }

    return value.len != 3 || ngx_strncmp(value.data, "off", 3) != 0;
}
