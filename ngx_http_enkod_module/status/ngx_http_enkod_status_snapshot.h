
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Snapshot: what all workers have counted so far, added up, as a tree in memory
 * of the caller that changes no more.  It has what is configured at present, in
 * the order of the configuration.  All times are in milliseconds since 1970.
 */


#ifndef _NGX_HTTP_ENKOD_STATUS_SNAPSHOT_H_INCLUDED_
#define _NGX_HTTP_ENKOD_STATUS_SNAPSHOT_H_INCLUDED_


#include "ngx_http_enkod_status.h"

#pragma GCC visibility push(hidden)


/* the history: an hour */
#define NGX_HTTP_ENKOD_STATUS_STEP    10    /* seconds */
#define NGX_HTTP_ENKOD_STATUS_NSTEPS  360


typedef struct {
    ngx_str_t                    code;
    ngx_uint_t                   status;    /* HTTP status: 4xx is a refusal,
                                               5xx a failure */
} ngx_http_enkod_snapshot_error_t;


/*
 * "buckets" are cumulative: how many took ngx_http_enkod_status_bounds[i] or
 * less, and the last one is how many there were.
 */

typedef struct {
    uint64_t                     buckets[NGX_HTTP_ENKOD_STATUS_NBUCKETS];
    uint64_t                     sum;       /* microseconds */
} ngx_http_enkod_snapshot_times_t;


typedef struct {
    ngx_str_t                    name;      /* "other" is the last one */
    uint64_t                     results[NGX_HTTP_ENKOD_STATUS_NRESULTS];
    uint64_t                     last;      /* time of the last 200; 0: never */
    uint32_t                    *history;   /* accepted, spooled and test */
} ngx_http_enkod_snapshot_event_t;


typedef struct {
    ngx_str_t                    server;    /* "_" if it has no name */
    ngx_str_t                    location;

    ngx_uint_t                   nevents;   /* that it takes */
    ngx_http_enkod_snapshot_event_t  *events;

    uint64_t                    *errors;    /* as snapshot->errors */
    uint64_t                     probes;
    uint64_t                     received;  /* bytes */
    uint64_t                     waiting;   /* events, at present */
    ngx_http_enkod_snapshot_times_t  answers;

    ngx_uint_t                   pass;      /* it has an enkod_pass */
    uint64_t                     outcomes[NGX_HTTP_ENKOD_STATUS_NOUTCOMES];
    ngx_http_enkod_snapshot_times_t  passes;

    uint32_t                    *refusals;  /* history of all refusals */
    uint32_t                    *failures;  /* history of all failures */
} ngx_http_enkod_snapshot_receiver_t;


typedef struct {
    ngx_str_t                    name;      /* absolute path */
    ngx_str_t                    use;       /* log, reject or spool */
    ngx_uint_t                   sync;

    uint64_t                     lines;
    uint64_t                     bytes;
    uint64_t                     writes;    /* attempts */
    uint64_t                     write_errors;  /* of these */
    uint64_t                     syncs;     /* attempts */
    uint64_t                     sync_errors;   /* of these */
    ngx_http_enkod_snapshot_times_t  sync_times;    /* of the others */

    off_t                        size;      /* bytes, or -1: not known */
    off_t                        reserved;  /* bytes after its end, or -1 */
    off_t                        free;      /* of its file system, or -1 */

    ngx_err_t                    err;       /* of the last attempt, or 0 */
    uint64_t                     failed;    /* its time */
} ngx_http_enkod_snapshot_file_t;


typedef struct {
    uint64_t                     now;
    uint64_t                     started;   /* since then it is counted */
    ngx_uint_t                   workers;   /* that count */

    ngx_uint_t                   nerrors;
    ngx_http_enkod_snapshot_error_t     *errors;    /* without ENKOD_OK */

    ngx_uint_t                   nreceivers;
    ngx_http_enkod_snapshot_receiver_t  *receivers;

    ngx_uint_t                   nfiles;
    ngx_http_enkod_snapshot_file_t      *files;

    uint64_t                     end;       /* of the newest step */
} ngx_http_enkod_snapshot_t;


/*
 * A history has NGX_HTTP_ENKOD_STATUS_NSTEPS numbers, the oldest first, or is
 * NULL if all are 0.  It is made only if "history" is not 0: of receivers x
 * (events + 2) it is 1440 bytes each.
 *
 * Returns NULL if there is no memory.  fstat() and fstatvfs() are called for
 * each file.
 */
ngx_http_enkod_snapshot_t *ngx_http_enkod_snapshot(ngx_pool_t *pool,
    ngx_http_enkod_status_t *status, ngx_uint_t history);


#pragma GCC visibility pop

#endif /* _NGX_HTTP_ENKOD_STATUS_SNAPSHOT_H_INCLUDED_ */
