
/*
 * What application code inherits from the worker's process: the umask, and the
 * descriptors that a command of the application gets.  Python's own
 * descriptors are not inheritable, nginx's are.
 */


#include "ngx_http_wsgi_module.h"
#include <ngx_channel.h>

#include <sched.h>


/* the umask of an application where nothing else is set */
#define NGX_HTTP_WSGI_UMASK  022


static void ngx_http_wsgi_init_connection(ngx_connection_t *c);
static void ngx_http_wsgi_move_connection(ngx_connection_t *c);
static void ngx_http_wsgi_watch_channel(ngx_event_t *ev);
static void ngx_http_wsgi_channel_handler(ngx_event_t *ev);
static void ngx_http_wsgi_no_inherit_channels(void);
static ngx_int_t ngx_http_wsgi_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);


/* nginx's handler of a new connection, for each listener */
static ngx_connection_handler_pt  *ngx_http_wsgi_handlers;

/* nginx's handler of the messages of the master */
static ngx_event_handler_pt        ngx_http_wsgi_read_channel;
static ngx_event_t                 ngx_http_wsgi_channel_event;

static ngx_http_request_body_filter_pt  ngx_http_wsgi_next_body_filter;

static mode_t  ngx_http_wsgi_nginx_umask;


/*
 * A command that the application starts with close_fds=False, by posix_spawn()
 * or by system() in C would hold the connections of clients.  The clients
 * would wait for its end, and it could answer them. nginx does not start
 * commands in a worker, so no connection must be inheritable.
 */

ngx_int_t
ngx_http_wsgi_init_inherit(ngx_cycle_t *cycle)
{
    ngx_uint_t        i;
    ngx_listening_t  *ls;

    ls = cycle->listening.elts;

    ngx_http_wsgi_handlers = ngx_palloc(cycle->pool,
                                        cycle->listening.nelts
                                        * sizeof(ngx_connection_handler_pt));
    if (ngx_http_wsgi_handlers == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < cycle->listening.nelts; i++) {

        ngx_http_wsgi_handlers[i] = ls[i].handler;

        if (ls[i].type == SOCK_STREAM && ls[i].handler) {
            ls[i].handler = ngx_http_wsgi_init_connection;
        }
    }

    if (ngx_process == NGX_PROCESS_WORKER) {

        /* nginx adds the channel to the master after this */

        ngx_http_wsgi_channel_event.handler = ngx_http_wsgi_watch_channel;
        ngx_http_wsgi_channel_event.log = cycle->log;

        ngx_post_event(&ngx_http_wsgi_channel_event, &ngx_posted_events);
    }

    return NGX_OK;
}


/*
 * The master sends the channels to later workers, and they are inheritable: a
 * command could tell those workers to end.
 */

static void
ngx_http_wsgi_watch_channel(ngx_event_t *ev)
{
    ngx_uint_t         i;
    ngx_connection_t  *c;

    c = ngx_cycle->connections;

    for (i = 0; i < ngx_cycle->connection_n; i++) {

        if (c[i].fd == ngx_channel && c[i].read->channel) {
            ngx_http_wsgi_read_channel = c[i].read->handler;
            c[i].read->handler = ngx_http_wsgi_channel_handler;
            break;
        }
    }

    ngx_http_wsgi_no_inherit_channels();
}


static void
ngx_http_wsgi_channel_handler(ngx_event_t *ev)
{
    ngx_http_wsgi_read_channel(ev);

    ngx_http_wsgi_no_inherit_channels();
}


static void
ngx_http_wsgi_no_inherit_channels(void)
{
    ngx_int_t  n;

    for (n = 0; n < NGX_MAX_PROCESSES; n++) {

        /* another file may have the number of its own by now */

        if (n != ngx_process_slot
            && ngx_processes[n].pid > 0
            && ngx_processes[n].channel[0] > 0)
        {
            ngx_http_wsgi_no_inherit(ngx_processes[n].channel[0]);
        }
    }
}


static void
ngx_http_wsgi_init_connection(ngx_connection_t *c)
{
    ngx_uint_t  n;

    n = c->listening - (ngx_listening_t *) ngx_cycle->listening.elts;

    if (c->fd <= STDERR_FILENO) {
        ngx_http_wsgi_move_connection(c);
    }

    ngx_http_wsgi_no_inherit(c->fd);

    ngx_http_wsgi_handlers[n](c);
}


/*
 * An application has closed a standard descriptor, with a file object say.
 * Now a client has its number, and would get what is written there.
 */

static void
ngx_http_wsgi_move_connection(ngx_connection_t *c)
{
    ngx_fd_t  fd, null, standard;

    standard = c->fd;

    fd = fcntl(standard, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (fd == -1) {
        return;
    }

    null = ngx_open_file("/dev/null", NGX_FILE_RDWR, NGX_FILE_OPEN, 0);

    if (null == NGX_INVALID_FILE || dup2(null, standard) == -1) {
        (void) close(standard);
    }

    if (null > STDERR_FILENO) {
        (void) close(null);
    }

    if (standard == STDERR_FILENO) {
        (void) ngx_log_redirect_stderr((ngx_cycle_t *) ngx_cycle);
    }

    if (ngx_cycle->files) {
        ngx_cycle->files[standard] = NULL;
        ngx_cycle->files[fd] = c;
    }

    c->fd = fd;

    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "WSGI0313 descriptor %d was closed, which is a standard one "
                  "of the web server; it is open again", standard);
}


void
ngx_http_wsgi_no_inherit(ngx_fd_t fd)
{
    (void) fcntl(fd, F_SETFD, FD_CLOEXEC);
}


void
ngx_http_wsgi_add_body_filter(void)
{
    ngx_http_wsgi_next_body_filter = ngx_http_top_request_body_filter;
    ngx_http_top_request_body_filter = ngx_http_wsgi_body_filter;
}


/*
 * The temporary file of a body belongs to one client.  The last filter creates
 * it, for each location and each version of HTTP.  nginx has no way to open it
 * with O_CLOEXEC, so this follows at once.
 */

static ngx_int_t
ngx_http_wsgi_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_int_t         rc;
    ngx_temp_file_t  *tf;

    tf = r->request_body->temp_file;

    rc = ngx_http_wsgi_next_body_filter(r, in);

    if (tf == NULL && r->request_body->temp_file) {
        ngx_http_wsgi_no_inherit(r->request_body->temp_file->file.fd);
    }

    return rc;
}


char *
ngx_http_wsgi_umask(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_wsgi_main_conf_t  *wmcf = conf;

    ngx_str_t   *value;
    ngx_uint_t   i, mask;

    if (wmcf->umask != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;
    mask = 0;

    for (i = 0; i < value[1].len; i++) {

        if (value[1].data[i] < '0' || value[1].data[i] > '7' || mask > 077) {
            break;
        }

        mask = mask * 8 + (value[1].data[i] - '0');
    }

    if (value[1].len == 0 || i != value[1].len || value[1].len > 4) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid mask \"%V\" in \"wsgi_umask\": write it as "
                           "octal digits from 000 to 777, such as 022",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    wmcf->umask = mask;

    return NGX_CONF_OK;
}


/*
 * nginx sets its umask to 0 when it becomes a daemon, as it sets the modes of
 * its files itself.  Applications do not: every user of the machine could
 * write to the files that they create.
 */

void
ngx_http_wsgi_set_umask(ngx_http_wsgi_main_conf_t *wmcf)
{
    ngx_http_wsgi_nginx_umask = umask(NGX_HTTP_WSGI_UMASK);

    if (wmcf->umask != NGX_CONF_UNSET_UINT) {
        (void) umask((mode_t) wmcf->umask);

    } else if (ngx_http_wsgi_nginx_umask != 0) {
        (void) umask(ngx_http_wsgi_nginx_umask);
    }
}


/*
 * This thread has created Python's threads.  It leaves the umask and the
 * working folder to them, and has its own from now on.  An application that
 * changes its folder does not move nginx, and "dav_access" and
 * "proxy_store_access" set the modes that they name.
 */

void
ngx_http_wsgi_reset_umask(ngx_http_wsgi_main_conf_t *wmcf, ngx_log_t *log)
{
    if (wmcf->threads == 0) {
        return;
    }

    if (unshare(CLONE_FS) == -1) {
        ngx_log_error(NGX_LOG_INFO, log, ngx_errno,
                      "WSGI0132 unshare(CLONE_FS) failed, nginx has the umask "
                      "and the working folder of its applications");
        return;
    }

    (void) umask(ngx_http_wsgi_nginx_umask);
}
