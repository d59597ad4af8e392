
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * An accepted event and its envelope become the line:
 *
 *     {"received_at":"2026-11-23T03:44:01.123Z","request_id":"...",
 *      "remote_addr":"192.0.2.7","test":true,"pass_status":502,
 *      "event":"message open",...}
 *
 * The length is known first, so that it is written where it is needed.
 */


#include "ngx_http_enkod_module.h"

#if (NGX_HTTP_ENKOD_HAVE_GETRANDOM)
#include <sys/random.h>
#endif


#define NGX_HTTP_ENKOD_REQUEST_ID   "Z\",\"request_id\":\""
#define NGX_HTTP_ENKOD_REMOTE_ADDR  "\",\"remote_addr\":\""
#define NGX_HTTP_ENKOD_TEST_TRUE    "\"test\":true,"
#define NGX_HTTP_ENKOD_PASS_STATUS  "\"pass_status\":"

#define NGX_HTTP_ENKOD_SECONDS_LEN  (sizeof("2026-11-23T03:44:01.") - 1)


/* random bytes that are fetched at a time, for 256 requests */
#define NGX_HTTP_ENKOD_RANDOM_SIZE  4096
#define NGX_HTTP_ENKOD_ID_LEN       32


#if (NGX_HTTP_ENKOD_HAVE_GETRANDOM)
static void ngx_http_enkod_line_request_id(ngx_http_request_t *r,
    ngx_http_variable_value_t *v);
static ngx_inline u_char *ngx_http_enkod_line_digits(u_char *p, uint64_t n);
#endif
static ngx_int_t ngx_http_enkod_line_remote_addr(ngx_http_request_t *r,
    ngx_str_t *addr);
static u_char *ngx_http_enkod_line_seconds(time_t sec);


ngx_int_t
ngx_http_enkod_line_prepare(ngx_http_request_t *r)
{
    ngx_http_enkod_ctx_t        *ctx;
    ngx_http_variable_value_t   *v;
    ngx_http_enkod_main_conf_t  *emcf;

    ctx = ngx_http_enkod_get_ctx(r->main);

    if (ctx->request_id.len) {
        return NGX_OK;
    }

    emcf = ngx_http_get_module_main_conf(r, ngx_http_enkod_module);

    v = &r->variables[emcf->request_id];

#if (NGX_HTTP_ENKOD_HAVE_GETRANDOM)
    if (!v->valid && !v->not_found) {
        ngx_http_enkod_line_request_id(r, v);
    }
#endif

    if (!v->valid) {
        v = ngx_http_get_indexed_variable(r, emcf->request_id);

        if (v == NULL || v->not_found) {
            return NGX_ERROR;
        }
    }

    if (ngx_http_enkod_line_remote_addr(r, &ctx->remote_addr) != NGX_OK) {
        return NGX_ERROR;
    }

    ctx->request_id.len = v->len;
    ctx->request_id.data = v->data;

    return NGX_OK;
}


#if (NGX_HTTP_ENKOD_HAVE_GETRANDOM)

/*
 * $request_id, as ngx_http_variable_request_id() would make it, but for the
 * source of its random bytes: RAND_bytes() of OpenSSL 3 takes as many
 * instructions as all that nginx does for a request, and a system call.
 * On failure the variable is left to nginx.
 */

static void
ngx_http_enkod_line_request_id(ngx_http_request_t *r,
    ngx_http_variable_value_t *v)
{
    u_char    *id, *p;
    uint64_t  *half;

    static size_t    left;
    static uint64_t  random[NGX_HTTP_ENKOD_RANDOM_SIZE / sizeof(uint64_t)];

    if (left == 0) {

        if (getrandom(random, sizeof(random), GRND_NONBLOCK)
            != (ssize_t) sizeof(random))
        {
            return;
        }

        left = sizeof(random) / sizeof(uint64_t);
    }

    id = ngx_pnalloc(r->pool, NGX_HTTP_ENKOD_ID_LEN);
    if (id == NULL) {
        return;
    }

    left -= 2;
    half = &random[left];

    p = ngx_http_enkod_line_digits(id, half[0]);
    p = ngx_http_enkod_line_digits(p, half[0] >> 4);
    p = ngx_http_enkod_line_digits(p, half[1]);
    (void) ngx_http_enkod_line_digits(p, half[1] >> 4);

    v->len = NGX_HTTP_ENKOD_ID_LEN;
    v->data = id;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;
}


/*
 * The lower halves of eight bytes as hexadecimal digits, all at once, as a call
 * of ngx_hex_dump() takes five times as long.  In which order does not matter,
 * since they are random.
 */

static ngx_inline u_char *
ngx_http_enkod_line_digits(u_char *p, uint64_t n)
{
    uint64_t  letters;

    n &= UINT64_C(0x0f0f0f0f0f0f0f0f);

    /* a 1 where the digit is ten or more */
    letters = ((n + UINT64_C(0x0606060606060606)) >> 4)
              & UINT64_C(0x0101010101010101);

    n += UINT64_C(0x3030303030303030) + letters * ('a' - '0' - 10);

    return ngx_cpymem(p, &n, sizeof(uint64_t));
}

#endif


/*
 * An IP address is text of nginx's.  A client of a unix domain socket chooses
 * its address: a path with any bytes but zeros.
 */

static ngx_int_t
ngx_http_enkod_line_remote_addr(ngx_http_request_t *r, ngx_str_t *addr)
{
    u_char            *p;
    ngx_connection_t  *c;

    c = r->connection;

    *addr = c->addr_text;

    if (c->sockaddr->sa_family == AF_INET
#if (NGX_HAVE_INET6)
        || c->sockaddr->sa_family == AF_INET6
#endif
       )
    {
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, 6 * addr->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    addr->len = enkod_json_escape_any(p, addr->data, addr->len);
    addr->data = p;

    return NGX_OK;
}


size_t
ngx_http_enkod_line_envelope_length(ngx_http_request_t *r)
{
    ngx_http_enkod_ctx_t  *ctx;

    ctx = ngx_http_enkod_get_ctx(r->main);

    return sizeof(NGX_HTTP_ENKOD_LINE_START) - 1
           + NGX_HTTP_ENKOD_SECONDS_LEN + sizeof("123") - 1
           + sizeof(NGX_HTTP_ENKOD_REQUEST_ID) - 1
           + ctx->request_id.len
           + sizeof(NGX_HTTP_ENKOD_REMOTE_ADDR) - 1
           + ctx->remote_addr.len
           + sizeof("\",") - 1;
}


u_char *
ngx_http_enkod_line_envelope(ngx_http_request_t *r, u_char *p)
{
    ngx_http_enkod_ctx_t  *ctx;

    ctx = ngx_http_enkod_get_ctx(r->main);

    p = ngx_cpymem(p, NGX_HTTP_ENKOD_LINE_START,
                   sizeof(NGX_HTTP_ENKOD_LINE_START) - 1);
    p = ngx_cpymem(p, ngx_http_enkod_line_seconds(ctx->sec),
                   NGX_HTTP_ENKOD_SECONDS_LEN);

    *p++ = '0' + ctx->msec / 100;
    *p++ = '0' + ctx->msec / 10 % 10;
    *p++ = '0' + ctx->msec % 10;

    p = ngx_cpymem(p, NGX_HTTP_ENKOD_REQUEST_ID,
                   sizeof(NGX_HTTP_ENKOD_REQUEST_ID) - 1);
    p = ngx_cpymem(p, ctx->request_id.data, ctx->request_id.len);

    p = ngx_cpymem(p, NGX_HTTP_ENKOD_REMOTE_ADDR,
                   sizeof(NGX_HTTP_ENKOD_REMOTE_ADDR) - 1);
    p = ngx_cpymem(p, ctx->remote_addr.data, ctx->remote_addr.len);

    *p++ = '"';
    *p++ = ',';

    return p;
}


size_t
ngx_http_enkod_line_length(ngx_http_request_t *r, ngx_uint_t pass_status)
{
    size_t                 len;
    ngx_http_enkod_ctx_t  *ctx;

    ctx = ngx_http_enkod_get_ctx(r->main);

    len = ngx_http_enkod_line_envelope_length(r)
          + enkod_event_length(ctx->event)
          + sizeof("}") - 1;

    if (enkod_event_test(ctx->event)) {
        len += sizeof(NGX_HTTP_ENKOD_TEST_TRUE) - 1;
    }

    if (pass_status) {
        len += sizeof(NGX_HTTP_ENKOD_PASS_STATUS "502,") - 1;
    }

    return len;
}


u_char *
ngx_http_enkod_line_write(ngx_http_request_t *r, u_char *p,
    ngx_uint_t pass_status)
{
    ngx_http_enkod_ctx_t  *ctx;

    ctx = ngx_http_enkod_get_ctx(r->main);

    p = ngx_http_enkod_line_envelope(r, p);

    if (enkod_event_test(ctx->event)) {
        p = ngx_cpymem(p, NGX_HTTP_ENKOD_TEST_TRUE,
                       sizeof(NGX_HTTP_ENKOD_TEST_TRUE) - 1);
    }

    if (pass_status) {
        /* a status has three digits, RFC 9110, 15 */
        p = ngx_sprintf(p, NGX_HTTP_ENKOD_PASS_STATUS "%03ui,", pass_status);
    }

    p = enkod_event_write(ctx->event, p);

    *p++ = '}';

    return p;
}


ngx_int_t
ngx_http_enkod_line_get(ngx_http_request_t *r, ngx_str_t *line)
{
    ngx_http_enkod_ctx_t  *ctx;

    ctx = ngx_http_enkod_get_ctx(r->main);

    if (ctx->line.len == 0) {

        if (ngx_http_enkod_line_prepare(r) != NGX_OK) {
            return NGX_ERROR;
        }

        ctx->line.data = ngx_pnalloc(r->pool,
                                     ngx_http_enkod_line_length(r, 0));
        if (ctx->line.data == NULL) {
            return NGX_ERROR;
        }

        ctx->line.len = ngx_http_enkod_line_write(r, ctx->line.data, 0)
                        - ctx->line.data;

        if (!ctx->shown) {

            /* a large event is not kept twice */

            enkod_event_adopt(ctx->event, ctx->line.data + ctx->line.len
                                          - (sizeof("}") - 1)
                                          - enkod_event_length(ctx->event));
        }
    }

    *line = ctx->line;

    return NGX_OK;
}


/* RFC 3339, UTC; all events of a second share the text */

static u_char *
ngx_http_enkod_line_seconds(time_t sec)
{
    ngx_tm_t  tm;

    static time_t  cached = (time_t) -1;
    static u_char  text[NGX_HTTP_ENKOD_SECONDS_LEN + 1];

    if (sec != cached) {
        ngx_gmtime(sec, &tm);

        (void) ngx_sprintf(text, "%4d-%02d-%02dT%02d:%02d:%02d.",
                           tm.ngx_tm_year, tm.ngx_tm_mon, tm.ngx_tm_mday,
                           tm.ngx_tm_hour, tm.ngx_tm_min, tm.ngx_tm_sec);
        cached = sec;
    }

    return text;
}
