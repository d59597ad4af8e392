
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Each worker has a timer, and the first one that changes the number of the
 * step in shared memory adds the steps that have ended.  A step is the
 * difference of two sums.  So if a worker dies while it adds them, the next
 * step has what is missing; and if all workers were busy, the last of the steps
 * that have ended has it all.
 */


#include "ngx_http_enkod_status_history.h"

#include <ngx_event.h>


#define NGX_HTTP_ENKOD_STATUS_STEP_USEC                                       \
    ((uint64_t) NGX_HTTP_ENKOD_STATUS_STEP * 1000000)


static void ngx_http_enkod_status_history_cleanup(void *data);
static void ngx_http_enkod_status_history_add_timer(ngx_event_t *ev);
static void ngx_http_enkod_status_history_timer_handler(ngx_event_t *ev);
static void ngx_http_enkod_status_history_sum(ngx_http_enkod_status_t *status,
    ngx_http_enkod_status_entry_t *entry, uint64_t *sums);
static void ngx_http_enkod_status_history_sum_event(
    ngx_http_enkod_status_event_cell_t *cell, uint64_t *sums);
static void ngx_http_enkod_status_history_sum_receiver(
    ngx_http_enkod_status_t *status,
    ngx_http_enkod_status_receiver_cell_t *cell, uint64_t *sums);
static void ngx_http_enkod_status_history_add(
    ngx_http_enkod_status_history_t *history, uint64_t step, uint64_t sum);


ngx_int_t
ngx_http_enkod_status_history_init_process(ngx_http_enkod_status_t *status,
    ngx_cycle_t *cycle)
{
    ngx_event_t         *ev;
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(cycle->pool, sizeof(ngx_event_t));
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_enkod_status_history_cleanup;

    ev = cln->data;

    ngx_memzero(ev, sizeof(ngx_event_t));

    ev->handler = ngx_http_enkod_status_history_timer_handler;
    ev->data = status;
    ev->log = cycle->log;

    /* a worker that shuts down does not wait for it */
    ev->cancelable = 1;

    ngx_http_enkod_status_history_add_timer(ev);

    return NGX_OK;
}


/* Without a master process, a process has more than one configuration. */

static void
ngx_http_enkod_status_history_cleanup(void *data)
{
    ngx_event_t *ev = data;

    if (ev->timer_set) {
        ngx_del_timer(ev);
    }
}


/* The next step begins in so many milliseconds, or up to one before. */

static void
ngx_http_enkod_status_history_add_timer(ngx_event_t *ev)
{
    uint64_t  usec;

    usec = NGX_HTTP_ENKOD_STATUS_STEP_USEC
           - ngx_http_enkod_status_clock() % NGX_HTTP_ENKOD_STATUS_STEP_USEC;

    ngx_add_timer(ev, (ngx_msec_t) (usec / 1000 + 1));
}


static void
ngx_http_enkod_status_history_timer_handler(ngx_event_t *ev)
{
    uint64_t  start;

    (void) ngx_http_enkod_status_history_update(ev->data, &start);

    ngx_http_enkod_status_history_add_timer(ev);
}


uint64_t
ngx_http_enkod_status_history_update(ngx_http_enkod_status_t *status,
    uint64_t *start)
{
    uint64_t                        now, sums[2];
    ngx_uint_t                      i, n;
    ngx_atomic_uint_t               step, last;
    ngx_http_enkod_status_zone_t   *zone;
    ngx_http_enkod_status_entry_t  *entry;

    zone = status->zone;

    now = ngx_http_enkod_status_clock();
    step = now / NGX_HTTP_ENKOD_STATUS_STEP_USEC;

    *start = ngx_http_enkod_status_now()
             - now % NGX_HTTP_ENKOD_STATUS_STEP_USEC / 1000;

    last = zone->step;

    if (last >= step || !ngx_atomic_cmp_set(&zone->step, last, step)) {
        return step;
    }

    for (i = 0; i < zone->nentries; i++) {

        entry = &zone->entries[i];

        if (entry->history == NULL) {
            continue;
        }

        ngx_http_enkod_status_history_sum(status, entry, sums);

        n = ngx_http_enkod_status_zone_histories(entry->type);

        while (n--) {
            ngx_http_enkod_status_history_add(&entry->history[n], step,
                                              sums[n]);
        }
    }

    return step;
}


static void
ngx_http_enkod_status_history_sum(ngx_http_enkod_status_t *status,
    ngx_http_enkod_status_entry_t *entry, uint64_t *sums)
{
    void                          *cell;
    ngx_uint_t                     i;
    ngx_http_enkod_status_zone_t  *zone;

    sums[0] = 0;
    sums[1] = 0;

    zone = status->zone;

    for (i = 0; i < zone->nslots; i++) {

        cell = ngx_http_enkod_status_zone_find(&zone->slots[i], entry);

        if (cell == NULL) {
            continue;
        }

        if (entry->type == NGX_HTTP_ENKOD_STATUS_EVENT) {
            ngx_http_enkod_status_history_sum_event(cell, sums);

        } else {
            ngx_http_enkod_status_history_sum_receiver(status, cell, sums);
        }
    }
}


static void
ngx_http_enkod_status_history_sum_event(
    ngx_http_enkod_status_event_cell_t *cell, uint64_t *sums)
{
    sums[0] += cell->results[NGX_HTTP_ENKOD_STATUS_ACCEPTED]
               + cell->results[NGX_HTTP_ENKOD_STATUS_SPOOLED]
               + cell->results[NGX_HTTP_ENKOD_STATUS_TEST];
}


/* refusals and failures */

static void
ngx_http_enkod_status_history_sum_receiver(ngx_http_enkod_status_t *status,
    ngx_http_enkod_status_receiver_cell_t *cell, uint64_t *sums)
{
    ngx_uint_t                        i;
    ngx_http_enkod_snapshot_error_t  *error;

    error = status->errors.elts;

    for (i = 0; i < status->errors.nelts; i++) {
        sums[error[i].status >= 500] += cell->errors[i + 1];
    }
}


/* The steps before "step" have ended. */

static void
ngx_http_enkod_status_history_add(ngx_http_enkod_status_history_t *history,
    uint64_t step, uint64_t sum)
{
    uint64_t  i;

    i = history->step;

    if (i + NGX_HTTP_ENKOD_STATUS_NSTEPS < step) {
        i = step - NGX_HTTP_ENKOD_STATUS_NSTEPS;
    }

    for ( /* void */ ; i < step; i++) {
        history->steps[i % NGX_HTTP_ENKOD_STATUS_NSTEPS] = 0;
    }

    /* an entry that is used anew begins with a smaller sum */

    if (sum > history->sum) {
        history->steps[(step - 1) % NGX_HTTP_ENKOD_STATUS_NSTEPS]
                                                         = sum - history->sum;
    }

    history->sum = sum;
    history->step = step;
}


ngx_int_t
ngx_http_enkod_status_history_read(ngx_pool_t *pool,
    ngx_http_enkod_status_history_t *history, uint64_t step,
    uint32_t **steps)
{
    uint32_t    value;
    uint64_t    n;
    ngx_uint_t  i;

    *steps = NULL;

    for (i = 0; i < NGX_HTTP_ENKOD_STATUS_NSTEPS; i++) {

        n = step - NGX_HTTP_ENKOD_STATUS_NSTEPS + i;

        /* a step that has not been added yet, or not any more there */

        if (n >= history->step
            || n + NGX_HTTP_ENKOD_STATUS_NSTEPS < history->step)
        {
            continue;
        }

        value = history->steps[n % NGX_HTTP_ENKOD_STATUS_NSTEPS];

        if (value == 0) {
            continue;
        }

        if (*steps == NULL) {

            *steps = ngx_pcalloc(pool, NGX_HTTP_ENKOD_STATUS_NSTEPS
                                       * sizeof(uint32_t));
            if (*steps == NULL) {
                return NGX_ERROR;
            }
        }

        (*steps)[i] = value;
    }

    return NGX_OK;
}
