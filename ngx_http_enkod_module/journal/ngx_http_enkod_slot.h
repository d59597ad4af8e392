
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Slot: what the worker processes know together about a file, in shared memory,
 * and the lock under which they append to it.
 */


#ifndef _NGX_HTTP_ENKOD_SLOT_H_INCLUDED_
#define _NGX_HTTP_ENKOD_SLOT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <pthread.h>

#pragma GCC visibility push(hidden)


/* files of a configuration; there are slots for two configurations */
#define NGX_HTTP_ENKOD_MAX_FILES  256


/*
 * One for each path.  It describes one file and is reset for another one; after
 * a rotation the workers do not change to the new file at the same time.  The
 * description may be lost at any time: the next append then looks at the file.
 * All members from "dev" on are protected by the lock.
 */

typedef struct {
    pthread_mutex_t              mutex;         /* robust */
    ngx_uint_t                   used;          /* the latest has most */
    uint32_t                     hash;          /* of the path */

    dev_t                        dev;
    ino_t                        ino;
    off_t                        end;           /* of our last append */
    off_t                        reserved;      /* in the file system, up to */
    unsigned                     known:1;       /* "end" is that of the file */
    unsigned                     torn:1;        /* no line feed before it */
    unsigned                     unsynced:1;    /* perhaps not on the disk */
} ngx_http_enkod_slot_t;


/*
 * At configuration time: the zone with the slots of all files; NULL if there is
 * no memory.  "tag" is that of ngx_shared_memory_add().
 */
ngx_shm_zone_t *ngx_http_enkod_slot_zone(ngx_conf_t *cf, void *tag);

/* Of the master, once for each path of a configuration. */
ngx_http_enkod_slot_t *ngx_http_enkod_slot_get(ngx_shm_zone_t *zone,
    ngx_str_t *path);

/* Returns 0 or an error. */
ngx_err_t ngx_http_enkod_slot_lock(ngx_http_enkod_slot_t *slot);
void ngx_http_enkod_slot_unlock(ngx_http_enkod_slot_t *slot);


#pragma GCC visibility pop

#endif /* _NGX_HTTP_ENKOD_SLOT_H_INCLUDED_ */
