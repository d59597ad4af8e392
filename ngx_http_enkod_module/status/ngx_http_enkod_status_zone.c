
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

#include <signal.h>


#define NGX_HTTP_ENKOD_STATUS_PAGE_SIZE                                       \
    (NGX_HTTP_ENKOD_STATUS_PAGE * NGX_HTTP_ENKOD_STATUS_LINE)

#define NGX_HTTP_ENKOD_STATUS_TABLE_SIZE                                      \
    (NGX_HTTP_ENKOD_STATUS_NPAGES * sizeof(u_char *))


static void ngx_http_enkod_status_zone_reset(
    ngx_http_enkod_status_zone_t *zone, ngx_http_enkod_status_slot_t *slot);


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


void *
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


size_t
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
