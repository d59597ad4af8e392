
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Append-only files of lines.  A journal takes bytes and a waiter, whose
 * handler is called exactly once: with 0 when the bytes are in the file (with
 * "sync": on the disk), or with the error.
 *
 * The lines that are added within one turn of the event loop are one write().
 * With "sync", all lines that are written while an fdatasync() runs share the
 * next one.
 */


#ifndef _NGX_HTTP_ENKOD_JOURNAL_H_INCLUDED_
#define _NGX_HTTP_ENKOD_JOURNAL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_enkod_waiter.h"

#pragma GCC visibility push(hidden)


typedef struct ngx_http_enkod_journal_s   ngx_http_enkod_journal_t;

/* all journals of a configuration */
typedef struct ngx_http_enkod_journals_s  ngx_http_enkod_journals_t;


/*
 * What watches the journals.  "create" is called at configuration time, once
 * for each journal: what it returns, or NULL if there is no memory, is passed
 * to the other two.  They are called in a worker, before the waiters complete:
 *
 *     "written"  after an attempt to append to the file: so many lines and
 *                bytes were.  "err" is 0 or the error.
 *     "synced"   after an attempt to sync it, which took "usec" microseconds.
 */

typedef struct {
    void  *(*create)(ngx_conf_t *cf, void *ctx, ngx_str_t *directive,
               ngx_open_file_t *open, ngx_str_t *name, ngx_uint_t sync);
    void   (*written)(void *data, ngx_uint_t lines, size_t bytes,
               ngx_err_t err);
    void   (*synced)(void *data, uint64_t usec, ngx_err_t err);
} ngx_http_enkod_journal_watch_t;


/*
 * At configuration time; NULL if there is no memory.  "tag" identifies the
 * owner of the shared memory zone, see ngx_shared_memory_add().
 */
ngx_http_enkod_journals_t *ngx_http_enkod_journals_create(ngx_conf_t *cf,
    void *tag);

/*
 * At configuration time: the journal of that directive for the file "path",
 * which may be relative to the prefix.  Both are used in messages.  Returns
 * NULL, after a message, if the directive has the same file with another
 * "sync", if there are too many files, or if there is no memory.
 */
ngx_http_enkod_journal_t *ngx_http_enkod_journal_get(ngx_conf_t *cf,
    ngx_http_enkod_journals_t *journals, ngx_str_t *directive,
    ngx_str_t *path, ngx_uint_t sync);

/*
 * Returns NGX_ERROR, after a message to "log", if the file of a journal,
 * however its path is spelled, is also a log of nginx or the file of another
 * directive, or is used both with and without "sync".
 */
ngx_int_t ngx_http_enkod_journals_check(ngx_http_enkod_journals_t *journals,
    ngx_cycle_t *cycle, ngx_log_t *log);

/*
 * At the end of the configuration.  "ctx" is passed to watch->create(), and
 * "watch" must exist as long as the configuration.  NGX_ERROR if there is no
 * memory.
 */
ngx_int_t ngx_http_enkod_journals_watch(ngx_conf_t *cf,
    ngx_http_enkod_journals_t *journals,
    const ngx_http_enkod_journal_watch_t *watch, void *ctx);

/*
 * For the module's init_module: checks the paths again, now that all files are
 * open, and the event method; then the journals are ready for the workers.
 */
ngx_int_t ngx_http_enkod_journals_init_module(
    ngx_http_enkod_journals_t *journals, ngx_cycle_t *cycle);

/* For the module's init_process. */
ngx_int_t ngx_http_enkod_journals_init_process(
    ngx_http_enkod_journals_t *journals, ngx_cycle_t *cycle);


/*
 * Returns space for "size" bytes, or NULL if there is no memory.  It must be
 * filled at once and passed on by ngx_http_enkod_journal_add().
 */
u_char *ngx_http_enkod_journal_reserve(ngx_http_enkod_journal_t *journal,
    size_t size);

/*
 * Adds the "size" bytes in the space that was reserved, which are one line with
 * its line feed.  The waiter must exist until its handler has been called or it
 * has been cancelled; the handler may be called before this function returns.
 * The line of a cancelled waiter is written all the same.
 */
void ngx_http_enkod_journal_add(ngx_http_enkod_journal_t *journal, size_t size,
    ngx_http_enkod_waiter_t *waiter);


#pragma GCC visibility pop

#endif /* _NGX_HTTP_ENKOD_JOURNAL_H_INCLUDED_ */
