
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Masters that share a file but no memory, as in a binary upgrade, see each
 * other by advisory locks of the open file: each has drawn a number, and with
 * it a range of bytes far behind any data, and locks a byte of it wherever it
 * opens a file.  The bytes of all others can be locked only while there is no
 * other.  A lock goes when the last process that has the file open has gone.
 *
 * One more byte behind all ranges is locked by whoever appends beside another
 * master.
 *
 * These are open file description locks (F_OFD_SETLK): they belong to what
 * open() has returned and are shared by all who inherited it, so that neither
 * a fork nor another descriptor for the same file changes anything.
 */


#include "ngx_http_enkod_module.h"


/* master n has 65536 bytes from (n << 16) on, behind the base */
#define NGX_HTTP_ENKOD_CLAIM_BASE     ((off_t) 1 << 62)
#define NGX_HTTP_ENKOD_CLAIM_MASTERS  ((off_t) 1 << 30)
#define NGX_HTTP_ENKOD_CLAIM_SIZE     ((off_t) 1 << 16)

#define NGX_HTTP_ENKOD_CLAIM_APPEND                                           \
    (NGX_HTTP_ENKOD_CLAIM_BASE                                                \
     + NGX_HTTP_ENKOD_CLAIM_MASTERS * NGX_HTTP_ENKOD_CLAIM_SIZE)

/* with a millisecond between them: nobody is kept out for that long */
#define NGX_HTTP_ENKOD_CLAIM_TRIES    16


static ngx_int_t ngx_http_enkod_claim_lock(ngx_fd_t fd, ngx_uint_t type,
    off_t start, off_t len);


ngx_uint_t
ngx_http_enkod_claim_master(void)
{
    return (ngx_random() ^ (ngx_uint_t) ngx_pid) % NGX_HTTP_ENKOD_CLAIM_MASTERS;
}


ngx_int_t
ngx_http_enkod_claim_take(ngx_fd_t fd, ngx_uint_t master, off_t *claim)
{
    off_t       byte;
    ngx_int_t   rc;
    ngx_uint_t  n;

    rc = NGX_AGAIN;

    for (n = 0; rc == NGX_AGAIN && n < NGX_HTTP_ENKOD_CLAIM_TRIES; n++) {

        if (n) {
            ngx_msleep(1);
        }

        /* a master can have the file open several times */

        byte = NGX_HTTP_ENKOD_CLAIM_BASE
               + (off_t) master * NGX_HTTP_ENKOD_CLAIM_SIZE
               + ngx_random() % NGX_HTTP_ENKOD_CLAIM_SIZE;

        rc = ngx_http_enkod_claim_lock(fd, F_WRLCK, byte, 1);

        if (rc == NGX_OK) {
            *claim = byte;
        }
    }

    return rc;
}


ngx_int_t
ngx_http_enkod_claim_renew(ngx_fd_t fd, off_t claim)
{
    return ngx_http_enkod_claim_lock(fd, F_WRLCK, claim, 1);
}


ngx_int_t
ngx_http_enkod_claim_keep_out(ngx_fd_t fd, ngx_uint_t master)
{
    off_t      start, end, base;
    ngx_int_t  rc;

    /* all bytes before ours, and all behind them */

    base = NGX_HTTP_ENKOD_CLAIM_BASE;
    start = (off_t) master * NGX_HTTP_ENKOD_CLAIM_SIZE;
    end = NGX_HTTP_ENKOD_CLAIM_MASTERS * NGX_HTTP_ENKOD_CLAIM_SIZE;

    rc = ngx_http_enkod_claim_lock(fd, F_WRLCK, base, start);

    if (rc != NGX_OK) {
        return rc;
    }

    start += NGX_HTTP_ENKOD_CLAIM_SIZE;

    rc = ngx_http_enkod_claim_lock(fd, F_WRLCK, base + start, end - start);

    if (rc != NGX_OK) {
        ngx_http_enkod_claim_let_in(fd, master);
    }

    return rc;
}


void
ngx_http_enkod_claim_let_in(ngx_fd_t fd, ngx_uint_t master)
{
    off_t  start, end, base;

    base = NGX_HTTP_ENKOD_CLAIM_BASE;
    start = (off_t) master * NGX_HTTP_ENKOD_CLAIM_SIZE;
    end = NGX_HTTP_ENKOD_CLAIM_MASTERS * NGX_HTTP_ENKOD_CLAIM_SIZE;

    (void) ngx_http_enkod_claim_lock(fd, F_UNLCK, base, start);

    start += NGX_HTTP_ENKOD_CLAIM_SIZE;

    (void) ngx_http_enkod_claim_lock(fd, F_UNLCK, base + start, end - start);
}


ngx_int_t
ngx_http_enkod_claim_append(ngx_fd_t fd)
{
    return ngx_http_enkod_claim_lock(fd, F_WRLCK, NGX_HTTP_ENKOD_CLAIM_APPEND,
                                     1);
}


void
ngx_http_enkod_claim_appended(ngx_fd_t fd)
{
    (void) ngx_http_enkod_claim_lock(fd, F_UNLCK, NGX_HTTP_ENKOD_CLAIM_APPEND,
                                     1);
}


/*
 * NGX_OK, also for no bytes at all, NGX_AGAIN if somebody else has a lock on
 * one of them, or NGX_DECLINED where there are no such locks.
 */

static ngx_int_t
ngx_http_enkod_claim_lock(ngx_fd_t fd, ngx_uint_t type, off_t start, off_t len)
{
#ifdef F_OFD_SETLK
    struct flock  fl;

    if (len == 0) {
        /* which fcntl() would take for all that follow */
        return NGX_OK;
    }

    ngx_memzero(&fl, sizeof(struct flock));

    fl.l_type = type;
    fl.l_whence = SEEK_SET;
    fl.l_start = start;
    fl.l_len = len;

    if (fcntl(fd, F_OFD_SETLK, &fl) == 0) {
        return NGX_OK;
    }

    if (ngx_errno == NGX_EAGAIN) {
        return NGX_AGAIN;
    }
#endif

    return NGX_DECLINED;
}
