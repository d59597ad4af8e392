
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The envelope of a line: when the body was received, the id of the request,
 * and the address of the client.
 */


#include "ngx_http_enkod_ctx.h"
#include "ngx_http_enkod_envelope.h"
#include "ngx_http_enkod_module.h"
#include "enkod_json.h"

#if (NGX_HTTP_ENKOD_HAVE_GETRANDOM)
#include <sys/random.h>
#endif


#define NGX_HTTP_ENKOD_SECONDS_LEN  (sizeof("2026-11-23T03:44:01.") - 1)


/* random bytes that are fetched at a time, for 256 requests */
#define NGX_HTTP_ENKOD_RANDOM_SIZE  4096
#define NGX_HTTP_ENKOD_ID_LEN       32


#if (NGX_HTTP_ENKOD_HAVE_GETRANDOM)
static void ngx_http_enkod_envelope_request_id(ngx_http_request_t *r,
    ngx_http_variable_value_t *v);
static ngx_inline u_char *ngx_http_enkod_envelope_digits(u_char *p,
    uint64_t n);
#endif
static ngx_int_t ngx_http_enkod_envelope_remote_addr(ngx_http_request_t *r,
    enkod_str_t *addr);
static void ngx_http_enkod_envelope_time(ngx_http_enkod_ctx_t *ctx);
static void ngx_http_enkod_envelope_new_second(time_t sec);


/* the text of the last second that was asked for: RFC 3339, UTC */
static time_t  ngx_http_enkod_second = (time_t) -1;
static u_char  ngx_http_enkod_second_text[NGX_HTTP_ENKOD_SECONDS_LEN + 1];


ngx_int_t
ngx_http_enkod_envelope_fill(ngx_http_request_t *r)
{
    enkod_envelope_t            *envelope;
    ngx_http_enkod_ctx_t        *ctx;
    ngx_http_variable_value_t   *v;
    ngx_http_enkod_main_conf_t  *emcf;

    ctx = ngx_http_enkod_ctx_get(r->main);

    envelope = &ctx->envelope;

    if (envelope->request_id.len) {
        return NGX_OK;
    }

    emcf = ngx_http_get_module_main_conf(r, ngx_http_enkod_module);

    v = &r->variables[emcf->request_id];

#if (NGX_HTTP_ENKOD_HAVE_GETRANDOM)
    if (!v->valid && !v->not_found) {
        ngx_http_enkod_envelope_request_id(r, v);
    }
#endif

    if (!v->valid) {
        v = ngx_http_get_indexed_variable(r, emcf->request_id);

        if (v == NULL || v->not_found) {
            return NGX_ERROR;
        }
    }

    if (ngx_http_enkod_envelope_remote_addr(r, &envelope->remote_addr)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_enkod_envelope_time(ctx);

    envelope->request_id.len = v->len;
    envelope->request_id.data = v->data;

    return NGX_OK;
}


#if (NGX_HTTP_ENKOD_HAVE_GETRANDOM)

/*
 * Sets $request_id as ngx_http_variable_request_id() would, but for the source
 * of its random bytes: RAND_bytes() of OpenSSL 3 takes as many instructions as
 * nginx takes for a whole request, and a system call.  On failure the variable
 * is left to nginx.
 */

static void
ngx_http_enkod_envelope_request_id(ngx_http_request_t *r,
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

    p = ngx_http_enkod_envelope_digits(id, half[0]);
    p = ngx_http_enkod_envelope_digits(p, half[0] >> 4);
    p = ngx_http_enkod_envelope_digits(p, half[1]);
    (void) ngx_http_enkod_envelope_digits(p, half[1] >> 4);

    v->len = NGX_HTTP_ENKOD_ID_LEN;
    v->data = id;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;
}


/*
 * Writes the lower halves of eight bytes as hexadecimal digits, all at once:
 * ngx_hex_dump() takes five times as long.  Their order does not matter, since
 * they are random.
 */

static ngx_inline u_char *
ngx_http_enkod_envelope_digits(u_char *p, uint64_t n)
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
 * The text of an IP address needs no escapes.  A client of a unix domain socket
 * chooses its address: a path with any bytes but zeros.
 */

static ngx_int_t
ngx_http_enkod_envelope_remote_addr(ngx_http_request_t *r, enkod_str_t *addr)
{
    u_char            *p;
    ngx_connection_t  *c;

    c = r->connection;

    addr->len = c->addr_text.len;
    addr->data = c->addr_text.data;

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


static void
ngx_http_enkod_envelope_time(ngx_http_enkod_ctx_t *ctx)
{
    u_char    *p;
    unsigned   tens;

    if (ctx->sec != ngx_http_enkod_second) {
        ngx_http_enkod_envelope_new_second(ctx->sec);
    }

    p = ngx_cpymem(ctx->envelope.received_at, ngx_http_enkod_second_text,
                   NGX_HTTP_ENKOD_SECONDS_LEN);

    tens = ctx->msec / 10;

    *p++ = '0' + tens / 10;
    *p++ = '0' + tens % 10;
    *p++ = '0' + ctx->msec - tens * 10;
    *p = 'Z';
}


static void
ngx_http_enkod_envelope_new_second(time_t sec)
{
    ngx_tm_t  tm;

    ngx_gmtime(sec, &tm);

    (void) ngx_sprintf(ngx_http_enkod_second_text,
                       "%4d-%02d-%02dT%02d:%02d:%02d.",
                       tm.ngx_tm_year, tm.ngx_tm_mon, tm.ngx_tm_mday,
                       tm.ngx_tm_hour, tm.ngx_tm_min, tm.ngx_tm_sec);

    ngx_http_enkod_second = sec;
}
