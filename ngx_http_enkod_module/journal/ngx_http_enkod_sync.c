
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * A round is one fdatasync() in a thread, for all waiters that were added
 * before it began.  Waiters that are added during a round wait for the next
 * one; there is one round at a time.
 *
 * The kernel reports a writeback error once for each open(), and only for those
 * that were open when it happened (Linux, Documentation/filesystems/vfs.rst,
 * "Handling errors during writeback").  All workers inherit the descriptor that
 * nginx has opened, so an error that one of them gets is not reported to the
 * others.  Therefore each worker opens the file itself before it writes, and
 * syncs that descriptor.  After an error it opens another one: it is not known
 * which pages have been lost, and a later fdatasync() of the same descriptor
 * would succeed.
 */


#include "ngx_http_enkod_sync.h"

#if (NGX_THREADS)

#include <ngx_event.h>
#include <ngx_thread_pool.h>

#include "ngx_http_enkod_waiter.h"


/* milliseconds; the value does not matter, see ngx_http_enkod_sync_start() */
#define NGX_HTTP_ENKOD_SYNC_TIMER  60000


/* after USR1 the name may be that of another file, while this one is synced */

typedef struct {
    ngx_queue_t                  queue;
    ngx_queue_t                  waiting;   /* for the next round */
    ngx_fd_t                     fd;
    dev_t                        dev;
    ino_t                        ino;
    ngx_uint_t                   folder_synced;
} ngx_http_enkod_sync_file_t;


/* all that the thread uses */

typedef struct {
    ngx_fd_t                     fd;
    u_char                      *name;      /* NULL if folder_synced */
    ngx_err_t                    err;
    ngx_http_enkod_sync_step_e   step;      /* the last one */
    uint64_t                     usec;      /* how long it took */
} ngx_http_enkod_sync_round_t;


struct ngx_http_enkod_sync_s {
    ngx_str_t                   *name;
    ngx_queue_t                 *completed;
    void                        *data;

    /* the fourth, as "fd" in ngx_connection_t: ngx_event_ident() logs it */
    ngx_int_t                    ident;

    ngx_http_enkod_sync_pt       handler;
    ngx_http_enkod_synced_pt     synced;    /* or NULL */
    void                        *synced_data;
    ngx_thread_pool_t           *thread_pool;
    ngx_thread_task_t           *task;

    ngx_queue_t                  files;     /* all that are open */
    ngx_http_enkod_sync_file_t  *current;   /* is written to, or NULL */

    ngx_http_enkod_sync_file_t  *syncing;   /* NULL: no round is running */
    ngx_queue_t                  waiting;   /* for the end of that round */

    ngx_event_t                  timer;
};


static void ngx_http_enkod_sync_cleanup(void *data);
static ngx_fd_t ngx_http_enkod_sync_open_fd(ngx_http_enkod_sync_t *sync,
    ngx_file_info_t *fi, ngx_log_t *log);
static void ngx_http_enkod_sync_thread_handler(void *data, ngx_log_t *log);
static void ngx_http_enkod_sync_run(ngx_http_enkod_sync_round_t *round);
static uint64_t ngx_http_enkod_sync_clock(void);
static ngx_err_t ngx_http_enkod_sync_folder(u_char *name);
static void ngx_http_enkod_sync_end_handler(ngx_event_t *ev);
static void ngx_http_enkod_sync_close_unused(ngx_http_enkod_sync_t *sync);
static void ngx_http_enkod_sync_timer_handler(ngx_event_t *ev);


ngx_http_enkod_sync_t *
ngx_http_enkod_sync_create(ngx_conf_t *cf, ngx_str_t *name,
    ngx_queue_t *completed, ngx_http_enkod_sync_pt handler, void *data)
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
    sync->completed = completed;
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

    sync->task->handler = ngx_http_enkod_sync_thread_handler;
    sync->task->event.handler = ngx_http_enkod_sync_end_handler;
    sync->task->event.data = sync;

    sync->timer.handler = ngx_http_enkod_sync_timer_handler;
    sync->timer.data = sync;
    sync->timer.log = &cf->cycle->new_log;

    return sync;
}


void
ngx_http_enkod_sync_watch(ngx_http_enkod_sync_t *sync,
    ngx_http_enkod_synced_pt synced, void *data)
{
    sync->synced = synced;
    sync->synced_data = data;
}


/* At the end of a worker, when its threads have ended. */

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

        /* the waiters are not completed any more */
        ngx_queue_init(&file->waiting);
    }

    sync->current = NULL;
    sync->syncing = NULL;

    ngx_http_enkod_sync_close_unused(sync);
}


ngx_int_t
ngx_http_enkod_sync_check(ngx_cycle_t *cycle, ngx_str_t *directive)
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
                          "\"sync\" in \"%V\" cannot be used with the event "
                          "method \"%V\", which does not support threads",
                          directive, module->name);
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
    ngx_http_enkod_sync_file_t  *file;

    file = sync->current;

    if (file && file->ino == fi->st_ino && file->dev == fi->st_dev) {
        return 0;
    }

    sync->current = NULL;

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
    file->folder_synced = 0;

    ngx_queue_init(&file->waiting);
    ngx_queue_insert_tail(&sync->files, &file->queue);

    sync->current = file;
    sync->timer.log = log;

    ngx_http_enkod_sync_close_unused(sync);

    return 0;
}


/* Fails with ENOENT if the name is not that of the file "fi" any more. */

static ngx_fd_t
ngx_http_enkod_sync_open_fd(ngx_http_enkod_sync_t *sync, ngx_file_info_t *fi,
    ngx_log_t *log)
{
    ngx_fd_t         fd;
    ngx_file_info_t  opened;

    fd = ngx_open_file(sync->name->data,
                       NGX_FILE_RDONLY|NGX_FILE_NONBLOCK|O_CLOEXEC,
                       NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        return fd;
    }

    if (ngx_fd_info(fd, &opened) == NGX_FILE_ERROR
        || opened.st_ino != fi->st_ino
        || opened.st_dev != fi->st_dev)
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
    sync->current = NULL;

    ngx_http_enkod_sync_close_unused(sync);
}


void
ngx_http_enkod_sync_add(ngx_http_enkod_sync_t *sync, ngx_queue_t *waiters)
{
    if (ngx_queue_empty(waiters)) {
        return;
    }

    if (sync->current == NULL) {
        ngx_http_enkod_waiter_complete(waiters, sync->completed, NGX_EINVAL);
        return;
    }

    ngx_queue_add(&sync->current->waiting, waiters);
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

        if (ngx_queue_empty(&file->waiting)) {
            continue;
        }

        ngx_queue_add(&sync->waiting, &file->waiting);
        ngx_queue_init(&file->waiting);

        round = sync->task->ctx;

        round->fd = file->fd;
        round->name = file->folder_synced ? NULL : sync->name->data;

        if (ngx_thread_task_post(sync->thread_pool, sync->task) != NGX_OK) {

            /* the queue is full; the thread pool has logged that */

            if (sync->synced) {
                sync->synced(sync->synced_data, 0, NGX_EAGAIN);
            }

            ngx_http_enkod_waiter_complete(&sync->waiting, sync->completed,
                                           NGX_EAGAIN);
            continue;
        }

        sync->syncing = file;

        /*
         * A worker that shuts down exits when it has no timers.  nginx 1.25.4
         * and later wait for the tasks of a thread pool in the same way.
         */

        if (!sync->timer.timer_set) {
            ngx_add_timer(&sync->timer, NGX_HTTP_ENKOD_SYNC_TIMER);
        }

        return;
    }

    if (sync->timer.timer_set) {
        ngx_del_timer(&sync->timer);
    }
}


static void
ngx_http_enkod_sync_thread_handler(void *data, ngx_log_t *log)
{
    ngx_http_enkod_sync_round_t *round = data;

    uint64_t  start;

    start = ngx_http_enkod_sync_clock();

    ngx_http_enkod_sync_run(round);

    round->usec = ngx_http_enkod_sync_clock() - start;
}


/* Microseconds of a clock that never goes back. */

static uint64_t
ngx_http_enkod_sync_clock(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}


static void
ngx_http_enkod_sync_run(ngx_http_enkod_sync_round_t *round)
{
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

    /* the data of a deleted file will be lost although it has been synced */

    round->step = NGX_HTTP_ENKOD_SYNC_NAME;

    if (ngx_fd_info(round->fd, &fi) == NGX_FILE_ERROR) {
        round->err = ngx_errno;
        return;
    }

    round->err = (fi.st_nlink == 0) ? NGX_ENOENT : 0;
}


/*
 * A new file exists after a power failure only if its folder was synced.  If
 * the name is a symbolic link, that is the folder of its target.
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
        /* the file was renamed, but was created in that folder */
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
ngx_http_enkod_sync_end_handler(ngx_event_t *ev)
{
    ngx_http_enkod_sync_t *sync = ev->data;

    ngx_err_t                     err;
    ngx_uint_t                    current;
    ngx_http_enkod_sync_file_t   *file;
    ngx_http_enkod_sync_step_e    step;
    ngx_http_enkod_sync_round_t  *round;

    file = sync->syncing;
    sync->syncing = NULL;

    current = (file == sync->current);

    round = sync->task->ctx;

    err = round->err;
    step = round->step;

    if (step == NGX_HTTP_ENKOD_SYNC_NAME) {
        file->folder_synced = 1;
    }

    if (sync->synced) {
        sync->synced(sync->synced_data, round->usec, err);
    }

    ngx_http_enkod_waiter_complete(&sync->waiting, sync->completed, err);

    if (err && step == NGX_HTTP_ENKOD_SYNC_DATA) {

        /* lines that were written during the round may be lost, too */

        ngx_http_enkod_waiter_complete(&file->waiting, sync->completed, err);

        if (current) {
            sync->current = NULL;
        }
    }

    ngx_http_enkod_sync_close_unused(sync);

    /* before the handlers, so that the next round runs at the same time */

    ngx_http_enkod_sync_start(sync);

    if (err && !current) {
        ngx_log_error(NGX_LOG_ERR, sync->timer.log, err,
                      "enkod: the file that was \"%V\" before it was "
                      "reopened cannot be synced, events are answered with 503",
                      sync->name);

        err = 0;
    }

    sync->handler(sync->data, err, step);
}


/* Closes the files that are neither written to nor have waiters. */

static void
ngx_http_enkod_sync_close_unused(ngx_http_enkod_sync_t *sync)
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
            || !ngx_queue_empty(&file->waiting)
            || file == sync->current)
        {
            continue;
        }

        if (ngx_close_file(file->fd) == NGX_FILE_ERROR) {
            ngx_log_error(NGX_LOG_ALERT, sync->timer.log, ngx_errno,
                          ngx_close_file_n " \"%V\" failed", sync->name);
        }

        ngx_queue_remove(q);

        /* clang's analyzer assumes that it is still in the queue */
#ifndef __clang_analyzer__
        ngx_free(file);
#endif
    }
}


static void
ngx_http_enkod_sync_timer_handler(ngx_event_t *ev)
{
    ngx_add_timer(ev, NGX_HTTP_ENKOD_SYNC_TIMER);
}


#endif
