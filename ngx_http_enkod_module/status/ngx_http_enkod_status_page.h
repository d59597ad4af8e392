
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The status page for people: one HTML document without external resources,
 * which asks its own URL for JSON.  tools/build/page makes the C file from
 * status/page/ when nginx is built.
 */


#ifndef _NGX_HTTP_ENKOD_STATUS_PAGE_H_INCLUDED_
#define _NGX_HTTP_ENKOD_STATUS_PAGE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#pragma GCC visibility push(hidden)


extern ngx_str_t  ngx_http_enkod_status_page;

/* Content-Security-Policy: allows the style and script of the page */
extern ngx_str_t  ngx_http_enkod_status_page_csp;


#pragma GCC visibility pop

#endif /* _NGX_HTTP_ENKOD_STATUS_PAGE_H_INCLUDED_ */
