
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Waiting for lines to be written.  A set of waiters has one waiter for each
 * line, perhaps in several journals, and completes once, when all of its lines
 * are written or have failed:
 *
 *     ngx_http_enkod_waiters_init(&set, pool, n, handler, data);
 *
 *     ngx_http_enkod_journal_add(journal, size,
 *                                ngx_http_enkod_waiters_next(&set));
 *     ...
 *
 *     if (ngx_http_enkod_waiters_wait(&set) == NGX_OK) {
 *         (all lines have completed already, set.err is the result)
 *     }
 */


#ifndef _NGX_HTTP_ENKOD_WAITER_H_INCLUDED_
#define _NGX_HTTP_ENKOD_WAITER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#pragma GCC visibility push(hidden)


typedef struct ngx_http_enkod_waiters_s  ngx_http_enkod_waiters_t;

/* Called on completion; "err" is 0, or the first error. */
typedef void (*ngx_http_enkod_waiters_pt)(void *data, ngx_err_t err);


/* of one line */

typedef struct {
    ngx_queue_t                  queue;
    ngx_http_enkod_waiters_t    *set;
    size_t                       end;       /* of the line, in the batch */
    ngx_err_t                    err;
    ngx_uint_t                   waiting;   /* it is in a queue */
} ngx_http_enkod_waiter_t;


struct ngx_http_enkod_waiters_s {
    ngx_http_enkod_waiter_t     *waiters;
    ngx_http_enkod_waiter_t      single;    /* enough in most cases */
    ngx_uint_t                   n;         /* in use */

    /* not completed; one more until ngx_http_enkod_waiters_wait() */
    ngx_uint_t                   pending;
    ngx_err_t                    err;       /* the first error, or 0 */

    ngx_http_enkod_waiters_pt    handler;
    void                        *data;
};


/*
 * Prepares the set for up to "n" waiters, which are allocated from "pool" if
 * there are more than one.  The set must stay where it is until it has
 * completed or was cancelled; then it can be initialized again.  Returns
 * NGX_ERROR if there is no memory; the set has no waiters then, and
 * ngx_http_enkod_waiters_wait() returns NGX_OK.
 */
ngx_int_t ngx_http_enkod_waiters_init(ngx_http_enkod_waiters_t *set,
    ngx_pool_t *pool, ngx_uint_t n, ngx_http_enkod_waiters_pt handler,
    void *data);

/* Cancels what has not completed: the handler is not called any more. */
void ngx_http_enkod_waiters_cancel(ngx_http_enkod_waiters_t *set);


/* Returns the next waiter, to be passed to ngx_http_enkod_journal_add(). */

static ngx_inline ngx_http_enkod_waiter_t *
ngx_http_enkod_waiters_next(ngx_http_enkod_waiters_t *set)
{
    ngx_http_enkod_waiter_t  *waiter;

    waiter = &set->waiters[set->n++];

    waiter->set = set;
    waiter->err = 0;
    waiter->waiting = 0;

    set->pending++;

    return waiter;
}


/*
 * To be called once, when all lines have been added.  Returns NGX_OK if all of
 * them have completed already: set->err is the result, and the handler is not
 * called.  Returns NGX_AGAIN if not: the handler will be called exactly once,
 * unless the set is cancelled before.
 */

static ngx_inline ngx_int_t
ngx_http_enkod_waiters_wait(ngx_http_enkod_waiters_t *set)
{
    return --set->pending == 0 ? NGX_OK : NGX_AGAIN;
}


/*
 * For those who write lines.  Moves all waiters of a queue to the queue
 * "completed", with the result "err".
 */
void ngx_http_enkod_waiter_complete(ngx_queue_t *waiters,
    ngx_queue_t *completed, ngx_err_t err);

/*
 * Empties the queue and calls the handlers of the sets that complete by that.
 * A handler may cancel waiters of the queue and may have new ones added.
 */
void ngx_http_enkod_waiter_notify(ngx_queue_t *completed);


#pragma GCC visibility pop

#endif /* _NGX_HTTP_ENKOD_WAITER_H_INCLUDED_ */
