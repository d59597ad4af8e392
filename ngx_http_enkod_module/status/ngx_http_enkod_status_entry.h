
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Entry: a receiver, an event of a receiver, or a file, in the zone.  The
 * master process alone adds entries.  They stay when the configuration changes,
 * so that counting goes on when it changes back; if there is no room, those
 * that have not been configured for the longest time give way.
 */


#ifndef _NGX_HTTP_ENKOD_STATUS_ENTRY_H_INCLUDED_
#define _NGX_HTTP_ENKOD_STATUS_ENTRY_H_INCLUDED_


#include "ngx_http_enkod_status_zone.h"

#pragma GCC visibility push(hidden)


/* Before the entries of a configuration are got; returns its number. */
ngx_uint_t ngx_http_enkod_status_entry_begin(
    ngx_http_enkod_status_zone_t *zone);

/*
 * The entry of these strings, which is new if there is none yet.  An event has
 * a "receiver".  "nslots" is how many slots there may be.  NULL if there is no
 * room and no entry that could give way.
 */
ngx_http_enkod_status_entry_t *ngx_http_enkod_status_entry_get(
    ngx_http_enkod_status_zone_t *zone, ngx_http_enkod_status_type_e type,
    ngx_http_enkod_status_entry_t *receiver, ngx_str_t *first,
    ngx_str_t *second, ngx_uint_t nslots);


#pragma GCC visibility pop

#endif /* _NGX_HTTP_ENKOD_STATUS_ENTRY_H_INCLUDED_ */
