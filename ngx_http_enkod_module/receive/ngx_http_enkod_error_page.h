
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#ifndef _NGX_HTTP_ENKOD_ERROR_PAGE_H_INCLUDED_
#define _NGX_HTTP_ENKOD_ERROR_PAGE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#pragma GCC visibility push(hidden)


/* the errors for which an error_page was taken: nginx does not record them */

typedef struct {
    ngx_uint_t                   status;    /* of the last error */
    ngx_uint_t                   failed;    /* 5xx of a receiver, or 0 */
} ngx_http_enkod_error_page_t;


/* NULL if the request has not been through an error_page. */
ngx_http_enkod_error_page_t *ngx_http_enkod_error_page_get(
    ngx_http_request_t *r);


#pragma GCC visibility pop

#endif /* _NGX_HTTP_ENKOD_ERROR_PAGE_H_INCLUDED_ */
