
/*
 * REQUEST_ID, which is nginx's $request_id.  nginx asks OpenSSL for the random
 * bytes of each request, which costs a tenth of a short one; here the kernel
 * is asked for those of many at once.
 */


#include "ngx_http_wsgi_module.h"

#include <sys/random.h>


#define NGX_HTTP_WSGI_ID_SIZE  16
#define NGX_HTTP_WSGI_IDS      128


static ngx_int_t ngx_http_wsgi_random(u_char id[NGX_HTTP_WSGI_ID_SIZE]);


/*
 * Gives $request_id its value if nobody has asked for it yet, so that the log
 * of nginx and the application have the same.
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


/* only a worker asks, so no two processes hand out the same bytes */

static ngx_int_t
ngx_http_wsgi_random(u_char id[NGX_HTTP_WSGI_ID_SIZE])
{
    static size_t  left;
    static u_char  bytes[NGX_HTTP_WSGI_IDS * NGX_HTTP_WSGI_ID_SIZE];

    if (left == 0) {

        /* it may give fewer if a signal comes: then nginx's own way will do */

        if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes)) {
            return NGX_DECLINED;
        }

        left = sizeof(bytes);
    }

    left -= NGX_HTTP_WSGI_ID_SIZE;

    ngx_memcpy(id, bytes + left, NGX_HTTP_WSGI_ID_SIZE);

    return NGX_OK;
}
