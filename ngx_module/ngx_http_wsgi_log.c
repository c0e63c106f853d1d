
/*
 * Lines of the error log: those of the library and its applications, and what
 * nginx adds about the request at the end of each line.
 */


#include "ngx_http_wsgi_module.h"


/*
 * The number of lines of one request that name it.  A request line has up to 2
 * KB: a client whose input an application logs line by line would otherwise
 * fill the disk with it.
 */
#define NGX_HTTP_WSGI_FULL_LINES  5000


static u_char *ngx_http_wsgi_log_handler(ngx_http_request_t *r,
    ngx_http_request_t *sr, u_char *buf, size_t len);
static size_t ngx_http_wsgi_character(u_char *p, u_char *last);
static ngx_uint_t ngx_http_wsgi_is_harmless(u_char *p, size_t n);


/* nginx's own, the same for all requests */
static ngx_http_log_handler_pt  ngx_http_wsgi_nginx_log_handler;


void
ngx_http_wsgi_log(void *data, void *request, wsgi_level level, wsgi_str line)
{
    ngx_log_t            *log, brief;
    ngx_uint_t            lvl;
    ngx_http_request_t   *r;
    ngx_http_wsgi_ctx_t  *ctx = request;

    switch (level) {

    case WSGI_LOG_ERROR:
        lvl = NGX_LOG_ERR;
        break;

    case WSGI_LOG_WARN:
        lvl = NGX_LOG_WARN;
        break;

    default:
        lvl = NGX_LOG_INFO;
    }

    if (ctx) {
        r = ctx->request;
        log = r->connection->log;
        ngx_http_set_log_request(log, r);

        if (ctx->log_lines >= NGX_HTTP_WSGI_FULL_LINES) {
            brief = *log;
            brief.handler = NULL;

            ngx_log_error(lvl, &brief, 0,
                          "%*s, client: %V, request: as before",
                          line.size, line.data, &r->connection->addr_text);
            return;
        }

        ctx->log_lines++;

    } else {
        log = ngx_cycle->log;
    }

    ngx_log_error(lvl, log, 0, "%*s", line.size, line.data);
}


/* the line ends with the message of "error", which is released */

void
ngx_http_wsgi_log_error(ngx_uint_t level, ngx_log_t *log, wsgi_error *error,
    const char *fmt, ...)
{
    u_char    *p, what[NGX_MAX_ERROR_STR];
    va_list    args;
    wsgi_str   message;

    va_start(args, fmt);
    p = ngx_vslprintf(what, what + NGX_MAX_ERROR_STR, fmt, args);
    va_end(args);

    message = wsgi_error_message(error);

    ngx_log_error(level, log, 0, "%*s: %*s", (size_t) (p - what), what,
                  message.size, message.data);

    wsgi_error_release(error);
}


/*
 * nginx logs the request line, the Host and the Referer as the client has sent
 * them.  They must not control the terminal of an operator.
 */

void
ngx_http_wsgi_mask_log(ngx_http_request_t *r)
{
    r = r->main;

    if (r->log_handler == ngx_http_wsgi_log_handler) {
        return;
    }

    ngx_http_wsgi_nginx_log_handler = r->log_handler;
    r->log_handler = ngx_http_wsgi_log_handler;
}


/* a question mark replaces each harmful byte, so that nothing moves */

static u_char *
ngx_http_wsgi_log_handler(ngx_http_request_t *r, ngx_http_request_t *sr,
    u_char *buf, size_t len)
{
    size_t   n;
    u_char  *p, *last;

    last = ngx_http_wsgi_nginx_log_handler(r, sr, buf, len);

    for (p = buf; p < last; p += n) {

        n = ngx_http_wsgi_character(p, last);

        if (n == 0) {
            n = 1;

        } else if (ngx_http_wsgi_is_harmless(p, n)) {
            continue;
        }

        ngx_memset(p, '?', n);
    }

    return last;
}


/* the bytes of the character that begins here; 0 if that is not UTF-8 */

static size_t
ngx_http_wsgi_character(u_char *p, u_char *last)
{
    size_t  i, n;
    u_char  least, most;

    if (p[0] < 0x80) {
        return 1;
    }

    if (p[0] < 0xc2 || p[0] > 0xf4) {
        return 0;
    }

    n = (p[0] < 0xe0) ? 2 : (p[0] < 0xf0) ? 3 : 4;

    if ((size_t) (last - p) < n) {
        return 0;
    }

    /* no longer form, no surrogate, nothing beyond U+10FFFF */

    least = (p[0] == 0xe0) ? 0xa0 : (p[0] == 0xf0) ? 0x90 : 0x80;
    most = (p[0] == 0xed) ? 0x9f : (p[0] == 0xf4) ? 0x8f : 0xbf;

    if (p[1] < least || p[1] > most) {
        return 0;
    }

    for (i = 2; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }

    return n;
}


/*
 * Control characters do harm, and so do those that begin a line or change the
 * order of what follows: U+2028 to U+202E, U+2066 to U+2069.
 */

static ngx_uint_t
ngx_http_wsgi_is_harmless(u_char *p, size_t n)
{
    if (n == 1) {
        return p[0] >= 0x20 && p[0] != 0x7f;
    }

    if (n == 2) {
        return p[0] != 0xc2 || p[1] >= 0xa0;
    }

    if (n == 3 && p[0] == 0xe2) {
        return !(p[1] == 0x80 && p[2] >= 0xa8 && p[2] <= 0xae)
               && !(p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9);
    }

    return 1;
}
