
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The directive enkod_status: its content handler, and what it may show.
 */


#ifndef _NGX_HTTP_ENKOD_STATUS_HANDLER_H_INCLUDED_
#define _NGX_HTTP_ENKOD_STATUS_HANDLER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#pragma GCC visibility push(hidden)


/* what a location with enkod_status shows */

#define NGX_HTTP_ENKOD_STATUS_NEGOTIATED  0
#define NGX_HTTP_ENKOD_STATUS_JSON        1
#define NGX_HTTP_ENKOD_STATUS_PROMETHEUS  2
#define NGX_HTTP_ENKOD_STATUS_HTML        3
#define NGX_HTTP_ENKOD_STATUS_READY       4


ngx_int_t ngx_http_enkod_status_handler(ngx_http_request_t *r);


#pragma GCC visibility pop

#endif /* _NGX_HTTP_ENKOD_STATUS_HANDLER_H_INCLUDED_ */
