
/*
 * The two ends of a connection as environ has them: SERVER_* and REMOTE_*.
 */


#include "ngx_http_wsgi_module.h"


static ngx_int_t ngx_http_wsgi_address_name(ngx_http_request_t *r,
    ngx_str_t *addr);
static void ngx_http_wsgi_set_scheme(ngx_http_request_t *r, wsgi_request *wr,
    ngx_str_t *port);
static ngx_int_t ngx_http_wsgi_port(ngx_http_request_t *r,
    struct sockaddr *sa, wsgi_str *port);


ngx_int_t
ngx_http_wsgi_set_server(ngx_http_request_t *r, wsgi_request *wr)
{
    ngx_str_t                  addr, port;
    ngx_connection_t          *c;
    ngx_http_core_srv_conf_t  *cscf;
    u_char                     buf[NGX_SOCKADDR_STRLEN];

    c = r->connection;

    addr.len = NGX_SOCKADDR_STRLEN;
    addr.data = buf;

    if (ngx_connection_local_sockaddr(c, &addr, 0) != NGX_OK) {
        return NGX_ERROR;
    }

    addr.data = ngx_pstrdup(r->pool, &addr);
    if (addr.data == NULL) {
        return NGX_ERROR;
    }

    ngx_http_wsgi_set_str(&wr->server_addr, &addr);

    cscf = ngx_http_get_module_srv_conf(r, ngx_http_core_module);

    /* PEP 3333: they "are required strings and must never be empty" */

    if (r->headers_in.server.len) {
        ngx_http_wsgi_set_str(&wr->server_name, &r->headers_in.server);

    } else if (cscf->server_name.len) {
        ngx_http_wsgi_set_str(&wr->server_name, &cscf->server_name);

    } else if (ngx_http_wsgi_address_name(r, &addr) != NGX_OK) {
        return NGX_ERROR;

    } else {
        ngx_http_wsgi_set_str(&wr->server_name, &addr);
    }

    /* a unix domain socket has no port: then the one of the scheme */

    ngx_http_wsgi_set_scheme(r, wr, &port);
    ngx_http_wsgi_set_str(&wr->server_port, &port);

    return ngx_http_wsgi_port(r, c->local_sockaddr, &wr->server_port);
}


/* an address as it stands in a URL; the path of a socket cannot */

static ngx_int_t
ngx_http_wsgi_address_name(ngx_http_request_t *r, ngx_str_t *addr)
{
    u_char  *p;

    switch (r->connection->local_sockaddr->sa_family) {

#if (NGX_HAVE_INET6)
    case AF_INET6:
        p = ngx_pnalloc(r->pool, addr->len + 2);
        if (p == NULL) {
            return NGX_ERROR;
        }

        addr->len = ngx_sprintf(p, "[%V]", addr) - p;
        addr->data = p;

        return NGX_OK;
#endif

#if (NGX_HAVE_UNIX_DOMAIN)
    case AF_UNIX:
        ngx_str_set(addr, "localhost");

        return NGX_OK;
#endif
    }

    return NGX_OK;
}


static void
ngx_http_wsgi_set_scheme(ngx_http_request_t *r, wsgi_request *wr,
    ngx_str_t *port)
{
    ngx_str_t  scheme;

    ngx_str_set(&scheme, "http");
    ngx_str_set(port, "80");

#if (NGX_HTTP_SSL)
    if (r->connection->ssl) {
        ngx_str_set(&scheme, "https");
        ngx_str_set(port, "443");
    }
#endif

    ngx_http_wsgi_set_str(&wr->scheme, &scheme);
}


ngx_int_t
ngx_http_wsgi_set_peer(ngx_http_request_t *r, wsgi_request *wr)
{
    ngx_connection_t  *c;

    c = r->connection;

    ngx_http_wsgi_set_str(&wr->remote_addr, &c->addr_text);

    return ngx_http_wsgi_port(r, c->sockaddr, &wr->remote_port);
}


static ngx_int_t
ngx_http_wsgi_port(ngx_http_request_t *r, struct sockaddr *sa, wsgi_str *port)
{
    u_char     *p;
    in_port_t   n;

    n = ngx_inet_get_port(sa);

    if (n == 0) {
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, sizeof("65535") - 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    port->data = p;
    port->size = ngx_sprintf(p, "%ui", (ngx_uint_t) n) - p;

    return NGX_OK;
}
