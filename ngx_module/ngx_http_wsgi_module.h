
/*
 * What the files of the WSGI module share: configuration, the context of a
 * request, and the functions of each file.
 */


#ifndef _NGX_HTTP_WSGI_MODULE_H_INCLUDED_
#define _NGX_HTTP_WSGI_MODULE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <wsgi.h>


/* seconds after which a client may try again after 503 */
#define NGX_HTTP_WSGI_RETRY_AFTER  1


#define NGX_HTTP_WSGI_EARLY_HINTS  (nginx_version >= 1029000)


#define ngx_http_wsgi_set_str(s, from)                                        \
    (s)->data = (from)->data;                                                 \
    (s)->size = (from)->len


typedef struct {
    ngx_str_t                    target;
    ngx_str_t                    callable;
    ngx_uint_t                   file;      /* target is a file's path */
    wsgi_app                    *app;       /* in workers, once loaded */
} ngx_http_wsgi_app_t;


typedef struct {
    ngx_array_t                  apps;      /* of ngx_http_wsgi_app_t * */
    ngx_str_t                    python_home;
    ngx_array_t                  python_path;   /* of const char * */
    ngx_int_t                    threads;
    ngx_int_t                    max_queue;
    ngx_int_t                    max_stuck;
    ngx_msec_t                   shutdown_timeout;
    ngx_uint_t                   umask;
    size_t                       max_buffered;
    ngx_int_t                    document_root_index;
    ngx_int_t                    request_id_index;

    /* nginx's module, or NULL, and offsets in its loc_conf */
    ngx_module_t                *auth_basic;
    ngx_uint_t                   auth_basic_realm;
    ngx_uint_t                   auth_basic_user_file;
} ngx_http_wsgi_main_conf_t;


typedef struct {
    ngx_str_t                    name;
    ngx_http_complex_value_t     value;
    ngx_uint_t                   if_not_empty;
} ngx_http_wsgi_param_t;


typedef struct {
    ngx_http_wsgi_app_t         *app;
    ngx_array_t                 *params;    /* of ngx_http_wsgi_param_t */
    ngx_str_t                    script_name;
    size_t                       buffer_size;
    ngx_msec_t                   queue_timeout;
    ngx_msec_t                   read_timeout;
    ngx_msec_t                   send_timeout;
    off_t                        max_temp_file_size;
    size_t                       temp_file_write_size;
    ngx_path_t                  *temp_path;     /* NULL: of request bodies */
    ngx_flag_t                   buffering;
    ngx_flag_t                   interrupt;
    ngx_flag_t                   request_buffering;
    ngx_flag_t                   ignore_client_abort;
    ngx_http_complex_value_t    *limit_rate;

    /* only the fields that ngx_http_wsgi_conf_upstream.c sets */
    ngx_http_upstream_conf_t     upstream;
} ngx_http_wsgi_loc_conf_t;


typedef struct ngx_http_wsgi_piece_s  ngx_http_wsgi_piece_t;

/* a part of a response; nginx's chains lead to it by its buf */

struct ngx_http_wsgi_piece_s {
    ngx_buf_t                    buf;
    wsgi_buffer                 *buffer;    /* held, or NULL */
    ngx_http_wsgi_piece_t       *next;
    unsigned                     used:1;
};

#define ngx_http_wsgi_get_piece(cl)                                           \
    ((ngx_http_wsgi_piece_t *)                                                \
         ((u_char *) (cl)->buf - offsetof(ngx_http_wsgi_piece_t, buf)))


typedef struct {
    ngx_msec_t                   queued;
    ngx_msec_t                   running;
} ngx_http_wsgi_times_t;


/*
 * One request while Python answers it.  The library passes a pointer to it to
 * the callbacks, until "exchange" is NULL.
 */

typedef struct {
    ngx_http_request_t          *request;
    wsgi_exchange               *exchange;
    ngx_http_cleanup_t          *cleanup;
    ngx_event_t                  timer;
    ngx_http_wsgi_times_t        times;

    ngx_http_wsgi_piece_t       *pieces;    /* all that were ever made */
    ngx_chain_t                 *free;
    ngx_chain_t                 *busy;      /* the filters have not sent it */
    ngx_chain_t                 *out;       /* the filters do not have it */
    ngx_chain_t                **last_out;
    size_t                       held;      /* memory of busy and out */
    size_t                       backlog;   /* of it, for a file */
    u_char                      *slice;     /* see ngx_http_wsgi_slice() */
    ngx_temp_file_t             *temp_file;
    ngx_event_t                  next_turn;

    ngx_msec_t                   waits_since;   /* for its client */
    off_t                        waits_sent;
    ngx_msec_t                   discarded_at;

    ngx_chain_t                 *body;      /* read, and not yet pushed */
    ngx_int_t                    client_rc; /* how the client has left */
    ngx_int_t                    filter_rc; /* of a filter that has answered */
    ngx_uint_t                   log_lines; /* that have named the request */
    wsgi_outcome                 outcome;   /* once finished */
    uint32_t                     retry_after;

    unsigned                     was_submitted:1;
    unsigned                     started:1;
    unsigned                     finished:1;    /* by the application */
    unsigned                     last:1;        /* no piece follows */
    unsigned                     last_sent:1;
    unsigned                     buffering:1;
    unsigned                     no_temp_file:1;
    unsigned                     pinned:1;      /* as no file can store it */
    unsigned                     unbounded:1;   /* takes no credit */
    unsigned                     credit_returned:1;
    unsigned                     waits:1;
    unsigned                     discarded:1;
    unsigned                     watched:1;     /* by the abort handler */
    unsigned                     body_streamed:1;
    unsigned                     body_begun:1;
    unsigned                     body_blocked:1;
    unsigned                     body_ended:1;
} ngx_http_wsgi_ctx_t;


/* ngx_http_wsgi_accel.c */

ngx_int_t ngx_http_wsgi_process_accel(ngx_http_request_t *r,
    const wsgi_head *head);
void ngx_http_wsgi_limit_rate(ngx_http_request_t *r);
ngx_int_t ngx_http_wsgi_intercept_error(ngx_http_request_t *r,
    const wsgi_head *head);
ngx_int_t ngx_http_wsgi_find_redirect(ngx_http_request_t *r,
    const wsgi_head *head, ngx_str_t *uri);
void ngx_http_wsgi_redirect(ngx_http_request_t *r, ngx_str_t *uri);

/* ngx_http_wsgi_body.c */

ngx_uint_t ngx_http_wsgi_can_stream(ngx_http_request_t *r);
ngx_int_t ngx_http_wsgi_set_body(ngx_http_request_t *r, wsgi_request *wr);
ngx_int_t ngx_http_wsgi_check_buf(ngx_http_request_t *r, ngx_buf_t *b);
ngx_uint_t ngx_http_wsgi_is_unread(ngx_http_wsgi_ctx_t *ctx);
void ngx_http_wsgi_discard_early(ngx_http_wsgi_ctx_t *ctx);
void ngx_http_wsgi_discard_body(ngx_http_wsgi_ctx_t *ctx);

/* ngx_http_wsgi_body_stream.c */

int ngx_http_wsgi_want_body(void *data);
void ngx_http_wsgi_resume_reading(ngx_http_wsgi_ctx_t *ctx);

/* ngx_http_wsgi_client.c */

ngx_int_t ngx_http_wsgi_watch_client(ngx_http_wsgi_ctx_t *ctx);
int ngx_http_wsgi_send_failed(ngx_http_wsgi_ctx_t *ctx, ngx_int_t rc);
void ngx_http_wsgi_discard(ngx_http_wsgi_ctx_t *ctx);

/* ngx_http_wsgi_conf.c */

void *ngx_http_wsgi_create_main_conf(ngx_conf_t *cf);
char *ngx_http_wsgi_init_main_conf(ngx_conf_t *cf, void *conf);
void *ngx_http_wsgi_create_loc_conf(ngx_conf_t *cf);
char *ngx_http_wsgi_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child);
char *ngx_http_wsgi_app(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_wsgi_param(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_wsgi_script_name(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_wsgi_python_home(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_wsgi_python_path(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* ngx_http_wsgi_conf_check.c */

char *ngx_http_wsgi_check_home(ngx_conf_t *cf, ngx_str_t *home);
char *ngx_http_wsgi_check_app(ngx_conf_t *cf, ngx_http_wsgi_app_t *app);
ngx_int_t ngx_http_wsgi_check_runtime(ngx_conf_t *cf);
ngx_int_t ngx_http_wsgi_init_module(ngx_cycle_t *cycle);

/* ngx_http_wsgi_conf_upstream.c */

void ngx_http_wsgi_init_upstream_conf(ngx_http_wsgi_loc_conf_t *conf);
char *ngx_http_wsgi_merge_upstream_conf(ngx_conf_t *cf,
    ngx_http_wsgi_loc_conf_t *prev, ngx_http_wsgi_loc_conf_t *conf);
char *ngx_http_wsgi_check_header_name(ngx_conf_t *cf, void *post, void *data);

/* ngx_http_wsgi_drain.c */

void ngx_http_wsgi_drain(ngx_http_wsgi_ctx_t *ctx, wsgi_outcome outcome);

/* ngx_http_wsgi_environ.c */

ngx_int_t ngx_http_wsgi_create_request(ngx_http_request_t *r,
    wsgi_request *wr);

/* ngx_http_wsgi_environ_cgi.c */

ngx_int_t ngx_http_wsgi_set_server(ngx_http_request_t *r, wsgi_request *wr);
ngx_int_t ngx_http_wsgi_set_peer(ngx_http_request_t *r, wsgi_request *wr);
ngx_int_t ngx_http_wsgi_set_id(ngx_http_request_t *r, wsgi_request *wr);
void ngx_http_wsgi_find_auth_basic(ngx_conf_t *cf,
    ngx_http_wsgi_main_conf_t *wmcf);
void ngx_http_wsgi_set_user(ngx_http_request_t *r, wsgi_request *wr);

/* ngx_http_wsgi_environ_params.c */

ngx_int_t ngx_http_wsgi_set_params(ngx_http_request_t *r, wsgi_request *wr);
ngx_uint_t ngx_http_wsgi_param_is_lent(ngx_str_t *name);

/* ngx_http_wsgi_exhausted.c */

void ngx_http_wsgi_exhausted(void *data, size_t stuck);

/* ngx_http_wsgi_finalize.c */

void ngx_http_wsgi_complete(ngx_http_wsgi_ctx_t *ctx, wsgi_outcome outcome);
ngx_int_t ngx_http_wsgi_truncate(ngx_http_request_t *r);
int ngx_http_wsgi_finalize(ngx_http_wsgi_ctx_t *ctx, ngx_int_t rc);
void ngx_http_wsgi_cleanup(void *data);
void ngx_http_wsgi_abandon(ngx_http_wsgi_ctx_t *ctx, ngx_msec_t late_after,
    uint32_t flags);
void ngx_http_wsgi_detach(ngx_http_wsgi_ctx_t *ctx);
void ngx_http_wsgi_detach_body(ngx_http_wsgi_ctx_t *ctx);

/* ngx_http_wsgi_fork.c */

ngx_int_t ngx_http_wsgi_init_fork(ngx_cycle_t *cycle);
void ngx_http_wsgi_default_sigchld(ngx_log_t *log);

/* ngx_http_wsgi_headers_out.c */

ngx_int_t ngx_http_wsgi_add_field(ngx_http_request_t *r, ngx_table_elt_t *h);
ngx_uint_t ngx_http_wsgi_outlives_redirect(const wsgi_header *header);

/* ngx_http_wsgi_hints.c */

int ngx_http_wsgi_early_hints(void *data, const wsgi_header *headers,
    size_t count);

/* ngx_http_wsgi_inherit.c */

ngx_int_t ngx_http_wsgi_init_inherit(ngx_cycle_t *cycle);
void ngx_http_wsgi_no_inherit(ngx_fd_t fd);
void ngx_http_wsgi_add_body_filter(void);
char *ngx_http_wsgi_umask(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
void ngx_http_wsgi_set_umask(ngx_http_wsgi_main_conf_t *wmcf);
void ngx_http_wsgi_reset_umask(ngx_http_wsgi_main_conf_t *wmcf,
    ngx_log_t *log);

/* ngx_http_wsgi_log.c */

void ngx_http_wsgi_log(void *data, void *request, wsgi_level level,
    wsgi_str line);
void ngx_http_wsgi_log_error(ngx_uint_t level, ngx_log_t *log,
    wsgi_error *error, const char *fmt, ...);
void ngx_http_wsgi_mask_log(ngx_http_request_t *r);

/* ngx_http_wsgi_output.c */

size_t ngx_http_wsgi_buffered(void);
size_t ngx_http_wsgi_pinned(void);
void ngx_http_wsgi_pin(ngx_http_wsgi_ctx_t *ctx, ngx_uint_t pinned);
ngx_int_t ngx_http_wsgi_init_output(ngx_http_wsgi_ctx_t *ctx);
ngx_http_wsgi_ctx_t *ngx_http_wsgi_cleanup_ctx(ngx_pool_cleanup_t *cln);
ngx_int_t ngx_http_wsgi_add_buffers(ngx_http_wsgi_ctx_t *ctx,
    wsgi_buffer *const *buffers, size_t count);
ngx_int_t ngx_http_wsgi_add_file(ngx_http_wsgi_ctx_t *ctx, int fd,
    uint64_t offset, uint64_t length);
ngx_chain_t *ngx_http_wsgi_create_piece(ngx_http_wsgi_ctx_t *ctx);
void ngx_http_wsgi_free_piece(ngx_http_wsgi_ctx_t *ctx, ngx_chain_t *cl);
ngx_int_t ngx_http_wsgi_output(ngx_http_wsgi_ctx_t *ctx, ngx_chain_t *out);

/* ngx_http_wsgi_process.c */

ngx_int_t ngx_http_wsgi_init_process(ngx_cycle_t *cycle);
void ngx_http_wsgi_exit_process(ngx_cycle_t *cycle);

/* ngx_http_wsgi_request.c */

ngx_int_t ngx_http_wsgi_handler(ngx_http_request_t *r);

/* ngx_http_wsgi_response.c */

int ngx_http_wsgi_start(void *data, const wsgi_head *head);
int ngx_http_wsgi_write(void *data, wsgi_buffer *const *buffers, size_t count,
    uint32_t flags);
int ngx_http_wsgi_send_file(void *data, int fd, uint64_t offset,
    uint64_t length, uint32_t flags);
void ngx_http_wsgi_finish(void *data, wsgi_outcome outcome,
    uint32_t retry_after);

/* ngx_http_wsgi_response_head.c */

ngx_int_t ngx_http_wsgi_create_headers(ngx_http_request_t *r,
    const wsgi_head *head);
ngx_int_t ngx_http_wsgi_copy_header(ngx_http_request_t *r,
    const wsgi_header *from);
ngx_int_t ngx_http_wsgi_make_header(ngx_http_request_t *r,
    const wsgi_header *from, ngx_table_elt_t *h);
ngx_int_t ngx_http_wsgi_unavailable(ngx_http_request_t *r,
    ngx_uint_t retry_after);

/* ngx_http_wsgi_runtime.c */

void ngx_http_wsgi_runtime_config(ngx_http_wsgi_main_conf_t *wmcf,
    wsgi_runtime_config *config);
void ngx_http_wsgi_app_config(ngx_http_wsgi_app_t *app,
    wsgi_app_config *config);
ngx_int_t ngx_http_wsgi_add_event(ngx_cycle_t *cycle);
ngx_int_t ngx_http_wsgi_start_runtime(ngx_cycle_t *cycle,
    ngx_http_wsgi_main_conf_t *wmcf, wsgi_host *host);
wsgi_app *ngx_http_wsgi_get_app(ngx_http_wsgi_app_t *app, ngx_log_t *log);
void ngx_http_wsgi_poll_soon(void);
void ngx_http_wsgi_pause_output(ngx_uint_t pause);
void ngx_http_wsgi_forget_event(void);
ngx_int_t ngx_http_wsgi_stop_runtime(void);

/* ngx_http_wsgi_send.c */

ngx_int_t ngx_http_wsgi_send(ngx_http_wsgi_ctx_t *ctx, ngx_uint_t later);
void ngx_http_wsgi_set_write_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_wsgi_wait_client(ngx_http_request_t *r);
ngx_uint_t ngx_http_wsgi_must_drain(ngx_http_wsgi_ctx_t *ctx);

/* ngx_http_wsgi_spill.c */

ngx_int_t ngx_http_wsgi_check_memory(ngx_http_request_t *r);
ngx_uint_t ngx_http_wsgi_is_pinned(ngx_http_request_t *r);
ngx_uint_t ngx_http_wsgi_is_tight(ngx_http_wsgi_ctx_t *ctx);
ngx_int_t ngx_http_wsgi_spill(ngx_http_wsgi_ctx_t *ctx, ngx_uint_t later);
void ngx_http_wsgi_set_backlog(ngx_http_wsgi_ctx_t *ctx, size_t size);

/* ngx_http_wsgi_temp_file.c */

ssize_t ngx_http_wsgi_store(ngx_http_wsgi_ctx_t *ctx);
void ngx_http_wsgi_renew_temp_file(ngx_http_wsgi_ctx_t *ctx);

/* ngx_http_wsgi_timer.c */

void ngx_http_wsgi_start_timer(ngx_http_wsgi_ctx_t *ctx);

/* ngx_http_wsgi_variables.c */

ngx_int_t ngx_http_wsgi_add_variables(ngx_conf_t *cf);
void ngx_http_wsgi_save_times(ngx_http_wsgi_ctx_t *ctx);


extern ngx_module_t  ngx_http_wsgi_module;


#endif /* _NGX_HTTP_WSGI_MODULE_H_INCLUDED_ */
