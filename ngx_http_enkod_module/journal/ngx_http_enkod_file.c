
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * nginx opens the file, and reopens it on USR1.  Whenever the descriptor is a
 * new one, or the file is found deleted, it is inspected before anything is
 * appended: what is appended to a file without a name would be lost.
 */


#include "ngx_http_enkod_file.h"
#include "ngx_http_enkod_message.h"


/* milliseconds until a file that cannot be used is inspected again */
#define NGX_HTTP_ENKOD_FILE_RETRY  1000


static void ngx_http_enkod_file_flush_handler(ngx_open_file_t *open,
    ngx_log_t *log);
static ngx_err_t ngx_http_enkod_file_inspect(ngx_http_enkod_file_t *file,
    ngx_log_t *log);
static ngx_err_t ngx_http_enkod_file_reopen(ngx_http_enkod_file_t *file,
    ngx_file_info_t *fi, ngx_log_t *log);
#if (NGX_THREADS)
static ngx_err_t ngx_http_enkod_file_open_sync(ngx_http_enkod_file_t *file,
    ngx_file_info_t *fi, ngx_log_t *log);
#endif


ngx_http_enkod_file_t *
ngx_http_enkod_file_create(ngx_conf_t *cf, ngx_str_t *path,
    ngx_shm_zone_t *zone)
{
    ngx_open_file_t        *open;
    ngx_http_enkod_file_t  *file;

    file = ngx_pcalloc(cf->pool, sizeof(ngx_http_enkod_file_t));
    if (file == NULL) {
        return NULL;
    }

    open = ngx_list_push(&cf->cycle->open_files);
    if (open == NULL) {
        return NULL;
    }

    ngx_memzero(open, sizeof(ngx_open_file_t));

    open->fd = NGX_INVALID_FILE;

    /*
     * The length includes the zero at the end, so that ngx_conf_open_file()
     * does not find this entry: an access_log or error_log of that path gets an
     * entry of its own, and ngx_http_enkod_paths_check() sees both.
     */
    open->name.len = path->len + 1;
    open->name.data = path->data;

    file->open = open;
    file->name = *path;
    file->zone = zone;
    file->fd = NGX_INVALID_FILE;

    return file;
}


void
ngx_http_enkod_file_init(ngx_http_enkod_file_t *file)
{
    file->slot = ngx_http_enkod_slot_get(file->zone, &file->name);

    /* the entry is not shared, see ngx_http_enkod_file_create() */

    file->open->data = file;
    file->open->flush = ngx_http_enkod_file_flush_handler;
}


/*
 * Called by ngx_reopen_files() in every process, on USR1, before it closes the
 * descriptor.  Our other descriptor is closed too, so that the space of a file
 * that was rotated and deleted is freed.
 */

static void
ngx_http_enkod_file_flush_handler(ngx_open_file_t *open, ngx_log_t *log)
{
    ngx_http_enkod_file_t *file = open->data;

#if (NGX_THREADS)
    if (file->sync) {
        ngx_http_enkod_sync_close(file->sync);
    }
#endif

    ngx_http_enkod_file_invalidate(file);
}


void
ngx_http_enkod_file_invalidate(ngx_http_enkod_file_t *file)
{
    file->fd = NGX_INVALID_FILE;
    file->err = 0;
}


ngx_err_t
ngx_http_enkod_file_prepare(ngx_http_enkod_file_t *file, ngx_log_t *log)
{
    ngx_http_enkod_slot_t  *slot;

    if (file->fd == NGX_INVALID_FILE) {

        if (file->err == 0
            || ngx_current_msec - file->inspected >= NGX_HTTP_ENKOD_FILE_RETRY)
        {
            file->err = ngx_http_enkod_file_inspect(file, log);
            file->inspected = ngx_current_msec;
        }

        if (file->err) {
            return file->err;
        }

        file->fd = file->open->fd;
    }

    slot = file->slot;

    if (file->regular && (slot->ino != file->ino || slot->dev != file->dev)) {

        slot->ino = file->ino;
        slot->dev = file->dev;
        slot->end = 0;
        slot->reserved = 0;
        slot->valid = 0;

#if (NGX_THREADS)
        /* a sync of this file may have failed before */
        slot->unsynced = (file->sync != NULL);
#endif
    }

    return 0;
}


static ngx_err_t
ngx_http_enkod_file_inspect(ngx_http_enkod_file_t *file, ngx_log_t *log)
{
    ngx_err_t        err;
    ngx_file_info_t  fi;

    file->partial = 0;
    file->no_reserve = 0;

    if (ngx_fd_info(file->open->fd, &fi) == NGX_FILE_ERROR) {
        err = ngx_errno;

        ngx_http_enkod_file_report(file, NGX_HTTP_ENKOD_FILE_OPEN, log, err,
                                   "is not open, events are answered with 503");
        return err;
    }

    if (ngx_is_file(&fi) && fi.st_nlink == 0) {
        err = ngx_http_enkod_file_reopen(file, &fi, log);

        if (err) {
            return err;
        }
    }

    file->dev = fi.st_dev;
    file->ino = fi.st_ino;
    file->regular = ngx_is_file(&fi);

#if (NGX_THREADS)
    if (file->sync) {
        return ngx_http_enkod_file_open_sync(file, &fi, log);
    }
#endif

    return 0;
}


/*
 * For a deleted file.  A file that was renamed is used until USR1, as the logs
 * of nginx are.
 */

static ngx_err_t
ngx_http_enkod_file_reopen(ngx_http_enkod_file_t *file, ngx_file_info_t *fi,
    ngx_log_t *log)
{
    ngx_fd_t   fd;
    ngx_err_t  err;

    fd = ngx_open_file(file->open->name.data, NGX_FILE_APPEND,
                       NGX_FILE_CREATE_OR_OPEN|O_CLOEXEC,
                       NGX_FILE_DEFAULT_ACCESS);

    if (fd == NGX_INVALID_FILE) {
        err = ngx_errno;

        ngx_http_enkod_file_report(file, NGX_HTTP_ENKOD_FILE_OPEN, log, err,
                                   "was deleted and cannot be reopened, "
                                   "events are answered with 503");
        return err;
    }

    if (ngx_fd_info(fd, fi) == NGX_FILE_ERROR) {
        err = ngx_errno;
        (void) ngx_close_file(fd);
        return err;
    }

    if (ngx_is_file(fi) && fi->st_nlink == 0) {

        ngx_http_enkod_file_report(file, NGX_HTTP_ENKOD_FILE_OPEN, log, 0,
                                   "leads to a deleted file, as a mount of a "
                                   "single file or /dev/stdout may, events are "
                                   "answered with 503; restart nginx with a "
                                   "file that exists");
        (void) ngx_close_file(fd);
        return NGX_ENOENT;
    }

    ngx_log_error(NGX_LOG_WARN, log, 0,
                  "enkod: \"%V\" was deleted and is reopened", &file->name);

    if (ngx_close_file(file->open->fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, log, ngx_errno,
                      ngx_close_file_n " \"%V\" failed", &file->name);
    }

    file->open->fd = fd;

    return 0;
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
        ngx_http_enkod_file_report(file, NGX_HTTP_ENKOD_FILE_SYNC, log, err,
                                   "cannot be opened for syncing, "
                                   "events are answered with 503");
    }

    return err;
}


void
ngx_http_enkod_file_sync_failed(ngx_http_enkod_file_t *file, ngx_err_t err,
    ngx_http_enkod_sync_step_e step, ngx_log_t *log)
{
    ngx_http_enkod_slot_t  *slot;

    switch (step) {

    case NGX_HTTP_ENKOD_SYNC_NAME:

        ngx_http_enkod_file_invalidate(file);
        return;

    case NGX_HTTP_ENKOD_SYNC_FOLDER:

        ngx_http_enkod_file_report(file, NGX_HTTP_ENKOD_FILE_SYNC, log, err,
                                   "is in a folder that cannot be synced, "
                                   "events are answered with 503");
        return;

    case NGX_HTTP_ENKOD_SYNC_DATA:
        break;
    }

    ngx_http_enkod_file_report(file, NGX_HTTP_ENKOD_FILE_SYNC, log, err,
                               "cannot be synced, events are answered with 503 "
                               "and the file is reopened");

    ngx_http_enkod_file_invalidate(file);

    slot = file->slot;

    if (ngx_http_enkod_slot_lock(slot) != 0) {
        return;
    }

    if (slot->ino == file->ino && slot->dev == file->dev) {
        slot->unsynced = 1;
    }

    ngx_http_enkod_slot_unlock(slot);
}

#endif


void
ngx_http_enkod_file_report(ngx_http_enkod_file_t *file,
    ngx_http_enkod_file_problem_e problem, ngx_log_t *log, ngx_err_t err,
    const char *text)
{
    if (ngx_http_enkod_message_due(&file->reported[problem])) {
        ngx_log_error(NGX_LOG_ERR, log, err, "enkod: \"%V\" %s",
                      &file->name, text);
    }
}
