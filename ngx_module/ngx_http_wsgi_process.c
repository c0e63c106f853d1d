
/*
 * The WSGI runtime in a worker: its start, its end, and the event by which
 * its threads wake the loop.
 */


#include "ngx_http_wsgi_module.h"

#include <sys/eventfd.h>


/* how many requests are served before other events get their turn */
#define NGX_HTTP_WSGI_POLL_LIMIT  256


static ngx_int_t ngx_http_wsgi_add_event(ngx_cycle_t *cycle);
static void ngx_http_wsgi_start_runtime(ngx_cycle_t *cycle,
    ngx_http_wsgi_main_conf_t *wmcf);
static void ngx_http_wsgi_notify(void *data);
static void ngx_http_wsgi_event_handler(ngx_event_t *ev);
static void ngx_http_wsgi_fast_exit(void);


/* one in a process, as Python itself */
static wsgi_runtime      *ngx_http_wsgi_runtime;
static ngx_fd_t           ngx_http_wsgi_eventfd = -1;
static ngx_connection_t  *ngx_http_wsgi_connection;
static ngx_msec_t         ngx_http_wsgi_shutdown_timeout;


ngx_int_t
ngx_http_wsgi_init_process(ngx_cycle_t *cycle)
{
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
     * NGX_ERROR would end the worker for good, and what is not Python's goes
     * on without it.  Requests for applications are answered with 503.
     */

    if (ngx_http_wsgi_add_event(cycle) != NGX_OK
        || ngx_http_wsgi_init_inherit(cycle) != NGX_OK
        || ngx_http_wsgi_init_fork(cycle) != NGX_OK)
    {
        return NGX_OK;
    }

    ngx_http_wsgi_default_sigchld(cycle->log);

    ngx_http_wsgi_set_umask(wmcf);

    ngx_http_wsgi_start_runtime(cycle, wmcf);

    ngx_http_wsgi_reset_umask(wmcf, cycle->log);

    if (ngx_http_wsgi_runtime) {
        app = wmcf->apps.elts;

        for (i = 0; i < wmcf->apps.nelts; i++) {
            (void) ngx_http_wsgi_get_app(app[i], cycle->log);
        }
    }

    return NGX_OK;
}


static ngx_int_t
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

    /* not a client: a worker that exits must not close it as if it were one */

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
                  "WSGI0107 no event for Python's threads, applications "
                  "cannot run");

    (void) close(ngx_http_wsgi_eventfd);
    ngx_http_wsgi_eventfd = -1;

    return NGX_ERROR;
}


static void
ngx_http_wsgi_start_runtime(ngx_cycle_t *cycle,
    ngx_http_wsgi_main_conf_t *wmcf)
{
    wsgi_str              message;
    wsgi_host             host;
    wsgi_error           *error;
    ngx_core_conf_t      *ccf;
    wsgi_runtime_config   config;

    ngx_memzero(&host, sizeof(wsgi_host));

    host.struct_size = sizeof(wsgi_host);
#if (NGX_HTTP_WSGI_EARLY_HINTS)
    host.early_hints = ngx_http_wsgi_early_hints;
#endif
    host.start = ngx_http_wsgi_start;
    host.write = ngx_http_wsgi_write;
    host.send_file = ngx_http_wsgi_send_file;
    host.finish = ngx_http_wsgi_finish;
    host.want_body = ngx_http_wsgi_want_body;
    host.log = ngx_http_wsgi_log;
    host.notify = ngx_http_wsgi_notify;
    host.exhausted = ngx_http_wsgi_exhausted;

    ngx_http_wsgi_runtime_config(wmcf, &config);
    config.host = &host;

    ngx_http_wsgi_shutdown_timeout = wmcf->shutdown_timeout;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    /*
     * nginx's "underscores_in_headers" and "ignore_invalid_headers" decide;
     * the master has set all handlers
     */

    config.flags = WSGI_BUNCHES|WSGI_ODD_HEADER_NAMES|WSGI_KEEP_HANDLERS;

    if (ngx_process == NGX_PROCESS_WORKER && ccf->worker_processes > 1) {
        config.flags |= WSGI_MULTIPROCESS;
    }

    if (wsgi_runtime_start(&config, &ngx_http_wsgi_runtime, &error)
        != WSGI_OK)
    {
        message = wsgi_error_message(error);
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      "WSGI0108 applications cannot run: %*s",
                      message.size, message.data);
        wsgi_error_release(error);
    }
}


/*
 * Applications are loaded when a worker starts.  With "master_process off" a
 * reload brings a new configuration and no new process: then the first request
 * loads.
 */

wsgi_app *
ngx_http_wsgi_get_app(ngx_http_wsgi_app_t *app, ngx_log_t *log)
{
    wsgi_str          message;
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

    ngx_memzero(&config, sizeof(wsgi_app_config));

    config.struct_size = sizeof(wsgi_app_config);
    config.target = (const char *) app->target.data;
    config.callable = app->file ? (const char *) app->callable.data : NULL;

    if (wsgi_app_load(ngx_http_wsgi_runtime, &config, &app->app, &error)
        != WSGI_OK)
    {
        message = wsgi_error_message(error);
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "WSGI0110 cannot load the application of \"%V\": %*s",
                      &app->target, message.size, message.data);
        wsgi_error_release(error);
    }

    return app->app;
}


/*
 * Requests whose bytes came in one turn of the event loop go to Python together
 * when the turn is over.  A thread that was woken for the first of them would
 * take the processor from the loop, which has the others still to read.
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


/* in a forked child the number may soon be that of a file of its own */

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
                          "WSGI0107 read() from eventfd failed");
        }
    }

    left = 0;

    (void) wsgi_poll(ngx_http_wsgi_runtime, NGX_HTTP_WSGI_POLL_LIMIT, &left);

    if (left) {
        ngx_post_event(ev, &ngx_posted_next_events);
    }
}


void
ngx_http_wsgi_exit_process(ngx_cycle_t *cycle)
{
    if (ngx_http_wsgi_runtime == NULL) {
        return;
    }

    (void) wsgi_runtime_stop(ngx_http_wsgi_runtime,
                             (uint32_t) ngx_http_wsgi_shutdown_timeout, NULL);

    /* what atexit handlers have said */

    (void) wsgi_poll(ngx_http_wsgi_runtime, 0, NULL);

    /*
     * The eventfd stays open: a thread that is still running may write to it
     * at any moment, and its number must not have become somebody else's.
     *
     * Such a thread must also not meet the destructors that exit() runs.
     * Handlers are called in reverse order, so this one comes first.
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
