
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The slots are in a small zone of shared memory, which all workers of a master
 * process use.  There is one for each path, so that a problem with one file
 * does not delay the others.
 *
 * The lock is a robust mutex.  It takes no system call unless it is contended.
 * The kernel releases it when its owner dies.  The locks of nginx are released
 * by the master process, which may have died before.
 */


#include "ngx_http_enkod_slot.h"


/* after a reload the workers of the old configuration still use theirs */
#define NGX_HTTP_ENKOD_SLOTS       (2 * NGX_HTTP_ENKOD_MAX_FILES)

/* more than the slab allocator needs for itself */
#define NGX_HTTP_ENKOD_SLAB_PAGES  8


typedef struct {
    ngx_uint_t                   used;
    ngx_http_enkod_slot_t        slots[NGX_HTTP_ENKOD_SLOTS];
} ngx_http_enkod_slots_t;


static ngx_int_t ngx_http_enkod_slot_init_zone(ngx_shm_zone_t *shm_zone,
    void *data);
static ngx_int_t ngx_http_enkod_slot_create_locks(
    ngx_http_enkod_slots_t *slots);


ngx_shm_zone_t *
ngx_http_enkod_slot_add_zone(ngx_conf_t *cf, void *tag)
{
    ngx_shm_zone_t  *zone;

    static ngx_str_t  name = ngx_string("ngx_http_enkod_module");

    zone = ngx_shared_memory_add(cf, &name,
                                 sizeof(ngx_http_enkod_slots_t)
                                 + NGX_HTTP_ENKOD_SLAB_PAGES * ngx_pagesize,
                                 tag);
    if (zone == NULL) {
        return NULL;
    }

    zone->init = ngx_http_enkod_slot_init_zone;

    return zone;
}


static ngx_int_t
ngx_http_enkod_slot_init_zone(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_slab_pool_t         *shpool;
    ngx_http_enkod_slots_t  *slots;

    if (data) {
        /* a reload: the old workers go on using it */

        shm_zone->data = data;

        return NGX_OK;
    }

    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (shm_zone->shm.exists) {
        shm_zone->data = shpool->data;
        return NGX_OK;
    }

    slots = ngx_slab_calloc(shpool, sizeof(ngx_http_enkod_slots_t));
    if (slots == NULL) {
        return NGX_ERROR;
    }

    if (ngx_http_enkod_slot_create_locks(slots) != NGX_OK) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, ngx_errno,
                      "pthread_mutex_init() failed");
        return NGX_ERROR;
    }

    shpool->data = slots;
    shm_zone->data = slots;

    return NGX_OK;
}


static ngx_int_t
ngx_http_enkod_slot_create_locks(ngx_http_enkod_slots_t *slots)
{
    ngx_err_t            err;
    ngx_uint_t           i;
    pthread_mutexattr_t  attr;

    err = pthread_mutexattr_init(&attr);

    if (err == 0) {
        err = pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    }

    if (err == 0) {
        err = pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    }

    for (i = 0; err == 0 && i < NGX_HTTP_ENKOD_SLOTS; i++) {
        err = pthread_mutex_init(&slots->slots[i].mutex, &attr);
    }

    (void) pthread_mutexattr_destroy(&attr);

    ngx_set_errno(err);

    return err ? NGX_ERROR : NGX_OK;
}


/*
 * Workers of an old configuration may still use a slot that gets another path.
 * They then reset its state in turns with the new workers, which only costs
 * time.
 */

ngx_http_enkod_slot_t *
ngx_http_enkod_slot_get(ngx_shm_zone_t *zone, ngx_str_t *path)
{
    uint32_t                 hash;
    ngx_uint_t               i;
    ngx_slab_pool_t         *shpool;
    ngx_http_enkod_slot_t   *slot, *oldest;
    ngx_http_enkod_slots_t  *slots;

    shpool = (ngx_slab_pool_t *) zone->shm.addr;
    slots = zone->data;

    hash = ngx_murmur_hash2(path->data, path->len);

    ngx_shmtx_lock(&shpool->mutex);

    slot = slots->slots;
    oldest = slot;

    for (i = 0; i < NGX_HTTP_ENKOD_SLOTS; i++) {

        if (slot[i].used && slot[i].hash == hash) {
            oldest = &slot[i];
            break;
        }

        if (slot[i].used < oldest->used) {
            oldest = &slot[i];
        }
    }

    oldest->hash = hash;
    oldest->used = ++slots->used;

    ngx_shmtx_unlock(&shpool->mutex);

    return oldest;
}


ngx_err_t
ngx_http_enkod_slot_lock(ngx_http_enkod_slot_t *slot)
{
    ngx_err_t  err;

    err = pthread_mutex_lock(&slot->mutex);

    if (err == EOWNERDEAD) {

        /* the owner was killed, perhaps while it was appending */

        slot->valid = 0;

        err = pthread_mutex_consistent(&slot->mutex);
    }

    return err;
}


void
ngx_http_enkod_slot_unlock(ngx_http_enkod_slot_t *slot)
{
    (void) pthread_mutex_unlock(&slot->mutex);
}
