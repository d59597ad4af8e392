
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#ifndef _NGX_HTTP_ENKOD_BODY_H_INCLUDED_
#define _NGX_HTTP_ENKOD_BODY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#pragma GCC visibility push(hidden)


/*
 * Reads the body of the request to its end.  In the state RECEIVING it is fed
 * to ctx->event as it arrives, and an error sets the state REFUSED.  In the
 * state REFUSED it is dropped.  Then "handler" is called, in the state REFUSED
 * or DELIVERING.  A body that grows larger than enkod_max_event_size ends at
 * once, with ENKOD_TOO_LARGE.  Returns what a content handler returns.
 */
ngx_int_t ngx_http_enkod_body_read(ngx_http_request_t *r,
    ngx_http_client_body_handler_pt handler);

/* Makes it a request without a body; NGX_ERROR if there is no memory. */
ngx_int_t ngx_http_enkod_body_drop(ngx_http_request_t *r);


#pragma GCC visibility pop

#endif /* _NGX_HTTP_ENKOD_BODY_H_INCLUDED_ */
