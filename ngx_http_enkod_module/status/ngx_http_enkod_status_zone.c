
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Memory is taken from one large block and never given back, by an addition
 * that no other process can interrupt; so there is no lock that a process could
 * leave locked.  The zone has the same address in all processes of a master.
 *
 * Cells are in pages of 4 KB, which belong to one slot.  A cell does not cross
 * a border of pages.
 */


#include "ngx_http_enkod_status_zone.h"

#include <ngx_md5.h>
#include <signal.h>


#define NGX_HTTP_ENKOD_STATUS_PAGE_SIZE                                       \
    (NGX_HTTP_ENKOD_STATUS_PAGE * NGX_HTTP_ENKOD_STATUS_LINE)

#define NGX_HTTP_ENKOD_STATUS_TABLE_SIZE                                      \
    (NGX_HTTP_ENKOD_STATUS_NPAGES * sizeof(u_char *))


static void *ngx_http_enkod_status_zone_alloc(
    ngx_http_enkod_status_zone_t *zone, size_t size);
static void ngx_http_enkod_status_zone_key(u_char *key, ngx_str_t *first,
    ngx_str_t *second);
static ngx_http_enkod_status_entry_t *ngx_http_enkod_status_zone_add(
    ngx_http_enkod_status_zone_t *zone, ngx_http_enkod_status_type_e type,
    ngx_uint_t nslots);
static ngx_http_enkod_status_entry_t *ngx_http_enkod_status_zone_reuse(
    ngx_http_enkod_status_zone_t *zone, ngx_http_enkod_status_type_e type);
static ngx_uint_t ngx_http_enkod_status_zone_oldest(
    ngx_http_enkod_status_zone_t *zone);
static void ngx_http_enkod_status_zone_reset(
    ngx_http_enkod_status_zone_t *zone, ngx_http_enkod_status_slot_t *slot);
static size_t ngx_http_enkod_status_zone_cell_size(
    ngx_http_enkod_status_type_e type);


ngx_http_enkod_status_zone_t *
ngx_http_enkod_status_zone_create(ngx_shm_zone_t *shm_zone)
{
    size_t                         size;
    ngx_slab_pool_t               *shpool;
    ngx_http_enkod_status_zone_t  *zone;

    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (shm_zone->shm.exists) {
        return shpool->data;
    }

    size = shpool->pfree * ngx_pagesize;

    zone = ngx_slab_alloc(shpool, size);
    if (zone == NULL) {
        return NULL;
    }

    /* what is not touched costs no memory */

    ngx_memzero(zone, offsetof(ngx_http_enkod_status_zone_t, entries));

    zone->started = ngx_http_enkod_status_now();
    zone->size = size;
    zone->used = ngx_http_enkod_status_aligned(
                                         sizeof(ngx_http_enkod_status_zone_t));
    zone->step = ngx_http_enkod_status_clock()
                 / ((uint64_t) NGX_HTTP_ENKOD_STATUS_STEP * 1000000);

    shpool->data = zone;

    return zone;
}


/* Memory that is zeroed, on cache lines of its own. */

static void *
ngx_http_enkod_status_zone_alloc(ngx_http_enkod_status_zone_t *zone,
    size_t size)
{
    u_char             *p;
    ngx_atomic_uint_t   used;

    size = ngx_http_enkod_status_aligned(size);

    do {
        used = zone->used;

        if (size > zone->size - used) {
            return NULL;
        }

    } while (!ngx_atomic_cmp_set(&zone->used, used, used + size));

    p = (u_char *) zone + used;

    ngx_memzero(p, size);

    return p;
}


ngx_uint_t
ngx_http_enkod_status_zone_place(ngx_uint_t next,
    ngx_http_enkod_status_type_e type, ngx_uint_t *line)
{
    ngx_uint_t  n;

    n = ngx_http_enkod_status_lines(ngx_http_enkod_status_zone_cell_size(type));

    if (next % NGX_HTTP_ENKOD_STATUS_PAGE + n > NGX_HTTP_ENKOD_STATUS_PAGE) {
        next = ngx_align(next, NGX_HTTP_ENKOD_STATUS_PAGE);
    }

    *line = next;

    return next + n;
}


ngx_uint_t
ngx_http_enkod_status_zone_histories(ngx_http_enkod_status_type_e type)
{
    switch (type) {

    case NGX_HTTP_ENKOD_STATUS_RECEIVER:
        return 2;

    case NGX_HTTP_ENKOD_STATUS_EVENT:
        return 1;

    default: /* NGX_HTTP_ENKOD_STATUS_FILE */
        return 0;
    }
}


static size_t
ngx_http_enkod_status_zone_cell_size(ngx_http_enkod_status_type_e type)
{
    switch (type) {

    case NGX_HTTP_ENKOD_STATUS_RECEIVER:
        return sizeof(ngx_http_enkod_status_receiver_cell_t);

    case NGX_HTTP_ENKOD_STATUS_EVENT:
        return sizeof(ngx_http_enkod_status_event_cell_t);

    default: /* NGX_HTTP_ENKOD_STATUS_FILE */
        return sizeof(ngx_http_enkod_status_file_cell_t);
    }
}


size_t
ngx_http_enkod_status_zone_needs(ngx_uint_t lines, ngx_uint_t nhistories,
    ngx_uint_t nslots)
{
    size_t      slot;
    ngx_uint_t  pages;

    pages = (lines + NGX_HTTP_ENKOD_STATUS_PAGE - 1)
            / NGX_HTTP_ENKOD_STATUS_PAGE;

    slot = ngx_http_enkod_status_aligned(NGX_HTTP_ENKOD_STATUS_TABLE_SIZE)
           + pages * NGX_HTTP_ENKOD_STATUS_PAGE_SIZE;

    return ngx_http_enkod_status_aligned(sizeof(ngx_http_enkod_status_zone_t))
           + nhistories * ngx_http_enkod_status_aligned(
                                       sizeof(ngx_http_enkod_status_history_t))
           + nslots * slot;
}


ngx_http_enkod_status_entry_t *
ngx_http_enkod_status_zone_entry(ngx_http_enkod_status_zone_t *zone,
    ngx_http_enkod_status_type_e type, ngx_http_enkod_status_entry_t *parent,
    ngx_str_t *first, ngx_str_t *second, ngx_uint_t nslots)
{
    u_char                          key[16];
    ngx_uint_t                      i, n;
    ngx_http_enkod_status_entry_t  *entry;

    ngx_http_enkod_status_zone_key(key, first, second);

    /* a configuration mostly has the order of the one before */

    for (n = zone->nentries; n > 0; n--) {

        i = (zone->found + zone->nentries - n + 1) % zone->nentries;

        entry = &zone->entries[i];

        if (entry->parent == parent
            && entry->type == type
            && ngx_memcmp(entry->key, key, sizeof(key)) == 0)
        {
            zone->found = i;
            entry->generation = zone->generation;
            return entry;
        }
    }

    entry = ngx_http_enkod_status_zone_add(zone, type, nslots);

    if (entry == NULL) {
        entry = ngx_http_enkod_status_zone_reuse(zone, type);
    }

    if (entry) {
        ngx_memcpy(entry->key, key, sizeof(key));

        entry->parent = parent;
        entry->generation = zone->generation;

        if (entry == &zone->entries[zone->nentries]) {
            ngx_memory_barrier();
            zone->nentries++;
        }
    }

    return entry;
}


/* Names are compared by their hash: so they need no memory. */

static void
ngx_http_enkod_status_zone_key(u_char *key, ngx_str_t *first,
    ngx_str_t *second)
{
    ngx_md5_t  md5;

    ngx_md5_init(&md5);
    ngx_md5_update(&md5, first->data, first->len);
    ngx_md5_update(&md5, "", 1);
    ngx_md5_update(&md5, second->data, second->len);
    ngx_md5_final(key, &md5);
}


/* An entry that has not been used before and is not published yet. */

static ngx_http_enkod_status_entry_t *
ngx_http_enkod_status_zone_add(ngx_http_enkod_status_zone_t *zone,
    ngx_http_enkod_status_type_e type, ngx_uint_t nslots)
{
    size_t                          size;
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
        size = n * sizeof(ngx_http_enkod_status_history_t);

        entry->history = ngx_http_enkod_status_zone_alloc(zone, size);
        if (entry->history == NULL) {
            return NULL;
        }
    }

    entry->type = type;
    entry->line = line;

    zone->lines = lines;
    zone->nhistories += n;

    return entry;
}


/*
 * The entry that has not been configured for the longest time, if no worker has
 * it in its configuration.  Its numbers are forgotten.
 */

static ngx_http_enkod_status_entry_t *
ngx_http_enkod_status_zone_reuse(ngx_http_enkod_status_zone_t *zone,
    ngx_http_enkod_status_type_e type)
{
    u_char                         *cell;
    ngx_uint_t                      i, generation;
    ngx_http_enkod_status_entry_t  *entry, *reused;

    generation = ngx_http_enkod_status_zone_oldest(zone);
    reused = NULL;

    for (i = 0; i < zone->nentries; i++) {

        entry = &zone->entries[i];

        if (entry->type == type && entry->generation < generation) {
            generation = entry->generation;
            reused = entry;
        }
    }

    if (reused == NULL) {
        return NULL;
    }

    reused->failure.err = 0;

    if (reused->history) {
        ngx_memzero(reused->history,
                    ngx_http_enkod_status_zone_histories(type)
                    * sizeof(ngx_http_enkod_status_history_t));
    }

    for (i = 0; i < zone->nslots; i++) {

        cell = ngx_http_enkod_status_zone_find(&zone->slots[i], reused);

        if (cell) {
            ngx_memzero(cell, ngx_http_enkod_status_zone_cell_size(type));
        }
    }

    if (type == NGX_HTTP_ENKOD_STATUS_RECEIVER) {

        /* its events have no receiver any more */

        for (i = 0; i < zone->nentries; i++) {

            if (zone->entries[i].parent == reused) {
                zone->entries[i].parent = NULL;
                zone->entries[i].generation = 0;
            }
        }
    }

    return reused;
}


/* The oldest configuration that a worker has, or will have. */

static ngx_uint_t
ngx_http_enkod_status_zone_oldest(ngx_http_enkod_status_zone_t *zone)
{
    ngx_uint_t                     i, generation;
    ngx_http_enkod_status_slot_t  *slot;

    /* a worker of the last configuration may have no slot yet */

    generation = zone->generation - 1;

    for (i = 0; i < zone->nslots; i++) {

        slot = &zone->slots[i];

        if (slot->generation < generation
            && ngx_http_enkod_status_zone_is_taken(slot))
        {
            generation = slot->generation;
        }
    }

    return generation;
}


ngx_http_enkod_status_slot_t *
ngx_http_enkod_status_zone_take(ngx_http_enkod_status_zone_t *zone,
    ngx_uint_t generation)
{
    ngx_uint_t                     i;
    ngx_atomic_uint_t              n, pid;
    ngx_http_enkod_status_slot_t  *slot;

    for (i = 0; i < NGX_HTTP_ENKOD_STATUS_NSLOTS; i++) {

        slot = &zone->slots[i];
        pid = slot->pid;

        /* a worker that was killed may have had the same pid */

        if (pid != (ngx_atomic_uint_t) ngx_pid
            && ngx_http_enkod_status_zone_is_taken(slot))
        {
            continue;
        }

        if (!ngx_atomic_cmp_set(&slot->pid, pid, ngx_pid)) {
            continue;
        }

        slot->generation = generation;

        ngx_http_enkod_status_zone_reset(zone, slot);

        do {
            n = zone->nslots;
        } while (n <= i && !ngx_atomic_cmp_set(&zone->nslots, n, i + 1));

        return slot;
    }

    return NULL;
}


/* Nothing waits in a new worker. */

static void
ngx_http_enkod_status_zone_reset(ngx_http_enkod_status_zone_t *zone,
    ngx_http_enkod_status_slot_t *slot)
{
    ngx_uint_t                              i;
    ngx_http_enkod_status_receiver_cell_t  *cell;

    for (i = 0; i < zone->nentries; i++) {

        if (zone->entries[i].type != NGX_HTTP_ENKOD_STATUS_RECEIVER) {
            continue;
        }

        cell = ngx_http_enkod_status_zone_find(slot, &zone->entries[i]);

        if (cell) {
            cell->waiting = 0;
        }
    }
}


void
ngx_http_enkod_status_zone_release(ngx_http_enkod_status_slot_t *slot)
{
    slot->pid = 0;
}


void *
ngx_http_enkod_status_zone_cell(ngx_http_enkod_status_zone_t *zone,
    ngx_http_enkod_status_slot_t *slot, ngx_http_enkod_status_entry_t *entry)
{
    u_char  **pages, *page;

    if (slot->pages == NULL) {

        pages = ngx_http_enkod_status_zone_alloc(zone,
                                             NGX_HTTP_ENKOD_STATUS_TABLE_SIZE);
        if (pages == NULL) {
            return NULL;
        }

        ngx_memory_barrier();
        slot->pages = pages;
    }

    pages = &slot->pages[entry->line / NGX_HTTP_ENKOD_STATUS_PAGE];

    if (*pages == NULL) {

        page = ngx_http_enkod_status_zone_alloc(zone,
                                              NGX_HTTP_ENKOD_STATUS_PAGE_SIZE);
        if (page == NULL) {
            return NULL;
        }

        ngx_memory_barrier();
        *pages = page;
    }

    return ngx_http_enkod_status_zone_find(slot, entry);
}


void *
ngx_http_enkod_status_zone_find(ngx_http_enkod_status_slot_t *slot,
    ngx_http_enkod_status_entry_t *entry)
{
    u_char  *page;

    if (slot->pages == NULL) {
        return NULL;
    }

    page = slot->pages[entry->line / NGX_HTTP_ENKOD_STATUS_PAGE];

    if (page == NULL) {
        return NULL;
    }

    return page + entry->line % NGX_HTTP_ENKOD_STATUS_PAGE
                  * NGX_HTTP_ENKOD_STATUS_LINE;
}


ngx_uint_t
ngx_http_enkod_status_zone_is_taken(ngx_http_enkod_status_slot_t *slot)
{
    ngx_pid_t  pid;

    pid = slot->pid;

    /* a process of another user is alive, too: that may have been changed */

    return pid && (kill(pid, 0) == 0 || ngx_errno != ESRCH);
}
