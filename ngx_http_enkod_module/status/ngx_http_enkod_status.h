
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Status: what all workers have counted, in shared memory.  This header is for
 * those that count: the module registers what is counted, and the other folders
 * add to it.  ngx_http_enkod_status_snapshot.h reads what was counted.
 *
 * Each worker counts into memory of its own, with plain additions: there is no
 * lock and no system call.  A worker that dies leaves what it has counted, and
 * the next one goes on counting there.
 */


#ifndef _NGX_HTTP_ENKOD_STATUS_H_INCLUDED_
#define _NGX_HTTP_ENKOD_STATUS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <time.h>

#pragma GCC visibility push(hidden)


/* there may be as many error codes, ENKOD_OK included */
#define NGX_HTTP_ENKOD_STATUS_MAX_ERRORS  32

/* intervals of a histogram; the last one has no upper bound */
#define NGX_HTTP_ENKOD_STATUS_NBUCKETS    17

/*
 * The number of the event of all names that are not in the schema.  A receiver
 * counts there as well what it does not take but gets from another receiver.
 */
#define NGX_HTTP_ENKOD_STATUS_OTHER       0


/* what became of an event that was answered with 200 */

typedef enum {
    NGX_HTTP_ENKOD_STATUS_ACCEPTED = 0,
    NGX_HTTP_ENKOD_STATUS_SPOOLED,
    NGX_HTTP_ENKOD_STATUS_TEST,
    NGX_HTTP_ENKOD_STATUS_DUPLICATE,

    NGX_HTTP_ENKOD_STATUS_NRESULTS
} ngx_http_enkod_status_result_e;


/* what became of a subrequest */

typedef enum {
    NGX_HTTP_ENKOD_STATUS_DELIVERED = 0,
    NGX_HTTP_ENKOD_STATUS_FAILED,
    NGX_HTTP_ENKOD_STATUS_TIMEOUT,
    NGX_HTTP_ENKOD_STATUS_BUSY,

    NGX_HTTP_ENKOD_STATUS_NOUTCOMES
} ngx_http_enkod_status_outcome_e;


/*
 * A cell is what one worker counts of one thing.  It is on cache lines of its
 * own, and all of its members are uint64_t.
 */

typedef struct {
    uint64_t                     buckets[NGX_HTTP_ENKOD_STATUS_NBUCKETS];
    uint64_t                     sum;       /* microseconds */
} ngx_http_enkod_status_times_t;


typedef struct {
    uint64_t                     results[NGX_HTTP_ENKOD_STATUS_NRESULTS];
    uint64_t                     last;      /* milliseconds since 1970, or 0 */
} ngx_http_enkod_status_event_cell_t;


typedef struct {
    uint64_t                     errors[NGX_HTTP_ENKOD_STATUS_MAX_ERRORS];
    uint64_t                     probes;
    uint64_t                     received;  /* bytes */
    uint64_t                     waiting;   /* events, at present */
    ngx_http_enkod_status_times_t  answers;
    uint64_t                     outcomes[NGX_HTTP_ENKOD_STATUS_NOUTCOMES];
    ngx_http_enkod_status_times_t  passes;
} ngx_http_enkod_status_receiver_cell_t;


typedef struct {
    uint64_t                     lines;
    uint64_t                     bytes;
    uint64_t                     writes;
    uint64_t                     write_errors;
    uint64_t                     syncs;
    uint64_t                     sync_errors;
    ngx_http_enkod_status_times_t  sync_times;
} ngx_http_enkod_status_file_cell_t;


/* all that a configuration counts */
typedef struct ngx_http_enkod_status_s       ngx_http_enkod_status_t;

/* a file, of which ngx_http_enkod_status_file_written() and _synced() count */
typedef struct ngx_http_enkod_status_file_s  ngx_http_enkod_status_file_t;


/*
 * A receiver.  The cells are those of this worker; "events" has one for each
 * row of the schema, from 1 on, and NGX_HTTP_ENKOD_STATUS_OTHER.
 */

typedef struct {
    ngx_http_enkod_status_receiver_cell_t   *cell;
    ngx_http_enkod_status_event_cell_t     **events;
} ngx_http_enkod_status_receiver_t;


/*
 * At configuration time.  NULL or NGX_ERROR if there is no memory.  The bytes
 * of all strings must exist as long as the configuration.
 */

ngx_http_enkod_status_t *ngx_http_enkod_status_create(ngx_conf_t *cf);

/* The first one is number 1, and so on. */
ngx_int_t ngx_http_enkod_status_add_error(ngx_http_enkod_status_t *status,
    ngx_str_t *code, ngx_uint_t http_status);

/*
 * A location with enkod_webhook, in the server of that name.  The same names
 * are the same receiver.
 */
ngx_http_enkod_status_receiver_t *ngx_http_enkod_status_add_receiver(
    ngx_conf_t *cf, ngx_http_enkod_status_t *status, ngx_str_t *server,
    ngx_str_t *location);

/*
 * An event and its number.  "shown" is whether the receiver takes it: otherwise
 * it has numbers only once it was counted.
 */
ngx_int_t ngx_http_enkod_status_add_event(ngx_http_enkod_status_t *status,
    ngx_http_enkod_status_receiver_t *receiver, ngx_uint_t n,
    ngx_str_t *name, ngx_uint_t shown);

/* The receiver has an enkod_pass. */
void ngx_http_enkod_status_add_pass(
    ngx_http_enkod_status_receiver_t *receiver);

/* "use" is log, reject or spool. */
ngx_http_enkod_status_file_t *ngx_http_enkod_status_add_file(ngx_conf_t *cf,
    ngx_http_enkod_status_t *status, ngx_open_file_t *open, ngx_str_t *name,
    const char *use, ngx_uint_t sync);


/*
 * At the end of the configuration, when all has been added.  "tag" identifies
 * the owner of the shared memory, see ngx_shared_memory_add().
 */
ngx_int_t ngx_http_enkod_status_init(ngx_conf_t *cf,
    ngx_http_enkod_status_t *status, void *tag);

/*
 * For init_module, in the master process, and for init_process and exit_process
 * of a worker.  A worker for which there is no memory counts for itself, after
 * a message.
 */
ngx_int_t ngx_http_enkod_status_init_module(ngx_http_enkod_status_t *status,
    ngx_cycle_t *cycle);
ngx_int_t ngx_http_enkod_status_init_process(ngx_http_enkod_status_t *status,
    ngx_cycle_t *cycle);
void ngx_http_enkod_status_exit_process(ngx_http_enkod_status_t *status);


/* Upper bounds of the intervals but the last, in microseconds, ascending. */
extern const uint64_t
    ngx_http_enkod_status_bounds[NGX_HTTP_ENKOD_STATUS_NBUCKETS - 1];


/* Microseconds of a clock that never goes back; no system call on Linux. */

static ngx_inline uint64_t
ngx_http_enkod_status_clock(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}


/* Milliseconds since 1970, of the beginning of this turn of the event loop. */

static ngx_inline uint64_t
ngx_http_enkod_status_now(void)
{
    ngx_time_t  *tp;

    tp = ngx_timeofday();

    return (uint64_t) tp->sec * 1000 + tp->msec;
}


/* "usec" is a duration. */

static ngx_inline void
ngx_http_enkod_status_time(ngx_http_enkod_status_times_t *times,
    uint64_t usec)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_ENKOD_STATUS_NBUCKETS - 1; i++) {
        if (usec <= ngx_http_enkod_status_bounds[i]) {
            break;
        }
    }

    times->buckets[i]++;
    times->sum += usec;
}


/* An event was answered with 200. */

static ngx_inline void
ngx_http_enkod_status_event(ngx_http_enkod_status_receiver_t *receiver,
    ngx_uint_t event, ngx_http_enkod_status_result_e result)
{
    ngx_http_enkod_status_event_cell_t  *cell;

    cell = receiver->events[event];

    cell->results[result]++;
    cell->last = ngx_http_enkod_status_now();
}


/* An event begins to wait for a sink, and does not wait any more. */

static ngx_inline void
ngx_http_enkod_status_wait(ngx_http_enkod_status_receiver_t *receiver)
{
    receiver->cell->waiting++;
}


static ngx_inline void
ngx_http_enkod_status_waited(ngx_http_enkod_status_receiver_t *receiver)
{
    receiver->cell->waiting--;
}


/* A GET or HEAD request was answered with 200. */

static ngx_inline void
ngx_http_enkod_status_probe(ngx_http_enkod_status_receiver_t *receiver)
{
    receiver->cell->probes++;
}


/* So many bytes of a body were read. */

static ngx_inline void
ngx_http_enkod_status_received(ngx_http_enkod_status_receiver_t *receiver,
    size_t len)
{
    receiver->cell->received += len;
}


/* A POST was answered, "usec" after its body was complete. */

static ngx_inline void
ngx_http_enkod_status_answer(ngx_http_enkod_status_receiver_t *receiver,
    uint64_t usec)
{
    ngx_http_enkod_status_time(&receiver->cell->answers, usec);
}


/* A request was refused, or an event could not be stored. */

static ngx_inline void
ngx_http_enkod_status_error(ngx_http_enkod_status_receiver_t *receiver,
    ngx_uint_t error)
{
    receiver->cell->errors[error]++;
}


/* A subrequest has ended, after "usec". */

static ngx_inline void
ngx_http_enkod_status_pass(ngx_http_enkod_status_receiver_t *receiver,
    ngx_http_enkod_status_outcome_e outcome, uint64_t usec)
{
    receiver->cell->outcomes[outcome]++;

    ngx_http_enkod_status_time(&receiver->cell->passes, usec);
}


/*
 * Lines were to be appended to a file; "lines" and "bytes" are those that were.
 * "err" is 0 or the error, because of which some or all were not.  "data" is
 * the file.
 */
void ngx_http_enkod_status_file_written(void *data, ngx_uint_t lines,
    size_t bytes, ngx_err_t err);

/* A file was to be synced, which took "usec"; "err" is 0 or the error. */
void ngx_http_enkod_status_file_synced(void *data, uint64_t usec,
    ngx_err_t err);


#pragma GCC visibility pop

#endif /* _NGX_HTTP_ENKOD_STATUS_H_INCLUDED_ */
