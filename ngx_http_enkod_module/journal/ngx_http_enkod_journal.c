
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The lines for a file are collected in a batch.  It is appended by one write()
 * from a posted event, at the end of a turn of the event loop, or before if it
 * is full.  With "sync" an fdatasync() follows.  Then the waiters complete.
 */


#include "ngx_http_enkod_journal.h"

#include <ngx_event.h>

#include "ngx_http_enkod_append.h"
#include "ngx_http_enkod_paths.h"


#define NGX_HTTP_ENKOD_BATCH_SIZE     65536

/*
 * Requests that wait use memory.  If there are many of them, malloc() grows the
 * heap and trims it in every turn.  That costs more than the write() that is
 * saved by a larger batch.
 */
#define NGX_HTTP_ENKOD_BATCH_WAITERS  16


struct ngx_http_enkod_journals_s {
    ngx_array_t                  paths;     /* ngx_http_enkod_path_t; its data
                                               is the journal */
    ngx_shm_zone_t              *zone;      /* NULL if there are none */
    void                        *tag;       /* of the zone */
};


struct ngx_http_enkod_journal_s {
    ngx_http_enkod_file_t       *file;
    ngx_http_enkod_sync_t       *sync;      /* or NULL */

    const ngx_http_enkod_journal_watch_t  *watch;
    void                        *watch_data;

    u_char                      *buf;
    u_char                      *start;     /* of the batch: buf + 1, or in a
                                               larger buffer */
    u_char                      *last;
    u_char                      *end;

    ngx_queue_t                  waiting;   /* for the batch to be written */
    ngx_uint_t                   nwaiting;
    ngx_queue_t                  completed;
    ngx_uint_t                   notifying; /* unsigned  notifying:1; */

    ngx_event_t                  event;
};


static ngx_http_enkod_journal_t *ngx_http_enkod_journal_create(ngx_conf_t *cf,
    ngx_http_enkod_journals_t *journals, ngx_str_t *name, ngx_uint_t sync);
static void ngx_http_enkod_journal_event_handler(ngx_event_t *ev);
static void ngx_http_enkod_journal_flush(ngx_http_enkod_journal_t *journal);
static void ngx_http_enkod_journal_write(ngx_http_enkod_journal_t *journal);
static void ngx_http_enkod_journal_count(ngx_http_enkod_journal_t *journal,
    size_t written, ngx_err_t err);
static void ngx_http_enkod_journal_fail(ngx_http_enkod_journal_t *journal,
    size_t written, ngx_err_t err);
#if (NGX_THREADS)
static void ngx_http_enkod_journal_sync_handler(void *data, ngx_err_t err,
    ngx_http_enkod_sync_step_e step);
#endif
static void ngx_http_enkod_journal_notify(ngx_http_enkod_journal_t *journal);
static void ngx_http_enkod_journal_reset(ngx_http_enkod_journal_t *journal);


ngx_http_enkod_journals_t *
ngx_http_enkod_journals_create(ngx_conf_t *cf, void *tag)
{
    ngx_http_enkod_journals_t  *journals;

    journals = ngx_palloc(cf->pool, sizeof(ngx_http_enkod_journals_t));
    if (journals == NULL) {
        return NULL;
    }

    journals->zone = NULL;
    journals->tag = tag;

    if (ngx_array_init(&journals->paths, cf->pool, 4,
                       sizeof(ngx_http_enkod_path_t))
        != NGX_OK)
    {
        return NULL;
    }

    return journals;
}


ngx_http_enkod_journal_t *
ngx_http_enkod_journal_get(ngx_conf_t *cf, ngx_http_enkod_journals_t *journals,
    ngx_str_t *directive, ngx_str_t *path, ngx_uint_t sync)
{
    ngx_str_t                  full;
    ngx_uint_t                 i;
    ngx_http_enkod_path_t     *paths;
    ngx_http_enkod_journal_t  *journal;

    full = *path;

    if (ngx_conf_full_name(cf->cycle, &full, 0) != NGX_OK) {
        return NULL;
    }

    paths = journals->paths.elts;

    for (i = 0; i < journals->paths.nelts; i++) {

        /* ngx_http_enkod_paths_check() compares different directives */

        if (paths[i].directive != directive
            || paths[i].name->len != full.len
            || ngx_strncmp(paths[i].name->data, full.data, full.len) != 0)
        {
            continue;
        }

        if (paths[i].sync != sync) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "conflicting \"sync\" in \"%V\", \"%V\" is "
                               "used elsewhere %s it", directive, path,
                               sync ? "without" : "with");
            return NULL;
        }

        return paths[i].data;
    }

    if (journals->paths.nelts == NGX_HTTP_ENKOD_MAX_FILES) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "too many files in \"%V\", the maximum is %d",
                           directive, NGX_HTTP_ENKOD_MAX_FILES);
        return NULL;
    }

    journal = ngx_http_enkod_journal_create(cf, journals, &full, sync);
    if (journal == NULL) {
        return NULL;
    }

    paths = ngx_array_push(&journals->paths);
    if (paths == NULL) {
        return NULL;
    }

    paths->directive = directive;
    paths->name = &journal->file->name;
    paths->open = journal->file->open;
    paths->sync = sync;
    paths->data = journal;

    return journal;
}


static ngx_http_enkod_journal_t *
ngx_http_enkod_journal_create(ngx_conf_t *cf,
    ngx_http_enkod_journals_t *journals, ngx_str_t *name, ngx_uint_t sync)
{
    ngx_http_enkod_journal_t  *journal;

    if (journals->zone == NULL) {
        journals->zone = ngx_http_enkod_slot_add_zone(cf, journals->tag);
        if (journals->zone == NULL) {
            return NULL;
        }
    }

    journal = ngx_pcalloc(cf->pool, sizeof(ngx_http_enkod_journal_t));
    if (journal == NULL) {
        return NULL;
    }

    journal->file = ngx_http_enkod_file_create(cf, name, journals->zone);
    if (journal->file == NULL) {
        return NULL;
    }

    journal->buf = ngx_palloc(cf->pool, NGX_HTTP_ENKOD_BATCH_SIZE);
    if (journal->buf == NULL) {
        return NULL;
    }

    ngx_http_enkod_journal_reset(journal);

    ngx_queue_init(&journal->waiting);
    ngx_queue_init(&journal->completed);

    journal->event.handler = ngx_http_enkod_journal_event_handler;
    journal->event.data = journal;
    journal->event.log = &cf->cycle->new_log;

#if (NGX_THREADS)

    if (sync) {
        journal->sync = ngx_http_enkod_sync_create(cf, &journal->file->name,
                                                   &journal->completed,
                                          ngx_http_enkod_journal_sync_handler,
                                                   journal);
        if (journal->sync == NULL) {
            return NULL;
        }

        journal->file->sync = journal->sync;
    }

#endif

    return journal;
}


ngx_int_t
ngx_http_enkod_journals_check(ngx_http_enkod_journals_t *journals,
    ngx_cycle_t *cycle, ngx_log_t *log)
{
    return ngx_http_enkod_paths_check(&journals->paths, cycle, log);
}


ngx_int_t
ngx_http_enkod_journals_watch(ngx_conf_t *cf,
    ngx_http_enkod_journals_t *journals,
    const ngx_http_enkod_journal_watch_t *watch, void *ctx)
{
    ngx_uint_t                 i;
    ngx_http_enkod_path_t     *path;
    ngx_http_enkod_journal_t  *journal;

    path = journals->paths.elts;

    for (i = 0; i < journals->paths.nelts; i++) {

        journal = path[i].data;

        journal->watch = watch;
        journal->watch_data = watch->create(cf, ctx, path[i].directive,
                                            path[i].open, path[i].name,
                                            path[i].sync);
        if (journal->watch_data == NULL) {
            return NGX_ERROR;
        }

#if (NGX_THREADS)

        if (journal->sync) {
            ngx_http_enkod_sync_watch(journal->sync, watch->synced,
                                      journal->watch_data);
        }

#endif
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_enkod_journals_init_module(ngx_http_enkod_journals_t *journals,
    ngx_cycle_t *cycle)
{
    ngx_uint_t                 i, fatal;
    ngx_http_enkod_path_t     *path;
    ngx_http_enkod_journal_t  *journal;

    /* an error during a reload would end the master process */

    fatal = ngx_test_config || ngx_is_init_cycle(cycle->old_cycle);

    /*
     * The first check was at the end of the "http" block: now all directives
     * have been read, and all files exist.
     */

    if (ngx_http_enkod_paths_check(&journals->paths, cycle, cycle->log)
        != NGX_OK
        && fatal)
    {
        return NGX_ERROR;
    }

    path = journals->paths.elts;

    for (i = 0; i < journals->paths.nelts; i++) {

        journal = path[i].data;

#if (NGX_THREADS)

        if (journal->sync
            && ngx_http_enkod_sync_check(cycle, path[i].directive) != NGX_OK
            && fatal)
        {
            return NGX_ERROR;
        }

#endif

        if (ngx_test_config) {
            continue;
        }

        journal->event.log = cycle->log;
        ngx_http_enkod_file_init(journal->file);
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_enkod_journals_init_process(ngx_http_enkod_journals_t *journals,
    ngx_cycle_t *cycle)
{
    if (journals->paths.nelts == 0
        || (ngx_process != NGX_PROCESS_WORKER
            && ngx_process != NGX_PROCESS_SINGLE))
    {
        return NGX_OK;
    }

    ngx_http_enkod_append_init_process(cycle);

    return NGX_OK;
}


u_char *
ngx_http_enkod_journal_reserve(ngx_http_enkod_journal_t *journal, size_t size)
{
    u_char  *p;

    if (size <= (size_t) (journal->end - journal->last)) {
        return journal->last;
    }

    /* a handler that is called by the flush may add a line */

    while (journal->last != journal->start) {

        ngx_http_enkod_journal_flush(journal);

        if (size <= (size_t) (journal->end - journal->last)) {
            return journal->last;
        }
    }

    /* a larger buffer, for this line only */

    p = ngx_alloc(size + 1, ngx_cycle->log);
    if (p == NULL) {
        return NULL;
    }

    journal->start = p + 1;
    journal->last = journal->start;
    journal->end = journal->start + size;

    return journal->last;
}


void
ngx_http_enkod_journal_add(ngx_http_enkod_journal_t *journal, size_t size,
    ngx_http_enkod_waiter_t *waiter)
{
    journal->last += size;

    waiter->end = journal->last - journal->start;
    waiter->waiting = 1;
    ngx_queue_insert_tail(&journal->waiting, &waiter->queue);

    journal->nwaiting++;

    /* with "sync" the requests have to wait anyway */

    if (journal->nwaiting == NGX_HTTP_ENKOD_BATCH_WAITERS && !journal->sync) {
        ngx_http_enkod_journal_flush(journal);
        return;
    }

    if (!journal->event.posted) {
        ngx_post_event(&journal->event, &ngx_posted_events);
    }
}


static void
ngx_http_enkod_journal_event_handler(ngx_event_t *ev)
{
    ngx_http_enkod_journal_flush(ev->data);
}


static void
ngx_http_enkod_journal_flush(ngx_http_enkod_journal_t *journal)
{
    if (journal->event.posted) {
        ngx_delete_posted_event(&journal->event);
    }

    if (journal->last != journal->start) {
        ngx_http_enkod_journal_write(journal);
    }

    ngx_http_enkod_journal_notify(journal);
}


static void
ngx_http_enkod_journal_write(ngx_http_enkod_journal_t *journal)
{
    size_t     written;
    ngx_err_t  err;

    err = ngx_http_enkod_append(journal->file, journal->start,
                                journal->last - journal->start, &written,
                                journal->event.log);

    if (journal->watch) {
        ngx_http_enkod_journal_count(journal, written, err);
    }

    ngx_http_enkod_journal_reset(journal);

    journal->nwaiting = 0;

    if (err) {
        ngx_http_enkod_journal_fail(journal, written, err);
    }

#if (NGX_THREADS)

    if (journal->sync) {
        ngx_http_enkod_sync_add(journal->sync, &journal->waiting);
        ngx_http_enkod_sync_start(journal->sync);
        return;
    }

#endif

    ngx_http_enkod_waiter_complete(&journal->waiting, &journal->completed, 0);
}


static void
ngx_http_enkod_journal_count(ngx_http_enkod_journal_t *journal, size_t written,
    ngx_err_t err)
{
    u_char      *p;
    ngx_uint_t   n;

    if (err == 0) {
        n = journal->nwaiting;

    } else {
        n = 0;

        for (p = journal->start; p < journal->start + written; p++) {
            n += (*p == LF);
        }
    }

    journal->watch->written(journal->watch_data, n, written, err);
}


/* For the waiters whose lines are not within the first "written" bytes. */

static void
ngx_http_enkod_journal_fail(ngx_http_enkod_journal_t *journal, size_t written,
    ngx_err_t err)
{
    ngx_queue_t              *q, failed;
    ngx_http_enkod_waiter_t  *waiter;

    for (q = ngx_queue_head(&journal->waiting);
         q != ngx_queue_sentinel(&journal->waiting);
         q = ngx_queue_next(q))
    {
        waiter = ngx_queue_data(q, ngx_http_enkod_waiter_t, queue);

        if (waiter->end > written) {
            ngx_queue_split(&journal->waiting, q, &failed);
            ngx_http_enkod_waiter_complete(&failed, &journal->completed, err);
            return;
        }
    }
}


#if (NGX_THREADS)

static void
ngx_http_enkod_journal_sync_handler(void *data, ngx_err_t err,
    ngx_http_enkod_sync_step_e step)
{
    ngx_http_enkod_journal_t *journal = data;

    if (err) {
        ngx_http_enkod_file_sync_failed(journal->file, err, step,
                                        journal->event.log);
    }

    ngx_http_enkod_journal_notify(journal);
}

#endif


/* A handler may add a line, and so call this function again. */

static void
ngx_http_enkod_journal_notify(ngx_http_enkod_journal_t *journal)
{
    if (journal->notifying) {
        return;
    }

    journal->notifying = 1;

    ngx_http_enkod_waiter_notify(&journal->completed);

    journal->notifying = 0;
}


/* ngx_http_enkod_append() needs the byte before the batch. */

static void
ngx_http_enkod_journal_reset(ngx_http_enkod_journal_t *journal)
{
    if (journal->start != journal->buf + 1) {

        if (journal->start) {
            ngx_free(journal->start - 1);
        }

        journal->start = journal->buf + 1;
        journal->end = journal->buf + NGX_HTTP_ENKOD_BATCH_SIZE;
    }

    journal->last = journal->start;
}
