
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Lines are appended to a file as a whole, or not at all, together with other
 * processes.
 *
 * The workers of one master append under a lock in shared memory, which costs
 * no system call when it is free and which nginx releases when a worker dies.
 * A mark beside it remembers that an append has begun; who finds it set looks
 * at the end of the file and cuts off a line that was not finished.
 *
 * Another master (a binary upgrade) has shared memory of its own.  Beside it
 * every append takes a lock of the file itself, looks at its end, and begins
 * with a line feed if the last line is not complete, which harms nobody.
 */


#include "ngx_http_enkod_file.h"


/* bytes that a disk writes as a whole, at the least */
#define NGX_HTTP_ENKOD_SECTOR        512

/* how often the lock is tried before sleeping; it is held for microseconds */
#define NGX_HTTP_ENKOD_LOCK_TRIES    20


static ngx_err_t ngx_http_enkod_append_regular(ngx_http_enkod_file_t *file,
    u_char *p, size_t len, ngx_log_t *log);
static ngx_err_t ngx_http_enkod_append_shared(ngx_http_enkod_file_t *file,
    u_char *p, size_t len, ngx_log_t *log);
static ngx_int_t ngx_http_enkod_append_lock(ngx_http_enkod_file_t *file);
static ngx_err_t ngx_http_enkod_append_locked(ngx_http_enkod_file_t *file,
    u_char *p, size_t len, ngx_log_t *log);
static ngx_uint_t ngx_http_enkod_append_is_border(
    ngx_http_enkod_file_t *file);
static ngx_int_t ngx_http_enkod_append_write(ngx_http_enkod_file_t *file,
    u_char *p, size_t *len, ngx_log_t *log);
static ngx_int_t ngx_http_enkod_append_cut(ngx_http_enkod_file_t *file,
    off_t size, ngx_log_t *log);


ngx_err_t
ngx_http_enkod_append(ngx_http_enkod_file_t *file, u_char *p, size_t len,
    ngx_log_t *log)
{
    ngx_err_t         err;
    ngx_slab_pool_t  *shpool;

    shpool = (ngx_slab_pool_t *) file->zone->shm.addr;

    ngx_shmtx_lock(&shpool->mutex);

    err = ngx_http_enkod_file_ready(file, log);

    if (err == 0 && file->regular) {
        err = ngx_http_enkod_append_regular(file, p, len, log);
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

    if (ngx_http_enkod_append_write(file, p, &len, log) != NGX_OK) {
        err = ngx_errno;
        file->torn |= (len != 0);
        return err;
    }

    file->torn = 0;

    return 0;
}


/* Under the lock. */

static ngx_err_t
ngx_http_enkod_append_regular(ngx_http_enkod_file_t *file, u_char *p,
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
        return ngx_http_enkod_append_shared(file, p, len, log);
    }

    if (slot->torn) {
        ngx_http_enkod_tail_check(file, 1, log);
    }

    return ngx_http_enkod_append_locked(file, p, len, log);
}


/*
 * Beside another master, which tells us nothing of what becomes of its appends:
 * so we look before each of ours, while it cannot append.
 */

static ngx_err_t
ngx_http_enkod_append_shared(ngx_http_enkod_file_t *file, u_char *p,
    size_t len, ngx_log_t *log)
{
    ngx_err_t  err;
    ngx_int_t  rc;

    rc = ngx_http_enkod_append_lock(file);

    ngx_http_enkod_tail_check(file, rc == NGX_OK, log);

    err = ngx_http_enkod_append_locked(file, p, len, log);

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
ngx_http_enkod_append_lock(ngx_http_enkod_file_t *file)
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
ngx_http_enkod_append_locked(ngx_http_enkod_file_t *file, u_char *p,
    size_t len, ngx_log_t *log)
{
    ngx_err_t               err;
    ngx_http_enkod_slot_t  *slot;

    slot = file->slot;

    if (slot->torn
        || (slot->unsynced && ngx_http_enkod_append_is_border(file)))
    {
        *--p = LF;
        len++;
    }

    slot->unfinished = 1;

    /* who dies from here on leaves the mark */
    ngx_memory_barrier();

    if (ngx_http_enkod_append_write(file, p, &len, log) == NGX_OK) {
        slot->unfinished = 0;
        slot->torn = 0;
        slot->unsynced = 0;
        return 0;
    }

    err = ngx_errno;

    if (len == 0 || ngx_http_enkod_append_cut(file, len, log) == NGX_OK) {
        slot->unfinished = 0;
    }

    return err;
}


/*
 * What is before us can be read, but need not be on the disk.  If the file ends
 * within a sector, that is written again with what we append.  If it ends at
 * the border of one, the last line feed may be lost in a crash, and what we
 * append must not stand behind what is then there.
 */

static ngx_uint_t
ngx_http_enkod_append_is_border(ngx_http_enkod_file_t *file)
{
    ngx_file_info_t  fi;

    if (ngx_fd_info(file->fd, &fi) == NGX_FILE_ERROR) {
        return 1;
    }

    return ngx_file_size(&fi) != 0
           && ngx_file_size(&fi) % NGX_HTTP_ENKOD_SECTOR == 0;
}


/*
 * NGX_OK if all was written; else NGX_ERROR with errno set, and *len says how
 * much of it is in the file.
 */

static ngx_int_t
ngx_http_enkod_append_write(ngx_http_enkod_file_t *file, u_char *p, size_t *len,
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
ngx_http_enkod_append_cut(ngx_http_enkod_file_t *file, off_t size,
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
