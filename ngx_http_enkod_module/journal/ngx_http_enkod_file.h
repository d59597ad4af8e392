
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * File: what lines are appended to.  ngx_http_enkod_file.c opens it, and
 * ngx_http_enkod_append.c appends to it.
 */


#ifndef _NGX_HTTP_ENKOD_FILE_H_INCLUDED_
#define _NGX_HTTP_ENKOD_FILE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_enkod_slot.h"
#include "ngx_http_enkod_sync.h"

#pragma GCC visibility push(hidden)


/* things to say once a minute at most */

typedef enum {
    NGX_HTTP_ENKOD_FILE_WRITE = 0,
    NGX_HTTP_ENKOD_FILE_OPEN,
    NGX_HTTP_ENKOD_FILE_SYNC,

    NGX_HTTP_ENKOD_FILE_NCAUSES
} ngx_http_enkod_file_cause_e;


typedef struct {
    ngx_open_file_t             *open;
    ngx_str_t                    name;
    ngx_shm_zone_t              *zone;
    ngx_http_enkod_slot_t       *slot;
#if (NGX_THREADS)
    ngx_http_enkod_sync_t       *sync;      /* or NULL */
#endif
    ngx_uint_t                   durable;   /* it will be synced */

    /* the one that was looked at, or NGX_INVALID_FILE */
    ngx_fd_t                     fd;
    dev_t                        dev;
    ino_t                        ino;
    ngx_uint_t                   regular;
    ngx_uint_t                   unreserved;    /* there is no fallocate() */
    ngx_uint_t                   torn;      /* of what is not regular */

    ngx_err_t                    err;       /* of the last look, or 0 */
    ngx_msec_t                   looked;    /* when that was */

    ngx_msec_t                   logged[NGX_HTTP_ENKOD_FILE_NCAUSES];
} ngx_http_enkod_file_t;


/*
 * A file that nginx is to open, at configuration time; NULL on error.  The path
 * is a full one, "zone" has its slot; "durable" says that it will be synced.
 */
ngx_http_enkod_file_t *ngx_http_enkod_file_create(ngx_conf_t *cf,
    ngx_str_t *path, ngx_shm_zone_t *zone, ngx_uint_t durable);

/* Of the master, once shared memory is there. */
void ngx_http_enkod_file_init(ngx_http_enkod_file_t *file);

#if (NGX_THREADS)

/* Of a worker: whatever it appends can be synced; "sync" may be NULL. */
void ngx_http_enkod_file_init_process(ngx_http_enkod_file_t *file,
    ngx_http_enkod_sync_t *sync);

/*
 * What came of a round of it, if that was an error: says so, and has the file
 * looked at, and opened for the next rounds, before anything is appended.
 */
void ngx_http_enkod_file_sync_failed(ngx_http_enkod_file_t *file,
    ngx_err_t err, ngx_http_enkod_sync_step_e step, ngx_log_t *log);

#endif

/*
 * Makes sure that there is a file to append to; to be called before anything is
 * appended, and under the lock if file->slot is to be used.  Returns 0, or the
 * error for which nothing can be appended.
 */
ngx_err_t ngx_http_enkod_file_ready(ngx_http_enkod_file_t *file,
    ngx_log_t *log);

/* The next append looks at what is behind the name. */
void ngx_http_enkod_file_forget(ngx_http_enkod_file_t *file);

/* Something the operator must act on, but needs to be told once a minute. */
void ngx_http_enkod_file_log(ngx_http_enkod_file_t *file,
    ngx_http_enkod_file_cause_e cause, ngx_log_t *log, ngx_err_t err,
    const char *text);


#pragma GCC visibility pop

#endif /* _NGX_HTTP_ENKOD_FILE_H_INCLUDED_ */
