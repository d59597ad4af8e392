
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Paths: each path is used for one purpose.
 */


#ifndef _NGX_HTTP_ENKOD_PATHS_H_INCLUDED_
#define _NGX_HTTP_ENKOD_PATHS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#pragma GCC visibility push(hidden)


/* a path of a directive */

typedef struct {
    ngx_str_t                   *directive;
    ngx_str_t                   *name;      /* the full one */
    ngx_open_file_t             *open;
    ngx_uint_t                   sync;
    void                        *data;      /* the caller's */
} ngx_http_enkod_path_t;


/*
 * Returns NGX_ERROR, after a message to "log", if one of these paths, which are
 * elements of type ngx_http_enkod_path_t, leads to a log of nginx, to the file
 * of another directive, or to one that has another "sync".
 */
ngx_int_t ngx_http_enkod_paths_check(ngx_array_t *paths, ngx_cycle_t *cycle,
    ngx_log_t *log);


#pragma GCC visibility pop

#endif /* _NGX_HTTP_ENKOD_PATHS_H_INCLUDED_ */
