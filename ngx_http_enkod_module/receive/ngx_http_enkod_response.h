
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#ifndef _NGX_HTTP_ENKOD_RESPONSE_H_INCLUDED_
#define _NGX_HTTP_ENKOD_RESPONSE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#pragma GCC visibility push(hidden)


/*
 * Each function sends a complete answer and returns what to finalize the
 * request with.
 */

/* 200 without a body: the event is stored */
ngx_int_t ngx_http_enkod_response_ok(ngx_http_request_t *r);

/* 200 with a short line of text, for GET and HEAD */
ngx_int_t ngx_http_enkod_response_probe(ngx_http_request_t *r);

/* the problem (RFC 9457) that ctx->error is, or the error_page of its status */
ngx_int_t ngx_http_enkod_response_problem(ngx_http_request_t *r);


#pragma GCC visibility pop

#endif /* _NGX_HTTP_ENKOD_RESPONSE_H_INCLUDED_ */
