
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#ifndef _NGX_HTTP_ENKOD_ADMIT_H_INCLUDED_
#define _NGX_HTTP_ENKOD_ADMIT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "enkod_error.h"

#pragma GCC visibility push(hidden)


/*
 * Checks token, method, encoding and announced length, in this order.  Returns
 * ENKOD_OK, or why the request is refused.
 */
enkod_error_e ngx_http_enkod_admit(ngx_http_request_t *r);

/*
 * The method that the client has sent: error_page and X-Accel-Redirect to a URI
 * change r->method to GET, and an event must not be taken for a probe.
 */
#define ngx_http_enkod_admit_method(r)                                        \
    ((r)->internal ? ngx_http_enkod_admit_line_method(r) : (r)->method)

/* the method of the request line, if there is one */
ngx_uint_t ngx_http_enkod_admit_line_method(ngx_http_request_t *r);


#pragma GCC visibility pop

#endif /* _NGX_HTTP_ENKOD_ADMIT_H_INCLUDED_ */
