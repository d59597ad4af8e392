
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * File: opens the file that lines are appended to.  The structure is used by
 * ngx_http_enkod_append.c, too, which does the appending.
 */


#ifndef _NGX_HTTP_ENKOD_FILE_H_INCLUDED_
#define _NGX_HTTP_ENKOD_FILE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_enkod_slot.h"
#include "ngx_http_enkod_sync.h"

#pragma GCC visibility push(hidden)


/* what a message is about; see ngx_http_enkod_message_due() */

typedef enum {
    NGX_HTTP_ENKOD_FILE_WRITE = 0,
    NGX_HTTP_ENKOD_FILE_OPEN,
    NGX_HTTP_ENKOD_FILE_SYNC,

    NGX_HTTP_ENKOD_FILE_NPROBLEMS
} ngx_http_enkod_file_problem_e;


typedef struct {
    ngx_open_file_t             *open;
    ngx_str_t                    name;
    ngx_shm_zone_t              *zone;
    ngx_http_enkod_slot_t       *slot;
#if (NGX_THREADS)
    ngx_http_enkod_sync_t       *sync;      /* or NULL; set by the journal */
#endif

    /* open->fd once it has been inspected; else NGX_INVALID_FILE */
    ngx_fd_t                     fd;
    dev_t                        dev;
    ino_t                        ino;
    ngx_uint_t                   regular;
    ngx_uint_t                   no_reserve;    /* fallocate() is not there */
    ngx_uint_t                   partial;   /* the last line, in a FIFO or
                                               device, is */

    ngx_err_t                    err;       /* of the inspection, or 0 */
    ngx_msec_t                   inspected; /* time */

    /* the time of the last message */
    ngx_msec_t                   reported[NGX_HTTP_ENKOD_FILE_NPROBLEMS];
} ngx_http_enkod_file_t;


/*
 * At configuration time: a file that nginx will open, with a slot in "zone".
 * "path" is absolute and must not be freed.  NULL if there is no memory.
 */
ngx_http_enkod_file_t *ngx_http_enkod_file_create(ngx_conf_t *cf,
    ngx_str_t *path, ngx_shm_zone_t *zone);

/* In the master process, when shared memory has been created. */
void ngx_http_enkod_file_init(ngx_http_enkod_file_t *file);

/*
 * Makes file->fd and the state in file->slot usable.  To be called before each
 * append, with the slot locked.  Returns 0, or the error because of which
 * nothing can be appended.
 */
ngx_err_t ngx_http_enkod_file_prepare(ngx_http_enkod_file_t *file,
    ngx_log_t *log);

/* The next append inspects the file again. */
void ngx_http_enkod_file_invalidate(ngx_http_enkod_file_t *file);

#if (NGX_THREADS)

/*
 * For a sync that has failed in that step: reports the error.  If the file was
 * deleted, or its data could not be synced, it is invalidated, so that the next
 * append opens other descriptors.
 */
void ngx_http_enkod_file_sync_failed(ngx_http_enkod_file_t *file,
    ngx_err_t err, ngx_http_enkod_sync_step_e step, ngx_log_t *log);

#endif

/* Logs "text", which follows the name of the file, unless it is too often. */
void ngx_http_enkod_file_report(ngx_http_enkod_file_t *file,
    ngx_http_enkod_file_problem_e problem, ngx_log_t *log, ngx_err_t err,
    const char *text);


#pragma GCC visibility pop

#endif /* _NGX_HTTP_ENKOD_FILE_H_INCLUDED_ */
