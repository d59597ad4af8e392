
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * What a file is to the rooms that append to it: ngx_http_enkod_file.c, which
 * file it is; ngx_http_enkod_append.c, how lines get into it; and
 * ngx_http_enkod_tail.c, what its last line is.  Nobody else looks inside.
 */


#ifndef _NGX_HTTP_ENKOD_FILE_H_INCLUDED_
#define _NGX_HTTP_ENKOD_FILE_H_INCLUDED_


#include "ngx_http_enkod_module.h"

#pragma GCC visibility push(hidden)


/* milliseconds in which another master has finished its write(), or never */
#define NGX_HTTP_ENKOD_TAIL_WAIT     100


/* in shared memory, one for each file that was opened, whatever its name */

typedef struct {
    dev_t                        dev;
    ino_t                        ino;
    ngx_uint_t                   opened;        /* the latest has most */
    ngx_uint_t                   unfinished;
    ngx_uint_t                   torn;          /* ... but cannot be cut */
    ngx_uint_t                   unsynced;      /* perhaps not on the disk */
} ngx_http_enkod_slot_t;


/* things to say once a minute at most */

typedef enum {
    NGX_HTTP_ENKOD_FILE_WRITE = 0,
    NGX_HTTP_ENKOD_FILE_OPEN,
    NGX_HTTP_ENKOD_FILE_HELD,
    NGX_HTTP_ENKOD_FILE_CUT,
    NGX_HTTP_ENKOD_FILE_READ,
    NGX_HTTP_ENKOD_FILE_SYNC,

    NGX_HTTP_ENKOD_FILE_NCAUSES
} ngx_http_enkod_file_cause_e;


struct ngx_http_enkod_file_s {
    ngx_open_file_t             *open;
    ngx_shm_zone_t              *zone;
    ngx_http_enkod_slot_t       *slot;
#if (NGX_THREADS)
    ngx_http_enkod_sync_t       *sync;      /* or NULL */
#endif
    ngx_uint_t                   master;    /* the number of ours */
    ngx_uint_t                   durable;   /* it will be synced */

    /* the one that was looked at; numbers come again, files do not */
    ngx_fd_t                     fd;
    dev_t                        dev;
    ino_t                        ino;
    off_t                        claimed;   /* byte that is locked, or 0 */
    off_t                        stuck;     /* size at which it was torn */
    ngx_uint_t                   held;      /* the lock, by a dead process */
    time_t                       checked;   /* that it is still the same */

    ngx_uint_t                   regular;
    ngx_uint_t                   torn;      /* of what is not regular */
    ngx_uint_t                   shared;    /* with another master */

    time_t                       logged[NGX_HTTP_ENKOD_FILE_NCAUSES];
};


/*
 * Under the lock of the zone, before anything is appended: makes sure that it
 * is still the file that was looked at, and looks at a new one.
 */
ngx_err_t ngx_http_enkod_file_ready(ngx_http_enkod_file_t *file,
    ngx_log_t *log);

/* The file's slot in the zone, which may have got another one meanwhile. */
ngx_http_enkod_slot_t *ngx_http_enkod_file_slot(ngx_http_enkod_file_t *file);

/* Something the operator must act on, but needs to be told once a minute. */
void ngx_http_enkod_file_log(ngx_http_enkod_file_t *file,
    ngx_http_enkod_file_cause_e cause, ngx_log_t *log, ngx_err_t err,
    const char *text);


/*
 * Cuts off an incomplete line at the end of the file, or sets slot->torn if
 * there is one that cannot be cut.  Where the file cannot be read, it stays
 * what it is.
 *
 * Beside another master nothing is cut off.  If it is "settled", nobody appends
 * now; else what looks incomplete may just be growing.
 */
void ngx_http_enkod_tail_check(ngx_http_enkod_file_t *file,
    ngx_uint_t settled, ngx_log_t *log);


#pragma GCC visibility pop

#endif /* _NGX_HTTP_ENKOD_FILE_H_INCLUDED_ */
