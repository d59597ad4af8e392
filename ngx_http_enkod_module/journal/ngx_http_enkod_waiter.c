
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Completion is in two steps.  The waiters first get their result and are moved
 * to a queue of completed ones; their handlers are called from there, one after
 * the other, when the state of whoever completes them is consistent again.
 */


#include "ngx_http_enkod_waiter.h"


static void ngx_http_enkod_waiters_handler(void *data, ngx_err_t err);


ngx_int_t
ngx_http_enkod_waiters_init(ngx_http_enkod_waiters_t *set, ngx_pool_t *pool,
    ngx_uint_t n, ngx_http_enkod_waiter_pt handler, void *data)
{
    set->waiters = &set->single;
    set->n = 0;
    set->pending = 1;
    set->err = 0;
    set->handler = handler;
    set->data = data;

    if (n > 1) {
        set->waiters = ngx_palloc(pool, n * sizeof(ngx_http_enkod_waiter_t));
        if (set->waiters == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_http_enkod_waiter_t *
ngx_http_enkod_waiters_next(ngx_http_enkod_waiters_t *set)
{
    ngx_http_enkod_waiter_t  *waiter;

    waiter = &set->waiters[set->n++];

    waiter->handler = ngx_http_enkod_waiters_handler;
    waiter->data = set;
    waiter->waiting = 0;

    set->pending++;

    return waiter;
}


static void
ngx_http_enkod_waiters_handler(void *data, ngx_err_t err)
{
    ngx_http_enkod_waiters_t *set = data;

    if (err && set->err == 0) {
        set->err = err;
    }

    if (--set->pending == 0) {
        /* this may free the set */
        set->handler(set->data, set->err);
    }
}


ngx_int_t
ngx_http_enkod_waiters_wait(ngx_http_enkod_waiters_t *set)
{
    return --set->pending == 0 ? NGX_OK : NGX_AGAIN;
}


void
ngx_http_enkod_waiters_cancel(ngx_http_enkod_waiters_t *set)
{
    ngx_uint_t  i;

    for (i = 0; i < set->n; i++) {
        ngx_http_enkod_waiter_cancel(&set->waiters[i]);
    }
}


void
ngx_http_enkod_waiter_cancel(ngx_http_enkod_waiter_t *waiter)
{
    if (waiter->waiting) {
        waiter->waiting = 0;
        ngx_queue_remove(&waiter->queue);
    }
}


void
ngx_http_enkod_waiter_complete(ngx_queue_t *waiters, ngx_queue_t *completed,
    ngx_err_t err)
{
    ngx_queue_t              *q;
    ngx_http_enkod_waiter_t  *waiter;

    if (ngx_queue_empty(waiters)) {
        return;
    }

    for (q = ngx_queue_head(waiters);
         q != ngx_queue_sentinel(waiters);
         q = ngx_queue_next(q))
    {
        waiter = ngx_queue_data(q, ngx_http_enkod_waiter_t, queue);
        waiter->err = err;
    }

    ngx_queue_add(completed, waiters);
    ngx_queue_init(waiters);
}


void
ngx_http_enkod_waiter_notify(ngx_queue_t *completed)
{
    ngx_queue_t              *q;
    ngx_http_enkod_waiter_t  *waiter;

    /* a handler may change the queue, so the head is taken each time */

    while (!ngx_queue_empty(completed)) {

        q = ngx_queue_head(completed);
        ngx_queue_remove(q);

        waiter = ngx_queue_data(q, ngx_http_enkod_waiter_t, queue);

        waiter->waiting = 0;
        waiter->handler(waiter->data, waiter->err);
    }
}
