
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * A file to which several processes append whole lines.
 *
 * The workers of one master append under a lock in shared memory, which costs
 * no system call when it is free and which nginx releases when a worker dies.
 * A mark beside it remembers that an append has begun; who finds it set, or
 * opens a file, looks at the end of the file and cuts off a line that was not
 * finished.
 *
 * Another master (a binary upgrade) has shared memory of its own.  Every open
 * file is therefore claimed for its master, and anything is cut off only while
 * there is no claim of another one.  Else every append takes a lock of the file
 * itself, looks at its end, and begins with a line feed if the last line is not
 * complete, which harms nobody.
 */


#include "ngx_http_enkod_module.h"


#define NGX_HTTP_ENKOD_ZONE_PAGES    8

/* so many that a new configuration finds room beside the old one */
#define NGX_HTTP_ENKOD_ZONE_SLOTS    (2 * NGX_HTTP_ENKOD_MAX_FILES)

/* how much is read at a time in search of the last line feed */
#define NGX_HTTP_ENKOD_TAIL_SLICE    4096

/* and how much at most; a longer incomplete line is ended, not cut off */
#define NGX_HTTP_ENKOD_TAIL_MAX      (16 * 1024 * 1024)

/* milliseconds in which another master has finished its write(), or never */
#define NGX_HTTP_ENKOD_TAIL_WAIT     100

/* how often the lock is tried before sleeping; it is held for microseconds */
#define NGX_HTTP_ENKOD_LOCK_TRIES    20


/* in shared memory, one for each file that was opened, whatever its name */

typedef struct {
    dev_t                        dev;
    ino_t                        ino;
    ngx_uint_t                   opened;        /* the latest has most */
    ngx_uint_t                   unfinished;
    ngx_uint_t                   torn;          /* ... but cannot be cut */
    ngx_uint_t                   unsynced;      /* nobody knows what is there */
} ngx_http_enkod_slot_t;


typedef struct {
    ngx_uint_t                   opened;        /* files, so far */
    ngx_uint_t                   master;        /* random */
    ngx_http_enkod_slot_t        slots[NGX_HTTP_ENKOD_ZONE_SLOTS];
} ngx_http_enkod_zone_t;


/* things to say once a minute at most */

typedef enum {
    NGX_HTTP_ENKOD_FILE_WRITE = 0,
    NGX_HTTP_ENKOD_FILE_OPEN,
    NGX_HTTP_ENKOD_FILE_HELD,
    NGX_HTTP_ENKOD_FILE_CUT,
    NGX_HTTP_ENKOD_FILE_READ,
    NGX_HTTP_ENKOD_FILE_SYNC,

    NGX_HTTP_ENKOD_FILE_NCAUSES
} ngx_http_enkod_file_cause_e;


struct ngx_http_enkod_file_s {
    ngx_open_file_t             *open;
    ngx_shm_zone_t              *zone;
    ngx_http_enkod_slot_t       *slot;
#if (NGX_THREADS)
    ngx_http_enkod_sync_t       *sync;      /* or NULL */
#endif
    ngx_uint_t                   master;    /* the number of ours */

    /* the one that was looked at; numbers come again, files do not */
    ngx_fd_t                     fd;
    dev_t                        dev;
    ino_t                        ino;
    off_t                        claimed;   /* byte that is locked, or 0 */
    off_t                        stuck;     /* size at which it was torn */
    ngx_uint_t                   held;      /* the lock, by a dead process */
    time_t                       checked;   /* that it is still the same */

    ngx_uint_t                   regular;
    ngx_uint_t                   torn;      /* of what is not regular */
    ngx_uint_t                   shared;    /* with another master */

    time_t                       logged[NGX_HTTP_ENKOD_FILE_NCAUSES];
};


static ngx_int_t ngx_http_enkod_file_zone_init(ngx_shm_zone_t *shm_zone,
    void *data);
static ngx_http_enkod_slot_t *ngx_http_enkod_file_slot(
    ngx_http_enkod_file_t *file);
static ngx_err_t ngx_http_enkod_file_look(ngx_http_enkod_file_t *file,
    ngx_log_t *log);
#if (NGX_THREADS)
static ngx_err_t ngx_http_enkod_file_open_sync(ngx_http_enkod_file_t *file,
    ngx_file_info_t *fi, ngx_log_t *log);
#endif
static ngx_err_t ngx_http_enkod_file_check(ngx_http_enkod_file_t *file,
    ngx_log_t *log);
static ngx_err_t ngx_http_enkod_file_reopen(ngx_http_enkod_file_t *file,
    ngx_log_t *log);
static ngx_err_t ngx_http_enkod_file_append_regular(
    ngx_http_enkod_file_t *file, u_char *p, size_t len, ngx_log_t *log);
static ngx_err_t ngx_http_enkod_file_append_shared(
    ngx_http_enkod_file_t *file, u_char *p, size_t len, ngx_log_t *log);
static ngx_int_t ngx_http_enkod_file_lock(ngx_http_enkod_file_t *file);
static ngx_err_t ngx_http_enkod_file_append_locked(
    ngx_http_enkod_file_t *file, u_char *p, size_t len, ngx_log_t *log);
static ngx_int_t ngx_http_enkod_file_write(ngx_http_enkod_file_t *file,
    u_char *p, size_t *len, ngx_log_t *log);
static ngx_int_t ngx_http_enkod_file_cut(ngx_http_enkod_file_t *file,
    off_t size, ngx_log_t *log);
static ngx_uint_t ngx_http_enkod_file_is_shared(ngx_http_enkod_file_t *file);
static void ngx_http_enkod_file_tail(ngx_http_enkod_file_t *file,
    ngx_uint_t settled, ngx_log_t *log);
static off_t ngx_http_enkod_file_settle(ngx_http_enkod_file_t *file,
    ngx_fd_t fd, off_t *size, ngx_uint_t settled, ngx_log_t *log);
static off_t ngx_http_enkod_file_whole(ngx_http_enkod_file_t *file,
    ngx_fd_t fd, off_t size, ngx_log_t *log);
static ngx_uint_t ngx_http_enkod_file_is_line(ngx_fd_t fd, off_t offset,
    off_t size);
static void ngx_http_enkod_file_log(ngx_http_enkod_file_t *file,
    ngx_http_enkod_file_cause_e cause, ngx_log_t *log, ngx_err_t err,
    const char *text);


ngx_http_enkod_file_t *
ngx_http_enkod_file_create(ngx_conf_t *cf, ngx_open_file_t *open)
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

static ngx_http_enkod_slot_t *
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
    oldest->unsynced = 0;

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

    ngx_http_enkod_file_tail(file, 0, log);

    return 0;
}


#if (NGX_THREADS)

void
ngx_http_enkod_file_init_sync(ngx_http_enkod_file_t *file,
    ngx_http_enkod_sync_t *sync, ngx_log_t *log)
{
    file->sync = sync;

    (void) ngx_http_enkod_file_init(file, log);
}


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
                                "is new and its folder cannot be synced, "
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

    /*
     * After a crash the last line may be missing, and its line feed, although
     * we can read it now.
     */

    shpool = (ngx_slab_pool_t *) file->zone->shm.addr;

    ngx_shmtx_lock(&shpool->mutex);

    if (file->slot->ino == file->ino && file->slot->dev == file->dev) {
        file->slot->unsynced = 1;
    }

    ngx_shmtx_unlock(&shpool->mutex);
}

#endif


ngx_err_t
ngx_http_enkod_file_append(ngx_http_enkod_file_t *file, u_char *p, size_t len,
    ngx_log_t *log)
{
    ngx_err_t         err;
    ngx_slab_pool_t  *shpool;

    err = 0;
    shpool = (ngx_slab_pool_t *) file->zone->shm.addr;

    ngx_shmtx_lock(&shpool->mutex);

    if (file->fd != file->open->fd) {
        /* USR1 */
        err = ngx_http_enkod_file_look(file, log);

    } else if (file->checked != ngx_time()) {
        err = ngx_http_enkod_file_check(file, log);
    }

    if (err == 0 && file->regular) {
        err = ngx_http_enkod_file_append_regular(file, p, len, log);
        ngx_shmtx_unlock(&shpool->mutex);

        return err;
    }

    ngx_shmtx_unlock(&shpool->mutex);

    if (err) {
        return err;
    }

    /* a FIFO may block, and nobody who has another file shall wait for it */

    if (file->torn) {
        *--p = LF;
        len++;
    }

    if (ngx_http_enkod_file_write(file, p, &len, log) != NGX_OK) {
        err = ngx_errno;
        file->torn |= (len != 0);
        return err;
    }

    file->torn = 0;

    return 0;
}


/* Under the lock. */

static ngx_err_t
ngx_http_enkod_file_append_regular(ngx_http_enkod_file_t *file, u_char *p,
    size_t len, ngx_log_t *log)
{
    ngx_http_enkod_slot_t  *slot;

    if (file->slot->ino != file->ino || file->slot->dev != file->dev) {
        file->slot = ngx_http_enkod_file_slot(file);
    }

    slot = file->slot;

    if (slot->unfinished) {
        /* a file that cannot be read has to be taken for torn */
        slot->torn = 1;
    }

    if (file->shared) {
        return ngx_http_enkod_file_append_shared(file, p, len, log);
    }

    if (slot->torn) {
        ngx_http_enkod_file_tail(file, 1, log);
    }

    return ngx_http_enkod_file_append_locked(file, p, len, log);
}


/*
 * Beside another master, which tells us nothing of what becomes of its appends:
 * so we look before each of ours, while it cannot append.
 */

static ngx_err_t
ngx_http_enkod_file_append_shared(ngx_http_enkod_file_t *file, u_char *p,
    size_t len, ngx_log_t *log)
{
    ngx_err_t  err;
    ngx_int_t  rc;

    rc = ngx_http_enkod_file_lock(file);

    ngx_http_enkod_file_tail(file, rc == NGX_OK, log);

    err = ngx_http_enkod_file_append_locked(file, p, len, log);

    if (rc == NGX_OK) {
        ngx_http_enkod_claim_appended(file->fd);
    }

    return err;
}


/*
 * The lock stays with the open file, which all processes of a master have.  If
 * one is killed while it holds the lock and none of them appends any more, we
 * have to do without it; but wait for it only once.
 */

static ngx_int_t
ngx_http_enkod_file_lock(ngx_http_enkod_file_t *file)
{
    ngx_int_t   rc;
    ngx_uint_t  n;

    for (n = 0; /* void */ ; n++) {

        rc = ngx_http_enkod_claim_append(file->fd);

        if (rc != NGX_AGAIN) {
            file->held = 0;
            return rc;
        }

        if (file->held
            || n == NGX_HTTP_ENKOD_LOCK_TRIES + NGX_HTTP_ENKOD_TAIL_WAIT)
        {
            file->held = 1;
            return rc;
        }

        if (n < NGX_HTTP_ENKOD_LOCK_TRIES) {
            ngx_sched_yield();

        } else {
            ngx_msleep(1);
        }
    }
}


static ngx_err_t
ngx_http_enkod_file_append_locked(ngx_http_enkod_file_t *file, u_char *p,
    size_t len, ngx_log_t *log)
{
    ngx_err_t               err;
    ngx_http_enkod_slot_t  *slot;

    slot = file->slot;

    if (slot->torn || slot->unsynced) {
        *--p = LF;
        len++;
    }

    slot->unfinished = 1;

    /* who dies from here on leaves the mark */
    ngx_memory_barrier();

    if (ngx_http_enkod_file_write(file, p, &len, log) == NGX_OK) {
        slot->unfinished = 0;
        slot->torn = 0;
        slot->unsynced = 0;
        return 0;
    }

    err = ngx_errno;

    if (len == 0 || ngx_http_enkod_file_cut(file, len, log) == NGX_OK) {
        slot->unfinished = 0;
    }

    return err;
}


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

    if (ngx_fd_info(file->fd, &fi) == NGX_FILE_ERROR
        || fi.st_ino != file->ino
        || fi.st_dev != file->dev)
    {
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


/*
 * NGX_OK if all was written; else NGX_ERROR with errno set, and *len says how
 * much of it is in the file.
 */

static ngx_int_t
ngx_http_enkod_file_write(ngx_http_enkod_file_t *file, u_char *p, size_t *len,
    ngx_log_t *log)
{
    size_t     done;
    ssize_t    n;
    ngx_err_t  err;

    for (done = 0; done < *len; done += n) {

        n = ngx_write_fd(file->fd, p + done, *len - done);

        if (n > 0) {
            continue;
        }

        /* 0 is not to be had from a file; it must not go on for ever */

        err = (n == 0) ? NGX_ENOSPC : ngx_errno;
        n = 0;

        if (err == NGX_EINTR) {
            continue;
        }

        ngx_http_enkod_file_log(file, NGX_HTTP_ENKOD_FILE_WRITE, log, err,
                                "cannot be written to, "
                                "events are answered with 503");

        *len = done;
        ngx_set_errno(err);

        return NGX_ERROR;
    }

    return NGX_OK;
}


/* Takes the last "size" bytes back. */

static ngx_int_t
ngx_http_enkod_file_cut(ngx_http_enkod_file_t *file, off_t size,
    ngx_log_t *log)
{
    ngx_int_t        rc;
    ngx_file_info_t  fi;

    if (ngx_http_enkod_claim_keep_out(file->fd, file->master) != NGX_OK) {
        return NGX_DECLINED;
    }

    rc = NGX_OK;

    if (ngx_fd_info(file->fd, &fi) == NGX_FILE_ERROR
        || ftruncate(file->fd, ngx_file_size(&fi) - size) == -1)
    {
        ngx_http_enkod_file_log(file, NGX_HTTP_ENKOD_FILE_CUT, log, ngx_errno,
                                "has an incomplete line that cannot be cut");
        rc = NGX_ERROR;
    }

    ngx_http_enkod_claim_let_in(file->fd, file->master);

    return rc;
}


/*
 * Cuts off an incomplete line at the end of the file, or sets slot->torn if
 * there is one that cannot be cut.  Where the file cannot be read, it stays
 * what it is.
 *
 * Beside another master nothing is cut off.  If it is "settled", nobody appends
 * now; else what looks incomplete may just be growing.
 */

static void
ngx_http_enkod_file_tail(ngx_http_enkod_file_t *file, ngx_uint_t settled,
    ngx_log_t *log)
{
    off_t                   size, whole;
    ngx_fd_t                fd;
    ngx_int_t               alone;
    ngx_file_info_t         fi, ours;
    ngx_http_enkod_slot_t  *slot;

    slot = file->slot;

    if (ngx_fd_info(file->fd, &ours) == NGX_FILE_ERROR) {
        return;
    }

    if (ngx_file_size(&ours) == 0) {
        slot->torn = 0;
        return;
    }

    /*
     * Our descriptor is for writing only.  The file's owner may differ from
     * ours, and the name may mean another file by now, even a FIFO.
     */

    fd = ngx_open_file(file->open->name.data,
                       NGX_FILE_RDONLY|NGX_FILE_NONBLOCK, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        return;
    }

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR
        || fi.st_ino != ours.st_ino
        || fi.st_dev != ours.st_dev)
    {
        goto done;
    }

    alone = ngx_http_enkod_claim_keep_out(file->fd, file->master);

    /* if it is NGX_OK, nobody appends now */

    whole = ngx_http_enkod_file_settle(file, fd, &size,
                                       settled || alone == NGX_OK, log);

    if (whole != NGX_ERROR) {
        slot->torn = (whole != size);
    }

    if (slot->torn && whole != NGX_ERROR && alone == NGX_OK
        && ngx_http_enkod_file_is_line(fd, whole, size))
    {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "enkod: an incomplete line of %O bytes "
                      "is cut off from \"%V\"",
                      size - whole, &file->open->name);

        slot->torn = (ftruncate(file->fd, whole) == -1);

        if (slot->torn) {
            ngx_http_enkod_file_log(file, NGX_HTTP_ENKOD_FILE_CUT, log,
                                    ngx_errno, "has an incomplete line "
                                    "that cannot be cut");
        }
    }

    if (alone == NGX_OK) {
        ngx_http_enkod_claim_let_in(file->fd, file->master);
    }

done:

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, log, ngx_errno,
                      ngx_close_file_n " \"%V\" failed", &file->open->name);
    }
}


/*
 * The size of the file, and how many bytes of it are whole lines or NGX_ERROR.
 * Unless it is settled, what looks incomplete is given the time to become
 * whole, but once only, lest every append wait while it is not.
 */

static off_t
ngx_http_enkod_file_settle(ngx_http_enkod_file_t *file, ngx_fd_t fd,
    off_t *size, ngx_uint_t settled, ngx_log_t *log)
{
    off_t            whole;
    ngx_uint_t       n;
    ngx_file_info_t  fi;

    for (n = 0; /* void */ ; n++) {

        if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR) {
            return NGX_ERROR;
        }

        *size = ngx_file_size(&fi);

        whole = ngx_http_enkod_file_whole(file, fd, *size, log);

        if (whole == *size
            || whole == NGX_ERROR
            || settled
            || *size == file->stuck)
        {
            return whole;
        }

        if (n == NGX_HTTP_ENKOD_TAIL_WAIT) {
            file->stuck = *size;
            return whole;
        }

        ngx_msleep(1);
    }
}


/*
 * How many bytes of the file are whole lines; NGX_ERROR if it cannot be read,
 * or if no line of ours can be that long.
 */

static off_t
ngx_http_enkod_file_whole(ngx_http_enkod_file_t *file, ngx_fd_t fd, off_t size,
    ngx_log_t *log)
{
    off_t    offset;
    size_t   n;
    ssize_t  rc;
    u_char   buf[NGX_HTTP_ENKOD_TAIL_SLICE];

    /* where all is well, one byte tells */
    n = 1;

    for (offset = size; offset; /* void */ ) {

        if (size - offset > NGX_HTTP_ENKOD_TAIL_MAX) {
            return NGX_ERROR;
        }

        rc = pread(fd, buf, n, offset - n);

        if (rc != (ssize_t) n) {
            ngx_http_enkod_file_log(file, NGX_HTTP_ENKOD_FILE_READ, log,
                                    rc == -1 ? ngx_errno : 0,
                                    "cannot be read at its end");
            return NGX_ERROR;
        }

        for ( /* void */ ; n; n--, offset--) {
            if (buf[n - 1] == LF) {
                return offset;
            }
        }

        n = (size_t) ngx_min(offset, NGX_HTTP_ENKOD_TAIL_SLICE);
    }

    return 0;
}


/* What begins there begins as our lines do: no other file is ever cut. */

static ngx_uint_t
ngx_http_enkod_file_is_line(ngx_fd_t fd, off_t offset, off_t size)
{
    size_t  n;
    u_char  buf[sizeof(NGX_HTTP_ENKOD_LINE_START) - 1];

    n = (size_t) ngx_min(size - offset, (off_t) sizeof(buf));

    return pread(fd, buf, n, offset) == (ssize_t) n
           && ngx_memcmp(buf, NGX_HTTP_ENKOD_LINE_START, n) == 0;
}


/* Something the operator must act on, but needs to be told once a minute. */

static void
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
