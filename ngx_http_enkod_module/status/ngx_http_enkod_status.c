
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Where a worker counts: the master process finds the entries of what is
 * configured, and a worker its cells of them.
 */


#include "ngx_http_enkod_status_entry.h"
#include "ngx_http_enkod_status_history.h"


static ngx_uint_t ngx_http_enkod_status_use_cells(
    ngx_http_enkod_status_t *status);
static void ngx_http_enkod_status_file_failed(
    ngx_http_enkod_status_file_t *file, ngx_err_t err);
static void ngx_http_enkod_status_file_succeeded(
    ngx_http_enkod_status_file_t *file);


const uint64_t
    ngx_http_enkod_status_bounds[NGX_HTTP_ENKOD_STATUS_NBUCKETS - 1] = {
    100, 250, 500,
    1000, 2500, 5000,
    10000, 25000, 50000,
    100000, 250000, 500000,
    1000000, 2500000, 5000000,
    10000000
};


ngx_int_t
ngx_http_enkod_status_init_module(ngx_http_enkod_status_t *status,
    ngx_cycle_t *cycle)
{
    ngx_str_t                                empty;
    ngx_uint_t                               i, n, nslots, full;
    ngx_http_enkod_status_zone_t            *zone;
    ngx_http_enkod_status_file_t           **file;
    ngx_http_enkod_status_taken_t           *event;
    ngx_http_enkod_status_receiver_conf_t  **receiver;

    zone = status->zone;

    if (zone == NULL || ngx_test_config) {
        return NGX_OK;
    }

    status->generation = ngx_http_enkod_status_entry_begin(zone);

    nslots = ngx_http_enkod_status_nslots(status);
    full = 0;

    ngx_str_set(&empty, "");

    receiver = status->receivers.elts;

    for (i = 0; i < status->receivers.nelts; i++) {

        receiver[i]->entry = ngx_http_enkod_status_entry_get(zone,
                                            NGX_HTTP_ENKOD_STATUS_RECEIVER,
                                            NULL, &receiver[i]->server,
                                            &receiver[i]->location, nslots);

        if (receiver[i]->entry == NULL) {
            full = 1;
            continue;
        }

        event = receiver[i]->events.elts;

        for (n = 0; n < receiver[i]->events.nelts; n++) {

            event[n].entry = ngx_http_enkod_status_entry_get(zone,
                                              NGX_HTTP_ENKOD_STATUS_EVENT,
                                              receiver[i]->entry,
                                              &event[n].name, &empty, nslots);
            if (event[n].entry == NULL) {
                full = 1;
            }
        }
    }

    file = status->files.elts;

    for (i = 0; i < status->files.nelts; i++) {

        file[i]->entry = ngx_http_enkod_status_entry_get(zone,
                                                NGX_HTTP_ENKOD_STATUS_FILE,
                                                NULL, &file[i]->use,
                                                &file[i]->name, nslots);
        if (file[i]->entry == NULL) {
            full = 1;
        }
    }

    if (full) {
        ngx_log_error(NGX_LOG_ERR, cycle->log, 0,
                      "enkod: there is no room for all counters");
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_enkod_status_init_process(ngx_http_enkod_status_t *status,
    ngx_cycle_t *cycle)
{
    if (status->zone == NULL
        || (ngx_process != NGX_PROCESS_WORKER
            && ngx_process != NGX_PROCESS_SINGLE))
    {
        return NGX_OK;
    }

    status->slot = ngx_http_enkod_status_zone_take(status->zone,
                                                   status->generation);

    if (status->slot == NULL || !ngx_http_enkod_status_use_cells(status)) {
        ngx_log_error(NGX_LOG_ERR, cycle->log, 0,
                      "enkod: there is no room for all counters");
    }

    return ngx_http_enkod_status_history_init_process(status, cycle);
}


/* Returns 0 if there is no memory for all of them. */

static ngx_uint_t
ngx_http_enkod_status_use_cells(ngx_http_enkod_status_t *status)
{
    ngx_uint_t                               i, k, n, complete;
    ngx_http_enkod_status_zone_t            *zone;
    ngx_http_enkod_status_file_t           **file;
    ngx_http_enkod_status_slot_t            *slot;
    ngx_http_enkod_status_taken_t           *event;
    ngx_http_enkod_status_file_cell_t       *file_cell;
    ngx_http_enkod_status_event_cell_t      *event_cell;
    ngx_http_enkod_status_receiver_conf_t  **receiver;
    ngx_http_enkod_status_receiver_cell_t   *cell;

    zone = status->zone;
    slot = status->slot;

    complete = 1;

    receiver = status->receivers.elts;

    for (i = 0; i < status->receivers.nelts; i++) {

        if (receiver[i]->entry == NULL) {
            continue;
        }

        cell = ngx_http_enkod_status_zone_cell(zone, slot, receiver[i]->entry);

        if (cell == NULL) {
            complete = 0;
            continue;
        }

        receiver[i]->counts.cell = cell;

        event = receiver[i]->events.elts;

        /* "other" first, which is the last one */

        for (n = receiver[i]->events.nelts; n-- > 0; ) {

            if (event[n].entry == NULL) {
                continue;
            }

            event_cell = ngx_http_enkod_status_zone_cell(zone, slot,
                                                         event[n].entry);
            if (event_cell == NULL) {
                complete = 0;
                continue;
            }

            if (event[n].n == NGX_HTTP_ENKOD_STATUS_OTHER) {

                for (k = 0; k < status->nevents; k++) {
                    receiver[i]->counts.events[k] = event_cell;
                }

                continue;
            }

            receiver[i]->counts.events[event[n].n] = event_cell;
        }
    }

    file = status->files.elts;

    for (i = 0; i < status->files.nelts; i++) {

        if (file[i]->entry == NULL) {
            continue;
        }

        file_cell = ngx_http_enkod_status_zone_cell(zone, slot, file[i]->entry);

        if (file_cell == NULL) {
            complete = 0;
            continue;
        }

        file[i]->cell = file_cell;
        file[i]->failure = &file[i]->entry->failure;
    }

    return complete;
}


void
ngx_http_enkod_status_exit_process(ngx_http_enkod_status_t *status)
{
    if (status->slot) {
        ngx_http_enkod_status_zone_release(status->slot);
    }
}


void
ngx_http_enkod_status_file_written(void *data, ngx_uint_t lines, size_t bytes,
    ngx_err_t err)
{
    ngx_http_enkod_status_file_t *file = data;

    ngx_http_enkod_status_file_cell_t  *cell;

    cell = file->cell;

    cell->writes++;
    cell->lines += lines;
    cell->bytes += bytes;

    if (err) {
        cell->write_errors++;
        ngx_http_enkod_status_file_failed(file, err);
        return;
    }

    if (!file->sync) {
        ngx_http_enkod_status_file_succeeded(file);
    }
}


void
ngx_http_enkod_status_file_synced(void *data, uint64_t usec, ngx_err_t err)
{
    ngx_http_enkod_status_file_t *file = data;

    ngx_http_enkod_status_file_cell_t  *cell;

    cell = file->cell;

    cell->syncs++;

    if (err) {
        cell->sync_errors++;
        ngx_http_enkod_status_file_failed(file, err);
        return;
    }

    ngx_http_enkod_status_time(&cell->sync_times, usec);
    ngx_http_enkod_status_file_succeeded(file);
}


static void
ngx_http_enkod_status_file_failed(ngx_http_enkod_status_file_t *file,
    ngx_err_t err)
{
    file->failure->time = ngx_http_enkod_status_now();
    file->failure->err = err;
}


/* All workers read that, so it is written to only if it changes. */

static void
ngx_http_enkod_status_file_succeeded(ngx_http_enkod_status_file_t *file)
{
    if (file->failure->err) {
        file->failure->err = 0;
    }
}
