
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#ifndef _NGX_HTTP_ENKOD_EVENT_BLOCK_H_INCLUDED_
#define _NGX_HTTP_ENKOD_EVENT_BLOCK_H_INCLUDED_


#include "ngx_http_enkod_ctx.h"

#pragma GCC visibility push(hidden)


/*
 * Creates ctx->event, with the settings of the location; NGX_ERROR if there is
 * no memory.
 */
ngx_int_t ngx_http_enkod_event_block_create(ngx_http_request_t *r,
    ngx_http_enkod_ctx_t *ctx);

/* Destroys ctx->event, if there is one. */
void ngx_http_enkod_event_block_free(ngx_http_enkod_ctx_t *ctx);


#pragma GCC visibility pop

#endif /* _NGX_HTTP_ENKOD_EVENT_BLOCK_H_INCLUDED_ */
