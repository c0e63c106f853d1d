
/*
 * The limits of time of a request that Python answers: in the queue, for the
 * application, for a client that the application waits for, and for an
 * application that goes on without its client.
 */


#include "ngx_http_wsgi_module.h"


/* bytes a second that a client must take while its application waits */
#define NGX_HTTP_WSGI_MIN_RATE       1024

/* milliseconds between nginx's time, taken once a turn, and the library's */
#define NGX_HTTP_WSGI_CLOCKS_DIFFER  100


static void ngx_http_wsgi_timer_handler(ngx_event_t *ev);
static void ngx_http_wsgi_renew_timer(ngx_http_wsgi_ctx_t *ctx,
    ngx_msec_t limit);
static ngx_uint_t ngx_http_wsgi_is_slow(ngx_http_wsgi_ctx_t *ctx,
    ngx_msec_t since, size_t held);
static ngx_uint_t ngx_http_wsgi_is_slow_to_drain(ngx_http_wsgi_ctx_t *ctx);
static void ngx_http_wsgi_timed_out(ngx_http_wsgi_ctx_t *ctx,
    wsgi_phase phase);
static void ngx_http_wsgi_too_slow(ngx_http_wsgi_ctx_t *ctx);
static void ngx_http_wsgi_pins_too_long(ngx_http_wsgi_ctx_t *ctx);
static void ngx_http_wsgi_finalize_slow(ngx_http_wsgi_ctx_t *ctx);
static void ngx_http_wsgi_discarded(ngx_http_wsgi_ctx_t *ctx);


/*
 * One timer for all limits, which is not moved at each event: when it fires,
 * the library returns how long the request has been waiting.  A worker that
 * shuts down waits for it, and so for its requests.
 */

void
ngx_http_wsgi_start_timer(ngx_http_wsgi_ctx_t *ctx)
{
    ngx_http_request_t        *r;
    ngx_http_wsgi_loc_conf_t  *wlcf;

    r = ctx->request;
    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wsgi_module);

    ctx->timer.handler = ngx_http_wsgi_timer_handler;
    ctx->timer.log = r->connection->log;

    /* for debug messages, which print the descriptor of this connection */

    ctx->timer.data = r->connection;

    ngx_http_wsgi_renew_timer(ctx, wlcf->queue_timeout);
}


static void
ngx_http_wsgi_timer_handler(ngx_event_t *ev)
{
    uint64_t                   since;
    ngx_msec_t                 limit;
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

    ngx_log_debug3(NGX_LOG_DEBUG_HTTP, c->log, 0,
                   "wsgi timer, phase:%d since:%uL finished:%d",
                   (int) phase, since, ctx->finished);

    limit = (phase == WSGI_PHASE_QUEUED) ? wlcf->queue_timeout
                                         : wlcf->read_timeout;

    if (ctx->discarded
        && ngx_current_msec - ctx->discarded_at >= wlcf->read_timeout)
    {
        ngx_http_wsgi_discarded(ctx);

    } else if (phase == WSGI_PHASE_HOST
               && ngx_http_wsgi_is_slow(ctx, (ngx_msec_t) since,
                                        wlcf->buffer_size / 2))
    {
        ngx_http_wsgi_too_slow(ctx);

    } else if (ctx->finished && ngx_http_wsgi_is_slow_to_drain(ctx)) {
        ngx_http_wsgi_pins_too_long(ctx);

    } else if (phase <= WSGI_PHASE_RUNNING && since >= limit) {
        ngx_http_wsgi_timed_out(ctx, phase);

    } else {
        limit -= (phase <= WSGI_PHASE_RUNNING) ? (ngx_msec_t) since : 0;

        ngx_http_wsgi_renew_timer(ctx, limit);
        return;
    }

    ngx_http_run_posted_requests(c);
}


static void
ngx_http_wsgi_renew_timer(ngx_http_wsgi_ctx_t *ctx, ngx_msec_t limit)
{
    ngx_http_wsgi_loc_conf_t  *wlcf;

    wlcf = ngx_http_get_module_loc_conf(ctx->request, ngx_http_wsgi_module);

    /* the phase may change now, and then another limit applies */

    limit = ngx_min(limit, wlcf->read_timeout);

    /* "send_timeout" watches a client that nothing else waits for */

    ngx_add_timer(&ctx->timer, ngx_min(limit, wlcf->send_timeout));
}


/*
 * The application has waited for "since" milliseconds.  Whether it waits for a
 * client that has taken next to nothing within "wsgi_send_timeout", and has
 * more than "held" bytes to take.
 */

static ngx_uint_t
ngx_http_wsgi_is_slow(ngx_http_wsgi_ctx_t *ctx, ngx_msec_t since, size_t held)
{
    off_t                      sent, least;
    ngx_msec_t                 passed;
    ngx_http_request_t        *r;
    ngx_http_wsgi_loc_conf_t  *wlcf;

    r = ctx->request;
    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wsgi_module);

    /* it may also wait for a body, which "client_body_timeout" limits */

    if (ctx->held <= held) {
        ctx->waits = 0;
        return 0;
    }

    passed = ngx_current_msec - ctx->waits_since;

    /* it may have run and begun to wait again since the last look */

    if (!ctx->waits || passed > since + NGX_HTTP_WSGI_CLOCKS_DIFFER) {
        ctx->waits = 1;
        ctx->waits_since = ngx_current_msec;
        ctx->waits_sent = r->connection->sent;
        return 0;
    }

    if (passed < wlcf->send_timeout) {
        return 0;
    }

    least = NGX_HTTP_WSGI_MIN_RATE;

    if (r->limit_rate && (off_t) r->limit_rate / 2 < least) {
        least = r->limit_rate / 2;
    }

    sent = r->connection->sent - ctx->waits_sent;

    ctx->waits = 0;

    return sent < least * (off_t) passed / 1000;
}


/*
 * The application has ended and does not wait for the client, but others
 * cannot be served while responses like this one hold all of the memory.
 */

static ngx_uint_t
ngx_http_wsgi_is_slow_to_drain(ngx_http_wsgi_ctx_t *ctx)
{
    if (!ctx->pinned || !ngx_http_wsgi_is_pinned(ctx->request)) {
        ctx->waits = 0;
        return 0;
    }

    return ngx_http_wsgi_is_slow(ctx, NGX_MAX_INT32_VALUE, 0);
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

        ngx_http_wsgi_abandon(ctx, 0, WSGI_CANCEL_ANSWERED);

        /* the client gets what the application has given */

        if (ngx_http_wsgi_must_drain(ctx)) {
            ngx_http_wsgi_drain(ctx, WSGI_TRUNCATED);

        } else {
            ngx_http_wsgi_complete(ctx, WSGI_TRUNCATED);
        }

        return;
    }

    ngx_http_wsgi_abandon(ctx, 0, WSGI_CANCEL_ANSWERED);

    (void) ngx_http_wsgi_finalize(ctx, rc);
}


/* as "send_timeout" ends it, which starts again with each byte */

static void
ngx_http_wsgi_too_slow(ngx_http_wsgi_ctx_t *ctx)
{
    ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                  "WSGI0131 the client took less than %d bytes a second within "
                  "\"wsgi_send_timeout\" while the application waited for it, "
                  "ending the response unfinished", NGX_HTTP_WSGI_MIN_RATE);

    ngx_http_wsgi_finalize_slow(ctx);
}


static void
ngx_http_wsgi_pins_too_long(ngx_http_wsgi_ctx_t *ctx)
{
    ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                  "WSGI0137 the client took less than %d bytes a second within "
                  "\"wsgi_send_timeout\" while responses that no file can "
                  "store held more than \"wsgi_max_buffered\", ending the "
                  "response unfinished", NGX_HTTP_WSGI_MIN_RATE);

    ngx_http_wsgi_finalize_slow(ctx);
}


static void
ngx_http_wsgi_finalize_slow(ngx_http_wsgi_ctx_t *ctx)
{
    ngx_connection_t          *c;
    ngx_http_wsgi_loc_conf_t  *wlcf;

    c = ctx->request->connection;
    wlcf = ngx_http_get_module_loc_conf(ctx->request, ngx_http_wsgi_module);

    c->timedout = 1;

    ngx_http_wsgi_abandon(ctx, wlcf->read_timeout, WSGI_CANCEL_ANSWERED);

    (void) ngx_http_wsgi_finalize(ctx, NGX_HTTP_REQUEST_TIME_OUT);
}


static void
ngx_http_wsgi_discarded(ngx_http_wsgi_ctx_t *ctx)
{
    ngx_http_request_t        *r;
    ngx_http_wsgi_loc_conf_t  *wlcf;

    r = ctx->request;
    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_wsgi_module);

    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "WSGI0136 the application did not end within "
                  "\"wsgi_read_timeout\" though no client waits for it, it is "
                  "stopped");

    ngx_http_wsgi_abandon(ctx, wlcf->read_timeout, WSGI_CANCEL_ANSWERED);

    (void) ngx_http_wsgi_finalize(ctx, ctx->client_rc ? ctx->client_rc
                                                      : NGX_OK);
}
