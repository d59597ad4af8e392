
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#ifndef _NGX_HTTP_ENKOD_DELIVER_H_INCLUDED_
#define _NGX_HTTP_ENKOD_DELIVER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_enkod_ctx.h"

#pragma GCC visibility push(hidden)


/*
 * Delivers the event of a request in the state DELIVERING to all sinks, or logs
 * the refusal of one in the state REFUSED, then answers and finalizes the
 * request.
 */
void ngx_http_enkod_deliver(ngx_http_request_t *r);

/* The event does not wait for a sink any more, if it did. */
void ngx_http_enkod_deliver_waited(ngx_http_enkod_ctx_t *ctx);


#pragma GCC visibility pop

#endif /* _NGX_HTTP_ENKOD_DELIVER_H_INCLUDED_ */
