
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Lines on their way to a file.  They are put one behind the other into the
 * batch of that file, which is appended with one write(), by a posted event
 * that runs at the end of a turn of the event loop, or earlier if it is full.
 * With "sync" a round of fdatasync() follows.  Then those who wait are told.
 */


#include "ngx_http_enkod_module.h"


#define NGX_HTTP_ENKOD_BATCH_SIZE     65536

/*
 * Requests that wait hold their memory.  When many do, malloc() grows the heap
 * and gives it back in every turn, which costs more than the write() that a
 * larger batch saves; so a batch is not larger than that.
 */
#define NGX_HTTP_ENKOD_BATCH_WAITERS  16

struct ngx_http_enkod_journal_s {
    ngx_http_enkod_file_t       *file;
    ngx_http_enkod_sync_t       *sync;      /* or NULL */
    ngx_str_t                   *directive;

    u_char                      *buf;       /* of NGX_HTTP_ENKOD_BATCH_SIZE */
    u_char                      *start;     /* the batch: buf + 1, or larger */
    u_char                      *last;
    u_char                      *end;

    ngx_queue_t                  waiting;   /* for the batch */
    ngx_uint_t                   nwaiting;
    ngx_queue_t                  done;      /* in the file, or failed */
    ngx_uint_t                   telling;   /* unsigned  telling:1; */

    ngx_event_t                  event;
};


static void ngx_http_enkod_journal_handler(ngx_event_t *ev);
static void ngx_http_enkod_journal_flush(ngx_http_enkod_journal_t *journal);
static void ngx_http_enkod_journal_write(ngx_http_enkod_journal_t *journal);
static void ngx_http_enkod_journal_fail(ngx_http_enkod_journal_t *journal,
    size_t whole, ngx_err_t err);
#if (NGX_THREADS)
static void ngx_http_enkod_journal_synced(void *data, ngx_err_t err,
    ngx_http_enkod_sync_step_e step);
#endif
static void ngx_http_enkod_journal_tell(ngx_http_enkod_journal_t *journal);
static void ngx_http_enkod_journal_empty(ngx_http_enkod_journal_t *journal);


ngx_http_enkod_journal_t *
ngx_http_enkod_journal_get(ngx_conf_t *cf, ngx_str_t *directive,
    ngx_str_t *path, ngx_uint_t sync)
{
    ngx_str_t                    full, *name;
    ngx_uint_t                   i;
    ngx_http_enkod_journal_t    *journal, **journals;
    ngx_http_enkod_main_conf_t  *emcf;

    emcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_enkod_module);

    full = *path;

    if (ngx_conf_full_name(cf->cycle, &full, 0) != NGX_OK) {
        return NULL;
    }

    journals = emcf->journals.elts;

    for (i = 0; i < emcf->journals.nelts; i++) {

        name = ngx_http_enkod_file_name(journals[i]->file);

        /* that of another directive is refused by paths_check() */

        if (journals[i]->directive != directive
            || name->len != full.len
            || ngx_strncmp(name->data, full.data, full.len) != 0)
        {
            continue;
        }

        if ((journals[i]->sync != NULL) != sync) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "conflicting \"sync\" in \"%V\", \"%V\" is "
                               "used elsewhere %s it", directive, path,
                               sync ? "without" : "with");
            return NULL;
        }

        return journals[i];
    }

    if (emcf->journals.nelts == NGX_HTTP_ENKOD_MAX_FILES) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "too many files in \"%V\", there may be %d",
                           directive, NGX_HTTP_ENKOD_MAX_FILES);
        return NULL;
    }

    journal = ngx_pcalloc(cf->pool, sizeof(ngx_http_enkod_journal_t));
    if (journal == NULL) {
        return NULL;
    }

    journal->directive = directive;

    journal->file = ngx_http_enkod_file_create(cf, &full, sync);
    if (journal->file == NULL) {
        return NULL;
    }

    journal->buf = ngx_palloc(cf->pool, NGX_HTTP_ENKOD_BATCH_SIZE);
    if (journal->buf == NULL) {
        return NULL;
    }

    ngx_http_enkod_journal_empty(journal);

    ngx_queue_init(&journal->waiting);
    ngx_queue_init(&journal->done);

    journal->event.handler = ngx_http_enkod_journal_handler;
    journal->event.data = journal;
    journal->event.log = &cf->cycle->new_log;

#if (NGX_THREADS)

    if (sync) {
        name = ngx_http_enkod_file_name(journal->file);

        journal->sync = ngx_http_enkod_sync_create(cf, name, &journal->done,
                                                ngx_http_enkod_journal_synced,
                                                   journal);
        if (journal->sync == NULL) {
            return NULL;
        }
    }

#endif

    journals = ngx_array_push(&emcf->journals);
    if (journals == NULL) {
        return NULL;
    }

    *journals = journal;

    return journal;
}


ngx_http_enkod_file_t *
ngx_http_enkod_journal_file(ngx_http_enkod_journal_t *journal)
{
    return journal->file;
}


ngx_str_t *
ngx_http_enkod_journal_directive(ngx_http_enkod_journal_t *journal)
{
    return journal->directive;
}


ngx_uint_t
ngx_http_enkod_journal_durable(ngx_http_enkod_journal_t *journal)
{
    return journal->sync != NULL;
}


ngx_int_t
ngx_http_enkod_journal_init_module(ngx_cycle_t *cycle)
{
    ngx_uint_t                    i, fatal;
    ngx_http_enkod_journal_t    **journals;
    ngx_http_enkod_main_conf_t   *emcf;

    emcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_enkod_module);

    if (emcf == NULL) {
        return NGX_OK;
    }

    /* an error of a reload would be the end of the master */

    fatal = ngx_test_config || ngx_is_init_cycle(cycle->old_cycle);

    /* once more, as now it has seen what follows "http", and files exist */

    if (ngx_http_enkod_paths_check(cycle, &emcf->journals, cycle->log)
        != NGX_OK
        && fatal)
    {
        return NGX_ERROR;
    }

    journals = emcf->journals.elts;

    for (i = 0; i < emcf->journals.nelts; i++) {

#if (NGX_THREADS)

        if (journals[i]->sync
            && ngx_http_enkod_sync_check(cycle) != NGX_OK
            && fatal)
        {
            return NGX_ERROR;
        }

#endif

        if (ngx_test_config) {
            continue;
        }

        journals[i]->event.log = cycle->log;
        ngx_http_enkod_file_init(journals[i]->file);
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_enkod_journal_init_process(ngx_cycle_t *cycle)
{
#if (NGX_THREADS)
    ngx_uint_t                    i;
    ngx_http_enkod_journal_t    **journals;
#endif
    ngx_http_enkod_main_conf_t   *emcf;

    emcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_enkod_module);

    if (emcf == NULL
        || emcf->journals.nelts == 0
        || (ngx_process != NGX_PROCESS_WORKER
            && ngx_process != NGX_PROCESS_SINGLE))
    {
        return NGX_OK;
    }

    ngx_http_enkod_append_init_process(cycle);

#if (NGX_THREADS)

    journals = emcf->journals.elts;

    for (i = 0; i < emcf->journals.nelts; i++) {
        ngx_http_enkod_file_init_process(journals[i]->file, journals[i]->sync);
    }

#endif

    return NGX_OK;
}


u_char *
ngx_http_enkod_journal_reserve(ngx_http_enkod_journal_t *journal, size_t size)
{
    u_char  *p;

    if (size <= (size_t) (journal->end - journal->last)) {
        return journal->last;
    }

    /* whoever is told by the flush may add a line */

    while (journal->last != journal->start) {

        ngx_http_enkod_journal_flush(journal);

        if (size <= (size_t) (journal->end - journal->last)) {
            return journal->last;
        }
    }

    /* a batch for this line alone */

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

    /* who waits for a sync holds its memory in any case */

    if (journal->nwaiting == NGX_HTTP_ENKOD_BATCH_WAITERS && !journal->sync) {
        ngx_http_enkod_journal_flush(journal);
        return;
    }

    if (!journal->event.posted) {
        ngx_post_event(&journal->event, &ngx_posted_events);
    }
}


void
ngx_http_enkod_journal_cancel(ngx_http_enkod_waiter_t *waiter)
{
    /* its line stays: nobody was told, and the sender will repeat */

    if (waiter->waiting) {
        waiter->waiting = 0;
        ngx_queue_remove(&waiter->queue);
    }
}


static void
ngx_http_enkod_journal_handler(ngx_event_t *ev)
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

    ngx_http_enkod_journal_tell(journal);
}


static void
ngx_http_enkod_journal_write(ngx_http_enkod_journal_t *journal)
{
    size_t     whole;
    ngx_err_t  err;

    err = ngx_http_enkod_append(journal->file, journal->start,
                                journal->last - journal->start, &whole,
                                journal->event.log);

    ngx_http_enkod_journal_empty(journal);

    journal->nwaiting = 0;

    if (err) {
        ngx_http_enkod_journal_fail(journal, whole, err);
    }

#if (NGX_THREADS)

    if (journal->sync) {
        ngx_http_enkod_sync_add(journal->sync, &journal->waiting);
        ngx_http_enkod_sync_start(journal->sync);
        return;
    }

#endif

    ngx_http_enkod_journal_end(&journal->waiting, &journal->done, 0);
}


/* Those whose lines are not wholly among the first "whole" bytes. */

static void
ngx_http_enkod_journal_fail(ngx_http_enkod_journal_t *journal, size_t whole,
    ngx_err_t err)
{
    ngx_queue_t              *q, failed;
    ngx_http_enkod_waiter_t  *waiter;

    for (q = ngx_queue_head(&journal->waiting);
         q != ngx_queue_sentinel(&journal->waiting);
         q = ngx_queue_next(q))
    {
        waiter = ngx_queue_data(q, ngx_http_enkod_waiter_t, queue);

        if (waiter->end > whole) {
            ngx_queue_split(&journal->waiting, q, &failed);
            ngx_http_enkod_journal_end(&failed, &journal->done, err);
            return;
        }
    }
}


void
ngx_http_enkod_journal_end(ngx_queue_t *waiters, ngx_queue_t *done,
    ngx_err_t err)
{
    ngx_queue_t              *q;
    ngx_http_enkod_waiter_t  *waiter;

    while (!ngx_queue_empty(waiters)) {

        q = ngx_queue_head(waiters);
        ngx_queue_remove(q);
        ngx_queue_insert_tail(done, q);

        waiter = ngx_queue_data(q, ngx_http_enkod_waiter_t, queue);
        waiter->err = err;
    }
}


#if (NGX_THREADS)

static void
ngx_http_enkod_journal_synced(void *data, ngx_err_t err,
    ngx_http_enkod_sync_step_e step)
{
    ngx_http_enkod_journal_t *journal = data;

    if (err) {
        ngx_http_enkod_file_sync_failed(journal->file, err, step,
                                        journal->event.log);
    }

    ngx_http_enkod_journal_tell(journal);
}

#endif


/*
 * To tell one may cancel another, or add a line; so the head is taken off, as
 * often as there is one.
 */

static void
ngx_http_enkod_journal_tell(ngx_http_enkod_journal_t *journal)
{
    ngx_queue_t              *q;
    ngx_http_enkod_waiter_t  *waiter;

    if (journal->telling) {
        return;
    }

    journal->telling = 1;

    while (!ngx_queue_empty(&journal->done)) {

        q = ngx_queue_head(&journal->done);
        ngx_queue_remove(q);

        waiter = ngx_queue_data(q, ngx_http_enkod_waiter_t, queue);

        waiter->waiting = 0;
        waiter->handler(waiter->data, waiter->err);
    }

    journal->telling = 0;
}


/* The byte before the batch belongs to ngx_http_enkod_append(). */

static void
ngx_http_enkod_journal_empty(ngx_http_enkod_journal_t *journal)
{
    if (journal->start && journal->start != journal->buf + 1) {
        ngx_free(journal->start - 1);
    }

    journal->start = journal->buf + 1;
    journal->last = journal->start;
    journal->end = journal->buf + NGX_HTTP_ENKOD_BATCH_SIZE;
}
