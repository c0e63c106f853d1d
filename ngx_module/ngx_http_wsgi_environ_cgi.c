
/*
 * The keys of CGI that are not about the URL: the two ends of the connection
 * (SERVER_*, REMOTE_*), REQUEST_ID, which is nginx's $request_id, and
 * REMOTE_USER, which is a user that nginx has verified.
 */


#include "ngx_http_wsgi_module.h"

#include <sys/random.h>


#define NGX_HTTP_WSGI_ID_SIZE  16
#define NGX_HTTP_WSGI_IDS      128


static ngx_int_t ngx_http_wsgi_address_name(ngx_http_request_t *r,
    ngx_str_t *addr);
static void ngx_http_wsgi_set_scheme(ngx_http_request_t *r, wsgi_request *wr,
    ngx_str_t *port);
static ngx_int_t ngx_http_wsgi_port(ngx_http_request_t *r,
    struct sockaddr *sa, wsgi_str *port);
static ngx_int_t ngx_http_wsgi_random(u_char id[NGX_HTTP_WSGI_ID_SIZE]);
static ngx_int_t ngx_http_wsgi_is_verified(ngx_http_request_t *r);


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

    /* a unix domain socket has no port: the default of the scheme stays */

    ngx_http_wsgi_set_scheme(r, wr, &port);
    ngx_http_wsgi_set_str(&wr->server_port, &port);

    return ngx_http_wsgi_port(r, c->local_sockaddr, &wr->server_port);
}


/* an address as in a URL, which cannot contain the path of a socket */

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


/*
 * Gives $request_id its value if it has none yet, so that the log of nginx and
 * the application have the same. nginx asks OpenSSL for the random bytes of
 * each request, which takes a tenth of the time of a short one; this file asks
 * the kernel for the bytes of many requests at once.
 */

ngx_int_t
ngx_http_wsgi_set_id(ngx_http_request_t *r, wsgi_request *wr)
{
    u_char                     *p;
    ngx_http_variable_value_t  *vv;
    ngx_http_wsgi_main_conf_t  *wmcf;
    u_char                      id[NGX_HTTP_WSGI_ID_SIZE];

    wmcf = ngx_http_get_module_main_conf(r, ngx_http_wsgi_module);

    vv = &r->variables[wmcf->request_id_index];

    if (!vv->valid && !vv->not_found && ngx_http_wsgi_random(id) == NGX_OK) {

        p = ngx_pnalloc(r->pool, 2 * NGX_HTTP_WSGI_ID_SIZE);
        if (p == NULL) {
            return NGX_ERROR;
        }

        (void) ngx_hex_dump(p, id, NGX_HTTP_WSGI_ID_SIZE);

        vv->len = 2 * NGX_HTTP_WSGI_ID_SIZE;
        vv->valid = 1;
        vv->no_cacheable = 0;
        vv->not_found = 0;
        vv->data = p;
    }

    vv = ngx_http_get_indexed_variable(r, wmcf->request_id_index);

    if (vv && !vv->not_found) {
        ngx_http_wsgi_set_str(&wr->request_id, vv);
    }

    return NGX_OK;
}


/* only a worker calls this, so two processes never share bytes */

static ngx_int_t
ngx_http_wsgi_random(u_char id[NGX_HTTP_WSGI_ID_SIZE])
{
    static size_t  left;
    static u_char  bytes[NGX_HTTP_WSGI_IDS * NGX_HTTP_WSGI_ID_SIZE];

    if (left == 0) {

        /*
         * a signal may interrupt it: nginx then makes the value in its own way
         */

        if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes)) {
            return NGX_DECLINED;
        }

        left = sizeof(bytes);
    }

    left -= NGX_HTTP_WSGI_ID_SIZE;

    ngx_memcpy(id, bytes + left, NGX_HTTP_WSGI_ID_SIZE);

    return NGX_OK;
}


/*
 * nginx does not record that it has verified a password, but its configuration
 * has that it must.  This finds the place where "auth_basic" keeps it.  The
 * offsets are those of that module's directives, so its structure need not be
 * known.
 */

void
ngx_http_wsgi_find_auth_basic(ngx_conf_t *cf, ngx_http_wsgi_main_conf_t *wmcf)
{
    ngx_uint_t      i;
    ngx_module_t   *module;
    ngx_command_t  *cmd;

    for (i = 0; cf->cycle->modules[i]; i++) {

        module = cf->cycle->modules[i];

        if (module->type != NGX_HTTP_MODULE
            || ngx_strcmp(module->name, "ngx_http_auth_basic_module") != 0)
        {
            continue;
        }

        for (cmd = module->commands; cmd && cmd->name.len; cmd++) {

            if (ngx_strcmp(cmd->name.data, "auth_basic") == 0) {
                wmcf->auth_basic_realm = cmd->offset;

            } else if (ngx_strcmp(cmd->name.data, "auth_basic_user_file")
                       == 0)
            {
                wmcf->auth_basic_user_file = cmd->offset;
            }
        }

        wmcf->auth_basic = module;
    }
}


void
ngx_http_wsgi_set_user(ngx_http_request_t *r, wsgi_request *wr)
{
    if (r->headers_in.user.len == 0 || !ngx_http_wsgi_is_verified(r)) {
        return;
    }

    ngx_http_wsgi_set_str(&wr->remote_user, &r->headers_in.user);

    wr->auth_type.data = (const uint8_t *) "Basic";
    wr->auth_type.size = sizeof("Basic") - 1;
}


static ngx_int_t
ngx_http_wsgi_is_verified(ngx_http_request_t *r)
{
    u_char                     *conf;
    ngx_str_t                   value;
    ngx_http_complex_value_t   *realm;
    ngx_http_core_loc_conf_t   *clcf;
    ngx_http_wsgi_main_conf_t  *wmcf;

    wmcf = ngx_http_get_module_main_conf(r, ngx_http_wsgi_module);

    /* nginx does not verify a password in a subrequest */

    if (wmcf->auth_basic == NULL || r != r->main) {
        return 0;
    }

    /* with "satisfy any" the address may have let the client in */

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (clcf->satisfy != NGX_HTTP_SATISFY_ALL) {
        return 0;
    }

    conf = r->loc_conf[wmcf->auth_basic->ctx_index];

    realm = *(ngx_http_complex_value_t **) (conf + wmcf->auth_basic_realm);

    if (realm == NULL || *(void **) (conf + wmcf->auth_basic_user_file) == NULL)
    {
        return 0;
    }

    if (ngx_http_complex_value(r, realm, &value) != NGX_OK) {
        return 0;
    }

    return value.len != 3 || ngx_strncmp(value.data, "off", 3) != 0;
}
