
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#ifndef _NGX_HTTP_ENKOD_REJECT_H_INCLUDED_
#define _NGX_HTTP_ENKOD_REJECT_H_INCLUDED_


#include "ngx_http_enkod_ctx.h"

#pragma GCC visibility push(hidden)


/*
 * Adds the next bytes of the body to what is kept of it; with "last" they stay
 * where they are as long as the request lives.  NGX_ERROR if there is no
 * memory.
 */
ngx_int_t ngx_http_enkod_reject_keep(ngx_http_request_t *r, u_char *p,
    size_t len, ngx_uint_t last);

/* Frees what was kept. */
void ngx_http_enkod_reject_free(ngx_http_enkod_ctx_t *ctx);

/* Whether the refusal of the body belongs into the reject log: 400 and 422. */
ngx_uint_t ngx_http_enkod_reject_is_logged(ngx_http_enkod_ctx_t *ctx);

/*
 * Adds the line of the refusal to the journal, between ctx_write_begin() and
 * ctx_write_end(); the envelope has to be filled.  NGX_ERROR if there is no
 * memory.
 */
ngx_int_t ngx_http_enkod_reject_write(ngx_http_enkod_ctx_t *ctx,
    ngx_http_enkod_journal_t *journal);


#pragma GCC visibility pop

#endif /* _NGX_HTTP_ENKOD_REJECT_H_INCLUDED_ */
