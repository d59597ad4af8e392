
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The life of a request, from top to bottom: it is let in or not, its body is
 * read and checked, the event goes to its sinks, and when it is in all of them
 * the sender gets the answer.
 */


#include "ngx_http_enkod_module.h"
#include "ngx_http_enkod_message.h"
#include "ngx_http_enkod_pass.h"


/*
 * Blocks of memory for events that a worker keeps, each of about 2 KiB; none
 * where nginx gives memory back at once, so that its use after that is seen
 */

#if (NGX_DEBUG_PALLOC)
#define NGX_HTTP_ENKOD_MAX_SPARES  0
#else
#define NGX_HTTP_ENKOD_MAX_SPARES  32
#endif


typedef struct ngx_http_enkod_spare_s  ngx_http_enkod_spare_t;

struct ngx_http_enkod_spare_s {
    ngx_http_enkod_spare_t      *next;
};


static ngx_int_t ngx_http_enkod_handler_subrequest(ngx_http_request_t *r);
static ngx_int_t ngx_http_enkod_handler_again(ngx_http_request_t *r,
    ngx_http_enkod_ctx_t *ctx);
static ngx_uint_t ngx_http_enkod_handler_takes(ngx_http_request_t *r,
    ngx_http_enkod_ctx_t *ctx);
static ngx_int_t ngx_http_enkod_handler_error_page(ngx_http_request_t *r);
static ngx_int_t ngx_http_enkod_handler_refuse(ngx_http_request_t *r);
static ngx_int_t ngx_http_enkod_handler_create_event(ngx_http_request_t *r);
static void ngx_http_enkod_handler_free_ctx(void *data);
static void *ngx_http_enkod_handler_alloc(void *data, size_t size);
static void ngx_http_enkod_handler_free(void *data, void *p);
static void ngx_http_enkod_handler_received(ngx_http_request_t *r);
static void ngx_http_enkod_handler_deliver(ngx_http_request_t *r);
static ngx_int_t ngx_http_enkod_handler_write_lines(ngx_http_request_t *r);
static ngx_int_t ngx_http_enkod_handler_write_line(ngx_http_request_t *r,
    ngx_http_enkod_journal_t *journal, ngx_uint_t pass_status);
static ngx_int_t ngx_http_enkod_handler_write_refusal(ngx_http_request_t *r);
static ngx_int_t ngx_http_enkod_handler_create_waiters(ngx_http_request_t *r,
    ngx_uint_t n);
static void ngx_http_enkod_handler_add(ngx_http_request_t *r,
    ngx_http_enkod_journal_t *journal, size_t len);
static void ngx_http_enkod_handler_cancel(void *data);
static void ngx_http_enkod_handler_written(void *data, ngx_err_t err);
static void ngx_http_enkod_handler_pass(ngx_http_request_t *r);
static void ngx_http_enkod_handler_passed(ngx_http_request_t *r,
    enkod_error_e error);
static ngx_int_t ngx_http_enkod_handler_write_spool(ngx_http_request_t *r);
static void ngx_http_enkod_handler_answer(ngx_http_request_t *r);


static ngx_http_enkod_spare_t  *ngx_http_enkod_spares;
static ngx_uint_t               ngx_http_enkod_nspares;


ngx_int_t
ngx_http_enkod_handler(ngx_http_request_t *r)
{
    ngx_int_t              rc;
    ngx_pool_cleanup_t    *cln;
    ngx_http_enkod_ctx_t  *ctx;

    if (r != r->main) {
        return ngx_http_enkod_handler_subrequest(r);
    }

    ctx = ngx_http_enkod_get_ctx(r);

    if (ctx) {
        return ngx_http_enkod_handler_again(r, ctx);
    }

    if (r->internal) {

        rc = ngx_http_enkod_handler_error_page(r);
        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    /* not that of the request: the access log may want to see the event */

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_enkod_ctx_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx = cln->data;

    ngx_memzero(ctx, sizeof(ngx_http_enkod_ctx_t));

    /* an empty body, to which can be added */
    ctx->body.data = (u_char *) "";

    cln->handler = ngx_http_enkod_handler_free_ctx;

    ngx_http_set_ctx(r, ctx, ngx_http_enkod_module);

    ctx->error = ngx_http_enkod_admit(r);

    if (ctx->error != ENKOD_OK) {
        return ngx_http_enkod_handler_refuse(r);
    }

    if (ngx_http_enkod_admit_method(r) & (NGX_HTTP_GET|NGX_HTTP_HEAD)) {

        rc = ngx_http_discard_request_body(r);
        if (rc != NGX_OK) {
            return rc;
        }

        return ngx_http_enkod_response_probe(r);
    }

    if (ngx_http_enkod_handler_create_event(r) != NGX_OK) {
        ctx->error = ENKOD_NO_MEMORY;
        return ngx_http_enkod_handler_refuse(r);
    }

    return ngx_http_enkod_body_read(r, ngx_http_enkod_handler_received);
}


ngx_http_enkod_ctx_t *
ngx_http_enkod_find_ctx(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t  *cln;

    if (r->internal || r->filter_finalize) {

        /* nginx has cleared the contexts, as for ngx_http_realip_module */

        for (cln = r->pool->cleanup; cln; cln = cln->next) {
            if (cln->handler == ngx_http_enkod_handler_free_ctx) {
                return cln->data;
            }
        }
    }

    return NULL;
}


/* A subrequest has no body of its own, so this is the operator's mistake. */

static ngx_int_t
ngx_http_enkod_handler_subrequest(ngx_http_request_t *r)
{
    static ngx_msec_t  logged;

    if (ngx_http_enkod_message_due(&logged)) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "enkod: \"enkod_webhook\" does not work in a subrequest");
    }

    return NGX_HTTP_INTERNAL_SERVER_ERROR;
}


/*
 * From one receiver to another, or to itself.  What the first one has admitted
 * and could not keep, this one may; else it answers like the first one.
 */

static ngx_int_t
ngx_http_enkod_handler_again(ngx_http_request_t *r, ngx_http_enkod_ctx_t *ctx)
{
    ngx_int_t  rc;

    ngx_http_set_ctx(r, ctx, ngx_http_enkod_module);

    if (ctx->header) {
        /* not of this answer */
        ctx->header->hash = 0;
        ctx->header = NULL;
    }

    if (ngx_http_enkod_handler_takes(r, ctx)) {
        ctx->result = NGX_HTTP_ENKOD_UNDECIDED;

        r->main->count++;

        ngx_http_enkod_handler_deliver(r);

        return NGX_DONE;
    }

    /* no other error_page, which might lead here again */
    r->error_page = 1;

    if (ctx->error != ENKOD_OK) {
        return ngx_http_enkod_response_problem(r);
    }

    if (ngx_http_enkod_kept(ctx)) {
        return ngx_http_enkod_response_ok(r);
    }

    if (ctx->event == NULL) {
        return ngx_http_enkod_response_probe(r);
    }

    /* nginx itself has given up reading the body */

    rc = ngx_http_enkod_handler_error_page(r);

    return rc == NGX_DECLINED ? NGX_HTTP_INTERNAL_SERVER_ERROR : rc;
}


/* Whether this receiver may keep the event: each gets it once. */

static ngx_uint_t
ngx_http_enkod_handler_takes(ngx_http_request_t *r, ngx_http_enkod_ctx_t *ctx)
{
    void                       **receiver;
    ngx_uint_t                   i;
    ngx_http_enkod_loc_conf_t   *elcf;

    elcf = ngx_http_get_module_loc_conf(r, ngx_http_enkod_module);

    if (ctx->result != NGX_HTTP_ENKOD_FAILED
        || (!ctx->accepted
            && (ctx->error != ENKOD_LOG_UNAVAILABLE
                || elcf->reject_log == NULL)))
    {
        return 0;
    }

    if (ctx->failed) {

        receiver = ctx->failed->elts;

        for (i = 0; i < ctx->failed->nelts; i++) {
            if (receiver[i] == elcf->receiver) {
                return 0;
            }
        }
    }

    return 1;
}


/*
 * A request that no receiver has admitted, and that an error_page has brought
 * here (after "deny", say), is answered with the status that it had.
 * NGX_DECLINED if none has.
 */

static ngx_int_t
ngx_http_enkod_handler_error_page(ngx_http_request_t *r)
{
    ngx_http_enkod_error_page_t  *page;

    page = ngx_http_enkod_error_page_get(r);

    if (page == NULL) {
        return NGX_DECLINED;
    }

    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                  "enkod: request of an error_page refused with %ui",
                  page->status);

    r->error_page = 1;

    return page->status;
}


/*
 * The body of a request that is refused already is read and dropped, so that
 * its sender gets to see the answer; unless there is too much of it, or the
 * sender waits for a word before it sends any.
 */

static ngx_int_t
ngx_http_enkod_handler_refuse(ngx_http_request_t *r)
{
    ngx_int_t                   rc;
    ngx_uint_t                  waits;
    ngx_http_core_loc_conf_t   *clcf;
    ngx_http_enkod_loc_conf_t  *elcf;

    elcf = ngx_http_get_module_loc_conf(r, ngx_http_enkod_module);

    waits = r->headers_in.expect && !r->expect_tested
            && r->http_version == NGX_HTTP_VERSION_11;

    if (r->headers_in.content_length_n <= (off_t) elcf->max_event_size
        && !waits)
    {
        return ngx_http_enkod_body_read(r, ngx_http_enkod_handler_received);
    }

    r->expect_tested = 1;
    r->keepalive = 0;
    r->lingering_close = 1;

    rc = ngx_http_enkod_response_problem(r);

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (rc == NGX_OK && !waits
        && clcf->lingering_close == NGX_HTTP_LINGERING_OFF)
    {
        /* as for a 413 of nginx: a reset could take the answer away */
        (void) ngx_http_discard_request_body(r);
    }

    return rc;
}


/*
 * An event does not fit into what a request's pool has left, and one more block
 * for the pool would cost more than all other memory of a request; so a worker
 * keeps a few of the blocks that events have lived in.
 */

static ngx_int_t
ngx_http_enkod_handler_create_event(ngx_http_request_t *r)
{
    ngx_http_enkod_ctx_t       *ctx;
    ngx_http_enkod_spare_t     *block;
    ngx_http_enkod_loc_conf_t  *elcf;

    static const enkod_mem_t  mem = {
        ngx_http_enkod_handler_alloc, ngx_http_enkod_handler_free, NULL
    };

    ctx = ngx_http_get_module_ctx(r, ngx_http_enkod_module);
    elcf = ngx_http_get_module_loc_conf(r, ngx_http_enkod_module);

    block = ngx_http_enkod_spares;

    if (block) {
        ngx_http_enkod_spares = block->next;
        ngx_http_enkod_nspares--;

        ctx->event = enkod_event_renew((enkod_event_t *) block,
                                       &elcf->settings);

    } else {
        block = ngx_alloc(enkod_event_size(), r->connection->log);
        if (block == NULL) {
            return NGX_ERROR;
        }

        ctx->event = enkod_event_init(block, &elcf->settings, &mem);
    }

    if (ctx->event == NULL) {
        ngx_free(block);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_http_enkod_handler_free_ctx(void *data)
{
    ngx_http_enkod_ctx_t *ctx = data;

    ngx_http_enkod_spare_t  *block;

    ngx_http_enkod_reject_forget(ctx);

    if (ctx->event == NULL) {
        return;
    }

    enkod_event_destroy(ctx->event);

    if (ngx_http_enkod_nspares == NGX_HTTP_ENKOD_MAX_SPARES) {
        ngx_free(ctx->event);
        return;
    }

    block = (ngx_http_enkod_spare_t *) ctx->event;
    block->next = ngx_http_enkod_spares;

    ngx_http_enkod_spares = block;
    ngx_http_enkod_nspares++;
}


/* The list of them is in our own memory, which goes when we are unloaded. */

void
ngx_http_enkod_exit_process(ngx_cycle_t *cycle)
{
    ngx_http_enkod_spare_t  *block;

    while (ngx_http_enkod_spares) {
        block = ngx_http_enkod_spares;
        ngx_http_enkod_spares = block->next;
        ngx_free(block);
    }

    ngx_http_enkod_nspares = 0;
}


static void *
ngx_http_enkod_handler_alloc(void *data, size_t size)
{
    return ngx_alloc(size, ngx_cycle->log);
}


static void
ngx_http_enkod_handler_free(void *data, void *p)
{
    ngx_free(p);
}


/* The body is here, and there is a verdict. */

static void
ngx_http_enkod_handler_received(ngx_http_request_t *r)
{
    ngx_time_t            *tp;
    ngx_http_enkod_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_enkod_module);

    tp = ngx_timeofday();

    ctx->sec = tp->sec;
    ctx->msec = tp->msec;
    ctx->verdict = ctx->error;
    ctx->accepted = (ctx->verdict == ENKOD_OK);

    ngx_http_enkod_handler_deliver(r);
}


static void
ngx_http_enkod_handler_deliver(ngx_http_request_t *r)
{
    ngx_int_t                   rc;
    ngx_http_enkod_ctx_t       *ctx;
    ngx_http_enkod_loc_conf_t  *elcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_enkod_module);
    elcf = ngx_http_get_module_loc_conf(r, ngx_http_enkod_module);

    ctx->error = ctx->verdict;

    /* the request's own share: no sink can answer before all are asked */
    ctx->pending = 1;

    rc = NGX_OK;

    if (!ctx->accepted) {

        if (elcf->reject_log && ngx_http_enkod_reject_wanted(ctx)) {
            rc = ngx_http_enkod_handler_write_refusal(r);
        }

    } else if (elcf->ack_test && enkod_event_test(ctx->event)) {
        ctx->result = NGX_HTTP_ENKOD_TEST;

    } else if (elcf->logs) {
        rc = ngx_http_enkod_handler_write_lines(r);
    }

    if (rc != NGX_OK) {
        ctx->error = ENKOD_LOG_UNAVAILABLE;
    }

    if (--ctx->pending == 0) {
        ngx_http_enkod_handler_pass(r);
    }
}


/* The first sink: a line in each log whose condition holds. */

static ngx_int_t
ngx_http_enkod_handler_write_lines(ngx_http_request_t *r)
{
    ngx_int_t                   rc;
    ngx_uint_t                  i;
    ngx_http_enkod_log_t       *log;
    ngx_http_enkod_loc_conf_t  *elcf;

    elcf = ngx_http_get_module_loc_conf(r, ngx_http_enkod_module);

    log = elcf->logs->elts;

    if (ngx_http_enkod_handler_create_waiters(r, elcf->logs->nelts) != NGX_OK
        || ngx_http_enkod_line_prepare(r) != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < elcf->logs->nelts; i++) {

        rc = ngx_http_enkod_value_true(r, log[i].filter);

        if (rc == NGX_DECLINED) {
            continue;
        }

        if (rc != NGX_OK
            || ngx_http_enkod_handler_write_line(r, log[i].journal, 0)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_enkod_handler_write_line(ngx_http_request_t *r,
    ngx_http_enkod_journal_t *journal, ngx_uint_t pass_status)
{
    size_t   len;
    u_char  *p;

    len = ngx_http_enkod_line_length(r, pass_status) + 1;

    p = ngx_http_enkod_journal_reserve(journal, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    *ngx_http_enkod_line_write(r, p, pass_status) = '\n';

    ngx_http_enkod_handler_add(r, journal, len);

    return NGX_OK;
}


/* What is refused is kept, too, before its sender is told to give it up. */

static ngx_int_t
ngx_http_enkod_handler_write_refusal(ngx_http_request_t *r)
{
    size_t                      len;
    u_char                     *p;
    ngx_http_enkod_loc_conf_t  *elcf;

    elcf = ngx_http_get_module_loc_conf(r, ngx_http_enkod_module);

    if (ngx_http_enkod_handler_create_waiters(r, 1) != NGX_OK
        || ngx_http_enkod_line_prepare(r) != NGX_OK)
    {
        return NGX_ERROR;
    }

    len = ngx_http_enkod_reject_length(r) + 1;

    p = ngx_http_enkod_journal_reserve(elcf->reject_log, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    *ngx_http_enkod_reject_write(r, p) = '\n';

    ngx_http_enkod_handler_add(r, elcf->reject_log, len);

    return NGX_OK;
}


static ngx_int_t
ngx_http_enkod_handler_create_waiters(ngx_http_request_t *r, ngx_uint_t n)
{
    ngx_http_cleanup_t    *cln;
    ngx_http_enkod_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_enkod_module);

    ctx->nwaiters = 0;

    if (n == 1) {
        ctx->waiters = &ctx->waiter;

    } else {
        ctx->waiters = ngx_pcalloc(r->pool,
                                   n * sizeof(ngx_http_enkod_waiter_t));
        if (ctx->waiters == NULL) {
            return NGX_ERROR;
        }
    }

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_enkod_handler_cancel;
    cln->data = ctx;

    return NGX_OK;
}


static void
ngx_http_enkod_handler_add(ngx_http_request_t *r,
    ngx_http_enkod_journal_t *journal, size_t len)
{
    ngx_http_enkod_ctx_t     *ctx;
    ngx_http_enkod_waiter_t  *waiter;

    ctx = ngx_http_get_module_ctx(r, ngx_http_enkod_module);

    waiter = &ctx->waiters[ctx->nwaiters++];

    waiter->handler = ngx_http_enkod_handler_written;
    waiter->data = r;

    ctx->pending++;

    ngx_http_enkod_journal_add(journal, len, waiter);
}


static void
ngx_http_enkod_handler_cancel(void *data)
{
    ngx_http_enkod_ctx_t  *ctx = data;

    ngx_uint_t  i;

    for (i = 0; i < ctx->nwaiters; i++) {
        ngx_http_enkod_waiter_cancel(&ctx->waiters[i]);
    }
}


static void
ngx_http_enkod_handler_written(void *data, ngx_err_t err)
{
    ngx_http_request_t  *r = data;

    ngx_connection_t      *c;
    ngx_http_enkod_ctx_t  *ctx;

    c = r->connection;
    ctx = ngx_http_get_module_ctx(r, ngx_http_enkod_module);

    if (err) {
        ctx->error = ENKOD_LOG_UNAVAILABLE;
    }

    if (--ctx->pending == 0) {
        ngx_http_set_log_request(c->log, r);
        ngx_http_enkod_handler_pass(r);
        ngx_http_run_posted_requests(c);
    }
}


/*
 * The second sink, once the first one has all its lines: an event that nobody
 * has decided about yet is handed on.
 */

static void
ngx_http_enkod_handler_pass(ngx_http_request_t *r)
{
    ngx_int_t                   rc;
    ngx_http_enkod_ctx_t       *ctx;
    ngx_http_enkod_loc_conf_t  *elcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_enkod_module);
    elcf = ngx_http_get_module_loc_conf(r, ngx_http_enkod_module);

    if (elcf->pass == NULL
        || ctx->error != ENKOD_OK
        || ctx->result != NGX_HTTP_ENKOD_UNDECIDED)
    {
        ngx_http_enkod_handler_answer(r);
        return;
    }

    rc = ngx_http_enkod_pass_start(r, ngx_http_enkod_handler_passed);

    if (rc == NGX_DECLINED) {
        ngx_http_enkod_handler_answer(r);
        return;
    }

    if (rc == NGX_ERROR) {
        ngx_http_finalize_request(r, NGX_ERROR);
    }
}


/* What could not be handed on is safe in the spool, where there is one. */

static void
ngx_http_enkod_handler_passed(ngx_http_request_t *r, enkod_error_e error)
{
    ngx_http_enkod_ctx_t       *ctx;
    ngx_http_enkod_loc_conf_t  *elcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_enkod_module);
    elcf = ngx_http_get_module_loc_conf(r, ngx_http_enkod_module);

    if (error == ENKOD_OK || elcf->spool == NULL) {
        ctx->error = error;
        ngx_http_enkod_handler_answer(r);
        return;
    }

    ctx->result = NGX_HTTP_ENKOD_SPOOLED;
    ctx->pending = 1;

    if (ngx_http_enkod_handler_write_spool(r) != NGX_OK) {
        ctx->error = ENKOD_LOG_UNAVAILABLE;
    }

    if (--ctx->pending == 0) {
        ngx_http_enkod_handler_answer(r);
    }
}


static ngx_int_t
ngx_http_enkod_handler_write_spool(ngx_http_request_t *r)
{
    ngx_http_enkod_ctx_t       *ctx;
    ngx_http_enkod_loc_conf_t  *elcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_enkod_module);
    elcf = ngx_http_get_module_loc_conf(r, ngx_http_enkod_module);

    if (ngx_http_enkod_handler_create_waiters(r, 1) != NGX_OK
        || ngx_http_enkod_line_prepare(r) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_enkod_handler_write_line(r, elcf->spool,
                                     ngx_http_enkod_pass_status(ctx->pass));
}


static void
ngx_http_enkod_handler_answer(ngx_http_request_t *r)
{
    ngx_int_t              rc;
    ngx_http_enkod_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_enkod_module);

    if (ctx->error != ENKOD_OK) {
        rc = ngx_http_enkod_response_problem(r);

    } else {

        if (ctx->result == NGX_HTTP_ENKOD_UNDECIDED) {
            ctx->result = NGX_HTTP_ENKOD_ACCEPTED;
        }

        rc = ngx_http_enkod_response_ok(r);
    }

    ngx_http_finalize_request(r, rc);
}
