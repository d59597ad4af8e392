
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Sync: makes what was written durable, by fdatasync() in a thread.
 */


#ifndef _NGX_HTTP_ENKOD_SYNC_H_INCLUDED_
#define _NGX_HTTP_ENKOD_SYNC_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#pragma GCC visibility push(hidden)


typedef struct ngx_http_enkod_sync_s  ngx_http_enkod_sync_t;


/* of a round */

typedef enum {
    NGX_HTTP_ENKOD_SYNC_DATA = 0,   /* fdatasync() of the file */
    NGX_HTTP_ENKOD_SYNC_FOLDER,     /* fsync() of its folder, once */
    NGX_HTTP_ENKOD_SYNC_NAME        /* fstat(): is the file deleted? */
} ngx_http_enkod_sync_step_e;


/*
 * A round has ended and its waiters are in the queue of completed ones.  "err"
 * is 0, or the error in "step" of the file that is written to at present.
 */
typedef void (*ngx_http_enkod_sync_pt)(void *data, ngx_err_t err,
    ngx_http_enkod_sync_step_e step);


/*
 * A round has ended, whichever file it was for, after "usec" microseconds, or
 * could not begin; "err" is 0 or the error.
 */
typedef void (*ngx_http_enkod_synced_pt)(void *data, uint64_t usec,
    ngx_err_t err);


#if (NGX_THREADS)

/*
 * At configuration time, for the file of that name; NULL on error.  "name" and
 * "completed", a queue of waiters, must exist as long as the configuration.
 */
ngx_http_enkod_sync_t *ngx_http_enkod_sync_create(ngx_conf_t *cf,
    ngx_str_t *name, ngx_queue_t *completed, ngx_http_enkod_sync_pt handler,
    void *data);

/* "synced" is called after each round, before its waiters complete. */
void ngx_http_enkod_sync_watch(ngx_http_enkod_sync_t *sync,
    ngx_http_enkod_synced_pt synced, void *data);

/*
 * For init_module: NGX_ERROR, after a message with the directive, if the event
 * method does not support threads; nginx itself notices that only in a worker.
 */
ngx_int_t ngx_http_enkod_sync_check(ngx_cycle_t *cycle, ngx_str_t *directive);

/*
 * Opens a descriptor of our own for the file "fi", which is about to be written
 * to.  Does nothing if it is open already.  Returns 0 or the error.
 */
ngx_err_t ngx_http_enkod_sync_open(ngx_http_enkod_sync_t *sync,
    ngx_file_info_t *fi, ngx_log_t *log);

/*
 * Takes all waiters of the queue, whose lines have been written to the file
 * that was opened last.  They complete after the next round.
 */
void ngx_http_enkod_sync_add(ngx_http_enkod_sync_t *sync,
    ngx_queue_t *waiters);

/* Begins a round for the waiters that were added, unless one is running. */
void ngx_http_enkod_sync_start(ngx_http_enkod_sync_t *sync);

/*
 * Nothing is written to the file any more.  Its descriptor is closed now, or
 * when the last of its waiters has completed.
 */
void ngx_http_enkod_sync_close(ngx_http_enkod_sync_t *sync);

#endif


#pragma GCC visibility pop

#endif /* _NGX_HTTP_ENKOD_SYNC_H_INCLUDED_ */
