
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Where an event is passed on to: a URI or a named location.  A URI may contain
 * values of the event, so nginx must not write it to the error log.
 */


#include "ngx_http_enkod_pass_internal.h"
#include "ngx_http_enkod_message.h"


#define ngx_http_enkod_target_is_control(ch)                                  \
    (((ch) >= 0 && (ch) < 0x20) || (ch) == 0x7f)


static ngx_int_t ngx_http_enkod_target_invalid(ngx_http_enkod_pass_t *pass,
    const char *what);
static ngx_int_t ngx_http_enkod_target_encode_path(ngx_http_request_t *r,
    ngx_str_t *uri);
static ngx_int_t ngx_http_enkod_target_escape_args(ngx_http_request_t *r,
    ngx_str_t *args);
static ngx_http_request_t *ngx_http_enkod_target_replace(
    ngx_http_request_t *r, ngx_http_request_t *copy, ngx_http_upstream_t *u);

#if (angie_version >= 1012000)

static u_char *ngx_http_enkod_target_log_handler(ngx_log_t *log, u_char *buf,
    u_char *last, void *data);

static ngx_log_ext_handler_pt   ngx_http_enkod_next_log_handler;

#else

static u_char *ngx_http_enkod_target_log_handler(ngx_http_request_t *r,
    ngx_http_request_t *current, u_char *buf, size_t len);

static ngx_http_log_handler_pt  ngx_http_enkod_next_log_handler;

#endif


/*
 * In Angie since 1.5 named_locations points to another type, whose member
 * "name" is the same; so this function does not name the type.
 */

ngx_uint_t
ngx_http_enkod_target_exists(ngx_http_core_srv_conf_t *cscf, ngx_str_t *name)
{
    ngx_str_t   *location;
    ngx_uint_t   i;

    if (cscf->named_locations == NULL) {
        return 0;
    }

    for (i = 0; cscf->named_locations[i]; i++) {
        location = &cscf->named_locations[i]->name;

        if (location->len == name->len
            && ngx_strncmp(location->data, name->data, name->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ngx_http_enkod_target_get(ngx_http_enkod_pass_t *pass, ngx_str_t *uri,
    ngx_str_t *args)
{
    ngx_uint_t                 flags;
    ngx_http_request_t        *r;
    ngx_http_core_srv_conf_t  *cscf;

    r = pass->request;

    if (ngx_http_complex_value(r, pass->conf->pass, uri) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_str_null(args);

    if (uri->len == 0) {
        return NGX_DECLINED;
    }

    if (uri->data[0] == '@') {

        cscf = ngx_http_get_module_srv_conf(r, ngx_http_core_module);

        if (pass->conf->pass->lengths
            && !ngx_http_enkod_target_exists(cscf, uri))
        {
            return ngx_http_enkod_target_invalid(pass, "a location that is not "
                                                       "in this server");
        }

        /* without the client's arguments, which may contain a token */

        pass->location = *uri;
        *uri = r->uri;

        return NGX_OK;
    }

    if (uri->data[0] != '/') {
        return ngx_http_enkod_target_invalid(pass,
                                      "a value that does not begin with \"/\" "
                                      "or \"@\"");
    }

    if (ngx_http_enkod_target_encode_path(r, uri) != NGX_OK) {
        return NGX_ERROR;
    }

    /* without NGX_HTTP_LOG_UNSAFE, as nginx would log the URI */
    flags = 0;

    if (ngx_http_parse_unsafe_uri(r, uri, args, &flags) != NGX_OK) {
        return ngx_http_enkod_target_invalid(pass, "an unsafe URI");
    }

    if (args->len) {
        return ngx_http_enkod_target_escape_args(r, args);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_enkod_target_invalid(ngx_http_enkod_pass_t *pass, const char *what)
{
    static ngx_msec_t  logged;

    if (ngx_http_enkod_message_due(&logged)) {
        ngx_log_error(NGX_LOG_ERR, pass->request->connection->log, 0,
                      "enkod: \"%V\" in \"enkod_pass\" evaluates to %s",
                      &pass->conf->pass_name, what);
    }

    return NGX_ABORT;
}


/*
 * nginx decodes the path.  A control character in it ("%0A" in a value, say)
 * would get into names of files and into messages, so it is encoded twice.
 */

static ngx_int_t
ngx_http_enkod_target_encode_path(ngx_http_request_t *r, ngx_str_t *uri)
{
    u_char     *p, *src, *end;
    ngx_int_t   ch;
    ngx_uint_t  n;

    src = uri->data;
    end = src + uri->len;

    for (n = 0; src < end && *src != '?'; src++) {
        ch = (*src == '%' && end - src > 2) ? ngx_hextoi(src + 1, 2) : *src;
        n += ngx_http_enkod_target_is_control(ch);
    }

    if (n == 0) {
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, uri->len + n * (sizeof("%250A") - 2));
    if (p == NULL) {
        return NGX_ERROR;
    }

    src = uri->data;
    uri->data = p;

    for ( /* void */ ; src < end && *src != '?'; src++) {

        if (*src == '%' && end - src > 2) {

            if (ngx_http_enkod_target_is_control(ngx_hextoi(src + 1, 2))) {
                p = ngx_cpymem(p, "%25", sizeof("%25") - 1);

            } else {
                *p++ = '%';
            }

        } else if (ngx_http_enkod_target_is_control(*src)) {
            p = ngx_sprintf(p, "%%25%02Xi", (ngx_uint_t) *src);

        } else {
            *p++ = *src;
        }
    }

    p = ngx_cpymem(p, src, end - src);
    uri->len = p - uri->data;

    return NGX_OK;
}


/*
 * nginx copies arguments to the request line as they are, and a value may
 * contain spaces.  Of the sets of ngx_escape_uri() this one contains them, but
 * not "%", so that nothing is escaped twice.
 */

static ngx_int_t
ngx_http_enkod_target_escape_args(ngx_http_request_t *r, ngx_str_t *args)
{
    u_char     *p;
    uintptr_t   n;

    n = ngx_escape_uri(NULL, args->data, args->len, NGX_ESCAPE_REFRESH);

    if (n == 0) {
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, args->len + 2 * n);
    if (p == NULL) {
        return NGX_ERROR;
    }

    args->len = (u_char *) ngx_escape_uri(p, args->data, args->len,
                                          NGX_ESCAPE_REFRESH)
                - p;
    args->data = p;

    return NGX_OK;
}


/*
 * nginx adds the URI of a request, and that of its upstream, to its messages by
 * r->log_handler.  Of a subrequest both may contain values of the event.
 */

void
ngx_http_enkod_target_hide(ngx_http_request_t *r)
{
    if (r->log_handler != ngx_http_enkod_target_log_handler) {
        ngx_http_enkod_next_log_handler = r->log_handler;
        r->log_handler = ngx_http_enkod_target_log_handler;
    }
}


#if (angie_version >= 1012000)

static u_char *
ngx_http_enkod_target_log_handler(ngx_log_t *log, u_char *buf, u_char *last,
    void *data)
{
    ngx_http_log_ctx_t   ctx;
    ngx_http_request_t   copy;
    ngx_http_upstream_t  u;

    ctx = *(ngx_http_log_ctx_t *) data;

    ctx.current_request = ngx_http_enkod_target_replace(ctx.current_request,
                                                        &copy, &u);

    return ngx_http_enkod_next_log_handler(log, buf, last, &ctx);
}

#else

static u_char *
ngx_http_enkod_target_log_handler(ngx_http_request_t *r,
    ngx_http_request_t *current, u_char *buf, size_t len)
{
    ngx_http_request_t   copy;
    ngx_http_upstream_t  u;

    current = ngx_http_enkod_target_replace(current, &copy, &u);

    return ngx_http_enkod_next_log_handler(r, current, buf, len);
}

#endif


/* Returns r or, of a subrequest of a pass, a copy without these URIs. */

static ngx_http_request_t *
ngx_http_enkod_target_replace(ngx_http_request_t *r, ngx_http_request_t *copy,
    ngx_http_upstream_t *u)
{
    ngx_http_enkod_pass_t  *pass;

    pass = ngx_http_enkod_subrequest_find_pass(r);

    if (pass == NULL) {
        return r;
    }

    *copy = *r;
    copy->uri = pass->conf->pass_name;

    if (r->upstream) {
        *u = *r->upstream;
        ngx_str_null(&u->uri);
        copy->upstream = u;
    }

    return copy;
}
