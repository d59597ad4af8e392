
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * History: how many events, refusals and failures there were in each step of
 * the last hour.  Steps are numbered by a clock that never goes back.
 */


#ifndef _NGX_HTTP_ENKOD_STATUS_HISTORY_H_INCLUDED_
#define _NGX_HTTP_ENKOD_STATUS_HISTORY_H_INCLUDED_


#include "ngx_http_enkod_status_internal.h"

#pragma GCC visibility push(hidden)


/* For init_process: from now on this worker takes part. */
ngx_int_t ngx_http_enkod_status_history_init_process(
    ngx_http_enkod_status_t *status, ngx_cycle_t *cycle);

/*
 * Adds the steps that have ended since, unless another worker does.  Returns
 * the number of the step that has not ended yet, and when it has begun, in
 * milliseconds since 1970.
 */
uint64_t ngx_http_enkod_status_history_update(ngx_http_enkod_status_t *status,
    uint64_t *start);

/*
 * The NGX_HTTP_ENKOD_STATUS_NSTEPS numbers before that step, the oldest first,
 * are stored in *steps, in memory of the pool; NULL if all are 0.  NGX_ERROR if
 * there is no memory.
 */
ngx_int_t ngx_http_enkod_status_history_read(ngx_pool_t *pool,
    ngx_http_enkod_status_history_t *history, uint64_t step,
    uint32_t **steps);


#pragma GCC visibility pop

#endif /* _NGX_HTTP_ENKOD_STATUS_HISTORY_H_INCLUDED_ */
