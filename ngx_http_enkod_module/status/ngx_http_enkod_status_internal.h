
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * What a configuration counts, as the files of this folder see it.
 */


#ifndef _NGX_HTTP_ENKOD_STATUS_INTERNAL_H_INCLUDED_
#define _NGX_HTTP_ENKOD_STATUS_INTERNAL_H_INCLUDED_


#include "ngx_http_enkod_status_zone.h"

#pragma GCC visibility push(hidden)


typedef struct {
    ngx_uint_t                           n;
    ngx_str_t                            name;
    ngx_uint_t                           shown; /* even if it has not come */
    ngx_http_enkod_status_entry_t       *entry; /* NULL: there was no room */
} ngx_http_enkod_status_taken_t;


typedef struct {
    ngx_http_enkod_status_receiver_t     counts;    /* the first member */

    ngx_str_t                            server;
    ngx_str_t                            location;
    ngx_array_t                          events;    /* that it takes, and
                                                       "other" */
    ngx_uint_t                           pass;
    ngx_http_enkod_status_entry_t       *entry; /* NULL: there was no room */
} ngx_http_enkod_status_receiver_conf_t;


struct ngx_http_enkod_status_file_s {
    ngx_http_enkod_status_file_cell_t   *cell;
    ngx_http_enkod_status_failure_t     *failure;

    ngx_open_file_t                     *open;
    ngx_str_t                            name;
    ngx_str_t                            use;
    ngx_uint_t                           sync;
    ngx_http_enkod_status_entry_t       *entry; /* NULL: there was no room */
};


struct ngx_http_enkod_status_s {
    /*
     * ngx_http_enkod_snapshot_error_t, ngx_http_enkod_status_receiver_conf_t *,
     * ngx_http_enkod_status_file_t *
     */
    ngx_array_t                     errors;
    ngx_array_t                     receivers;
    ngx_array_t                     files;

    ngx_uint_t                      nevents;    /* the highest number + 1 */

    ngx_cycle_t                    *cycle;
    ngx_http_enkod_status_zone_t   *zone;   /* NULL: nothing is counted */
    ngx_uint_t                      generation;
    ngx_http_enkod_status_slot_t   *slot;   /* of this worker */
};


/* Slots that are needed: after a reload there are workers of both. */
ngx_uint_t ngx_http_enkod_status_nslots(ngx_http_enkod_status_t *status);


#pragma GCC visibility pop

#endif /* _NGX_HTTP_ENKOD_STATUS_INTERNAL_H_INCLUDED_ */
