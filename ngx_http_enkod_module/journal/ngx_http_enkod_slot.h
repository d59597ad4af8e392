
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Slot: the state of a file that the worker processes share, and the lock under
 * which they append to it.
 */


#ifndef _NGX_HTTP_ENKOD_SLOT_H_INCLUDED_
#define _NGX_HTTP_ENKOD_SLOT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <pthread.h>

#pragma GCC visibility push(hidden)


/* files of a configuration; the zone has slots for two configurations */
#define NGX_HTTP_ENKOD_MAX_FILES  256


/*
 * There is one for each path.  The state, from "dev" on, is protected by the
 * lock.  It is that of one file, and is reset for another one: after a rotation
 * the workers do not change to the new file at the same time.  It may be lost
 * at any time; the next append then finds it out again.
 */

typedef struct {
    pthread_mutex_t              mutex;         /* robust */
    ngx_uint_t                   used;          /* higher: more recently */
    uint32_t                     hash;          /* of the path */

    dev_t                        dev;
    ino_t                        ino;
    off_t                        end;           /* of our last append */
    off_t                        reserved;      /* end of allocated space */
    unsigned                     valid:1;       /* "end" is that of the file */
    unsigned                     partial:1;     /* the last line is */
    unsigned                     unsynced:1;    /* a sync may have failed */
} ngx_http_enkod_slot_t;


/*
 * At configuration time: the zone with the slots of all files; NULL if there is
 * no memory.  "tag" is that of ngx_shared_memory_add().
 */
ngx_shm_zone_t *ngx_http_enkod_slot_add_zone(ngx_conf_t *cf, void *tag);

/*
 * In the master process, once for each path of a configuration.  Never fails:
 * without a free slot it returns the one that was got the longest time ago.
 */
ngx_http_enkod_slot_t *ngx_http_enkod_slot_get(ngx_shm_zone_t *zone,
    ngx_str_t *path);

/*
 * Returns 0, or the error.  The kernel releases the lock if the process dies;
 * the state is not valid then.
 */
ngx_err_t ngx_http_enkod_slot_lock(ngx_http_enkod_slot_t *slot);
void ngx_http_enkod_slot_unlock(ngx_http_enkod_slot_t *slot);


#pragma GCC visibility pop

#endif /* _NGX_HTTP_ENKOD_SLOT_H_INCLUDED_ */
