
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Zone: the shared memory.  An entry is a thing that is counted: a receiver, an
 * event of a receiver, or a file.  A slot is what a worker counts into; it has
 * a cell for each entry.
 *
 * A worker takes a free slot.  The slot of a worker that has ended is free; its
 * cells keep what they have.  Entries are in ngx_http_enkod_status_entry.h.
 */


#ifndef _NGX_HTTP_ENKOD_STATUS_ZONE_H_INCLUDED_
#define _NGX_HTTP_ENKOD_STATUS_ZONE_H_INCLUDED_


#include "ngx_http_enkod_status_snapshot.h"

#pragma GCC visibility push(hidden)


/*
 * The zone of all configurations: nginx keeps its contents only if the size is
 * the same.  Memory that is not used is never touched, and costs nothing.
 */
#define NGX_HTTP_ENKOD_STATUS_ZONE_SIZE  (64 * 1024 * 1024)

/* no master process has more workers than NGX_MAX_PROCESSES */
#define NGX_HTTP_ENKOD_STATUS_NSLOTS     1024

#define NGX_HTTP_ENKOD_STATUS_LINE       64     /* bytes of a cache line */
#define NGX_HTTP_ENKOD_STATUS_PAGE       64     /* lines */
#define NGX_HTTP_ENKOD_STATUS_NPAGES     2048   /* of a slot, at most */
#define NGX_HTTP_ENKOD_STATUS_NENTRIES   65536

/* how many cache lines that takes */
#define ngx_http_enkod_status_lines(size)                                     \
    (((size) + NGX_HTTP_ENKOD_STATUS_LINE - 1) / NGX_HTTP_ENKOD_STATUS_LINE)

#define ngx_http_enkod_status_aligned(size)                                   \
    (ngx_http_enkod_status_lines(size) * NGX_HTTP_ENKOD_STATUS_LINE)


typedef enum {
    NGX_HTTP_ENKOD_STATUS_RECEIVER = 0,
    NGX_HTTP_ENKOD_STATUS_EVENT,
    NGX_HTTP_ENKOD_STATUS_FILE,

    NGX_HTTP_ENKOD_STATUS_NTYPES
} ngx_http_enkod_status_type_e;


/* the last hour of one number; a ring, in which a step has a fixed place */

typedef struct {
    uint64_t                     sum;       /* at the end of the last step */
    uint64_t                     step;      /* number of the first that is not
                                               in it yet */
    uint32_t                     steps[NGX_HTTP_ENKOD_STATUS_NSTEPS];
} ngx_http_enkod_status_history_t;


/* the last attempt to write to a file, of all workers */

typedef struct {
    uint64_t                     err;       /* 0: it has succeeded */
    uint64_t                     time;      /* of the error, in milliseconds */
} ngx_http_enkod_status_failure_t;


typedef struct ngx_http_enkod_status_entry_s  ngx_http_enkod_status_entry_t;

struct ngx_http_enkod_status_entry_s {
    u_char                            key[16];
    ngx_http_enkod_status_type_e      type;
    ngx_http_enkod_status_entry_t    *next;     /* in a list */
    ngx_http_enkod_status_entry_t    *events;   /* list, of a receiver */
    ngx_uint_t                        line;     /* of its cell in each slot */
    ngx_uint_t                        generation;   /* the last that has it */

    /* of an event; of the refusals and failures of a receiver; or NULL */
    ngx_http_enkod_status_history_t  *history;

    ngx_http_enkod_status_failure_t   failure;  /* of a file */
};


typedef struct {
    ngx_atomic_t                 pid;       /* of the worker, or 0 */
    ngx_uint_t                   generation;
    u_char                     **pages;     /* NULL if there are no cells yet */
} ngx_http_enkod_status_slot_t;


typedef struct {
    uint64_t                        started;    /* milliseconds since 1970 */
    ngx_uint_t                      generation; /* of the configuration */
    ngx_uint_t                      oldest;     /* that a worker may have */

    size_t                          size;
    ngx_atomic_t                    used;       /* bytes */

    ngx_uint_t                      lines;      /* given to entries */
    ngx_uint_t                      nhistories;

    ngx_atomic_t                    step;       /* that has not ended; see
                                                   _history.c */

    ngx_atomic_t                    nslots;     /* that were ever taken */
    ngx_http_enkod_status_slot_t    slots[NGX_HTTP_ENKOD_STATUS_NSLOTS];

    /* lists of entries, which the master process alone uses */
    ngx_http_enkod_status_entry_t  *receivers;
    ngx_http_enkod_status_entry_t  *files;
    ngx_http_enkod_status_entry_t  *unused[NGX_HTTP_ENKOD_STATUS_NTYPES];

    ngx_atomic_t                    nentries;
    ngx_http_enkod_status_entry_t   entries[NGX_HTTP_ENKOD_STATUS_NENTRIES];
} ngx_http_enkod_status_zone_t;


/* For shm_zone->init, if there is no zone yet; NULL if there is no memory. */
ngx_http_enkod_status_zone_t *ngx_http_enkod_status_zone_create(
    ngx_shm_zone_t *shm_zone);

/*
 * Takes the place of the next cell of that type: sets the number of its first
 * line and returns that of the line that follows it.
 */
ngx_uint_t ngx_http_enkod_status_zone_place(ngx_uint_t next,
    ngx_http_enkod_status_type_e type, ngx_uint_t *line);

/* How many histories an entry of that type has. */
ngx_uint_t ngx_http_enkod_status_zone_histories(
    ngx_http_enkod_status_type_e type);

/* Bytes of a zone with so many lines in each slot, histories, and slots. */
size_t ngx_http_enkod_status_zone_needs(ngx_uint_t lines,
    ngx_uint_t nhistories, ngx_uint_t nslots);

/* Memory that is zeroed, on cache lines of its own; NULL if there is none. */
void *ngx_http_enkod_status_zone_alloc(ngx_http_enkod_status_zone_t *zone,
    size_t size);

size_t ngx_http_enkod_status_zone_cell_size(
    ngx_http_enkod_status_type_e type);

/* In a worker: a slot of its own; NULL if there is none. */
ngx_http_enkod_status_slot_t *ngx_http_enkod_status_zone_take(
    ngx_http_enkod_status_zone_t *zone, ngx_uint_t generation);
void ngx_http_enkod_status_zone_release(ngx_http_enkod_status_slot_t *slot);

/* The cell of an entry in the worker's slot; NULL if there is no memory. */
void *ngx_http_enkod_status_zone_cell(ngx_http_enkod_status_zone_t *zone,
    ngx_http_enkod_status_slot_t *slot, ngx_http_enkod_status_entry_t *entry);

/* The same in any slot; NULL if nothing has been counted there. */
void *ngx_http_enkod_status_zone_find(ngx_http_enkod_status_slot_t *slot,
    ngx_http_enkod_status_entry_t *entry);

/* Whether a worker counts into that slot at present. */
ngx_uint_t ngx_http_enkod_status_zone_is_taken(
    ngx_http_enkod_status_slot_t *slot);


#pragma GCC visibility pop

#endif /* _NGX_HTTP_ENKOD_STATUS_ZONE_H_INCLUDED_ */
