
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Append: writes lines to the end of a file, to which other processes append,
 * too.
 */


#ifndef _NGX_HTTP_ENKOD_APPEND_H_INCLUDED_
#define _NGX_HTTP_ENKOD_APPEND_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_enkod_file.h"

#pragma GCC visibility push(hidden)


/*
 * Appends "len" bytes, which are whole lines.  The byte before "p" must be
 * writable.  Returns 0 if all of them are in the file; else the error, and in
 * *written how many bytes, from "p" on, are in the file as whole lines.
 */
ngx_err_t ngx_http_enkod_append(ngx_http_enkod_file_t *file, u_char *p,
    size_t len, size_t *written, ngx_log_t *log);

/* In a worker: a limit of the file size (RLIMIT_FSIZE) does not end it. */
void ngx_http_enkod_append_init_process(ngx_cycle_t *cycle);


#pragma GCC visibility pop

#endif /* _NGX_HTTP_ENKOD_APPEND_H_INCLUDED_ */
