
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * What a file is to the rooms that append to it: ngx_http_enkod_file.c, which
 * file it is; ngx_http_enkod_slot.c, what the workers know of it together; and
 * ngx_http_enkod_append.c, how lines get into it.  Nobody else looks inside.
 */


#ifndef _NGX_HTTP_ENKOD_FILE_H_INCLUDED_
#define _NGX_HTTP_ENKOD_FILE_H_INCLUDED_


#include "ngx_http_enkod_module.h"

#include <pthread.h>

#pragma GCC visibility push(hidden)


/*
 * In shared memory, one for each path.  It describes one file; for another one
 * (a rotation, in which not all workers are at the same point) it is reset.
 * What it says may be lost at any time: an append then looks at the file first.
 */

typedef struct {
    pthread_mutex_t              mutex;         /* robust */
    ngx_uint_t                   used;          /* the latest has most */
    uint32_t                     hash;          /* of the path */

    dev_t                        dev;
    ino_t                        ino;
    off_t                        end;           /* of our last append */
    off_t                        reserved;      /* in the file system, up to */
    unsigned                     known:1;       /* "end" is that of the file */
    unsigned                     torn:1;        /* no line feed before it */
    unsigned                     unsynced:1;    /* perhaps not on the disk */
} ngx_http_enkod_slot_t;


/* things to say once a minute at most */

typedef enum {
    NGX_HTTP_ENKOD_FILE_WRITE = 0,
    NGX_HTTP_ENKOD_FILE_OPEN,
    NGX_HTTP_ENKOD_FILE_SYNC,

    NGX_HTTP_ENKOD_FILE_NCAUSES
} ngx_http_enkod_file_cause_e;


struct ngx_http_enkod_file_s {
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
};


/*
 * Slot: the slot of a path, and its lock, which the kernel releases when its
 * holder dies.  It must be held for whatever is said about a regular file.
 */

/* At configuration time; NULL on error. */
ngx_shm_zone_t *ngx_http_enkod_slot_zone(ngx_conf_t *cf);

/* Of the master, once for each path of a configuration. */
ngx_http_enkod_slot_t *ngx_http_enkod_slot_get(ngx_shm_zone_t *zone,
    ngx_str_t *path);

/* Returns 0 or an error. */
ngx_err_t ngx_http_enkod_slot_lock(ngx_http_enkod_slot_t *slot);
void ngx_http_enkod_slot_unlock(ngx_http_enkod_slot_t *slot);


/*
 * File: makes sure that there is a file to append to; to be called before
 * anything is appended, and under the lock if file->slot is to be used.
 * Returns 0, or the error for which nothing can be appended.
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
