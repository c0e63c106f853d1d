
/*
 * The configuration: how it is created, inherited, and set by directives.
 */


#include "ngx_http_wsgi_module.h"


static ngx_http_wsgi_app_t *ngx_http_wsgi_add_app(ngx_conf_t *cf);
static void ngx_http_wsgi_release_app(void *data);


void *
ngx_http_wsgi_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_wsgi_main_conf_t  *wmcf;

    wmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_wsgi_main_conf_t));
    if (wmcf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     wmcf->python_home = { 0, NULL };
     */

    if (ngx_array_init(&wmcf->apps, cf->pool, 4,
                       sizeof(ngx_http_wsgi_app_t *))
        != NGX_OK)
    {
        return NULL;
    }

    if (ngx_array_init(&wmcf->python_path, cf->pool, 1, sizeof(const char *))
        != NGX_OK)
    {
        return NULL;
    }

    wmcf->threads = NGX_CONF_UNSET;
    wmcf->max_queue = NGX_CONF_UNSET;
    wmcf->max_stuck = NGX_CONF_UNSET;
    wmcf->shutdown_timeout = NGX_CONF_UNSET_MSEC;
    wmcf->umask = NGX_CONF_UNSET_UINT;
    wmcf->max_buffered = NGX_CONF_UNSET_SIZE;

    return wmcf;
}


char *
ngx_http_wsgi_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_wsgi_main_conf_t  *wmcf = conf;

    ngx_str_t  document_root = ngx_string("document_root");
    ngx_str_t  request_id = ngx_string("request_id");

    ngx_conf_init_value(wmcf->threads, 8);
    ngx_conf_init_value(wmcf->max_queue, WSGI_DEFAULT_MAX_QUEUE);
    ngx_conf_init_value(wmcf->max_stuck, 8);
    ngx_conf_init_msec_value(wmcf->shutdown_timeout, 2000);
    ngx_conf_init_size_value(wmcf->max_buffered, 32 * 1024 * 1024);

    wmcf->document_root_index = ngx_http_get_variable_index(cf,
                                                            &document_root);
    wmcf->request_id_index = ngx_http_get_variable_index(cf, &request_id);

    ngx_http_wsgi_find_auth_basic(cf, wmcf);

    if (wmcf->document_root_index == NGX_ERROR
        || wmcf->request_id_index == NGX_ERROR)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


void *
ngx_http_wsgi_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_wsgi_loc_conf_t  *wlcf;

    wlcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_wsgi_loc_conf_t));
    if (wlcf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     wlcf->app = NULL;
     *     wlcf->script_name = { 0, NULL };
     */

    wlcf->params = NGX_CONF_UNSET_PTR;
    wlcf->buffer_size = NGX_CONF_UNSET_SIZE;
    wlcf->queue_timeout = NGX_CONF_UNSET_MSEC;
    wlcf->read_timeout = NGX_CONF_UNSET_MSEC;
    wlcf->send_timeout = NGX_CONF_UNSET_MSEC;
    wlcf->interrupt = NGX_CONF_UNSET;
    wlcf->request_buffering = NGX_CONF_UNSET;
    wlcf->ignore_client_abort = NGX_CONF_UNSET;

    ngx_http_wsgi_init_upstream_conf(wlcf);

    return wlcf;
}


char *
ngx_http_wsgi_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_wsgi_loc_conf_t  *prev = parent;
    ngx_http_wsgi_loc_conf_t  *conf = child;

    ngx_http_core_loc_conf_t  *clcf;

    ngx_conf_merge_ptr_value(conf->params, prev->params, NULL);
    ngx_conf_merge_str_value(conf->script_name, prev->script_name, "");
    ngx_conf_merge_size_value(conf->buffer_size, prev->buffer_size,
                              WSGI_DEFAULT_BUFFER_SIZE);
    ngx_conf_merge_msec_value(conf->queue_timeout, prev->queue_timeout, 30000);
    ngx_conf_merge_msec_value(conf->read_timeout, prev->read_timeout, 60000);
    ngx_conf_merge_msec_value(conf->send_timeout, prev->send_timeout, 60000);
    ngx_conf_merge_value(conf->interrupt, prev->interrupt, 0);
    ngx_conf_merge_value(conf->request_buffering, prev->request_buffering, 1);
    ngx_conf_merge_value(conf->ignore_client_abort, prev->ignore_client_abort,
                         0);

    if (ngx_http_wsgi_merge_upstream_conf(cf, prev, conf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    /*
     * A location does not inherit its handler, with two exceptions: "if" runs
     * the handler of the location around it with its own configuration, and
     * "limit_except" needs the handler too.
     */

    if (clcf->noname && conf->app == NULL) {
        conf->app = prev->app;
    }

    if (clcf->lmt_excpt && clcf->handler == NULL && prev->app) {
        conf->app = prev->app;
        clcf->handler = ngx_http_wsgi_handler;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_wsgi_app(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_wsgi_loc_conf_t  *wlcf = conf;

    ngx_str_t                 *value;
    ngx_http_wsgi_app_t       *app;
    ngx_http_core_loc_conf_t  *clcf;

    if (wlcf->app) {
        return "is duplicate";
    }

    app = ngx_http_wsgi_add_app(cf);
    if (app == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    app->target = value[1];

    if (cf->args->nelts == 3) {
        app->file = 1;
        app->callable = value[2];

        if (app->target.len == 0) {
            return "needs the path of a Python file as its first parameter";
        }

        if (ngx_conf_full_name(cf->cycle, &app->target, 0) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    if (ngx_http_wsgi_check_app(cf, app) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    wlcf->app = app;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_wsgi_handler;

    if (clcf->name.len && clcf->name.data[clcf->name.len - 1] == '/') {
        clcf->auto_redirect = 1;
    }

    return NGX_CONF_OK;
}


static ngx_http_wsgi_app_t *
ngx_http_wsgi_add_app(ngx_conf_t *cf)
{
    ngx_pool_cleanup_t         *cln;
    ngx_http_wsgi_app_t        *app, **slot;
    ngx_http_wsgi_main_conf_t  *wmcf;

    wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_wsgi_module);

    app = ngx_pcalloc(cf->pool, sizeof(ngx_http_wsgi_app_t));
    slot = ngx_array_push(&wmcf->apps);
    cln = ngx_pool_cleanup_add(cf->pool, 0);

    if (app == NULL || slot == NULL || cln == NULL) {
        return NULL;
    }

    *slot = app;

    /* a worker that loads it releases it with the configuration */

    cln->handler = ngx_http_wsgi_release_app;
    cln->data = app;

    return app;
}


static void
ngx_http_wsgi_release_app(void *data)
{
    ngx_http_wsgi_app_t  *app = data;

    wsgi_app_release(app->app);
}


char *
ngx_http_wsgi_param(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_wsgi_loc_conf_t  *wlcf = conf;

    ngx_str_t                         *value;
    ngx_http_wsgi_param_t             *param;
    ngx_http_compile_complex_value_t   ccv;

    value = cf->args->elts;

    if (value[1].len == 0) {
        return "needs a name: the key in environ";
    }

    if (cf->args->nelts == 4
        && ngx_strcmp(value[3].data, "if_not_empty") != 0)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\": a third parameter can "
                           "only be \"if_not_empty\"", &value[3]);
        return NGX_CONF_ERROR;
    }

    if (ngx_http_wsgi_param_is_lent(&value[1])) {
        return "names an object of the library's";
    }

    if (wlcf->params == NGX_CONF_UNSET_PTR) {
        wlcf->params = ngx_array_create(cf->pool, 4,
                                        sizeof(ngx_http_wsgi_param_t));
        if (wlcf->params == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    param = ngx_array_push(wlcf->params);
    if (param == NULL) {
        return NGX_CONF_ERROR;
    }

    param->name = value[1];
    param->if_not_empty = (cf->args->nelts == 4);

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = &value[2];
    ccv.complex_value = &param->value;

    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_wsgi_script_name(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_wsgi_loc_conf_t  *wlcf = conf;

    ngx_str_t  *value, name;

    if (wlcf->script_name.data) {
        return "is duplicate";
    }

    value = cf->args->elts;
    name = value[1];

    if (name.len && name.data[0] != '/') {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid prefix \"%V\" in \"wsgi_script_name\": "
                           "write it as \"/%V\"", &name, &name);
        return NGX_CONF_ERROR;
    }

    while (name.len && name.data[name.len - 1] == '/') {
        name.len--;
    }

    wlcf->script_name = name;

    return NGX_CONF_OK;
}


char *
ngx_http_wsgi_python_home(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_wsgi_main_conf_t  *wmcf = conf;

    ngx_str_t  *value;

    if (wmcf->python_home.data) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (value[1].len == 0) {
        return "needs the path of a virtualenv or of a Python";
    }

    if (ngx_conf_full_name(cf->cycle, &value[1], 0) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    wmcf->python_home = value[1];

    return ngx_http_wsgi_check_home(cf, &wmcf->python_home);
}


char *
ngx_http_wsgi_python_path(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_wsgi_main_conf_t  *wmcf = conf;

    ngx_str_t     *value;
    ngx_uint_t     i;
    const char   **dir;

    if (wmcf->python_path.nelts) {
        return "is duplicate: list all folders in one directive";
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (value[i].len == 0) {
            return "has an empty folder in its list";
        }

        if (ngx_conf_full_name(cf->cycle, &value[i], 0) != NGX_OK) {
            return NGX_CONF_ERROR;
        }

        dir = ngx_array_push(&wmcf->python_path);
        if (dir == NULL) {
            return NGX_CONF_ERROR;
        }

        *dir = (const char *) value[i].data;
    }

    return NGX_CONF_OK;
}
