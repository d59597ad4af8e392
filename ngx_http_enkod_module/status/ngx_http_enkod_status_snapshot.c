
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The cells of all workers, those that have ended included, are added up.  Of a
 * worker that has ended, events that wait do not count.  Workers go on counting
 * meanwhile, so the numbers of a snapshot may be some microseconds apart.
 */


#include "ngx_http_enkod_status_history.h"

#include <sys/statvfs.h>


static ngx_int_t ngx_http_enkod_snapshot_receiver(ngx_pool_t *pool,
    ngx_http_enkod_status_t *status,
    ngx_http_enkod_status_receiver_conf_t *conf,
    ngx_http_enkod_snapshot_receiver_t *receiver);
static ngx_int_t ngx_http_enkod_snapshot_history(ngx_pool_t *pool,
    ngx_http_enkod_status_receiver_conf_t *conf,
    ngx_http_enkod_snapshot_receiver_t *receiver, uint64_t step);
static ngx_uint_t ngx_http_enkod_snapshot_nevents(
    ngx_http_enkod_status_receiver_conf_t *conf);
static void ngx_http_enkod_snapshot_add_receiver(
    ngx_http_enkod_status_t *status, ngx_http_enkod_status_slot_t *slot,
    ngx_http_enkod_status_entry_t *entry,
    ngx_http_enkod_snapshot_receiver_t *receiver);
static void ngx_http_enkod_snapshot_event(
    ngx_http_enkod_status_zone_t *zone, ngx_http_enkod_status_entry_t *entry,
    ngx_http_enkod_snapshot_event_t *event);
static void ngx_http_enkod_snapshot_file(ngx_http_enkod_status_zone_t *zone,
    ngx_http_enkod_status_file_t *conf, ngx_http_enkod_snapshot_file_t *file);
static void ngx_http_enkod_snapshot_add_file(
    ngx_http_enkod_status_file_cell_t *cell,
    ngx_http_enkod_snapshot_file_t *file);
static void ngx_http_enkod_snapshot_disk(ngx_fd_t fd,
    ngx_http_enkod_snapshot_file_t *file);
static void ngx_http_enkod_snapshot_add_times(
    ngx_http_enkod_snapshot_times_t *times,
    ngx_http_enkod_status_times_t *cell);
static void ngx_http_enkod_snapshot_cumulate(
    ngx_http_enkod_snapshot_times_t *times);


ngx_http_enkod_snapshot_t *
ngx_http_enkod_snapshot(ngx_pool_t *pool, ngx_http_enkod_status_t *status,
    ngx_uint_t history)
{
    uint64_t                                 step;
    ngx_uint_t                               i;
    ngx_http_enkod_snapshot_t               *snapshot;
    ngx_http_enkod_status_zone_t            *zone;
    ngx_http_enkod_status_file_t           **file;
    ngx_http_enkod_status_receiver_conf_t  **receiver;

    snapshot = ngx_pcalloc(pool, sizeof(ngx_http_enkod_snapshot_t));
    if (snapshot == NULL) {
        return NULL;
    }

    snapshot->now = ngx_http_enkod_status_now();
    snapshot->started = snapshot->now;
    snapshot->end = snapshot->now;
    snapshot->errors = status->errors.elts;
    snapshot->nerrors = status->errors.nelts;

    zone = status->zone;

    if (zone == NULL) {
        /* there is no receiver */
        return snapshot;
    }

    snapshot->started = zone->started;

    step = ngx_http_enkod_status_history_update(status, &snapshot->end);

    for (i = 0; i < zone->nslots; i++) {
        if (ngx_http_enkod_status_zone_is_taken(&zone->slots[i])) {
            snapshot->workers++;
        }
    }

    snapshot->receivers = ngx_pcalloc(pool, status->receivers.nelts
                                * sizeof(ngx_http_enkod_snapshot_receiver_t));
    if (snapshot->receivers == NULL) {
        return NULL;
    }

    snapshot->nreceivers = status->receivers.nelts;
    receiver = status->receivers.elts;

    for (i = 0; i < snapshot->nreceivers; i++) {
        if (ngx_http_enkod_snapshot_receiver(pool, status, receiver[i],
                                             &snapshot->receivers[i])
            != NGX_OK)
        {
            return NULL;
        }

        if (history
            && ngx_http_enkod_snapshot_history(pool, receiver[i],
                                               &snapshot->receivers[i], step)
               != NGX_OK)
        {
            return NULL;
        }
    }

    snapshot->files = ngx_pcalloc(pool, status->files.nelts
                                  * sizeof(ngx_http_enkod_snapshot_file_t));
    if (snapshot->files == NULL) {
        return NULL;
    }

    snapshot->nfiles = status->files.nelts;
    file = status->files.elts;

    for (i = 0; i < snapshot->nfiles; i++) {
        ngx_http_enkod_snapshot_file(zone, file[i], &snapshot->files[i]);
    }

    return snapshot;
}


static ngx_int_t
ngx_http_enkod_snapshot_receiver(ngx_pool_t *pool,
    ngx_http_enkod_status_t *status,
    ngx_http_enkod_status_receiver_conf_t *conf,
    ngx_http_enkod_snapshot_receiver_t *receiver)
{
    ngx_uint_t                        i, n;
    ngx_http_enkod_status_zone_t     *zone;
    ngx_http_enkod_status_taken_t    *taken;
    ngx_http_enkod_snapshot_event_t  *event;

    receiver->server = conf->server;
    receiver->location = conf->location;
    receiver->pass = conf->pass;

    receiver->errors = ngx_pcalloc(pool,
                                   status->errors.nelts * sizeof(uint64_t));
    receiver->events = ngx_pcalloc(pool, conf->events.nelts
                                   * sizeof(ngx_http_enkod_snapshot_event_t));

    if (receiver->errors == NULL || receiver->events == NULL) {
        return NGX_ERROR;
    }

    zone = status->zone;

    for (i = 0; conf->entry && i < zone->nslots; i++) {
        ngx_http_enkod_snapshot_add_receiver(status, &zone->slots[i],
                                             conf->entry, receiver);
    }

    ngx_http_enkod_snapshot_cumulate(&receiver->answers);
    ngx_http_enkod_snapshot_cumulate(&receiver->passes);

    taken = conf->events.elts;
    n = ngx_http_enkod_snapshot_nevents(conf);

    for (i = 0; i < n; i++) {

        event = &receiver->events[receiver->nevents];

        event->name = taken[i].name;

        if (taken[i].entry) {
            ngx_http_enkod_snapshot_event(zone, taken[i].entry, event);
        }

        /* what is not shown can only be the last one */

        if (taken[i].shown || event->last) {
            receiver->nevents++;
        }
    }

    return NGX_OK;
}


/*
 * Events without the last one, if that is "other" and a declared event has this
 * name, too: they have the same entry.
 */

static ngx_uint_t
ngx_http_enkod_snapshot_nevents(ngx_http_enkod_status_receiver_conf_t *conf)
{
    ngx_uint_t                      i, last;
    ngx_http_enkod_status_taken_t  *event;

    event = conf->events.elts;

    if (conf->events.nelts == 0) {
        return 0;
    }

    last = conf->events.nelts - 1;

    for (i = 0; i < last; i++) {

        if (event[i].name.len == event[last].name.len
            && ngx_strncmp(event[i].name.data, event[last].name.data,
                           event[i].name.len)
               == 0)
        {
            return last;
        }
    }

    return conf->events.nelts;
}


static void
ngx_http_enkod_snapshot_add_receiver(ngx_http_enkod_status_t *status,
    ngx_http_enkod_status_slot_t *slot, ngx_http_enkod_status_entry_t *entry,
    ngx_http_enkod_snapshot_receiver_t *receiver)
{
    ngx_uint_t                              i;
    ngx_http_enkod_status_receiver_cell_t  *cell;

    cell = ngx_http_enkod_status_zone_find(slot, entry);

    if (cell == NULL) {
        return;
    }

    for (i = 0; i < status->errors.nelts; i++) {
        /* number 0 is no error */
        receiver->errors[i] += cell->errors[i + 1];
    }

    receiver->probes += cell->probes;
    receiver->received += cell->received;

    if ((int64_t) cell->waiting > 0
        && ngx_http_enkod_status_zone_is_taken(slot))
    {
        receiver->waiting += cell->waiting;
    }

    for (i = 0; i < NGX_HTTP_ENKOD_STATUS_NOUTCOMES; i++) {
        receiver->outcomes[i] += cell->outcomes[i];
    }

    ngx_http_enkod_snapshot_add_times(&receiver->answers, &cell->answers);
    ngx_http_enkod_snapshot_add_times(&receiver->passes, &cell->passes);
}


static void
ngx_http_enkod_snapshot_event(ngx_http_enkod_status_zone_t *zone,
    ngx_http_enkod_status_entry_t *entry,
    ngx_http_enkod_snapshot_event_t *event)
{
    ngx_uint_t                           i, n;
    ngx_http_enkod_status_event_cell_t  *cell;

    for (i = 0; i < zone->nslots; i++) {

        cell = ngx_http_enkod_status_zone_find(&zone->slots[i], entry);

        if (cell == NULL) {
            continue;
        }

        for (n = 0; n < NGX_HTTP_ENKOD_STATUS_NRESULTS; n++) {
            event->results[n] += cell->results[n];
        }

        event->last = ngx_max(event->last, cell->last);
    }
}


static ngx_int_t
ngx_http_enkod_snapshot_history(ngx_pool_t *pool,
    ngx_http_enkod_status_receiver_conf_t *conf,
    ngx_http_enkod_snapshot_receiver_t *receiver, uint64_t step)
{
    ngx_uint_t                      i;
    ngx_http_enkod_status_taken_t  *event;

    if (conf->entry == NULL) {
        return NGX_OK;
    }

    if (ngx_http_enkod_status_history_read(pool, &conf->entry->history[0], step,
                                           &receiver->refusals)
        != NGX_OK
        || ngx_http_enkod_status_history_read(pool, &conf->entry->history[1],
                                              step, &receiver->failures)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    event = conf->events.elts;

    for (i = 0; i < receiver->nevents; i++) {

        if (event[i].entry
            && ngx_http_enkod_status_history_read(pool, event[i].entry->history,
                                                  step,
                                                  &receiver->events[i].history)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static void
ngx_http_enkod_snapshot_file(ngx_http_enkod_status_zone_t *zone,
    ngx_http_enkod_status_file_t *conf, ngx_http_enkod_snapshot_file_t *file)
{
    ngx_uint_t                          i;
    ngx_http_enkod_status_file_cell_t  *cell;

    file->name = conf->name;
    file->use = conf->use;
    file->sync = conf->sync;

    for (i = 0; conf->entry && i < zone->nslots; i++) {

        cell = ngx_http_enkod_status_zone_find(&zone->slots[i], conf->entry);

        if (cell) {
            ngx_http_enkod_snapshot_add_file(cell, file);
        }
    }

    if (conf->entry && conf->entry->failure.err) {
        file->err = conf->entry->failure.err;
        file->failed = conf->entry->failure.time;
    }

    ngx_http_enkod_snapshot_cumulate(&file->sync_times);

    ngx_http_enkod_snapshot_disk(conf->open->fd, file);
}


static void
ngx_http_enkod_snapshot_add_file(ngx_http_enkod_status_file_cell_t *cell,
    ngx_http_enkod_snapshot_file_t *file)
{
    file->lines += cell->lines;
    file->bytes += cell->bytes;
    file->writes += cell->writes;
    file->write_errors += cell->write_errors;
    file->syncs += cell->syncs;
    file->sync_errors += cell->sync_errors;

    ngx_http_enkod_snapshot_add_times(&file->sync_times, &cell->sync_times);
}


static void
ngx_http_enkod_snapshot_disk(ngx_fd_t fd, ngx_http_enkod_snapshot_file_t *file)
{
    struct statvfs   fs;
    ngx_file_info_t  fi;

    file->size = -1;
    file->reserved = -1;
    file->free = -1;

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR || !ngx_is_file(&fi)) {
        return;
    }

    file->size = ngx_file_size(&fi);
    file->reserved = ngx_max((off_t) fi.st_blocks * 512 - file->size, 0);

    /* a file system without blocks does not know how much space it has */

    if (fstatvfs(fd, &fs) == 0 && fs.f_blocks) {
        file->free = (off_t) fs.f_bavail * fs.f_frsize;
    }
}


static void
ngx_http_enkod_snapshot_add_times(ngx_http_enkod_snapshot_times_t *times,
    ngx_http_enkod_status_times_t *cell)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_ENKOD_STATUS_NBUCKETS; i++) {
        times->buckets[i] += cell->buckets[i];
    }

    times->sum += cell->sum;
}


static void
ngx_http_enkod_snapshot_cumulate(ngx_http_enkod_snapshot_times_t *times)
{
    ngx_uint_t  i;

    for (i = 1; i < NGX_HTTP_ENKOD_STATUS_NBUCKETS; i++) {
        times->buckets[i] += times->buckets[i - 1];
    }
}
