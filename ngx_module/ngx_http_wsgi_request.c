
/*
 * A request on its way to Python, and while it is there: its body is read,
 * it is submitted, and three things watch over it: a timer, the client, and
 * a cleanup handler.
 */


#include "ngx_http_wsgi_module.h"


static void ngx_http_wsgi_body_handler(ngx_http_request_t *r);
static void ngx_http_wsgi_begin(ngx_http_request_t *r, ngx_uint_t streamed);
static ngx_http_wsgi_ctx_t *ngx_http_wsgi_create_ctx(ngx_http_request_t *r);
static ngx_int_t ngx_http_wsgi_submit(ngx_http_wsgi_ctx_t *ctx);
static ngx_int_t ngx_http_wsgi_refused(ngx_http_request_t *r,
    wsgi_status status, wsgi_error *error);
static void ngx_http_wsgi_cleanup(void *data);
static void ngx_http_wsgi_timer_handler(ngx_event_t *ev);
static void ngx_http_wsgi_timed_out(ngx_http_wsgi_ctx_t *ctx,
    wsgi_phase phase);


ngx_int_t
ngx_http_wsgi_handler(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    if (ngx_http_wsgi_can_stream(r)) {

        /* Python first: the body is read when the application asks for it */

        r->main->count++;
        ngx_http_wsgi_begin(r, 1);

        return NGX_DONE;
    }

    /*
     * The body is read before Python hears of the request: a slow upload
     * costs a connection then, and not a thread.
     */

    r->request_body_in_single_buf = 1;

    rc = ngx_http_read_client_request_body(r, ngx_http_wsgi_body_handler);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    return NGX_DONE;
}


static void
ngx_http_wsgi_body_handler(ngx_http_request_t *r)
{
    ngx_http_wsgi_begin(r, 0);
}


static void
ngx_http_wsgi_begin(ngx_http_request_t *r, ngx_uint_t streamed)
{
    ngx_int_t             rc;
    ngx_http_wsgi_ctx_t  *ctx;

    ctx = ngx_http_wsgi_create_ctx(r);

    if (ctx == NULL) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    ctx->body_streamed = streamed;

    rc = ngx_http_wsgi_submit(ctx);

    if (rc != NGX_OK) {
        ngx_http_finalize_request(r, rc);
        return;
    }

    if (ngx_http_wsgi_watch_client(r) != NGX_OK) {
        ngx_http_wsgi_cancel(ctx, NGX_HTTP_INTERNAL_SERVER_ERROR);
    }
}


static ngx_http_wsgi_ctx_t *
ngx_http_wsgi_create_ctx(ngx_http_request_t *r)
{
    ngx_http_wsgi_ctx_t  *ctx;

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_wsgi_ctx_t));
    if (ctx == NULL) {
        return NULL;
    }

    ctx->request = r;

    if (ngx_http_wsgi_init_output(ctx) != NGX_OK) {
        return NULL;
    }

    ctx->cleanup = ngx_http_cleanup_add(r, 0);
    if (ctx->cleanup == NULL) {
        return NULL;
    }

    ctx->cleanup->data = ctx;

    ctx->timer.handler = ngx_http_wsgi_timer_handler;
    ctx->timer.log = r->connection->log;

    /* for debug messages, which print the descriptor of this connection */

    ctx->timer.data = r->connection;

    ngx_http_set_ctx(r, ctx, ngx_http_wsgi_module);

    return ctx;
}


static ngx_int_t
ngx_http_wsgi_submit(ngx_http_wsgi_ctx_t *ctx)
{
    wsgi_app                  *app;
    ngx_int_t                  rc;
    wsgi_error                *error;
    wsgi_status                status;
    wsgi_request               wr;
    ngx_http_request_t        *r;
    ngx_http_wsgi_loc_conf_t  *wlcf;

    r = ctx->request;
    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wsgi_module);

    app = ngx_http_wsgi_get_app(wlcf->app, r->connection->log);

    if (app == NULL) {
        return ngx_http_wsgi_unavailable(r, NGX_HTTP_WSGI_RETRY_AFTER);
    }

    rc = ngx_http_wsgi_create_request(r, &wr);

    if (rc != NGX_OK) {
        return rc;
    }

    error = NULL;
    status = wsgi_submit(app, &wr, ctx, &ctx->exchange, &error);

    if (status != WSGI_OK) {
        return ngx_http_wsgi_refused(r, status, error);
    }

    ctx->cleanup->handler = ngx_http_wsgi_cleanup;
    ctx->was_submitted = 1;

    ngx_http_wsgi_poll_soon();

    /*
     * One timer for both limits, which is not moved at each event: when it
     * fires, the library is asked how long the request has been waiting.  It
     * is also what keeps a worker that shuts down from leaving before its
     * requests are answered.
     */

    ngx_add_timer(&ctx->timer,
                  ngx_min(wlcf->queue_timeout, wlcf->read_timeout));

    return NGX_OK;
}


static ngx_int_t
ngx_http_wsgi_refused(ngx_http_request_t *r, wsgi_status status,
    wsgi_error *error)
{
    wsgi_str  message;

    message = wsgi_error_message(error);

    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "WSGI0114 the request was not taken: %*s",
                  message.size, message.data);

    wsgi_error_release(error);

    switch (status) {

    case WSGI_BUSY:
    case WSGI_STOPPING:
    case WSGI_UNAVAILABLE:
    case WSGI_PYTHON:
        return ngx_http_wsgi_unavailable(r, NGX_HTTP_WSGI_RETRY_AFTER);

    default:
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
}


ngx_int_t
ngx_http_wsgi_unavailable(ngx_http_request_t *r, ngx_uint_t retry_after)
{
    if (ngx_http_wsgi_add_retry_after(r, retry_after) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_HTTP_SERVICE_UNAVAILABLE;
}


/*
 * The request is over for nginx, whatever Python is doing: the client has left
 * or the connection is broken.  The memory of the context goes next.
 */

static void
ngx_http_wsgi_cleanup(void *data)
{
    ngx_http_wsgi_ctx_t  *ctx = data;

    ngx_http_wsgi_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(ctx->request, ngx_http_wsgi_module);

    /* nobody waits for the application any more, but its thread is missed */

    ngx_http_wsgi_abandon(ctx, wlcf->read_timeout, 0);

    ngx_http_wsgi_detach(ctx);

    ngx_http_wsgi_log_abort(ctx);
}


/*
 * From here on the library does not call back for this request, nor is there
 * anything to cancel.  The request may live on, with an error page or draining
 * its output, and the client may leave that, too.
 */

void
ngx_http_wsgi_detach(ngx_http_wsgi_ctx_t *ctx)
{
    ctx->exchange = NULL;
    ctx->cleanup->handler = ngx_http_wsgi_log_abort;

    ngx_http_wsgi_unwatch_client(ctx->request);

    ngx_http_wsgi_detach_body(ctx);

    if (ctx->timer.timer_set) {
        ngx_del_timer(&ctx->timer);
    }
}


void
ngx_http_wsgi_cancel(ngx_http_wsgi_ctx_t *ctx, ngx_int_t rc)
{
    ngx_http_wsgi_cleanup(ctx);

    ngx_http_finalize_request(ctx->request, rc);
}


static void
ngx_http_wsgi_timer_handler(ngx_event_t *ev)
{
    uint64_t                   since;
    ngx_msec_t                 next;
    wsgi_phase                 phase;
    ngx_connection_t          *c;
    ngx_http_request_t        *r;
    ngx_http_wsgi_ctx_t       *ctx;
    ngx_http_wsgi_loc_conf_t  *wlcf;

    ctx = (ngx_http_wsgi_ctx_t *)
              ((u_char *) ev - offsetof(ngx_http_wsgi_ctx_t, timer));

    r = ctx->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wsgi_module);

    phase = wsgi_exchange_phase(ctx->exchange, &since);

    switch (phase) {

    case WSGI_PHASE_QUEUED:
        next = wlcf->queue_timeout;
        break;

    case WSGI_PHASE_RUNNING:
        next = wlcf->read_timeout;
        break;

    default:

        /* not waiting for Python: "send_timeout" watches the client */

        since = 0;
        next = wlcf->read_timeout;
    }

    if (since >= next) {
        ngx_http_wsgi_timed_out(ctx, phase);
        ngx_http_run_posted_requests(c);
        return;
    }

    /* the phase may change right after this, and then the other limit holds */

    next = ngx_min(next - (ngx_msec_t) since, wlcf->read_timeout);

    ngx_add_timer(&ctx->timer, next);
}


static void
ngx_http_wsgi_timed_out(ngx_http_wsgi_ctx_t *ctx, wsgi_phase phase)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = ctx->request;

    if (phase == WSGI_PHASE_QUEUED) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "WSGI0115 no thread was free within "
                      "\"wsgi_queue_timeout\", answering 503");

        rc = ngx_http_wsgi_unavailable(r, NGX_HTTP_WSGI_RETRY_AFTER);

    } else if (!ctx->started) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "WSGI0116 the application gave nothing within "
                      "\"wsgi_read_timeout\", answering 504");

        rc = NGX_HTTP_GATEWAY_TIME_OUT;

    } else {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "WSGI0117 the application gave nothing more within "
                      "\"wsgi_read_timeout\", ending the response unfinished");

        rc = ngx_http_wsgi_truncate(r);
    }

    ngx_http_wsgi_abandon(ctx, 0, WSGI_ABANDON_ANSWERED);

    ngx_http_wsgi_detach(ctx);

    ngx_http_finalize_request(r, rc);
}
