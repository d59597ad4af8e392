
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Appends lines to a file.  The file only grows: nothing that was written is
 * ever removed or overwritten.  Space is reserved before the first byte of a
 * batch is written.  If a part of a line is written nevertheless, it stays, and
 * the next append ends it with a line feed.
 *
 * The workers of one master process append under the lock of the file, and
 * share the offset of its end.  Other processes may append as well, as another
 * master does during a binary upgrade.  That is noticed after the write, by the
 * offset at which our bytes end.  If they follow a partial line, our first line
 * is written once more, after a line feed, before it is acknowledged.
 */


#include "ngx_http_enkod_append.h"

#include <sys/resource.h>


/* bytes that are reserved at a time */
#define NGX_HTTP_ENKOD_APPEND_CHUNK   (256 * 1024)

/* bytes that any disk writes as a whole */
#define NGX_HTTP_ENKOD_APPEND_SECTOR  512

/* a file that is deleted again and again is an error */
#define NGX_HTTP_ENKOD_APPEND_TRIES   2


static ngx_err_t ngx_http_enkod_append_regular(ngx_http_enkod_file_t *file,
    u_char *p, size_t len, size_t *written, ngx_log_t *log);
static ngx_err_t ngx_http_enkod_append_find_end(ngx_http_enkod_file_t *file);
static ngx_uint_t ngx_http_enkod_append_is_partial(ngx_http_enkod_file_t *file,
    off_t end);
static ngx_err_t ngx_http_enkod_append_reserve(ngx_http_enkod_file_t *file,
    size_t len);
static ngx_err_t ngx_http_enkod_append_fallocate(ngx_fd_t fd, off_t offset,
    off_t len);
static ngx_err_t ngx_http_enkod_append_update(ngx_http_enkod_file_t *file,
    size_t n);
static ngx_err_t ngx_http_enkod_append_repeat(ngx_http_enkod_file_t *file,
    u_char *p, size_t len, size_t *written, ngx_log_t *log);
static ngx_err_t ngx_http_enkod_append_stream(ngx_http_enkod_file_t *file,
    u_char *p, size_t len, size_t *written, ngx_log_t *log);
static ngx_err_t ngx_http_enkod_append_write(ngx_fd_t fd, u_char *p,
    size_t len, size_t *n);
static size_t ngx_http_enkod_append_whole_lines(u_char *p, size_t len);
static void ngx_http_enkod_append_report(ngx_http_enkod_file_t *file,
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

    /* the limit may be changed later: then write() fails with EFBIG */

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
    size_t *written, ngx_log_t *log)
{
    ngx_err_t   err;
    ngx_uint_t  n;

    err = 0;

    for (n = 0; n < NGX_HTTP_ENKOD_APPEND_TRIES; n++) {

        *written = 0;

        err = ngx_http_enkod_slot_lock(file->slot);
        if (err) {
            return err;
        }

        err = ngx_http_enkod_file_prepare(file, log);

        if (err || !file->regular) {
            ngx_http_enkod_slot_unlock(file->slot);
            break;
        }

        err = ngx_http_enkod_append_regular(file, p, len, written, log);

        ngx_http_enkod_slot_unlock(file->slot);

        if (err != NGX_ENOENT) {
            return err;
        }

        /* the file was deleted, and what we have written is lost */

        *written = 0;
        ngx_http_enkod_file_invalidate(file);
    }

    if (err) {
        return err;
    }

    /* not under the lock, since a write() to a FIFO may block */

    return ngx_http_enkod_append_stream(file, p, len, written, log);
}


/* With the slot locked.  Returns ENOENT if the file has been deleted. */

static ngx_err_t
ngx_http_enkod_append_regular(ngx_http_enkod_file_t *file, u_char *p,
    size_t len, size_t *written, ngx_log_t *log)
{
    size_t                  n;
    ngx_err_t               err, rc;
    ngx_uint_t              line_feed;
    ngx_http_enkod_slot_t  *slot;

    slot = file->slot;

    if (!slot->valid) {
        err = ngx_http_enkod_append_find_end(file);
        if (err) {
            return err;
        }
    }

    line_feed = slot->partial;

    /*
     * After a failed sync the bytes before our append may not be on disk yet.
     * If the file ends within a sector, its last bytes are written again with
     * ours.  If it ends at the end of a sector, a power failure may lose its
     * last line feed but keep our lines.
     */

    if (slot->unsynced
        && slot->end
        && slot->end % NGX_HTTP_ENKOD_APPEND_SECTOR == 0)
    {
        line_feed = 1;
    }

    if (line_feed) {
        *--p = LF;
        len++;
    }

    n = 0;

    err = ngx_http_enkod_append_reserve(file, len);

    if (err == 0) {
        err = ngx_http_enkod_append_write(file->fd, p, len, &n);
    }

    if (err) {
        ngx_http_enkod_append_report(file, err, log);
    }

    if (n == 0) {
        /* find the end again: a file that was truncated has space again */
        slot->valid = 0;
        return err;
    }

    rc = ngx_http_enkod_append_update(file, n);
    if (rc) {
        return rc;
    }

    slot->partial = (p[n - 1] != LF);

    if (n == len) {
        slot->unsynced = 0;
    }

    *written = ngx_http_enkod_append_whole_lines(p, n);

    if (*written == 0) {
        return err;
    }

    if (line_feed) {
        *written -= 1;
        return err;
    }

    if (!slot->valid) {

        rc = ngx_http_enkod_append_repeat(file, p, n, written, log);
        if (rc) {
            return rc;
        }
    }

    return err;
}


/* Sets the state in the slot by what is in the file. */

static ngx_err_t
ngx_http_enkod_append_find_end(ngx_http_enkod_file_t *file)
{
    ngx_file_info_t         fi;
    ngx_http_enkod_slot_t  *slot;

    if (ngx_fd_info(file->fd, &fi) == NGX_FILE_ERROR) {
        return ngx_errno;
    }

    slot = file->slot;

    if (ngx_file_size(&fi) < slot->end) {
        /* the file was truncated, and has lost the reserved space */
        slot->reserved = 0;
    }

    slot->end = ngx_file_size(&fi);
    slot->partial = slot->end
                    && ngx_http_enkod_append_is_partial(file, slot->end);
    slot->valid = 1;

    return 0;
}


/*
 * Whether the file has a partial line before the offset "end", which is not 0.
 * Our descriptor is for writing only, and the name may be that of another file,
 * so the descriptor is opened again.  If the byte cannot be read, the line is
 * assumed to be partial.
 */

static ngx_uint_t
ngx_http_enkod_append_is_partial(ngx_http_enkod_file_t *file, off_t end)
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
 * Reserves space, so that a lack of it is an error before a part of the batch
 * is written.  Returns 0 also if the file system does not support that.
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

    if (file->no_reserve || slot->end + (off_t) len <= slot->reserved) {
        return 0;
    }

    size = ngx_max(len, NGX_HTTP_ENKOD_APPEND_CHUNK);

    err = ngx_http_enkod_append_fallocate(file->fd, slot->end, size);

    if (err == NGX_ENOSPC || err == EDQUOT || err == EFBIG) {

        /* there may still be enough for this batch */

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
        file->no_reserve = 1;

        /* fall through */

    default:
        /* if this is a problem, write() fails, too */
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
 * Updates the state in the slot after a write of "n" bytes.  If the size of the
 * file is not what it should be, another process has appended to it: then the
 * offset of our descriptor is the end of our bytes, and the state is not valid
 * any more.  Returns ENOENT if the file has been deleted.
 */

static ngx_err_t
ngx_http_enkod_append_update(ngx_http_enkod_file_t *file, size_t n)
{
    off_t                   end;
    ngx_file_info_t         fi;
    ngx_http_enkod_slot_t  *slot;

    slot = file->slot;

    if (ngx_fd_info(file->fd, &fi) == NGX_FILE_ERROR) {
        slot->valid = 0;
        return ngx_errno;
    }

    if (fi.st_nlink == 0) {
        slot->valid = 0;
        return NGX_ENOENT;
    }

    end = slot->end + n;

    if (ngx_file_size(&fi) == end) {
        slot->end = end;
        return 0;
    }

    slot->valid = 0;
    slot->end = lseek(file->fd, 0, SEEK_CUR);

    if (slot->end == -1) {
        return ngx_errno;
    }

    if (slot->end < end) {
        /* the file was truncated, and has lost the reserved space */
        slot->reserved = 0;
    }

    return 0;
}


/*
 * The "n" bytes at "p", the last that were written, may follow a partial line
 * of another process.  Then the first line is written again, after a line feed.
 * If that fails, none of the lines is acknowledged.
 */

static ngx_err_t
ngx_http_enkod_append_repeat(ngx_http_enkod_file_t *file, u_char *p, size_t n,
    size_t *written, ngx_log_t *log)
{
    off_t       start;
    size_t      size;
    u_char     *last;
    ngx_err_t   err;

    start = file->slot->end - n;

    if (start == 0 || !ngx_http_enkod_append_is_partial(file, start)) {
        return 0;
    }

    last = ngx_strlchr(p, p + *written, LF);

    *--p = LF;

    err = ngx_http_enkod_append_write(file->fd, p, last + 1 - p, &size);

    if (err) {
        ngx_http_enkod_append_report(file, err, log);
        *written = 0;
    }

    return err;
}


/* For a FIFO or device: what is left after a short write is written, too. */

static ngx_err_t
ngx_http_enkod_append_stream(ngx_http_enkod_file_t *file, u_char *p,
    size_t len, size_t *written, ngx_log_t *log)
{
    size_t     done, n;
    ngx_err_t  err;

    if (file->partial) {
        *--p = LF;
        len++;
    }

    for (done = 0; done < len; done += n) {

        err = ngx_http_enkod_append_write(file->fd, p + done, len - done, &n);

        if (err && n == 0) {

            ngx_http_enkod_append_report(file, err, log);

            *written = ngx_http_enkod_append_whole_lines(p, done);

            if (*written && file->partial) {
                *written -= 1;
            }

            if (done) {
                file->partial = (p[done - 1] != LF);
            }

            return err;
        }
    }

    *written = len - file->partial;
    file->partial = 0;

    return 0;
}


/*
 * One write().  Returns 0 if all bytes were written; else the error, and in *n
 * how many bytes were.  A short write is the error ENOSPC: its real cause would
 * be known only after another write().
 */

static ngx_err_t
ngx_http_enkod_append_write(ngx_fd_t fd, u_char *p, size_t len, size_t *n)
{
    ssize_t    rc;
    ngx_err_t  err;

    do {
        rc = ngx_write_fd(fd, p, len);
        err = (rc == -1) ? ngx_errno : 0;

    } while (err == NGX_EINTR);

    *n = (rc == -1) ? 0 : rc;

    return (err || *n == len) ? err : NGX_ENOSPC;
}


/* The length of the whole lines in these bytes. */

static size_t
ngx_http_enkod_append_whole_lines(u_char *p, size_t len)
{
    while (len && p[len - 1] != LF) {
        len--;
    }

    return len;
}


static void
ngx_http_enkod_append_report(ngx_http_enkod_file_t *file, ngx_err_t err,
    ngx_log_t *log)
{
    ngx_http_enkod_file_report(file, NGX_HTTP_ENKOD_FILE_WRITE, log, err,
                               "cannot be written to, "
                               "events are answered with 503");
}
