
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * A waiter completes in two steps.  It gets its result when its line has been
 * written.  The handlers are called later, when the journal is in a consistent
 * state again, since they may add lines to it.
 */


#include "ngx_http_enkod_waiter.h"


ngx_int_t
ngx_http_enkod_waiters_init(ngx_http_enkod_waiters_t *set, ngx_pool_t *pool,
    ngx_uint_t n, ngx_http_enkod_waiters_pt handler, void *data)
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


void
ngx_http_enkod_waiters_cancel(ngx_http_enkod_waiters_t *set)
{
    ngx_uint_t                i;
    ngx_http_enkod_waiter_t  *waiter;

    if (set->pending == 0) {
        return;
    }

    for (i = 0; i < set->n; i++) {

        waiter = &set->waiters[i];

        if (waiter->waiting) {
            waiter->waiting = 0;
            ngx_queue_remove(&waiter->queue);
        }
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

    if (err) {

        for (q = ngx_queue_head(waiters);
             q != ngx_queue_sentinel(waiters);
             q = ngx_queue_next(q))
        {
            waiter = ngx_queue_data(q, ngx_http_enkod_waiter_t, queue);
            waiter->err = err;
        }
    }

    ngx_queue_add(completed, waiters);
    ngx_queue_init(waiters);
}


void
ngx_http_enkod_waiter_notify(ngx_queue_t *completed)
{
    ngx_queue_t               *q;
    ngx_http_enkod_waiter_t   *waiter;
    ngx_http_enkod_waiters_t  *set;

    /* a handler may change the queue, so each time the first one is taken */

    while (!ngx_queue_empty(completed)) {

        q = ngx_queue_head(completed);
        ngx_queue_remove(q);

        waiter = ngx_queue_data(q, ngx_http_enkod_waiter_t, queue);
        waiter->waiting = 0;

        set = waiter->set;

        if (waiter->err && set->err == 0) {
            set->err = waiter->err;
        }

        if (--set->pending == 0) {
            /* the set may be freed by this */
            set->handler(set->data, set->err);
        }
    }
}
