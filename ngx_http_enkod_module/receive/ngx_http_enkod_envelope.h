
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#ifndef _NGX_HTTP_ENKOD_ENVELOPE_H_INCLUDED_
#define _NGX_HTTP_ENKOD_ENVELOPE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#pragma GCC visibility push(hidden)


/*
 * Fills the envelope of a request whose body was received, unless that was done
 * before; NGX_ERROR if there is no memory.
 */
ngx_int_t ngx_http_enkod_envelope_fill(ngx_http_request_t *r);


#pragma GCC visibility pop

#endif /* _NGX_HTTP_ENKOD_ENVELOPE_H_INCLUDED_ */
