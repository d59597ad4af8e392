
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Waiting for completions.  A waiter waits for one line.  A set of waiters
 * waits for several lines, perhaps of several journals, and completes once,
 * when all of its waiters have completed:
 *
 *     ngx_http_enkod_waiters_init(&set, pool, n, handler, data);
 *
 *     ngx_http_enkod_journal_add(journal, size,
 *                                ngx_http_enkod_waiters_next(&set));
 *     ...
 *
 *     if (ngx_http_enkod_waiters_wait(&set) == NGX_OK) {
 *         (everything has completed already, set.err is the result)
 *     }
 */


#ifndef _NGX_HTTP_ENKOD_WAITER_H_INCLUDED_
#define _NGX_HTTP_ENKOD_WAITER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#pragma GCC visibility push(hidden)


/* Called on completion; "err" is 0 if it was successful. */
typedef void (*ngx_http_enkod_waiter_pt)(void *data, ngx_err_t err);


typedef struct {
    ngx_queue_t                  queue;
    ngx_http_enkod_waiter_pt     handler;
    void                        *data;
    size_t                       end;       /* of its line, in the batch */
    ngx_err_t                    err;
    ngx_uint_t                   waiting;   /* it is in a queue */
} ngx_http_enkod_waiter_t;


typedef struct {
    ngx_http_enkod_waiter_t     *waiters;
    ngx_http_enkod_waiter_t      single;    /* enough in most cases */
    ngx_uint_t                   n;         /* in use */

    /* not completed yet; one more as long as waiters may be added */
    ngx_uint_t                   pending;
    ngx_err_t                    err;       /* the first error, or 0 */

    ngx_http_enkod_waiter_pt     handler;
    void                        *data;
} ngx_http_enkod_waiters_t;


/*
 * Prepares the set for up to "n" waiters; more than one are allocated from
 * "pool".  The set must not move or be freed until it has completed or was
 * cancelled; after that it can be initialized again.  Returns NGX_ERROR if
 * there is no memory; the set is empty then, and can be waited for.
 */
ngx_int_t ngx_http_enkod_waiters_init(ngx_http_enkod_waiters_t *set,
    ngx_pool_t *pool, ngx_uint_t n, ngx_http_enkod_waiter_pt handler,
    void *data);

/* The next waiter, which must be passed to ngx_http_enkod_journal_add(). */
ngx_http_enkod_waiter_t *ngx_http_enkod_waiters_next(
    ngx_http_enkod_waiters_t *set);

/*
 * To be called once, when all waiters have been added.  Returns NGX_OK if all
 * of them have completed already: set->err is the result, and the handler is
 * not called.  Returns NGX_AGAIN if not: the handler will be called exactly
 * once, with the result, unless the set is cancelled before.
 */
ngx_int_t ngx_http_enkod_waiters_wait(ngx_http_enkod_waiters_t *set);

/* No handler is called any more.  May be called at any time after init. */
void ngx_http_enkod_waiters_cancel(ngx_http_enkod_waiters_t *set);


/* The handler is not called any more. */
void ngx_http_enkod_waiter_cancel(ngx_http_enkod_waiter_t *waiter);


/*
 * For those who complete waiters: moves all waiters of a queue to the queue
 * "completed", with that result, 0 or an error.
 */
void ngx_http_enkod_waiter_complete(ngx_queue_t *waiters,
    ngx_queue_t *completed, ngx_err_t err);

/*
 * Calls the handlers of completed waiters until the queue is empty.  A handler
 * may cancel other waiters of the queue and may have new ones added.
 */
void ngx_http_enkod_waiter_notify(ngx_queue_t *completed);


#pragma GCC visibility pop

#endif /* _NGX_HTTP_ENKOD_WAITER_H_INCLUDED_ */
