
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The text is written once and never copied, so the time that it takes depends
 * on its length alone.  Without memory, the last buffer is written again and
 * again: its content is not used.
 */


#include "ngx_http_enkod_status_text.h"


#define NGX_HTTP_ENKOD_TEXT_BUFFER  (32 * 1024)


static ngx_chain_t *ngx_http_enkod_text_buffer(ngx_pool_t *pool);
static void ngx_http_enkod_text_escape(ngx_http_enkod_text_t *text,
    ngx_str_t *value, ngx_uint_t json);
static u_char *ngx_http_enkod_text_character(u_char *p, u_char **s,
    u_char *last, ngx_uint_t json);
static size_t ngx_http_enkod_text_utf8(u_char *p, u_char *last);


ngx_int_t
ngx_http_enkod_text_init(ngx_http_enkod_text_t *text, ngx_pool_t *pool)
{
    text->pool = pool;
    text->size = 0;
    text->failed = 0;

    text->out = ngx_http_enkod_text_buffer(pool);
    text->last = text->out;

    return text->out ? NGX_OK : NGX_ERROR;
}


static ngx_chain_t *
ngx_http_enkod_text_buffer(ngx_pool_t *pool)
{
    ngx_chain_t  *cl;

    cl = ngx_alloc_chain_link(pool);
    if (cl == NULL) {
        return NULL;
    }

    cl->buf = ngx_create_temp_buf(pool, NGX_HTTP_ENKOD_TEXT_BUFFER);
    cl->next = NULL;

    return cl->buf ? cl : NULL;
}


u_char *
ngx_http_enkod_text_reserve(ngx_http_enkod_text_t *text, size_t len)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    b = text->last->buf;

    if ((size_t) (b->end - b->last) >= len) {
        return b->last;
    }

    cl = text->failed ? NULL : ngx_http_enkod_text_buffer(text->pool);

    if (cl == NULL) {
        text->failed = 1;
        b->last = b->pos;

        return b->last;
    }

    text->size += ngx_buf_size(b);
    text->last->next = cl;
    text->last = cl;

    return cl->buf->last;
}


void
ngx_http_enkod_text_add(ngx_http_enkod_text_t *text, const u_char *data,
    size_t len)
{
    size_t   n;
    u_char  *p;

    while (len) {
        n = ngx_min(len, NGX_HTTP_ENKOD_TEXT_MAX);

        p = ngx_http_enkod_text_reserve(text, n);
        ngx_http_enkod_text_written(text, ngx_cpymem(p, data, n));

        data += n;
        len -= n;
    }
}


void
ngx_http_enkod_text_number(ngx_http_enkod_text_t *text, uint64_t n)
{
    u_char  *p;

    p = ngx_http_enkod_text_reserve(text, NGX_INT64_LEN);
    ngx_http_enkod_text_written(text, ngx_http_enkod_text_digits(p, n));
}


void
ngx_http_enkod_text_decimal(ngx_http_enkod_text_t *text, uint64_t n,
    ngx_uint_t places)
{
    u_char    *p;
    uint64_t   whole, rest;

    static const uint64_t  units[] = { 1, 10, 100, 1000, 10000, 100000,
                                       1000000 };

    whole = n / units[places];

    /* millionths */
    rest = (n - whole * units[places]) * units[6 - places];

    p = ngx_http_enkod_text_reserve(text, NGX_INT64_LEN + 1 + places);
    p = ngx_http_enkod_text_digits(p, whole);

    if (rest) {
        *p++ = '.';
    }

    while (rest) {
        rest *= 10;
        *p++ = (u_char) ('0' + rest / 1000000);
        rest %= 1000000;
    }

    ngx_http_enkod_text_written(text, p);
}


void
ngx_http_enkod_text_time(ngx_http_enkod_text_t *text, uint64_t msec)
{
    u_char    *p;
    ngx_tm_t   tm;

    ngx_gmtime((time_t) (msec / 1000), &tm);

    p = ngx_http_enkod_text_reserve(text, sizeof("2026-11-29T15:00:00.123Z"));
    p = ngx_sprintf(p, "%4d-%02d-%02dT%02d:%02d:%02d.%03uiZ",
                    tm.ngx_tm_year, tm.ngx_tm_mon, tm.ngx_tm_mday,
                    tm.ngx_tm_hour, tm.ngx_tm_min, tm.ngx_tm_sec,
                    (ngx_uint_t) (msec % 1000));

    ngx_http_enkod_text_written(text, p);
}


void
ngx_http_enkod_text_json(ngx_http_enkod_text_t *text, ngx_str_t *value)
{
    ngx_http_enkod_text_escape(text, value, 1);
}


void
ngx_http_enkod_text_label(ngx_http_enkod_text_t *text, ngx_str_t *value)
{
    ngx_http_enkod_text_escape(text, value, 0);
}


void
ngx_http_enkod_text_error(ngx_http_enkod_text_t *text, ngx_err_t err)
{
    ngx_str_t  message;
    u_char     errstr[NGX_MAX_ERROR_STR];

    message.data = errstr;
    message.len = ngx_strerror(err, errstr, sizeof(errstr)) - errstr;

    ngx_http_enkod_text_json(text, &message);
}


u_char *
ngx_http_enkod_text_copy_label(u_char *p, ngx_str_t *value)
{
    u_char  *s, *last;

    s = value->data;
    last = s + value->len;

    while (s < last) {
        p = ngx_http_enkod_text_character(p, &s, last, 0);
    }

    return p;
}


static void
ngx_http_enkod_text_escape(ngx_http_enkod_text_t *text, ngx_str_t *value,
    ngx_uint_t json)
{
    u_char  *p, *s, *last, *plain;

    s = value->data;
    last = s + value->len;

    while (s < last) {

        plain = s;

        while (s < last && *s >= 0x20 && *s < 0x7f && *s != '"' && *s != '\\')
        {
            s++;
        }

        ngx_http_enkod_text_add(text, plain, s - plain);

        if (s == last) {
            break;
        }

        p = ngx_http_enkod_text_reserve(text, sizeof("\\u001f") - 1);
        p = ngx_http_enkod_text_character(p, &s, last, json);

        ngx_http_enkod_text_written(text, p);
    }
}


/* Escapes the character at "s", and moves "s" behind it. */

static u_char *
ngx_http_enkod_text_character(u_char *p, u_char **s, u_char *last,
    ngx_uint_t json)
{
    u_char  c;
    size_t  len;

    c = **s;

    if (c >= 0x80) {
        len = ngx_http_enkod_text_utf8(*s, last);

        if (len == 0) {
            (*s)++;
            return ngx_cpymem(p, "\xef\xbf\xbd", 3);
        }

        p = ngx_cpymem(p, *s, len);
        *s += len;

        return p;
    }

    (*s)++;

    if (c == '"' || c == '\\') {
        *p++ = '\\';
        *p++ = c;

    } else if (c == LF) {
        *p++ = '\\';
        *p++ = 'n';

    } else if (json && (c < 0x20 || c == 0x7f)) {
        p = ngx_sprintf(p, "\\u%04xi", (ngx_int_t) c);

    } else {
        *p++ = c;
    }

    return p;
}


/* The length of the character at "p", or 0: it is not UTF-8 (RFC 3629). */

static size_t
ngx_http_enkod_text_utf8(u_char *p, u_char *last)
{
    size_t      len, i;
    ngx_uint_t  min, max;

    min = 0x80;
    max = 0xbf;

    if (*p >= 0xc2 && *p <= 0xdf) {
        len = 2;

    } else if (*p >= 0xe0 && *p <= 0xef) {
        len = 3;

        if (*p == 0xe0) {
            min = 0xa0;

        } else if (*p == 0xed) {
            max = 0x9f;
        }

    } else if (*p >= 0xf0 && *p <= 0xf4) {
        len = 4;

        if (*p == 0xf0) {
            min = 0x90;

        } else if (*p == 0xf4) {
            max = 0x8f;
        }

    } else {
        return 0;
    }

    if ((size_t) (last - p) < len || p[1] < min || p[1] > max) {
        return 0;
    }

    for (i = 2; i < len; i++) {
        if (p[i] < 0x80 || p[i] > 0xbf) {
            return 0;
        }
    }

    return len;
}


off_t
ngx_http_enkod_text_end(ngx_http_enkod_text_t *text)
{
    if (text->failed) {
        return NGX_ERROR;
    }

    return text->size + ngx_buf_size(text->last->buf);
}
