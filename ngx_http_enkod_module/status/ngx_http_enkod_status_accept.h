
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Content negotiation by the header Accept (RFC 9110, section 12.5.1).
 */


#ifndef _NGX_HTTP_ENKOD_STATUS_ACCEPT_H_INCLUDED_
#define _NGX_HTTP_ENKOD_STATUS_ACCEPT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#pragma GCC visibility push(hidden)


/* a media type that can be sent */
typedef struct {
    ngx_str_t                    type;      /* "text" */
    ngx_str_t                    subtype;   /* "plain" */
    ngx_str_t                    version;   /* as its parameter, or empty */
} ngx_http_enkod_status_type_t;


/*
 * The index of the type that the client prefers.  Of equal ones it is the one
 * that the client names most exactly, of these the first.  It is 0 if the
 * client has no Accept, or accepts none of them.
 */
ngx_uint_t ngx_http_enkod_status_accept(ngx_http_request_t *r,
    const ngx_http_enkod_status_type_t *types, ngx_uint_t ntypes);


#pragma GCC visibility pop

#endif /* _NGX_HTTP_ENKOD_STATUS_ACCEPT_H_INCLUDED_ */
