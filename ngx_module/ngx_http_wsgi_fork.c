
/*
 * Child processes of applications. nginx must not handle their end, and they
 * must not keep nginx's sockets.
 */


#include "ngx_http_wsgi_module.h"
#include <ngx_channel.h>

#include <dlfcn.h>
#include <pthread.h>


#define NGX_HTTP_WSGI_MAX_EVENT_FDS  16


static void ngx_http_wsgi_find_event_fds(ngx_log_t *log);
static void ngx_http_wsgi_close_on_exec(ngx_cycle_t *cycle);
static void ngx_http_wsgi_find_handlers(void);
static ngx_uint_t ngx_http_wsgi_is_nginx_handler(struct sigaction *sa);
static void ngx_http_wsgi_fork_prepare(void);
static void ngx_http_wsgi_fork_parent(void);
static void ngx_http_wsgi_fork_child(void);
static void ngx_http_wsgi_default_signals(void);


/* the descriptors of the event method, which nginx does not export */
static ngx_fd_t    ngx_http_wsgi_event_fds[NGX_HTTP_WSGI_MAX_EVENT_FDS];
static ngx_uint_t  ngx_http_wsgi_event_fds_n;

/* the signals that nginx handles */
static sigset_t    ngx_http_wsgi_signals;

/* the signals that the thread which forks had blocked before */
static __thread sigset_t  ngx_http_wsgi_blocked;


ngx_int_t
ngx_http_wsgi_init_fork(ngx_cycle_t *cycle)
{
    int  err;

    ngx_http_wsgi_find_event_fds(cycle->log);
    ngx_http_wsgi_close_on_exec(cycle);
    ngx_http_wsgi_find_handlers();

    err = pthread_atfork(ngx_http_wsgi_fork_prepare,
                         ngx_http_wsgi_fork_parent, ngx_http_wsgi_fork_child);

    if (err != 0) {
        ngx_log_error(NGX_LOG_ALERT, cycle->log, err,
                      "WSGI0105 pthread_atfork() failed");
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * Called before Python starts, so all that it finds belongs to nginx: the
 * epoll of the event module, its eventfd, and the one of this module.
 */

static void
ngx_http_wsgi_find_event_fds(ngx_log_t *log)
{
    u_char          path[sizeof("/proc/self/fd/") + NGX_INT_T_LEN];
    u_char          name[sizeof("anon_inode:[event") - 1];
    ssize_t         n;
    ngx_fd_t        fd;
    ngx_dir_t       dir;
    ngx_str_t       proc = ngx_string("/proc/self/fd");

    if (ngx_open_dir(&proc, &dir) == NGX_ERROR) {
        ngx_log_debug0(NGX_LOG_DEBUG_CORE, log, ngx_errno,
                       "wsgi: no /proc, so no epoll to close after a fork");
        return;
    }

    while (ngx_read_dir(&dir) == NGX_OK) {

        fd = ngx_atoi(ngx_de_name(&dir), ngx_de_namelen(&dir));
        if (fd == NGX_ERROR) {
            continue;
        }

        (void) ngx_sprintf(path, "/proc/self/fd/%d%Z", fd);

        n = readlink((char *) path, (char *) name, sizeof(name));

        if (n == (ssize_t) sizeof(name)
            && ngx_strncmp(name, "anon_inode:[event", n) == 0
            && ngx_http_wsgi_event_fds_n < NGX_HTTP_WSGI_MAX_EVENT_FDS)
        {
            ngx_http_wsgi_event_fds[ngx_http_wsgi_event_fds_n++] = fd;
        }
    }

    (void) ngx_close_dir(&dir);
}


/*
 * A command of system() or popen() runs no fork handlers, and would hold the
 * port after its parent ended.  A worker runs no new binary itself, only the
 * master does; the flag is the worker's own.
 */

static void
ngx_http_wsgi_close_on_exec(ngx_cycle_t *cycle)
{
    ngx_uint_t        i;
    ngx_listening_t  *ls;

    for (i = 0; i < ngx_http_wsgi_event_fds_n; i++) {
        (void) fcntl(ngx_http_wsgi_event_fds[i], F_SETFD, FD_CLOEXEC);
    }

    ls = cycle->listening.elts;

    for (i = 0; i < cycle->listening.nelts; i++) {
        if (ls[i].fd != (ngx_socket_t) -1) {
            (void) fcntl(ls[i].fd, F_SETFD, FD_CLOEXEC);
        }
    }
}


/* a child must not call dladdr() */

static void
ngx_http_wsgi_find_handlers(void)
{
    int               signo;
    struct sigaction  sa;

    sigemptyset(&ngx_http_wsgi_signals);

    for (signo = 1; signo < NSIG; signo++) {

        if (sigaction(signo, NULL, &sa) == 0
            && ngx_http_wsgi_is_nginx_handler(&sa))
        {
            sigaddset(&ngx_http_wsgi_signals, signo);
        }
    }
}


static ngx_uint_t
ngx_http_wsgi_is_nginx_handler(struct sigaction *sa)
{
    Dl_info  handler, nginx;

    if (sa->sa_handler == SIG_DFL || sa->sa_handler == SIG_IGN) {
        return 0;
    }

    /* ngx_process_slot is in the nginx binary */

    return dladdr((void *) (uintptr_t) sa->sa_handler, &handler) != 0
           && dladdr((void *) &ngx_process_slot, &nginx) != 0
           && handler.dli_fbase == nginx.dli_fbase;
}


/*
 * nginx's handlers would lose a signal that comes to the child before it has
 * the default actions.  The application would then wait without an end for a
 * child that it has terminated.  So the signal waits.
 */

static void
ngx_http_wsgi_fork_prepare(void)
{
    (void) pthread_sigmask(SIG_BLOCK, &ngx_http_wsgi_signals,
                           &ngx_http_wsgi_blocked);
}


static void
ngx_http_wsgi_fork_parent(void)
{
    (void) pthread_sigmask(SIG_SETMASK, &ngx_http_wsgi_blocked, NULL);
}


/*
 * A child that an application forked must not keep nginx's sockets.  It would
 * hold the port after nginx is gone, and clients would never see the end of
 * their connections.  Only close() is safe: shutdown() and epoll_ctl() act on
 * the parent's sockets, and locks of other threads may stay held.
 *
 * A child of vfork(), as of "subprocess", does not run this: it closes all
 * descriptors itself before it runs its command.
 */

static void
ngx_http_wsgi_fork_child(void)
{
    ngx_int_t         n;
    ngx_uint_t        i;
    ngx_listening_t  *ls;

    ngx_http_wsgi_default_signals();

    (void) pthread_sigmask(SIG_SETMASK, &ngx_http_wsgi_blocked, NULL);

    for (i = 0; i < ngx_http_wsgi_event_fds_n; i++) {
        (void) close(ngx_http_wsgi_event_fds[i]);
    }

    ngx_http_wsgi_forget_event();

    /* clients, upstreams, this worker's listeners and its channel */

    for (i = 0; i < ngx_cycle->connection_n; i++) {
        if (ngx_cycle->connections[i].fd != (ngx_socket_t) -1) {
            (void) close(ngx_cycle->connections[i].fd);
        }
    }

    /* with "reuseport", the listeners of other workers */

    ls = ngx_cycle->listening.elts;

    for (i = 0; i < ngx_cycle->listening.nelts; i++) {
        if (ls[i].connection == NULL && ls[i].fd != (ngx_socket_t) -1) {
            (void) close(ls[i].fd);
        }
    }

    /* the channels to other workers; the master sends those to later ones */

    for (n = 0; n < NGX_MAX_PROCESSES; n++) {
        if (n != ngx_process_slot
            && ngx_processes[n].pid > 0
            && ngx_processes[n].channel[0] != -1)
        {
            (void) close(ngx_processes[n].channel[0]);
        }
    }
}


/*
 * nginx's handlers only set a flag for its loop, which does not run in a child:
 * the application could not end its own child by SIGTERM.
 */

static void
ngx_http_wsgi_default_signals(void)
{
    int               signo;
    struct sigaction  sa;

    ngx_memzero(&sa, sizeof(struct sigaction));
    sa.sa_handler = SIG_DFL;
    sigemptyset(&sa.sa_mask);

    for (signo = 1; signo < NSIG; signo++) {
        if (sigismember(&ngx_http_wsgi_signals, signo) == 1) {
            (void) sigaction(signo, &sa, NULL);
        }
    }
}


/*
 * nginx's handler of SIGCHLD waits for every child, in workers too, and so
 * takes the exit codes that the application waits for.  Workers do not need
 * it.  A handler of another module stays.
 */

void
ngx_http_wsgi_default_sigchld(ngx_log_t *log)
{
    struct sigaction  sa;

    if (sigaction(SIGCHLD, NULL, &sa) == -1) {
        goto failed;
    }

    if (!ngx_http_wsgi_is_nginx_handler(&sa)) {
        return;
    }

    ngx_memzero(&sa, sizeof(struct sigaction));
    sa.sa_handler = SIG_DFL;
    sigemptyset(&sa.sa_mask);

    if (sigaction(SIGCHLD, &sa, NULL) == 0) {
        return;
    }

failed:

    ngx_log_error(NGX_LOG_ALERT, log, ngx_errno,
                  "WSGI0106 sigaction(SIGCHLD) failed");
}
