
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Receivers, files, and the events of each receiver are in lists.  A receiver
 * gives way with all of its events.  An entry can be used anew only if no
 * worker has it in its configuration: an old one would go on counting there.
 */


#include "ngx_http_enkod_status_entry.h"

#include <ngx_md5.h>


static void ngx_http_enkod_status_entry_key(u_char *key, ngx_str_t *first,
    ngx_str_t *second);
static ngx_http_enkod_status_entry_t **ngx_http_enkod_status_entry_list(
    ngx_http_enkod_status_zone_t *zone, ngx_http_enkod_status_type_e type,
    ngx_http_enkod_status_entry_t *receiver);
static ngx_http_enkod_status_entry_t *ngx_http_enkod_status_entry_add(
    ngx_http_enkod_status_zone_t *zone, ngx_http_enkod_status_type_e type,
    ngx_uint_t nslots);
static ngx_http_enkod_status_entry_t *ngx_http_enkod_status_entry_reuse(
    ngx_http_enkod_status_zone_t *zone, ngx_http_enkod_status_type_e type);
static ngx_uint_t ngx_http_enkod_status_entry_forget_oldest(
    ngx_http_enkod_status_zone_t *zone, ngx_http_enkod_status_entry_t **list);
static ngx_uint_t ngx_http_enkod_status_entry_forget_events(
    ngx_http_enkod_status_zone_t *zone);
static void ngx_http_enkod_status_entry_forget(
    ngx_http_enkod_status_zone_t *zone, ngx_http_enkod_status_entry_t **link);


ngx_uint_t
ngx_http_enkod_status_entry_begin(ngx_http_enkod_status_zone_t *zone)
{
    ngx_uint_t                     i;
    ngx_http_enkod_status_slot_t  *slot;

    /* a worker of the last configuration may have no slot yet */

    zone->oldest = zone->generation;

    for (i = 0; i < zone->nslots; i++) {

        slot = &zone->slots[i];

        if (slot->generation < zone->oldest
            && ngx_http_enkod_status_zone_is_taken(slot))
        {
            zone->oldest = slot->generation;
        }
    }

    return ++zone->generation;
}


ngx_http_enkod_status_entry_t *
ngx_http_enkod_status_entry_get(ngx_http_enkod_status_zone_t *zone,
    ngx_http_enkod_status_type_e type, ngx_http_enkod_status_entry_t *receiver,
    ngx_str_t *first, ngx_str_t *second, ngx_uint_t nslots)
{
    u_char                           key[16];
    ngx_http_enkod_status_entry_t   *entry, **list;

    ngx_http_enkod_status_entry_key(key, first, second);

    list = ngx_http_enkod_status_entry_list(zone, type, receiver);

    for (entry = *list; entry; entry = entry->next) {
        if (ngx_memcmp(entry->key, key, sizeof(key)) == 0) {
            entry->generation = zone->generation;
            return entry;
        }
    }

    entry = ngx_http_enkod_status_entry_add(zone, type, nslots);

    if (entry == NULL) {
        entry = ngx_http_enkod_status_entry_reuse(zone, type);
    }

    if (entry) {
        ngx_memcpy(entry->key, key, sizeof(key));

        entry->generation = zone->generation;
        entry->next = *list;
        *list = entry;
    }

    return entry;
}


/* Names are compared by their hash: so they need no memory. */

static void
ngx_http_enkod_status_entry_key(u_char *key, ngx_str_t *first,
    ngx_str_t *second)
{
    ngx_md5_t  md5;

    ngx_md5_init(&md5);
    ngx_md5_update(&md5, first->data, first->len);
    ngx_md5_update(&md5, "", 1);
    ngx_md5_update(&md5, second->data, second->len);
    ngx_md5_final(key, &md5);
}


static ngx_http_enkod_status_entry_t **
ngx_http_enkod_status_entry_list(ngx_http_enkod_status_zone_t *zone,
    ngx_http_enkod_status_type_e type, ngx_http_enkod_status_entry_t *receiver)
{
    switch (type) {

    case NGX_HTTP_ENKOD_STATUS_RECEIVER:
        return &zone->receivers;

    case NGX_HTTP_ENKOD_STATUS_EVENT:
        return &receiver->events;

    default: /* NGX_HTTP_ENKOD_STATUS_FILE */
        return &zone->files;
    }
}


/* Returns NULL if there is no room for one more. */

static ngx_http_enkod_status_entry_t *
ngx_http_enkod_status_entry_add(ngx_http_enkod_status_zone_t *zone,
    ngx_http_enkod_status_type_e type, ngx_uint_t nslots)
{
    ngx_uint_t                      line, lines, n;
    ngx_http_enkod_status_entry_t  *entry;

    if (zone->nentries == NGX_HTTP_ENKOD_STATUS_NENTRIES) {
        return NULL;
    }

    n = ngx_http_enkod_status_zone_histories(type);

    lines = ngx_http_enkod_status_zone_place(zone->lines, type, &line);

    if (lines > NGX_HTTP_ENKOD_STATUS_NPAGES * NGX_HTTP_ENKOD_STATUS_PAGE
        || ngx_http_enkod_status_zone_needs(lines, zone->nhistories + n,
                                            ngx_max(nslots, zone->nslots))
           > zone->size)
    {
        return NULL;
    }

    entry = &zone->entries[zone->nentries];

    ngx_memzero(entry, sizeof(ngx_http_enkod_status_entry_t));

    if (n) {
        entry->history = ngx_http_enkod_status_zone_alloc(zone,
                                n * sizeof(ngx_http_enkod_status_history_t));
        if (entry->history == NULL) {
            return NULL;
        }
    }

    entry->type = type;
    entry->line = line;

    zone->lines = lines;
    zone->nhistories += n;

    /* workers look at the entries up to this number */

    ngx_memory_barrier();
    zone->nentries++;

    return entry;
}


static ngx_http_enkod_status_entry_t *
ngx_http_enkod_status_entry_reuse(ngx_http_enkod_status_zone_t *zone,
    ngx_http_enkod_status_type_e type)
{
    ngx_uint_t                       forgotten;
    ngx_http_enkod_status_entry_t   *entry, **unused;

    unused = &zone->unused[type];

    if (*unused == NULL) {

        forgotten = ngx_http_enkod_status_entry_forget_oldest(zone,
                                     type == NGX_HTTP_ENKOD_STATUS_FILE
                                     ? &zone->files : &zone->receivers);

        if (!forgotten && type == NGX_HTTP_ENKOD_STATUS_EVENT) {
            (void) ngx_http_enkod_status_entry_forget_events(zone);
        }
    }

    entry = *unused;

    if (entry) {
        *unused = entry->next;
    }

    return entry;
}


/* Returns 0 if all of the list are in use. */

static ngx_uint_t
ngx_http_enkod_status_entry_forget_oldest(ngx_http_enkod_status_zone_t *zone,
    ngx_http_enkod_status_entry_t **list)
{
    ngx_uint_t                       generation;
    ngx_http_enkod_status_entry_t  **entry, **oldest;

    generation = zone->oldest;
    oldest = NULL;

    for (entry = list; *entry; entry = &(*entry)->next) {

        if ((*entry)->generation < generation) {
            generation = (*entry)->generation;
            oldest = entry;
        }
    }

    if (oldest == NULL) {
        return 0;
    }

    ngx_http_enkod_status_entry_forget(zone, oldest);

    return 1;
}


/* Events that receivers had which are still there. */

static ngx_uint_t
ngx_http_enkod_status_entry_forget_events(ngx_http_enkod_status_zone_t *zone)
{
    ngx_http_enkod_status_entry_t  *receiver;

    for (receiver = zone->receivers; receiver; receiver = receiver->next) {

        if (ngx_http_enkod_status_entry_forget_oldest(zone, &receiver->events))
        {
            return 1;
        }
    }

    return 0;
}


/* Takes it from its list, and with it all events of a receiver. */

static void
ngx_http_enkod_status_entry_forget(ngx_http_enkod_status_zone_t *zone,
    ngx_http_enkod_status_entry_t **link)
{
    void                           *cell;
    ngx_uint_t                      i;
    ngx_http_enkod_status_entry_t  *entry;

    entry = *link;

    while (entry->events) {
        ngx_http_enkod_status_entry_forget(zone, &entry->events);
    }

    entry->failure.err = 0;

    if (entry->history) {
        ngx_memzero(entry->history,
                    ngx_http_enkod_status_zone_histories(entry->type)
                    * sizeof(ngx_http_enkod_status_history_t));
    }

    for (i = 0; i < zone->nslots; i++) {

        cell = ngx_http_enkod_status_zone_find(&zone->slots[i], entry);

        if (cell) {
            ngx_memzero(cell,
                        ngx_http_enkod_status_zone_cell_size(entry->type));
        }
    }

    *link = entry->next;

    entry->next = zone->unused[entry->type];
    zone->unused[entry->type] = entry;
}
