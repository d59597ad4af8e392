
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * What a configuration counts: receivers, their events, and files; and whether
 * there is room for it.
 */


#include "ngx_http_enkod_status_internal.h"


static ngx_int_t ngx_http_enkod_status_create_events(ngx_conf_t *cf,
    ngx_http_enkod_status_t *status, ngx_http_enkod_status_receiver_t *counts);
static ngx_int_t ngx_http_enkod_status_init_zone(ngx_shm_zone_t *shm_zone,
    void *data);
static ngx_int_t ngx_http_enkod_status_fits(ngx_http_enkod_status_t *status,
    ngx_log_t *log);


/* for what is counted without room in the zone, which nobody reads */
static ngx_http_enkod_status_receiver_cell_t  ngx_http_enkod_status_receiver;
static ngx_http_enkod_status_event_cell_t     ngx_http_enkod_status_unseen;
static ngx_http_enkod_status_file_cell_t      ngx_http_enkod_status_file;
static ngx_http_enkod_status_failure_t        ngx_http_enkod_status_failure;


ngx_http_enkod_status_t *
ngx_http_enkod_status_create(ngx_conf_t *cf)
{
    ngx_http_enkod_status_t  *status;

    status = ngx_pcalloc(cf->pool, sizeof(ngx_http_enkod_status_t));
    if (status == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     status->zone = NULL;
     *     status->generation = 0;
     *     status->slot = NULL;
     */

    status->cycle = cf->cycle;
    status->nevents = NGX_HTTP_ENKOD_STATUS_OTHER + 1;

    if (ngx_array_init(&status->errors, cf->pool,
                       NGX_HTTP_ENKOD_STATUS_MAX_ERRORS,
                       sizeof(ngx_http_enkod_snapshot_error_t))
        != NGX_OK
        || ngx_array_init(&status->receivers, cf->pool, 4,
                          sizeof(ngx_http_enkod_status_receiver_conf_t *))
           != NGX_OK
        || ngx_array_init(&status->files, cf->pool, 4,
                          sizeof(ngx_http_enkod_status_file_t *))
           != NGX_OK)
    {
        return NULL;
    }

    return status;
}


ngx_int_t
ngx_http_enkod_status_add_error(ngx_http_enkod_status_t *status,
    ngx_str_t *code, ngx_uint_t http_status)
{
    ngx_http_enkod_snapshot_error_t  *error;

    /* number 0 is no error */

    if (status->errors.nelts + 1 == NGX_HTTP_ENKOD_STATUS_MAX_ERRORS) {
        return NGX_ERROR;
    }

    error = ngx_array_push(&status->errors);
    if (error == NULL) {
        return NGX_ERROR;
    }

    error->code = *code;
    error->status = http_status;

    return NGX_OK;
}


ngx_http_enkod_status_receiver_t *
ngx_http_enkod_status_add_receiver(ngx_conf_t *cf,
    ngx_http_enkod_status_t *status, ngx_str_t *server, ngx_str_t *location)
{
    ngx_uint_t                               i;
    ngx_http_enkod_status_receiver_conf_t   *receiver, **receivers;

    receivers = status->receivers.elts;

    for (i = 0; i < status->receivers.nelts; i++) {

        receiver = receivers[i];

        if (receiver->server.len == server->len
            && receiver->location.len == location->len
            && ngx_strncmp(receiver->server.data, server->data, server->len)
               == 0
            && ngx_strncmp(receiver->location.data, location->data,
                           location->len)
               == 0)
        {
            return &receiver->counts;
        }
    }

    receiver = ngx_pcalloc(cf->pool,
                           sizeof(ngx_http_enkod_status_receiver_conf_t));
    if (receiver == NULL) {
        return NULL;
    }

    receiver->server = *server;
    receiver->location = *location;

    if (ngx_array_init(&receiver->events, cf->pool, 10,
                       sizeof(ngx_http_enkod_status_taken_t))
        != NGX_OK)
    {
        return NULL;
    }

    receivers = ngx_array_push(&status->receivers);
    if (receivers == NULL) {
        return NULL;
    }

    *receivers = receiver;

    return &receiver->counts;
}


/* The events of a receiver are sorted by their numbers, but "other" is last. */

ngx_int_t
ngx_http_enkod_status_add_event(ngx_http_enkod_status_t *status,
    ngx_http_enkod_status_receiver_t *counts, ngx_uint_t n, ngx_str_t *name,
    ngx_uint_t shown)
{
    ngx_uint_t                              i;
    ngx_http_enkod_status_taken_t          *event;
    ngx_http_enkod_status_receiver_conf_t  *receiver;

    receiver = (ngx_http_enkod_status_receiver_conf_t *) counts;

    event = receiver->events.elts;

    for (i = 0; i < receiver->events.nelts; i++) {
        if (event[i].n == n) {
            event[i].shown |= shown;
            return NGX_OK;
        }
    }

    event = ngx_array_push(&receiver->events);
    if (event == NULL) {
        return NGX_ERROR;
    }

    event->n = n;
    event->name = *name;
    event->shown = shown;
    event->entry = NULL;

    event = receiver->events.elts;

    for ( /* void */ ; i > 0; i--) {

        if (event[i].n != NGX_HTTP_ENKOD_STATUS_OTHER
            && (event[i - 1].n == NGX_HTTP_ENKOD_STATUS_OTHER
                || event[i - 1].n > event[i].n))
        {
            ngx_http_enkod_status_taken_t  taken;

            taken = event[i];
            event[i] = event[i - 1];
            event[i - 1] = taken;
        }
    }

    status->nevents = ngx_max(status->nevents, n + 1);

    return NGX_OK;
}


void
ngx_http_enkod_status_add_pass(ngx_http_enkod_status_receiver_t *counts)
{
    ((ngx_http_enkod_status_receiver_conf_t *) counts)->pass = 1;
}


ngx_http_enkod_status_file_t *
ngx_http_enkod_status_add_file(ngx_conf_t *cf, ngx_http_enkod_status_t *status,
    ngx_open_file_t *open, ngx_str_t *name, const char *use, ngx_uint_t sync)
{
    ngx_http_enkod_status_file_t  *file, **files;

    file = ngx_pcalloc(cf->pool, sizeof(ngx_http_enkod_status_file_t));
    if (file == NULL) {
        return NULL;
    }

    file->cell = &ngx_http_enkod_status_file;
    file->failure = &ngx_http_enkod_status_failure;
    file->open = open;
    file->name = *name;
    file->use.data = (u_char *) use;
    file->use.len = ngx_strlen(use);
    file->sync = sync;

    files = ngx_array_push(&status->files);
    if (files == NULL) {
        return NULL;
    }

    *files = file;

    return file;
}


ngx_int_t
ngx_http_enkod_status_init(ngx_conf_t *cf, ngx_http_enkod_status_t *status,
    void *tag)
{
    ngx_uint_t                               i;
    ngx_shm_zone_t                          *shm_zone;
    ngx_http_enkod_status_receiver_conf_t  **receiver;

    static ngx_str_t  name = ngx_string("ngx_http_enkod_module_status");

    if (status->receivers.nelts == 0) {
        return NGX_OK;
    }

    receiver = status->receivers.elts;

    for (i = 0; i < status->receivers.nelts; i++) {
        if (ngx_http_enkod_status_create_events(cf, status,
                                                &receiver[i]->counts)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    shm_zone = ngx_shared_memory_add(cf, &name, NGX_HTTP_ENKOD_STATUS_ZONE_SIZE,
                                     tag);
    if (shm_zone == NULL) {
        return NGX_ERROR;
    }

    shm_zone->init = ngx_http_enkod_status_init_zone;
    shm_zone->data = status;

    return NGX_OK;
}


static ngx_int_t
ngx_http_enkod_status_create_events(ngx_conf_t *cf,
    ngx_http_enkod_status_t *status, ngx_http_enkod_status_receiver_t *counts)
{
    ngx_uint_t  i;

    counts->cell = &ngx_http_enkod_status_receiver;

    counts->events = ngx_palloc(cf->pool, status->nevents
                                * sizeof(ngx_http_enkod_status_event_cell_t *));
    if (counts->events == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < status->nevents; i++) {
        counts->events[i] = &ngx_http_enkod_status_unseen;
    }

    return NGX_OK;
}


/*
 * Called when all directives have been read; after an error here the old
 * configuration goes on.  So nothing may be changed in a zone that exists.
 */

static ngx_int_t
ngx_http_enkod_status_init_zone(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_http_enkod_status_t  *old = data;

    ngx_http_enkod_status_t  *status;

    status = shm_zone->data;

    status->zone = old ? old->zone
                       : ngx_http_enkod_status_zone_create(shm_zone);

    if (status->zone == NULL) {
        return NGX_ERROR;
    }

    return ngx_http_enkod_status_fits(status, shm_zone->shm.log);
}


/* Whether the zone has room for this configuration, if it had no other. */

static ngx_int_t
ngx_http_enkod_status_fits(ngx_http_enkod_status_t *status, ngx_log_t *log)
{
    size_t                                   size;
    ngx_uint_t                               i, n, lines, line, nhistories;
    ngx_uint_t                               nentries, nslots;
    ngx_http_enkod_status_receiver_conf_t  **receiver;

    receiver = status->receivers.elts;

    lines = 0;
    nhistories = 0;
    nentries = 0;

    for (i = 0; i < status->receivers.nelts; i++) {

        lines = ngx_http_enkod_status_zone_place(lines,
                                       NGX_HTTP_ENKOD_STATUS_RECEIVER, &line);
        nhistories += ngx_http_enkod_status_zone_histories(
                                              NGX_HTTP_ENKOD_STATUS_RECEIVER);

        for (n = 0; n < receiver[i]->events.nelts; n++) {
            lines = ngx_http_enkod_status_zone_place(lines,
                                          NGX_HTTP_ENKOD_STATUS_EVENT, &line);
            nhistories += ngx_http_enkod_status_zone_histories(
                                                 NGX_HTTP_ENKOD_STATUS_EVENT);
        }

        nentries += 1 + receiver[i]->events.nelts;
    }

    for (i = 0; i < status->files.nelts; i++) {
        lines = ngx_http_enkod_status_zone_place(lines,
                                           NGX_HTTP_ENKOD_STATUS_FILE, &line);
        nentries++;
    }

    nslots = ngx_http_enkod_status_nslots(status);

    size = ngx_http_enkod_status_zone_needs(lines, nhistories, nslots);

    if (nentries <= NGX_HTTP_ENKOD_STATUS_NENTRIES
        && lines <= NGX_HTTP_ENKOD_STATUS_NPAGES * NGX_HTTP_ENKOD_STATUS_PAGE
        && size <= status->zone->size)
    {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_EMERG, log, 0,
                  "too many locations with \"enkod_webhook\": the counters of "
                  "%ui locations and %ui events in them, for %ui worker "
                  "processes, take %uzM of shared memory, and may take %uzM",
                  status->receivers.nelts,
                  nentries - status->receivers.nelts - status->files.nelts,
                  nslots / 2, (size >> 20) + 1, status->zone->size >> 20);

    return NGX_ERROR;
}


ngx_uint_t
ngx_http_enkod_status_nslots(ngx_http_enkod_status_t *status)
{
    ngx_core_conf_t  *ccf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(status->cycle->conf_ctx,
                                           ngx_core_module);

    return 2 * ccf->worker_processes;
}
