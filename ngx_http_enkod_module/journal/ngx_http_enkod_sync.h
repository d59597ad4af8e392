
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Sync: what was written becomes durable, in a thread.
 */


#ifndef _NGX_HTTP_ENKOD_SYNC_H_INCLUDED_
#define _NGX_HTTP_ENKOD_SYNC_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#pragma GCC visibility push(hidden)


typedef struct ngx_http_enkod_sync_s  ngx_http_enkod_sync_t;


typedef enum {
    NGX_HTTP_ENKOD_SYNC_DATA = 0,   /* fdatasync() of the file */
    NGX_HTTP_ENKOD_SYNC_FOLDER,     /* the first time, fsync() of its folder */
    NGX_HTTP_ENKOD_SYNC_DELETED     /* the file still has a name */
} ngx_http_enkod_sync_step_e;


/* A round has ended; with an error, in that step of it. */
typedef void (*ngx_http_enkod_sync_pt)(void *data, ngx_err_t err,
    ngx_http_enkod_sync_step_e step);


#if (NGX_THREADS)

/*
 * At configuration time, for the file of that name; NULL on error.  Waiters
 * that have got their "err" are put into the queue "done".
 */
ngx_http_enkod_sync_t *ngx_http_enkod_sync_create(ngx_conf_t *cf,
    ngx_str_t *name, ngx_queue_t *done, ngx_http_enkod_sync_pt handler,
    void *data);

/*
 * Whether the event method can be told by a thread that it is done; NGX_ERROR
 * with a message if not.  nginx itself finds that out too late, in a worker.
 */
ngx_int_t ngx_http_enkod_sync_check(ngx_cycle_t *cycle);

/* Before the first write to that open file.  Returns 0 or the error. */
ngx_err_t ngx_http_enkod_sync_open(ngx_http_enkod_sync_t *sync,
    ngx_file_info_t *fi, ngx_log_t *log);

/* What these waiters wait for was written; takes all of the queue. */
void ngx_http_enkod_sync_add(ngx_http_enkod_sync_t *sync,
    ngx_queue_t *waiters);

/* Begins a round for those who were added, unless one is running. */
void ngx_http_enkod_sync_start(ngx_http_enkod_sync_t *sync);

/* Closes the file, when nobody waits for it any more; opened anew by open(). */
void ngx_http_enkod_sync_close(ngx_http_enkod_sync_t *sync);

#endif


#pragma GCC visibility pop

#endif /* _NGX_HTTP_ENKOD_SYNC_H_INCLUDED_ */
