
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Which file it is that lines are appended to, and that it still is: nginx
 * opens it, by USR1 anew, and a binary upgrade once more; it may be renamed,
 * deleted, or be another one than it was.
 *
 * What the workers of a master must know of a file together is in a slot of a
 * small zone of shared memory.  Another master has a zone of its own; so every
 * open file is claimed for its master, and both know of each other.
 */


#include "ngx_http_enkod_file.h"


#define NGX_HTTP_ENKOD_ZONE_PAGES    10

/* so many that a new configuration finds room beside the old one */
#define NGX_HTTP_ENKOD_ZONE_SLOTS    (2 * NGX_HTTP_ENKOD_MAX_FILES)


/* seconds: a worker is made that soon after its master has looked, or later */
#define NGX_HTTP_ENKOD_MASTER_FRESH  2


typedef struct {
    ngx_uint_t                   opened;        /* files, so far */
    ngx_uint_t                   master;        /* random */
    ngx_http_enkod_slot_t        slots[NGX_HTTP_ENKOD_ZONE_SLOTS];
} ngx_http_enkod_zone_t;


static ngx_int_t ngx_http_enkod_file_zone_init(ngx_shm_zone_t *shm_zone,
    void *data);
static ngx_err_t ngx_http_enkod_file_look(ngx_http_enkod_file_t *file,
    ngx_log_t *log);
#if (NGX_THREADS)
static ngx_err_t ngx_http_enkod_file_open_sync(ngx_http_enkod_file_t *file,
    ngx_file_info_t *fi, ngx_log_t *log);
#endif
static ngx_uint_t ngx_http_enkod_file_is_same(ngx_http_enkod_file_t *file,
    ngx_file_info_t *fi);
static ngx_err_t ngx_http_enkod_file_check(ngx_http_enkod_file_t *file,
    ngx_log_t *log);
static ngx_err_t ngx_http_enkod_file_reopen(ngx_http_enkod_file_t *file,
    ngx_log_t *log);
static ngx_uint_t ngx_http_enkod_file_is_shared(ngx_http_enkod_file_t *file);


ngx_http_enkod_file_t *
ngx_http_enkod_file_create(ngx_conf_t *cf, ngx_open_file_t *open,
    ngx_uint_t durable)
{
    ngx_http_enkod_file_t       *file;
    ngx_http_enkod_main_conf_t  *emcf;

    static ngx_str_t  name = ngx_string("ngx_http_enkod_module");

    emcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_enkod_module);

    if (emcf->zone == NULL) {
        emcf->zone = ngx_shared_memory_add(cf, &name,
                                           NGX_HTTP_ENKOD_ZONE_PAGES
                                           * ngx_pagesize,
                                           &ngx_http_enkod_module);
        if (emcf->zone == NULL) {
            return NULL;
        }

        emcf->zone->init = ngx_http_enkod_file_zone_init;
    }

    file = ngx_pcalloc(cf->pool, sizeof(ngx_http_enkod_file_t));
    if (file == NULL) {
        return NULL;
    }

    file->open = open;
    file->zone = emcf->zone;
    file->fd = NGX_INVALID_FILE;
    file->durable = durable;

    return file;
}


ngx_open_file_t *
ngx_http_enkod_file_opened(ngx_http_enkod_file_t *file)
{
    return file->open;
}


static ngx_int_t
ngx_http_enkod_file_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_slab_pool_t        *shpool;
    ngx_http_enkod_zone_t  *zone;

    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (data) {
        /* the processes of the old configuration go on using it */

        shm_zone->data = data;

        return NGX_OK;
    }

    if (shm_zone->shm.exists) {
        shm_zone->data = shpool->data;
        return NGX_OK;
    }

    zone = ngx_slab_calloc(shpool, sizeof(ngx_http_enkod_zone_t));
    if (zone == NULL) {
        return NGX_ERROR;
    }

    zone->master = ngx_http_enkod_claim_master();

    shpool->data = zone;
    shm_zone->data = zone;

    return NGX_OK;
}


/*
 * The slot of the file.  When there is none left, the file that was opened the
 * longest time ago gives up its own, and takes another one if it still lives.
 */

ngx_http_enkod_slot_t *
ngx_http_enkod_file_slot(ngx_http_enkod_file_t *file)
{
    ngx_uint_t              i;
    ngx_http_enkod_slot_t  *slot, *oldest;
    ngx_http_enkod_zone_t  *zone;

    zone = file->zone->data;

    slot = zone->slots;
    oldest = slot;

    for (i = 0; i < NGX_HTTP_ENKOD_ZONE_SLOTS; i++) {

        if (slot[i].opened
            && slot[i].ino == file->ino
            && slot[i].dev == file->dev)
        {
            slot[i].opened = ++zone->opened;
            return &slot[i];
        }

        if (slot[i].opened < oldest->opened) {
            oldest = &slot[i];
        }
    }

    oldest->ino = file->ino;
    oldest->dev = file->dev;
    oldest->opened = ++zone->opened;
    oldest->unfinished = 0;
    oldest->torn = 0;

    /* a sync may have failed before we came */
    oldest->unsynced = file->durable;

    return oldest;
}


ngx_uint_t
ngx_http_enkod_file_init(ngx_http_enkod_file_t *file, ngx_log_t *log)
{
    ngx_slab_pool_t        *shpool;
    ngx_http_enkod_zone_t  *zone;

    shpool = (ngx_slab_pool_t *) file->zone->shm.addr;
    zone = file->zone->data;

    file->master = zone->master;

    ngx_shmtx_lock(&shpool->mutex);

    (void) ngx_http_enkod_file_look(file, log);

    ngx_shmtx_unlock(&shpool->mutex);

    return file->shared;
}


ngx_err_t
ngx_http_enkod_file_ready(ngx_http_enkod_file_t *file, ngx_log_t *log)
{
#if (NGX_THREADS)
    ngx_file_info_t  fi;
#endif

    if (file->fd != file->open->fd) {
        /* USR1 */
        return ngx_http_enkod_file_look(file, log);
    }

    if (file->checked != ngx_time()) {
        return ngx_http_enkod_file_check(file, log);
    }

#if (NGX_THREADS)

    /* USR1 twice, and the number is that of another file: not to be synced */

    if (file->sync && !ngx_http_enkod_file_is_same(file, &fi)) {
        return ngx_http_enkod_file_look(file, log);
    }

#endif

    return 0;
}


static ngx_uint_t
ngx_http_enkod_file_is_same(ngx_http_enkod_file_t *file, ngx_file_info_t *fi)
{
    return ngx_fd_info(file->fd, fi) != NGX_FILE_ERROR
           && fi->st_ino == file->ino
           && fi->st_dev == file->dev;
}


/* The descriptor is a new one: what is behind it? */

static ngx_err_t
ngx_http_enkod_file_look(ngx_http_enkod_file_t *file, ngx_log_t *log)
{
#if (NGX_THREADS)
    ngx_err_t        err;
#endif
    ngx_file_info_t  fi;

    file->fd = file->open->fd;
    file->checked = ngx_time();
    file->torn = 0;
    file->claimed = 0;
    file->stuck = 0;
    file->held = 0;

    if (ngx_fd_info(file->fd, &fi) == NGX_FILE_ERROR) {
        ngx_memzero(&fi, sizeof(ngx_file_info_t));
    }

    file->dev = fi.st_dev;
    file->ino = fi.st_ino;
    file->regular = ngx_is_file(&fi);

#if (NGX_THREADS)
    if (file->sync) {
        err = ngx_http_enkod_file_open_sync(file, &fi, log);

        if (err) {
            return err;
        }
    }
#endif

    if (!file->regular) {
        return 0;
    }

    file->slot = ngx_http_enkod_file_slot(file);

    if (ngx_http_enkod_claim_take(file->fd, file->master, &file->claimed)
        == NGX_AGAIN)
    {
        /* the next append looks again */
        file->fd = NGX_INVALID_FILE;

        ngx_http_enkod_file_log(file, NGX_HTTP_ENKOD_FILE_HELD, log,
                                NGX_EAGAIN, "is held by another nginx, "
                                "events are answered with 503");
        return NGX_EAGAIN;
    }

    /*
     * Who has just shared the file that had this name is not alone for long
     * with this one: the other master has got the same signal, or will.
     */

    file->shared |= ngx_http_enkod_file_is_shared(file);

    /* what cannot be read may be torn */
    file->slot->torn = 1;

    ngx_http_enkod_tail_check(file, 0, log);

    return 0;
}


/*
 * Mostly the master has looked a moment ago, and has waited until all others
 * had to know.  But it has not when it takes its workers back from a binary
 * upgrade (WINCH, and then HUP): it has not looked since its configuration was
 * read, and what it has reopened since then (USR1) is not claimed.
 */

ngx_uint_t
ngx_http_enkod_file_init_process(ngx_http_enkod_file_t *file,
    ngx_http_enkod_sync_t *sync, ngx_log_t *log)
{
    time_t            looked;
    ngx_slab_pool_t  *shpool;

    looked = file->checked;

#if (NGX_THREADS)
    if (sync) {
        file->sync = sync;

        /* to be opened once more, by us */
        file->fd = NGX_INVALID_FILE;
    }
#endif

    shpool = (ngx_slab_pool_t *) file->zone->shm.addr;

    ngx_shmtx_lock(&shpool->mutex);

    (void) ngx_http_enkod_file_ready(file, log);

    ngx_shmtx_unlock(&shpool->mutex);

    return file->shared && ngx_time() - looked > NGX_HTTP_ENKOD_MASTER_FRESH;
}


#if (NGX_THREADS)

static ngx_err_t
ngx_http_enkod_file_open_sync(ngx_http_enkod_file_t *file, ngx_file_info_t *fi,
    ngx_log_t *log)
{
    ngx_err_t  err;

    err = NGX_EINVAL;

    if (file->regular) {
        err = ngx_http_enkod_sync_open(file->sync, fi, log);
    }

    if (err) {
        /* the next append looks again */
        file->fd = NGX_INVALID_FILE;

        ngx_http_enkod_file_log(file, NGX_HTTP_ENKOD_FILE_SYNC, log, err,
                                "cannot be opened to be synced, "
                                "events are answered with 503");
    }

    return err;
}


void
ngx_http_enkod_file_sync_failed(ngx_http_enkod_file_t *file, ngx_err_t err,
    ngx_http_enkod_sync_step_e step, ngx_log_t *log)
{
    ngx_slab_pool_t  *shpool;

    switch (step) {

    case NGX_HTTP_ENKOD_SYNC_DELETED:

        /* the next append checks that */
        file->checked = 0;
        return;

    case NGX_HTTP_ENKOD_SYNC_FOLDER:

        ngx_http_enkod_file_log(file, NGX_HTTP_ENKOD_FILE_SYNC, log, err,
                                "has a folder that cannot be synced, "
                                "events are answered with 503");
        return;

    case NGX_HTTP_ENKOD_SYNC_DATA:
        break;
    }

    ngx_http_enkod_file_log(file, NGX_HTTP_ENKOD_FILE_SYNC, log, err,
                            "cannot be synced, events are answered with 503 "
                            "and the file is opened anew");

    file->fd = NGX_INVALID_FILE;

    if (!file->regular) {
        return;
    }

    shpool = (ngx_slab_pool_t *) file->zone->shm.addr;

    ngx_shmtx_lock(&shpool->mutex);

    if (file->slot->ino == file->ino && file->slot->dev == file->dev) {
        file->slot->unsynced = 1;
    }

    ngx_shmtx_unlock(&shpool->mutex);
}

#endif


/*
 * Once a second: is it still the file that was looked at?  A descriptor's
 * number comes again when nginx reopens its files, and a worker inherits the
 * descriptors of its master.  A file that was moved away is written to until
 * USR1, as nginx does with its logs; but what is written to a deleted one is
 * lost.  And another master may have come.
 */

static ngx_err_t
ngx_http_enkod_file_check(ngx_http_enkod_file_t *file, ngx_log_t *log)
{
    ngx_file_info_t  fi;

    file->checked = ngx_time();

    if (!ngx_http_enkod_file_is_same(file, &fi)) {
        return ngx_http_enkod_file_look(file, log);
    }

    if (!file->regular) {
        return 0;
    }

    if (fi.st_nlink == 0) {
        return ngx_http_enkod_file_reopen(file, log);
    }

    if (file->claimed
        && ngx_http_enkod_claim_renew(file->fd, file->claimed) != NGX_OK)
    {
        return ngx_http_enkod_file_look(file, log);
    }

    file->shared = ngx_http_enkod_file_is_shared(file);

    return 0;
}


static ngx_uint_t
ngx_http_enkod_file_is_shared(ngx_http_enkod_file_t *file)
{
    ngx_int_t  rc;

    rc = ngx_http_enkod_claim_keep_out(file->fd, file->master);

    /* letting in has no effect where nobody was kept out */
    ngx_http_enkod_claim_let_in(file->fd, file->master);

    return rc == NGX_AGAIN;
}


static ngx_err_t
ngx_http_enkod_file_reopen(ngx_http_enkod_file_t *file, ngx_log_t *log)
{
    ngx_fd_t   fd;
    ngx_err_t  err;

    fd = ngx_open_file(file->open->name.data, NGX_FILE_APPEND,
                       NGX_FILE_CREATE_OR_OPEN, NGX_FILE_DEFAULT_ACCESS);

    if (fd == NGX_INVALID_FILE) {
        err = ngx_errno;

        ngx_http_enkod_file_log(file, NGX_HTTP_ENKOD_FILE_OPEN, log, err,
                                "was deleted and cannot be opened anew, "
                                "events are answered with 503");

        /* to be tried again with the next append */
        file->checked = 0;

        return err;
    }

    if (fcntl(fd, F_SETFD, FD_CLOEXEC) == -1) {
        ngx_log_error(NGX_LOG_ALERT, log, ngx_errno,
                      "fcntl(FD_CLOEXEC) \"%V\" failed", &file->open->name);
    }

    ngx_log_error(NGX_LOG_WARN, log, 0,
                  "enkod: \"%V\" was deleted and is opened anew",
                  &file->open->name);

    if (ngx_close_file(file->open->fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, log, ngx_errno,
                      ngx_close_file_n " \"%V\" failed", &file->open->name);
    }

    file->open->fd = fd;

    return ngx_http_enkod_file_look(file, log);
}


void
ngx_http_enkod_file_log(ngx_http_enkod_file_t *file,
    ngx_http_enkod_file_cause_e cause, ngx_log_t *log, ngx_err_t err,
    const char *text)
{
    if (file->logged[cause]
        && ngx_time() - file->logged[cause] < NGX_HTTP_ENKOD_LOG_PAUSE)
    {
        return;
    }

    file->logged[cause] = ngx_time();

    ngx_log_error(NGX_LOG_ERR, log, err, "enkod: \"%V\" %s",
                  &file->open->name, text);
}
