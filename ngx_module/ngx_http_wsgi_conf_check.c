
/*
 * What can be checked before a worker runs.  Python takes no part in it:
 * "nginx -t" and the master never run code of an application, least of all as
 * root.
 */


#include "ngx_http_wsgi_module.h"


typedef struct {
    uid_t   uid;
    gid_t   gid;
    int     ngroups;
    gid_t  *groups;
} ngx_http_wsgi_identity_t;


static void ngx_http_wsgi_conf_error(ngx_conf_t *cf, const char *what,
    wsgi_error *error);
static ngx_int_t ngx_http_wsgi_become_worker(ngx_cycle_t *cycle,
    ngx_core_conf_t *ccf, ngx_http_wsgi_identity_t *old);
static ngx_int_t ngx_http_wsgi_become(ngx_cycle_t *cycle,
    ngx_http_wsgi_identity_t *old);
static void ngx_http_wsgi_check_usable(ngx_cycle_t *cycle, const char *user,
    ngx_http_wsgi_main_conf_t *wmcf);
static void ngx_http_wsgi_check_files(ngx_cycle_t *cycle, const char *user,
    ngx_http_wsgi_main_conf_t *wmcf);
static void ngx_http_wsgi_check_closely(ngx_cycle_t *cycle, const char *user,
    const char *directive, const char *home, const char *folder);
static void ngx_http_wsgi_warn(ngx_cycle_t *cycle, const char *user,
    const char *directive, wsgi_error *error);


char *
ngx_http_wsgi_check_home(ngx_conf_t *cf, ngx_str_t *home)
{
    wsgi_error           *error;
    wsgi_runtime_config   config;

    /*
     * The whole configuration is checked at its end; the home is checked here
     * too, where nginx still knows the line that it is in.
     */

    ngx_memzero(&config, sizeof(wsgi_runtime_config));

    config.struct_size = sizeof(wsgi_runtime_config);
    config.abi_version = WSGI_ABI_VERSION;
    config.python_home = (const char *) home->data;
    config.threads = 1;

    if (wsgi_runtime_check(&config, &error) != WSGI_OK) {
        ngx_http_wsgi_conf_error(cf, "wsgi_python_home: ", error);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_wsgi_check_app(ngx_conf_t *cf, ngx_http_wsgi_app_t *app)
{
    wsgi_error       *error;
    wsgi_app_config   config;

    ngx_http_wsgi_app_config(app, &config);

    if (wsgi_app_check(&config, &error) != WSGI_OK) {
        ngx_http_wsgi_conf_error(cf, "wsgi_app: ", error);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_wsgi_check_runtime(ngx_conf_t *cf)
{
    wsgi_error                 *error;
    wsgi_runtime_config         config;
    ngx_http_wsgi_main_conf_t  *wmcf;

    wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_wsgi_module);

    ngx_http_wsgi_runtime_config(wmcf, &config);

    if (wsgi_runtime_check(&config, &error) != WSGI_OK) {
        ngx_http_wsgi_conf_error(cf, "", error);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_http_wsgi_conf_error(ngx_conf_t *cf, const char *what, wsgi_error *error)
{
    wsgi_str  message;

    message = wsgi_error_message(error);

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "WSGI0101 %s%*s",
                       what, message.size, message.data);

    wsgi_error_release(error);
}


/*
 * The user of the workers is known only when nginx has read the whole
 * configuration, as "user" may follow "http".  So no directive does this.
 */

ngx_int_t
ngx_http_wsgi_init_module(ngx_cycle_t *cycle)
{
    ngx_core_conf_t            *ccf;
    ngx_http_wsgi_identity_t    old;
    ngx_http_wsgi_main_conf_t  *wmcf;

    wmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_wsgi_module);

    if (wmcf == NULL || wmcf->apps.nelts == 0) {
        return NGX_OK;
    }

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    if (geteuid() != 0 || ccf->user == 0 || !ccf->master) {
        ngx_http_wsgi_check_usable(cycle, NULL, wmcf);
        return NGX_OK;
    }

    if (ngx_http_wsgi_become_worker(cycle, ccf, &old) == NGX_OK) {
        ngx_http_wsgi_check_usable(cycle, ccf->username, wmcf);
    }

    return ngx_http_wsgi_become(cycle, &old);
}


static ngx_int_t
ngx_http_wsgi_become_worker(ngx_cycle_t *cycle, ngx_core_conf_t *ccf,
    ngx_http_wsgi_identity_t *old)
{
    int  n;

    old->uid = geteuid();
    old->gid = getegid();
    old->groups = NULL;

    n = getgroups(0, NULL);

    if (n > 0) {
        old->groups = ngx_palloc(cycle->pool, n * sizeof(gid_t));
        if (old->groups == NULL) {
            old->ngroups = -1;
            return NGX_ERROR;
        }

        n = getgroups(n, old->groups);
    }

    old->ngroups = n;

    if (n == -1
        || initgroups(ccf->username, ccf->group) == -1
        || setegid(ccf->group) == -1
        || seteuid(ccf->user) == -1)
    {
        ngx_log_error(NGX_LOG_WARN, cycle->log, ngx_errno,
                      "WSGI0102 cannot check what user \"%s\" may read, "
                      "not being allowed to act as that user", ccf->username);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_wsgi_become(ngx_cycle_t *cycle, ngx_http_wsgi_identity_t *old)
{
    if (seteuid(old->uid) == -1
        || setegid(old->gid) == -1
        || (old->ngroups != -1 && setgroups(old->ngroups, old->groups) == -1))
    {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                      "WSGI0103 cannot become root again after checking what "
                      "the worker's user may read");
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * Runs as the user of the workers, who is not root although nginx is; or as
 * nginx itself, and then "user" is NULL.  A configuration that cannot work was
 * refused before.  These are warnings: of what the workers cannot use, and of
 * what may be right.
 */

static void
ngx_http_wsgi_check_usable(ngx_cycle_t *cycle, const char *user,
    ngx_http_wsgi_main_conf_t *wmcf)
{
    ngx_uint_t    i;
    const char  **dir;

    ngx_http_wsgi_check_files(cycle, user, wmcf);

    /* without a home this checks the Python that the module was built with */

    ngx_http_wsgi_check_closely(cycle, user, "wsgi_python_home",
                                (const char *) wmcf->python_home.data, NULL);

    dir = wmcf->python_path.elts;

    for (i = 0; i < wmcf->python_path.nelts; i++) {
        ngx_http_wsgi_check_closely(cycle, user, "wsgi_python_path", NULL,
                                    dir[i]);
    }
}


/* the files of applications, and their folders, from which they may import */

static void
ngx_http_wsgi_check_files(ngx_cycle_t *cycle, const char *user,
    ngx_http_wsgi_main_conf_t *wmcf)
{
    u_char                *slash, *folder;
    ngx_uint_t             i;
    wsgi_error            *error;
    wsgi_app_config        config;
    ngx_http_wsgi_app_t  **app;

    app = wmcf->apps.elts;

    for (i = 0; i < wmcf->apps.nelts; i++) {

        if (!app[i]->file) {
            continue;
        }

        ngx_http_wsgi_app_config(app[i], &config);

        if (wsgi_app_check(&config, &error) != WSGI_OK) {
            ngx_http_wsgi_warn(cycle, user, "wsgi_app", error);
            continue;
        }

        /* the path is absolute: "wsgi_app" has called ngx_conf_full_name() */

        folder = ngx_pstrdup(cycle->pool, &app[i]->target);
        if (folder == NULL) {
            return;
        }

        slash = folder + app[i]->target.len;

        while (slash > folder && *--slash != '/') { /* void */ }

        slash[slash == folder ? 1 : 0] = '\0';

        ngx_http_wsgi_check_closely(cycle, user, "wsgi_app", NULL,
                                    (const char *) folder);
    }
}


static void
ngx_http_wsgi_check_closely(ngx_cycle_t *cycle, const char *user,
    const char *directive, const char *home, const char *folder)
{
    wsgi_error           *error;
    wsgi_runtime_config   config;

    ngx_memzero(&config, sizeof(wsgi_runtime_config));

    config.struct_size = sizeof(wsgi_runtime_config);
    config.abi_version = WSGI_ABI_VERSION;
    config.flags = WSGI_CHECK_CLOSELY;
    config.python_home = home;
    config.python_path = folder ? &folder : NULL;
    config.python_path_count = folder ? 1 : 0;
    config.threads = 1;

    if (wsgi_runtime_check(&config, &error) != WSGI_OK) {
        ngx_http_wsgi_warn(cycle, user, directive, error);
    }
}


static void
ngx_http_wsgi_warn(ngx_cycle_t *cycle, const char *user, const char *directive,
    wsgi_error *error)
{
    ngx_log_t  *log;

    /*
     * The log of this configuration takes only errors by default.  "nginx -t"
     * and a start write warnings about directives to the log that was there
     * before.
     */

    log = cycle->log;

    if (log->log_level < NGX_LOG_WARN) {
        log = cycle->old_cycle->log;
    }

    ngx_http_wsgi_log_error(NGX_LOG_WARN, log, error,
                            "WSGI0104 the workers%s%s%s cannot use what "
                            "\"%s\" names",
                            user ? "' user \"" : "", user ? user : "",
                            user ? "\"" : "", directive);
}
