
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Where an event goes that is handed on: a URI or a location, that may have
 * values of the event in it, which nginx is not to log.
 */


#include "ngx_http_enkod_module.h"
#include "ngx_http_enkod_message.h"


#define ngx_http_enkod_target_control(ch)                                     \
    (((ch) >= 0 && (ch) < 0x20) || (ch) == 0x7f)


static ngx_int_t ngx_http_enkod_target_nowhere(ngx_http_request_t *r,
    const char *place);
static ngx_int_t ngx_http_enkod_target_encode(ngx_http_request_t *r,
    ngx_str_t *uri);
static ngx_int_t ngx_http_enkod_target_escape(ngx_http_request_t *r,
    ngx_str_t *args);


/*
 * What named_locations points to is another type in Angie since 1.5, whose
 * member "name" is the same: the type is not named here.
 */

ngx_uint_t
ngx_http_enkod_target_known(ngx_http_core_srv_conf_t *cscf, ngx_str_t *name)
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
ngx_http_enkod_target_get(ngx_http_request_t *r, ngx_str_t *uri,
    ngx_str_t *args)
{
    ngx_uint_t                  flags;
    ngx_http_enkod_ctx_t       *ctx;
    ngx_http_core_srv_conf_t   *cscf;
    ngx_http_enkod_loc_conf_t  *elcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_enkod_module);
    elcf = ngx_http_get_module_loc_conf(r, ngx_http_enkod_module);

    if (ngx_http_complex_value(r, elcf->pass, uri) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_str_null(args);

    if (uri->len == 0) {
        return NGX_DECLINED;
    }

    if (uri->data[0] == '@') {

        cscf = ngx_http_get_module_srv_conf(r, ngx_http_core_module);

        if (elcf->pass->lengths && !ngx_http_enkod_target_known(cscf, uri)) {
            return ngx_http_enkod_target_nowhere(r, "a location that is not "
                                                    "in this server");
        }

        /* the client's arguments stay here, they may be a token */

        ctx->pass->location = *uri;
        *uri = r->uri;

        return NGX_OK;
    }

    if (uri->data[0] != '/') {
        return ngx_http_enkod_target_nowhere(r, "what begins neither with "
                                                "\"/\" nor with \"@\"");
    }

    if (ngx_http_enkod_target_encode(r, uri) != NGX_OK) {
        return NGX_ERROR;
    }

    /* nginx is not to log it */
    flags = 0;

    if (ngx_http_parse_unsafe_uri(r, uri, args, &flags) != NGX_OK) {
        return ngx_http_enkod_target_nowhere(r, "an unsafe URI");
    }

    if (args->len) {
        return ngx_http_enkod_target_escape(r, args);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_enkod_target_nowhere(ngx_http_request_t *r, const char *place)
{
    ngx_http_enkod_ctx_t  *ctx;

    static ngx_msec_t  logged;

    ctx = ngx_http_get_module_ctx(r, ngx_http_enkod_module);

    if (ngx_http_enkod_message_due(&logged)) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "enkod: \"%V\" in \"enkod_pass\" leads to %s",
                      ctx->pass->name, place);
    }

    return NGX_HTTP_INTERNAL_SERVER_ERROR;
}


/*
 * A control character that is a part of the path, from a value as "%0A" has it,
 * would be in names of files, and messages of nginx, so it stays encoded.
 */

static ngx_int_t
ngx_http_enkod_target_encode(ngx_http_request_t *r, ngx_str_t *uri)
{
    u_char     *p, *src, *end;
    ngx_int_t   ch;
    ngx_uint_t  n;

    src = uri->data;
    end = src + uri->len;

    for (n = 0; src < end && *src != '?'; src++) {
        ch = (*src == '%' && end - src > 2) ? ngx_hextoi(src + 1, 2) : *src;
        n += ngx_http_enkod_target_control(ch);
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

            if (ngx_http_enkod_target_control(ngx_hextoi(src + 1, 2))) {
                p = ngx_cpymem(p, "%25", sizeof("%25") - 1);

            } else {
                *p++ = '%';
            }

        } else if (ngx_http_enkod_target_control(*src)) {
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
 * Arguments get into the request line as they are, and a value may have spaces
 * in it.  Of all the sets that nginx knows this one has those, but not "%", so
 * that what is escaped already stays so.
 */

static ngx_int_t
ngx_http_enkod_target_escape(ngx_http_request_t *r, ngx_str_t *args)
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
