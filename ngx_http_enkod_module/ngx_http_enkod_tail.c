
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The end of a file: how much of it is whole lines, and what becomes of the
 * rest, which a crash or a full disk has left there.
 */


#include "ngx_http_enkod_file.h"


/* how much is read at a time in search of the last line feed */
#define NGX_HTTP_ENKOD_TAIL_SLICE    4096

/* and how much at most; a longer incomplete line is ended, not cut off */
#define NGX_HTTP_ENKOD_TAIL_MAX      (16 * 1024 * 1024)


static off_t ngx_http_enkod_tail_settle(ngx_http_enkod_file_t *file,
    ngx_fd_t fd, off_t *size, ngx_uint_t settled, ngx_log_t *log);
static off_t ngx_http_enkod_tail_whole(ngx_http_enkod_file_t *file,
    ngx_fd_t fd, off_t size, ngx_log_t *log);
static ngx_uint_t ngx_http_enkod_tail_is_line(ngx_fd_t fd, off_t offset,
    off_t size);


void
ngx_http_enkod_tail_check(ngx_http_enkod_file_t *file, ngx_uint_t settled,
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

    whole = ngx_http_enkod_tail_settle(file, fd, &size,
                                       settled || alone == NGX_OK, log);

    if (whole != NGX_ERROR) {
        slot->torn = (whole != size);
    }

    if (slot->torn && whole >= 0 && alone == NGX_OK
        && ngx_http_enkod_tail_is_line(fd, whole, size))
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
 * The size of the file, and what ngx_http_enkod_tail_whole() says of it.
 * Unless it is settled, what looks incomplete is given the time to become
 * whole, but once only, lest every append wait while it is not.
 */

static off_t
ngx_http_enkod_tail_settle(ngx_http_enkod_file_t *file, ngx_fd_t fd,
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

        whole = ngx_http_enkod_tail_whole(file, fd, *size, log);

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
 * NGX_DECLINED if what is behind them is too long to find that out.
 */

static off_t
ngx_http_enkod_tail_whole(ngx_http_enkod_file_t *file, ngx_fd_t fd, off_t size,
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
            return NGX_DECLINED;
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
ngx_http_enkod_tail_is_line(ngx_fd_t fd, off_t offset, off_t size)
{
    size_t  n;
    u_char  buf[sizeof(NGX_HTTP_ENKOD_LINE_START) - 1];

    n = (size_t) ngx_min(size - offset, (off_t) sizeof(buf));

    return pread(fd, buf, n, offset) == (ssize_t) n
           && ngx_memcmp(buf, NGX_HTTP_ENKOD_LINE_START, n) == 0;
}
