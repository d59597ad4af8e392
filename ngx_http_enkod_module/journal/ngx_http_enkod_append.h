
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Append: whole lines, together with other processes.
 */


#ifndef _NGX_HTTP_ENKOD_APPEND_H_INCLUDED_
#define _NGX_HTTP_ENKOD_APPEND_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_enkod_file.h"

#pragma GCC visibility push(hidden)


/*
 * Appends "len" bytes, which are lines.  *whole says how many of these bytes
 * are in the file, all of them whole lines; where that is not "len", the error
 * is returned, else 0.  The byte before "p" must be writable.
 */
ngx_err_t ngx_http_enkod_append(ngx_http_enkod_file_t *file, u_char *p,
    size_t len, size_t *whole, ngx_log_t *log);

/* Of a worker: no limit of a file's size ends it. */
void ngx_http_enkod_append_init_process(ngx_cycle_t *cycle);


#pragma GCC visibility pop

#endif /* _NGX_HTTP_ENKOD_APPEND_H_INCLUDED_ */
