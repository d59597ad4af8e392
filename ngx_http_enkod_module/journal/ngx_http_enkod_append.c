
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Lines are appended to a file that only grows: nothing that was written is
 * ever cut off or written over.  Space is reserved before a byte of a batch is
 * visible.  A piece of a line that gets there all the same stays, and is ended
 * by a line feed.
 *
 * The workers of one master append under the lock of the file, and remember
 * where the file ended.  Others who append, as another master in a binary
 * upgrade does, are noticed afterwards, by where our own bytes ended.  If they
 * stand behind a piece, our first line is written once more, behind a line
 * feed, before anybody is told that it is there.
 */


#include "ngx_http_enkod_append.h"

#include <sys/resource.h>


/* bytes that are reserved at a time */
#define NGX_HTTP_ENKOD_APPEND_CHUNK  (256 * 1024)

/* bytes that a disk writes as a whole, at the least */
#define NGX_HTTP_ENKOD_SECTOR        512

/* a file that is deleted again and again is given up */
#define NGX_HTTP_ENKOD_APPEND_TRIES  2


static ngx_err_t ngx_http_enkod_append_regular(ngx_http_enkod_file_t *file,
    u_char *p, size_t len, size_t *whole, ngx_log_t *log);
static ngx_err_t ngx_http_enkod_append_look(ngx_http_enkod_file_t *file);
static ngx_uint_t ngx_http_enkod_append_is_torn(ngx_http_enkod_file_t *file,
    off_t end);
static ngx_uint_t ngx_http_enkod_append_is_border(ngx_http_enkod_slot_t *slot);
static ngx_err_t ngx_http_enkod_append_reserve(ngx_http_enkod_file_t *file,
    size_t len);
static ngx_err_t ngx_http_enkod_append_fallocate(ngx_fd_t fd, off_t offset,
    off_t len);
static ngx_err_t ngx_http_enkod_append_check(ngx_http_enkod_file_t *file,
    size_t written);
static ngx_err_t ngx_http_enkod_append_stream(ngx_http_enkod_file_t *file,
    u_char *p, size_t len, size_t *whole, ngx_log_t *log);
static ngx_err_t ngx_http_enkod_append_write(ngx_fd_t fd, u_char *p,
    size_t len, size_t *written);
static size_t ngx_http_enkod_append_lines(u_char *p, size_t len);
static void ngx_http_enkod_append_failed(ngx_http_enkod_file_t *file,
    ngx_err_t err, ngx_log_t *log);


/* RLIMIT_FSIZE of this process */
static rlim_t  ngx_http_enkod_append_limit = RLIM_INFINITY;


void
ngx_http_enkod_append_init_process(ngx_cycle_t *cycle)
{
    struct rlimit     limit;
    struct sigaction  sa;

    if (getrlimit(RLIMIT_FSIZE, &limit) == 0) {
        ngx_http_enkod_append_limit = limit.rlim_cur;
    }

    /* a limit that comes later shall make write() fail, not end the process */

    ngx_memzero(&sa, sizeof(struct sigaction));
    sa.sa_handler = SIG_IGN;
    sigemptyset(&sa.sa_mask);

    if (sigaction(SIGXFSZ, &sa, NULL) == -1) {
        ngx_log_error(NGX_LOG_ALERT, cycle->log, ngx_errno,
                      "sigaction(SIGXFSZ) failed");
    }
}


ngx_err_t
ngx_http_enkod_append(ngx_http_enkod_file_t *file, u_char *p, size_t len,
    size_t *whole, ngx_log_t *log)
{
    ngx_err_t   err;
    ngx_uint_t  n;

    err = 0;

    for (n = 0; n < NGX_HTTP_ENKOD_APPEND_TRIES; n++) {

        *whole = 0;

        err = ngx_http_enkod_slot_lock(file->slot);
        if (err) {
            return err;
        }

        err = ngx_http_enkod_file_ready(file, log);

        if (err || !file->regular) {
            ngx_http_enkod_slot_unlock(file->slot);
            break;
        }

        err = ngx_http_enkod_append_regular(file, p, len, whole, log);

        ngx_http_enkod_slot_unlock(file->slot);

        if (err != NGX_ENOENT) {
            return err;
        }

        /* it was deleted: nobody will find what is in it */

        *whole = 0;
        ngx_http_enkod_file_forget(file);
    }

    if (err) {
        return err;
    }

    /* a FIFO may block, and nobody shall wait for it at the lock */

    return ngx_http_enkod_append_stream(file, p, len, whole, log);
}


/* Under the lock.  NGX_ENOENT: the file has no name any more. */

static ngx_err_t
ngx_http_enkod_append_regular(ngx_http_enkod_file_t *file, u_char *p,
    size_t len, size_t *whole, ngx_log_t *log)
{
    off_t                   start;
    size_t                  written;
    u_char                 *first;
    ngx_err_t               err, rc;
    ngx_uint_t              behind_lf;
    ngx_http_enkod_slot_t  *slot;

    slot = file->slot;

    if (!slot->known) {
        err = ngx_http_enkod_append_look(file);
        if (err) {
            return err;
        }
    }

    behind_lf = slot->torn
                || (slot->unsynced && ngx_http_enkod_append_is_border(slot));

    if (behind_lf) {
        *--p = LF;
        len++;
    }

    written = 0;

    err = ngx_http_enkod_append_reserve(file, len);

    if (err == 0) {
        err = ngx_http_enkod_append_write(file->fd, p, len, &written);
    }

    if (err) {
        ngx_http_enkod_append_failed(file, err, log);
    }

    if (written == 0) {
        /* it may have been shortened since, and have room again */
        slot->known = 0;
        return err;
    }

    rc = ngx_http_enkod_append_check(file, written);
    if (rc) {
        return rc;
    }

    slot->torn = (p[written - 1] != LF);

    if (written == len) {
        slot->unsynced = 0;
    }

    *whole = ngx_http_enkod_append_lines(p, written);

    if (*whole == 0) {
        return err;
    }

    if (behind_lf) {
        *whole -= 1;
        return err;
    }

    start = slot->end - written;

    if (slot->known || start == 0
        || !ngx_http_enkod_append_is_torn(file, start))
    {
        return err;
    }

    /* our first line stands behind a piece of somebody else's */

    first = ngx_strlchr(p, p + *whole, LF);

    *--p = LF;

    rc = ngx_http_enkod_append_write(file->fd, p, first + 1 - p, &written);

    if (rc) {
        ngx_http_enkod_append_failed(file, rc, log);
        *whole = 0;
        return rc;
    }

    return err;
}


/* Where the file ends, and whether with a line feed. */

static ngx_err_t
ngx_http_enkod_append_look(ngx_http_enkod_file_t *file)
{
    ngx_file_info_t         fi;
    ngx_http_enkod_slot_t  *slot;

    if (ngx_fd_info(file->fd, &fi) == NGX_FILE_ERROR) {
        return ngx_errno;
    }

    slot = file->slot;

    if (ngx_file_size(&fi) < slot->end) {
        /* somebody has shortened it */
        slot->reserved = 0;
    }

    slot->end = ngx_file_size(&fi);
    slot->torn = slot->end && ngx_http_enkod_append_is_torn(file, slot->end);
    slot->known = 1;

    return 0;
}


/*
 * Whether the byte before that offset is no line feed, or cannot be read.  Our
 * descriptor is for writing only, and the name may mean another file by now.
 */

static ngx_uint_t
ngx_http_enkod_append_is_torn(ngx_http_enkod_file_t *file, off_t end)
{
    u_char    ch, name[sizeof("/proc/self/fd/") + NGX_INT_T_LEN];
    ssize_t   n;
    ngx_fd_t  fd;

    ngx_sprintf(name, "/proc/self/fd/%d%Z", file->fd);

    fd = ngx_open_file(name, NGX_FILE_RDONLY|O_CLOEXEC, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        return 1;
    }

    n = pread(fd, &ch, 1, end - 1);

    (void) ngx_close_file(fd);

    return n != 1 || ch != LF;
}


/*
 * What is before us can be read, but need not be on the disk.  If the file ends
 * within a sector, that is written again with what we append.  If it ends at
 * the border of one, the last line feed may be lost in a crash, and what we
 * append must not stand behind what is then there.
 */

static ngx_uint_t
ngx_http_enkod_append_is_border(ngx_http_enkod_slot_t *slot)
{
    return slot->end && slot->end % NGX_HTTP_ENKOD_SECTOR == 0;
}


/*
 * Has the file system say now that there is no room, and not in the middle of
 * the batch.  Returns 0 also where it cannot be asked.
 */

static ngx_err_t
ngx_http_enkod_append_reserve(ngx_http_enkod_file_t *file, size_t len)
{
    off_t                   size;
    ngx_err_t               err;
    ngx_http_enkod_slot_t  *slot;

    slot = file->slot;

    if ((rlim_t) slot->end + len > ngx_http_enkod_append_limit) {
        return EFBIG;
    }

    if (file->unreserved || slot->end + (off_t) len <= slot->reserved) {
        return 0;
    }

    size = ngx_max(len, NGX_HTTP_ENKOD_APPEND_CHUNK);

    err = ngx_http_enkod_append_fallocate(file->fd, slot->end, size);

    if (err == NGX_ENOSPC || err == EDQUOT || err == EFBIG) {

        /* not a whole chunk, then */

        size = len;

        err = ngx_http_enkod_append_fallocate(file->fd, slot->end, size);
    }

    switch (err) {

    case 0:
        slot->reserved = slot->end + size;
        return 0;

    case NGX_ENOSPC:
    case EFBIG:
    case EDQUOT:
        return err;

    case NGX_EOPNOTSUPP:
    case NGX_ENOSYS:
        file->unreserved = 1;

        /* fall through */

    default:
        /* write() will tell */
        return 0;
    }
}


static ngx_err_t
ngx_http_enkod_append_fallocate(ngx_fd_t fd, off_t offset, off_t len)
{
#ifdef FALLOC_FL_KEEP_SIZE
    ngx_err_t  err;

    do {
        if (fallocate(fd, FALLOC_FL_KEEP_SIZE, offset, len) == 0) {
            return 0;
        }

        err = ngx_errno;

    } while (err == NGX_EINTR);

    return err;
#else
    return NGX_ENOSYS;
#endif
}


/*
 * After a write: is what we know of the file still right?  Its size says so
 * unless others append; then it is the offset of our descriptor that says where
 * our own bytes ended, and "known" is not true any more.
 */

static ngx_err_t
ngx_http_enkod_append_check(ngx_http_enkod_file_t *file, size_t written)
{
    off_t                   end;
    ngx_file_info_t         fi;
    ngx_http_enkod_slot_t  *slot;

    slot = file->slot;

    if (ngx_fd_info(file->fd, &fi) == NGX_FILE_ERROR) {
        slot->known = 0;
        return ngx_errno;
    }

    if (fi.st_nlink == 0) {
        slot->known = 0;
        return NGX_ENOENT;
    }

    end = slot->end + written;

    if (ngx_file_size(&fi) == end) {
        slot->end = end;
        return 0;
    }

    slot->known = 0;
    slot->end = lseek(file->fd, 0, SEEK_CUR);

    if (slot->end == -1) {
        return ngx_errno;
    }

    if (slot->end < end) {
        /* somebody has shortened it */
        slot->reserved = 0;
    }

    return 0;
}


static ngx_err_t
ngx_http_enkod_append_stream(ngx_http_enkod_file_t *file, u_char *p,
    size_t len, size_t *whole, ngx_log_t *log)
{
    size_t     done, written;
    ngx_err_t  err;

    if (file->torn) {
        *--p = LF;
        len++;
    }

    for (done = 0; done < len; done += written) {

        err = ngx_http_enkod_append_write(file->fd, p + done, len - done,
                                          &written);

        if (err && written == 0) {

            ngx_http_enkod_append_failed(file, err, log);

            *whole = ngx_http_enkod_append_lines(p, done);

            if (*whole && file->torn) {
                *whole -= 1;
            }

            if (done) {
                file->torn = (p[done - 1] != LF);
            }

            return err;
        }
    }

    *whole = len - file->torn;
    file->torn = 0;

    return 0;
}


/*
 * One write(), which can be short: then it is an error, too, and *written says
 * how much of it there is.
 */

static ngx_err_t
ngx_http_enkod_append_write(ngx_fd_t fd, u_char *p, size_t len,
    size_t *written)
{
    ssize_t    n;
    ngx_err_t  err;

    do {
        n = ngx_write_fd(fd, p, len);
        err = (n == -1) ? ngx_errno : 0;

    } while (err == NGX_EINTR);

    *written = (n == -1) ? 0 : n;

    /* what a short write is due to only another one could tell */

    return (err || *written == len) ? err : NGX_ENOSPC;
}


/* How many of these bytes are whole lines. */

static size_t
ngx_http_enkod_append_lines(u_char *p, size_t len)
{
    while (len && p[len - 1] != LF) {
        len--;
    }

    return len;
}


static void
ngx_http_enkod_append_failed(ngx_http_enkod_file_t *file, ngx_err_t err,
    ngx_log_t *log)
{
    ngx_http_enkod_file_log(file, NGX_HTTP_ENKOD_FILE_WRITE, log, err,
                            "cannot be written to, "
                            "events are answered with 503");
}
