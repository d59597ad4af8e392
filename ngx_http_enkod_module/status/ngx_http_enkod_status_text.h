
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * A text that grows: a chain of buffers in the pool of a request.  Functions
 * that append do not fail; if there was no memory, ngx_http_enkod_text_end()
 * says so.
 */


#ifndef _NGX_HTTP_ENKOD_STATUS_TEXT_H_INCLUDED_
#define _NGX_HTTP_ENKOD_STATUS_TEXT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#pragma GCC visibility push(hidden)


typedef struct {
    ngx_pool_t                  *pool;
    ngx_chain_t                 *out;
    ngx_chain_t                 *last;
    off_t                        size;      /* of the buffers that are full */
    ngx_uint_t                   failed;
} ngx_http_enkod_text_t;


/* NGX_ERROR if there is no memory. */
ngx_int_t ngx_http_enkod_text_init(ngx_http_enkod_text_t *text,
    ngx_pool_t *pool);

/*
 * Memory for up to "len" bytes, at most NGX_HTTP_ENKOD_TEXT_MAX.  What was
 * written there is appended by ngx_http_enkod_text_written(), which takes its
 * end.
 */

#define NGX_HTTP_ENKOD_TEXT_MAX  8192

u_char *ngx_http_enkod_text_reserve(ngx_http_enkod_text_t *text, size_t len);

#define ngx_http_enkod_text_written(text, end)                                \
    (text)->last->buf->last = end

void ngx_http_enkod_text_add(ngx_http_enkod_text_t *text, const u_char *data,
    size_t len);

/* "s" is a string literal */
#define ngx_http_enkod_text_literal(text, s)                                  \
    ngx_http_enkod_text_add(text, (const u_char *) s, sizeof(s) - 1)

#define ngx_http_enkod_text_str(text, s)                                      \
    ngx_http_enkod_text_add(text, (s)->data, (s)->len)

void ngx_http_enkod_text_number(ngx_http_enkod_text_t *text, uint64_t n);

/* "n" / 10^"places", without zeros at the end; "places" is at most 6. */
void ngx_http_enkod_text_decimal(ngx_http_enkod_text_t *text, uint64_t n,
    ngx_uint_t places);

/* "msec", since 1970, as 2026-11-29T15:00:00.123Z */
void ngx_http_enkod_text_time(ngx_http_enkod_text_t *text, uint64_t msec);

/*
 * The content of a string of JSON, or of the value of a label.  Bytes that are
 * not UTF-8 become U+FFFD.
 */
void ngx_http_enkod_text_json(ngx_http_enkod_text_t *text, ngx_str_t *value);
void ngx_http_enkod_text_label(ngx_http_enkod_text_t *text, ngx_str_t *value);

/* What the error number means, as the content of a string of JSON. */
void ngx_http_enkod_text_error(ngx_http_enkod_text_t *text, ngx_err_t err);

/*
 * The same as ngx_http_enkod_text_label(), in memory at "p", which has room for
 * a value that grows; returns its end.
 */

#define NGX_HTTP_ENKOD_TEXT_GROWS  3        /* times */

u_char *ngx_http_enkod_text_copy_label(u_char *p, ngx_str_t *value);

/* The length of the text; NGX_ERROR if it is not complete. */
off_t ngx_http_enkod_text_end(ngx_http_enkod_text_t *text);


/* Writes "n" to "p", which has room for 20 digits; returns its end. */

static ngx_inline u_char *
ngx_http_enkod_text_digits(u_char *p, uint64_t n)
{
    u_char   digits[20];
    u_char  *q;

    q = digits + sizeof(digits);

    do {
        *--q = (u_char) ('0' + n % 10);
        n /= 10;
    } while (n);

    return ngx_cpymem(p, q, digits + sizeof(digits) - q);
}


#pragma GCC visibility pop

#endif /* _NGX_HTTP_ENKOD_STATUS_TEXT_H_INCLUDED_ */
