
/*
 * The WSGI runtime of a worker: its start and end, the applications in it, and
 * the eventfd by which its threads wake the loop.  There is one in a process,
 * as there is one Python.
 */


#include "ngx_http_wsgi_module.h"

#include <sys/eventfd.h>


/* the number of requests that are served before other events get their turn */
#define NGX_HTTP_WSGI_POLL_LIMIT  256


static void ngx_http_wsgi_notify(void *data);
static void ngx_http_wsgi_event_handler(ngx_event_t *ev);


static wsgi_runtime      *ngx_http_wsgi_runtime;
static ngx_fd_t           ngx_http_wsgi_eventfd = -1;
static ngx_connection_t  *ngx_http_wsgi_connection;
static ngx_msec_t         ngx_http_wsgi_shutdown_timeout;


void
ngx_http_wsgi_runtime_config(ngx_http_wsgi_main_conf_t *wmcf,
    wsgi_runtime_config *config)
{
    ngx_memzero(config, sizeof(wsgi_runtime_config));

    config->struct_size = sizeof(wsgi_runtime_config);
    config->abi_version = WSGI_ABI_VERSION;
    config->python_home = (const char *) wmcf->python_home.data;
    config->python_path = wmcf->python_path.elts;
    config->python_path_count = wmcf->python_path.nelts;
    config->threads = (uint32_t) wmcf->threads;
    config->max_queue = (uint32_t) wmcf->max_queue;
    config->max_stuck = (uint32_t) wmcf->max_stuck;

    /*
     * nginx cuts an entry of the log at NGX_MAX_ERROR_STR, 2048 bytes. Half
     * of that is left for the time before the line, and for the client, the
     * server and the request after it.
     */

    config->log_line_size = NGX_MAX_ERROR_STR / 2;
}


void
ngx_http_wsgi_app_config(ngx_http_wsgi_app_t *app, wsgi_app_config *config)
{
    ngx_memzero(config, sizeof(wsgi_app_config));

    config->struct_size = sizeof(wsgi_app_config);
    config->target = (const char *) app->target.data;
    config->callable = app->file ? (const char *) app->callable.data : NULL;
}


ngx_int_t
ngx_http_wsgi_add_event(ngx_cycle_t *cycle)
{
    ngx_int_t          flags;
    ngx_event_t       *rev;
    ngx_connection_t  *c;

    ngx_http_wsgi_eventfd = eventfd(0, EFD_NONBLOCK|EFD_CLOEXEC);

    if (ngx_http_wsgi_eventfd == -1) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                      "WSGI0107 eventfd() failed, applications cannot run");
        return NGX_ERROR;
    }

    c = ngx_get_connection(ngx_http_wsgi_eventfd, cycle->log);

    if (c == NULL) {
        goto failed;
    }

    c->pool = cycle->pool;

    ngx_http_wsgi_connection = c;

    rev = c->read;
    rev->log = cycle->log;
    rev->handler = ngx_http_wsgi_event_handler;
    c->write->log = cycle->log;

    /* a worker that exits must not close it as if it were a client */

    rev->channel = 1;
    c->write->channel = 1;

    /* edge-triggered, each write() is an event: there is no need to read() */

    flags = (ngx_event_flags & NGX_USE_CLEAR_EVENT) ? NGX_CLEAR_EVENT
                                                    : NGX_LEVEL_EVENT;

    if (ngx_add_event(rev, NGX_READ_EVENT, flags) == NGX_OK) {
        return NGX_OK;
    }

    ngx_free_connection(c);
    c->fd = (ngx_socket_t) -1;

failed:

    ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                  "WSGI0119 no event for Python's threads, applications "
                  "cannot run");

    (void) close(ngx_http_wsgi_eventfd);
    ngx_http_wsgi_eventfd = -1;

    return NGX_ERROR;
}


/*
 * "host" has all callbacks except "notify", which is in this file.  If this
 * fails, requests for applications are answered with 503.
 */

ngx_int_t
ngx_http_wsgi_start_runtime(ngx_cycle_t *cycle,
    ngx_http_wsgi_main_conf_t *wmcf, wsgi_host *host)
{
    wsgi_error           *error;
    ngx_core_conf_t      *ccf;
    wsgi_runtime_config   config;

    host->notify = ngx_http_wsgi_notify;

    ngx_http_wsgi_runtime_config(wmcf, &config);
    config.host = host;

    ngx_http_wsgi_shutdown_timeout = wmcf->shutdown_timeout;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    /*
     * nginx's "underscores_in_headers" and "ignore_invalid_headers" decide;
     * the master has set all handlers
     */

    config.flags = WSGI_BATCH|WSGI_ODD_HEADER_NAMES|WSGI_KEEP_HANDLERS;

    if (ngx_process == NGX_PROCESS_WORKER && ccf->worker_processes > 1) {
        config.flags |= WSGI_MULTIPROCESS;
    }

    if (wsgi_runtime_start(&config, &ngx_http_wsgi_runtime, &error)
        != WSGI_OK)
    {
        ngx_http_wsgi_log_error(NGX_LOG_EMERG, cycle->log, error,
                                "WSGI0108 applications cannot run");
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * Applications are loaded when a worker starts.  With "master_process off" a
 * reload brings a new configuration and no new process: the first request then
 * loads the application.
 */

wsgi_app *
ngx_http_wsgi_get_app(ngx_http_wsgi_app_t *app, ngx_log_t *log)
{
    wsgi_error       *error;
    wsgi_app_config   config;

    if (app->app) {
        return app->app;
    }

    if (ngx_http_wsgi_runtime == NULL) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "WSGI0109 the WSGI runtime did not start with this "
                      "process, restart nginx");
        return NULL;
    }

    ngx_http_wsgi_app_config(app, &config);

    if (wsgi_app_load(ngx_http_wsgi_runtime, &config, &app->app, &error)
        != WSGI_OK)
    {
        ngx_http_wsgi_log_error(NGX_LOG_ERR, log, error,
                                "WSGI0110 cannot load the application of "
                                "\"%V\"", &app->target);
    }

    return app->app;
}


/*
 * Requests whose bytes came in one turn of the event loop go to Python
 * together when the turn is over.  A thread that was woken for the first of
 * them would take the processor from the loop, which must read the others.
 */

void
ngx_http_wsgi_poll_soon(void)
{
    ngx_event_t  *rev;

    rev = ngx_http_wsgi_connection->read;

    ngx_post_event(rev, &ngx_posted_events);
}


void
ngx_http_wsgi_pause_output(ngx_uint_t pause)
{
    wsgi_pause_output(ngx_http_wsgi_runtime, (int) pause);
}


/* in a forked child the number may soon be that of another file */

void
ngx_http_wsgi_forget_event(void)
{
    ngx_http_wsgi_eventfd = -1;
}


/* called on Python's threads: nothing of nginx may be touched here */

static void
ngx_http_wsgi_notify(void *data)
{
    ssize_t   n;
    uint64_t  one = 1;

    do {
        n = write(ngx_http_wsgi_eventfd, &one, sizeof(uint64_t));
    } while (n == -1 && errno == EINTR);
}


static void
ngx_http_wsgi_event_handler(ngx_event_t *ev)
{
    size_t    left;
    uint64_t  count;

    if (ngx_event_flags & NGX_USE_LEVEL_EVENT) {
        if (read(ngx_http_wsgi_eventfd, &count, sizeof(uint64_t)) == -1
            && ngx_errno != NGX_EAGAIN)
        {
            ngx_log_error(NGX_LOG_ALERT, ev->log, ngx_errno,
                          "WSGI0120 read() from eventfd failed");
        }
    }

    left = 0;

    (void) wsgi_poll(ngx_http_wsgi_runtime, NGX_HTTP_WSGI_POLL_LIMIT, &left);

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, ev->log, 0, "wsgi poll, left:%uz", left);

    if (left) {
        ngx_post_event(ev, &ngx_posted_next_events);
    }
}


/* NGX_DECLINED if there is none */

ngx_int_t
ngx_http_wsgi_stop_runtime(void)
{
    if (ngx_http_wsgi_runtime == NULL) {
        return NGX_DECLINED;
    }

    (void) wsgi_runtime_stop(ngx_http_wsgi_runtime,
                             (uint32_t) ngx_http_wsgi_shutdown_timeout, NULL);

    /* the output of atexit handlers */

    (void) wsgi_poll(ngx_http_wsgi_runtime, 0, NULL);

    /*
     * The eventfd stays open: a thread that is still running may write to it
     * at any moment, when its number must not stand for another file.
     */

    return NGX_OK;
}
