
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * What was written becomes durable: one round of fdatasync() at a time, in a
 * thread, for all who wait when it begins.  Who comes later waits for the next
 * round.
 *
 * An error of writing back to the disk is reported once to everything that
 * open() has returned, and only to what was open when it happened (Linux,
 * Documentation/filesystems/vfs.rst, "Handling errors during writeback").  The
 * descriptors that a worker has inherited are the same for all workers, so
 * that one of them could take the error away from another.  So each worker
 * opens the file for itself, before it writes, and syncs that descriptor; and
 * after an error never again the same one, since nobody knows which of the
 * pages that it concerns are lost.
 */


#include "ngx_http_enkod_sync.h"

#if (NGX_THREADS)

#include <ngx_event.h>
#include <ngx_thread_pool.h>

#include "ngx_http_enkod_waiter.h"


/* milliseconds; nothing happens then */
#define NGX_HTTP_ENKOD_SYNC_WAIT  60000


/* a file that was opened: the name may mean another one after USR1 */

typedef struct {
    ngx_queue_t                  queue;
    ngx_queue_t                  written;   /* who waits for a round */
    ngx_fd_t                     fd;
    dev_t                        dev;
    ino_t                        ino;
    ngx_uint_t                   named;     /* the folder was synced */
} ngx_http_enkod_sync_file_t;


/* what the thread sees */

typedef struct {
    ngx_fd_t                     fd;
    u_char                      *name;      /* whose folder to sync, or NULL */
    ngx_err_t                    err;
    ngx_http_enkod_sync_step_e   step;      /* in which there was an error */
} ngx_http_enkod_sync_round_t;


struct ngx_http_enkod_sync_s {
    ngx_str_t                   *name;
    ngx_queue_t                 *done;
    void                        *data;

    /* after three pointers, as in ngx_connection_t: for the log of the timer */
    ngx_int_t                    ident;

    ngx_http_enkod_sync_pt       handler;
    ngx_thread_pool_t           *thread_pool;
    ngx_thread_task_t           *task;

    ngx_queue_t                  files;     /* the last one is written to */
    ngx_uint_t                   open;      /* unsigned  open:1; */

    ngx_http_enkod_sync_file_t  *syncing;   /* the round's; NULL: none runs */
    ngx_queue_t                  waiting;   /* for it to end */

    ngx_event_t                  timer;
};


static void ngx_http_enkod_sync_cleanup(void *data);
static ngx_fd_t ngx_http_enkod_sync_open_fd(ngx_http_enkod_sync_t *sync,
    ngx_file_info_t *fi, ngx_log_t *log);
static void ngx_http_enkod_sync_thread(void *data, ngx_log_t *log);
static ngx_err_t ngx_http_enkod_sync_folder(u_char *name);
static void ngx_http_enkod_sync_done(ngx_event_t *ev);
static void ngx_http_enkod_sync_release(ngx_http_enkod_sync_t *sync);
static void ngx_http_enkod_sync_timer(ngx_event_t *ev);


ngx_http_enkod_sync_t *
ngx_http_enkod_sync_create(ngx_conf_t *cf, ngx_str_t *name, ngx_queue_t *done,
    ngx_http_enkod_sync_pt handler, void *data)
{
    ngx_pool_cleanup_t     *cln;
    ngx_http_enkod_sync_t  *sync;

    cln = ngx_pool_cleanup_add(cf->pool, sizeof(ngx_http_enkod_sync_t));
    if (cln == NULL) {
        return NULL;
    }

    sync = cln->data;

    ngx_memzero(sync, sizeof(ngx_http_enkod_sync_t));

    ngx_queue_init(&sync->files);
    ngx_queue_init(&sync->waiting);

    cln->handler = ngx_http_enkod_sync_cleanup;

    sync->name = name;
    sync->done = done;
    sync->data = data;
    sync->ident = -1;
    sync->handler = handler;

    sync->thread_pool = ngx_thread_pool_add(cf, NULL);
    if (sync->thread_pool == NULL) {
        return NULL;
    }

    sync->task = ngx_thread_task_alloc(cf->pool,
                                       sizeof(ngx_http_enkod_sync_round_t));
    if (sync->task == NULL) {
        return NULL;
    }

    sync->task->handler = ngx_http_enkod_sync_thread;
    sync->task->event.handler = ngx_http_enkod_sync_done;
    sync->task->event.data = sync;

    sync->timer.handler = ngx_http_enkod_sync_timer;
    sync->timer.data = sync;
    sync->timer.log = &cf->cycle->new_log;

    return sync;
}


/* A worker ends, and so have its threads, unless their queue was full. */

static void
ngx_http_enkod_sync_cleanup(void *data)
{
    ngx_http_enkod_sync_t *sync = data;

    ngx_queue_t                 *q;
    ngx_http_enkod_sync_file_t  *file;

    for (q = ngx_queue_head(&sync->files);
         q != ngx_queue_sentinel(&sync->files);
         q = ngx_queue_next(q))
    {
        file = ngx_queue_data(q, ngx_http_enkod_sync_file_t, queue);

        /* whoever waits is not told any more */
        ngx_queue_init(&file->written);
    }

    sync->open = 0;
    sync->syncing = NULL;

    ngx_http_enkod_sync_release(sync);
}


ngx_int_t
ngx_http_enkod_sync_check(ngx_cycle_t *cycle)
{
    ngx_uint_t           i;
    ngx_event_conf_t    *ecf;
    ngx_event_module_t  *module;

    ecf = ngx_event_get_conf(cycle->conf_ctx, ngx_event_core_module);

    for (i = 0; cycle->modules[i]; i++) {

        if (cycle->modules[i]->type != NGX_EVENT_MODULE
            || cycle->modules[i]->ctx_index != ecf->use)
        {
            continue;
        }

        module = cycle->modules[i]->ctx;

        if (module->actions.notify == NULL) {
            ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                          "\"sync\" of \"enkod_log\" and "
                          "\"enkod_reject_log\" cannot be used with the event "
                          "method \"%V\", which knows no threads",
                          module->name);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_err_t
ngx_http_enkod_sync_open(ngx_http_enkod_sync_t *sync, ngx_file_info_t *fi,
    ngx_log_t *log)
{
    ngx_fd_t                     fd;
    ngx_queue_t                 *q;
    ngx_http_enkod_sync_file_t  *file;

    if (sync->open) {
        q = ngx_queue_last(&sync->files);
        file = ngx_queue_data(q, ngx_http_enkod_sync_file_t, queue);

        if (file->ino == fi->st_ino && file->dev == fi->st_dev) {
            return 0;
        }
    }

    sync->open = 0;

    fd = ngx_http_enkod_sync_open_fd(sync, fi, log);

    if (fd == NGX_INVALID_FILE) {
        return ngx_errno;
    }

    file = ngx_alloc(sizeof(ngx_http_enkod_sync_file_t), log);

    if (file == NULL) {
        (void) ngx_close_file(fd);
        return NGX_ENOMEM;
    }

    file->fd = fd;
    file->dev = fi->st_dev;
    file->ino = fi->st_ino;
    file->named = 0;

    ngx_queue_init(&file->written);
    ngx_queue_insert_tail(&sync->files, &file->queue);

    sync->open = 1;
    sync->timer.log = log;

    ngx_http_enkod_sync_release(sync);

    return 0;
}


/* Invalid, with errno set, if the name does not mean that file any more. */

static ngx_fd_t
ngx_http_enkod_sync_open_fd(ngx_http_enkod_sync_t *sync, ngx_file_info_t *fi,
    ngx_log_t *log)
{
    ngx_fd_t         fd;
    ngx_file_info_t  ours;

    fd = ngx_open_file(sync->name->data,
                       NGX_FILE_RDONLY|NGX_FILE_NONBLOCK|O_CLOEXEC,
                       NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        return fd;
    }

    if (ngx_fd_info(fd, &ours) == NGX_FILE_ERROR
        || ours.st_ino != fi->st_ino
        || ours.st_dev != fi->st_dev)
    {
        (void) ngx_close_file(fd);
        ngx_set_errno(NGX_ENOENT);
        return NGX_INVALID_FILE;
    }

    return fd;
}


void
ngx_http_enkod_sync_close(ngx_http_enkod_sync_t *sync)
{
    sync->open = 0;

    ngx_http_enkod_sync_release(sync);
}


void
ngx_http_enkod_sync_add(ngx_http_enkod_sync_t *sync, ngx_queue_t *waiters)
{
    ngx_queue_t                 *q;
    ngx_http_enkod_sync_file_t  *file;

    if (ngx_queue_empty(waiters)) {
        return;
    }

    if (!sync->open) {
        ngx_http_enkod_waiter_complete(waiters, sync->done, NGX_EINVAL);
        return;
    }

    q = ngx_queue_last(&sync->files);
    file = ngx_queue_data(q, ngx_http_enkod_sync_file_t, queue);

    ngx_queue_add(&file->written, waiters);
    ngx_queue_init(waiters);
}


void
ngx_http_enkod_sync_start(ngx_http_enkod_sync_t *sync)
{
    ngx_queue_t                  *q;
    ngx_http_enkod_sync_file_t   *file;
    ngx_http_enkod_sync_round_t  *round;

    if (sync->syncing) {
        return;
    }

    for (q = ngx_queue_head(&sync->files);
         q != ngx_queue_sentinel(&sync->files);
         q = ngx_queue_next(q))
    {
        file = ngx_queue_data(q, ngx_http_enkod_sync_file_t, queue);

        if (ngx_queue_empty(&file->written)) {
            continue;
        }

        ngx_queue_add(&sync->waiting, &file->written);
        ngx_queue_init(&file->written);

        round = sync->task->ctx;

        round->fd = file->fd;
        round->name = file->named ? NULL : sync->name->data;

        if (ngx_thread_task_post(sync->thread_pool, sync->task) != NGX_OK) {
            /* the queue is full, as the pool has logged */
            ngx_http_enkod_waiter_complete(&sync->waiting, sync->done,
                                           NGX_EAGAIN);
            continue;
        }

        sync->syncing = file;

        /*
         * Nothing else keeps a worker that ends from doing so; nginx itself
         * does the same for its tasks since 1.25.4.
         */

        if (!sync->timer.timer_set) {
            ngx_add_timer(&sync->timer, NGX_HTTP_ENKOD_SYNC_WAIT);
        }

        return;
    }

    if (sync->timer.timer_set) {
        ngx_del_timer(&sync->timer);
    }
}


static void
ngx_http_enkod_sync_thread(void *data, ngx_log_t *log)
{
    ngx_http_enkod_sync_round_t *round = data;

    ngx_file_info_t  fi;

    round->step = NGX_HTTP_ENKOD_SYNC_DATA;

    while (fdatasync(round->fd) == -1) {
        round->err = ngx_errno;

        if (round->err != NGX_EINTR) {
            return;
        }
    }

    round->step = NGX_HTTP_ENKOD_SYNC_FOLDER;

    if (round->name) {
        round->err = ngx_http_enkod_sync_folder(round->name);

        if (round->err) {
            return;
        }
    }

    /* what is durable in a file that was deleted is lost all the same */

    round->step = NGX_HTTP_ENKOD_SYNC_DELETED;

    if (ngx_fd_info(round->fd, &fi) == NGX_FILE_ERROR) {
        round->err = ngx_errno;
        return;
    }

    round->err = (fi.st_nlink == 0) ? NGX_ENOENT : 0;
}


/*
 * A new file is there after a power cut only if its folder was synced, the one
 * in which it really is.
 */

static ngx_err_t
ngx_http_enkod_sync_folder(u_char *name)
{
    int         rc;
    char       *path, *slash;
    ngx_fd_t    fd;
    ngx_err_t   err;

    path = realpath((char *) name, NULL);

    if (path == NULL && ngx_errno == NGX_ENOENT) {
        /* moved away, but it was in the same folder */
        path = strdup((char *) name);
    }

    if (path == NULL) {
        return ngx_errno;
    }

    slash = strrchr(path, '/');
    slash[slash == path] = '\0';

    fd = ngx_open_file(path, NGX_FILE_RDONLY|O_CLOEXEC, NGX_FILE_OPEN, 0);

    err = ngx_errno;
    free(path);

    if (fd == NGX_INVALID_FILE) {
        return err;
    }

    do {
        rc = fsync(fd);
        err = (rc == -1) ? ngx_errno : 0;

    } while (err == NGX_EINTR);

    (void) ngx_close_file(fd);

    return err;
}


static void
ngx_http_enkod_sync_done(ngx_event_t *ev)
{
    ngx_http_enkod_sync_t *sync = ev->data;

    ngx_err_t                     err;
    ngx_uint_t                    old;
    ngx_http_enkod_sync_file_t   *file;
    ngx_http_enkod_sync_step_e    step;
    ngx_http_enkod_sync_round_t  *round;

    file = sync->syncing;
    sync->syncing = NULL;

    old = (!sync->open || &file->queue != ngx_queue_last(&sync->files));

    round = sync->task->ctx;

    err = round->err;
    step = round->step;

    if (step == NGX_HTTP_ENKOD_SYNC_DELETED) {
        file->named = 1;
    }

    ngx_http_enkod_waiter_complete(&sync->waiting, sync->done, err);

    if (err && step == NGX_HTTP_ENKOD_SYNC_DATA) {

        /* it may be about what was written meanwhile, too */

        ngx_http_enkod_waiter_complete(&file->written, sync->done, err);

        if (!old) {
            sync->open = 0;
        }
    }

    ngx_http_enkod_sync_release(sync);

    /* the next round need not wait until all are answered */

    ngx_http_enkod_sync_start(sync);

    if (err && old) {
        ngx_log_error(NGX_LOG_ERR, sync->timer.log, err,
                      "enkod: the file that was \"%V\" before cannot be "
                      "synced, events are answered with 503", sync->name);

        /* which is nothing against the one that is now */
        err = 0;
    }

    sync->handler(sync->data, err, step);
}


/* Closes what is neither written to nor waited for. */

static void
ngx_http_enkod_sync_release(ngx_http_enkod_sync_t *sync)
{
    ngx_queue_t                 *q, *next;
    ngx_http_enkod_sync_file_t  *file;

    for (q = ngx_queue_head(&sync->files);
         q != ngx_queue_sentinel(&sync->files);
         q = next)
    {
        next = ngx_queue_next(q);

        file = ngx_queue_data(q, ngx_http_enkod_sync_file_t, queue);

        if (file == sync->syncing
            || !ngx_queue_empty(&file->written)
            || (sync->open && q == ngx_queue_last(&sync->files)))
        {
            continue;
        }

        if (ngx_close_file(file->fd) == NGX_FILE_ERROR) {
            ngx_log_error(NGX_LOG_ALERT, sync->timer.log, ngx_errno,
                          ngx_close_file_n " \"%V\" failed", sync->name);
        }

        ngx_queue_remove(q);

        /* clang's analyzer believes that it can be found in the queue still */
#ifndef __clang_analyzer__
        ngx_free(file);
#endif
    }
}


static void
ngx_http_enkod_sync_timer(ngx_event_t *ev)
{
    ngx_add_timer(ev, NGX_HTTP_ENKOD_SYNC_WAIT);
}


#endif
