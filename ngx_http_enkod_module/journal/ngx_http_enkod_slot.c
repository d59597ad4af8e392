
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * What the workers of a master know of their files together, in a small zone
 * of shared memory, and the lock under which they append: one for each path,
 * so that trouble with one file holds up no other.
 *
 * The lock is a robust mutex.  It takes no system call while it is free, and
 * the kernel releases it when its holder dies, also if the master, which does
 * that for the locks of nginx, has died before.
 */


#include "ngx_http_enkod_slot.h"


/* so many that a new configuration finds room beside the old one */
#define NGX_HTTP_ENKOD_SLOTS       (2 * NGX_HTTP_ENKOD_MAX_FILES)

/* what the slab allocator takes for itself, generously */
#define NGX_HTTP_ENKOD_SLAB_PAGES  8


typedef struct {
    ngx_uint_t                   used;
    ngx_http_enkod_slot_t        slots[NGX_HTTP_ENKOD_SLOTS];
} ngx_http_enkod_slots_t;


static ngx_int_t ngx_http_enkod_slot_zone_init(ngx_shm_zone_t *shm_zone,
    void *data);
static ngx_int_t ngx_http_enkod_slot_create_locks(
    ngx_http_enkod_slots_t *slots);


ngx_shm_zone_t *
ngx_http_enkod_slot_zone(ngx_conf_t *cf, void *tag)
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

    zone->init = ngx_http_enkod_slot_zone_init;

    return zone;
}


static ngx_int_t
ngx_http_enkod_slot_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_slab_pool_t         *shpool;
    ngx_http_enkod_slots_t  *slots;

    if (data) {
        /* the processes of the old configuration go on using it */

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
 * When there is none left, the one that has not been asked for the longest time
 * gets another path.  Workers of an old configuration that still use it then
 * share it with the new ones, which costs both some looks at their files.
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

        /* who was appending has been killed, perhaps in the middle of it */

        slot->known = 0;

        err = pthread_mutex_consistent(&slot->mutex);
    }

    return err;
}


void
ngx_http_enkod_slot_unlock(ngx_http_enkod_slot_t *slot)
{
    (void) pthread_mutex_unlock(&slot->mutex);
}
