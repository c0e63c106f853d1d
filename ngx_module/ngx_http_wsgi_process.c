
/*
 * A worker: its start, its end, and the callbacks that it gives the library.
 */


#include "ngx_http_wsgi_module.h"


static void ngx_http_wsgi_set_host(wsgi_host *host);
static void ngx_http_wsgi_fast_exit(void);


ngx_int_t
ngx_http_wsgi_init_process(ngx_cycle_t *cycle)
{
    ngx_int_t                    rc;
    wsgi_host                    host;
    ngx_uint_t                   i;
    ngx_http_wsgi_app_t        **app;
    ngx_http_wsgi_main_conf_t   *wmcf;

    /* the cache manager and loader come here too */

    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    wmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_wsgi_module);

    if (wmcf == NULL || wmcf->apps.nelts == 0) {
        return NGX_OK;
    }

    /*
     * NGX_ERROR would end the worker for good.  Without Python it serves
     * everything else, and answers requests for applications with 503.
     */

    if (ngx_http_wsgi_add_event(cycle) != NGX_OK
        || ngx_http_wsgi_init_inherit(cycle) != NGX_OK
        || ngx_http_wsgi_init_fork(cycle) != NGX_OK)
    {
        return NGX_OK;
    }

    ngx_http_wsgi_default_sigchld(cycle->log);

    ngx_http_wsgi_set_umask(wmcf);

    ngx_http_wsgi_set_host(&host);

    rc = ngx_http_wsgi_start_runtime(cycle, wmcf, &host);

    ngx_http_wsgi_reset_umask(wmcf, cycle->log);

    if (rc != NGX_OK) {
        return NGX_OK;
    }

    app = wmcf->apps.elts;

    for (i = 0; i < wmcf->apps.nelts; i++) {
        (void) ngx_http_wsgi_get_app(app[i], cycle->log);
    }

    return NGX_OK;
}


static void
ngx_http_wsgi_set_host(wsgi_host *host)
{
    ngx_memzero(host, sizeof(wsgi_host));

    host->struct_size = sizeof(wsgi_host);
#if (NGX_HTTP_WSGI_EARLY_HINTS)
    host->early_hints = ngx_http_wsgi_early_hints;
#endif
    host->start = ngx_http_wsgi_start;
    host->write = ngx_http_wsgi_write;
    host->send_file = ngx_http_wsgi_send_file;
    host->finish = ngx_http_wsgi_finish;
    host->want_body = ngx_http_wsgi_want_body;
    host->log = ngx_http_wsgi_log;
    host->exhausted = ngx_http_wsgi_exhausted;
}


void
ngx_http_wsgi_exit_process(ngx_cycle_t *cycle)
{
    if (ngx_http_wsgi_stop_runtime() != NGX_OK) {
        return;
    }

    /*
     * A thread that is still running must not meet the destructors that exit()
     * runs.  Handlers are called in reverse order, so this one comes first.
     */

    if (atexit(ngx_http_wsgi_fast_exit) != 0) {
        ngx_log_error(NGX_LOG_ALERT, cycle->log, 0,
                      "WSGI0111 atexit() failed");
    }
}


static void
ngx_http_wsgi_fast_exit(void)
{
    _exit(0);
}
