
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Paths: makes sure that each file is used for one purpose.
 */


#ifndef _NGX_HTTP_ENKOD_PATHS_H_INCLUDED_
#define _NGX_HTTP_ENKOD_PATHS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#pragma GCC visibility push(hidden)


/* the path in a directive */

typedef struct {
    ngx_str_t                   *directive;
    ngx_str_t                   *name;      /* absolute */
    ngx_open_file_t             *open;
    ngx_uint_t                   sync;
    void                        *data;      /* for the caller */
} ngx_http_enkod_path_t;


/*
 * "paths" is an array of ngx_http_enkod_path_t.  Returns NGX_ERROR, after a
 * message to "log", if the file of one of them is also a log of nginx, or the
 * file of another one with another directive or another "sync".
 */
ngx_int_t ngx_http_enkod_paths_check(ngx_array_t *paths, ngx_cycle_t *cycle,
    ngx_log_t *log);


#pragma GCC visibility pop

#endif /* _NGX_HTTP_ENKOD_PATHS_H_INCLUDED_ */
