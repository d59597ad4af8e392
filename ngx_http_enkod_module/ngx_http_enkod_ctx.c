
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The context of a request: how it is created and found, the text of its line,
 * and writing lines from it.
 */


#include "ngx_http_enkod_ctx.h"
#include "ngx_http_enkod_module.h"


static void ngx_http_enkod_ctx_cleanup(void *data);
static void ngx_http_enkod_ctx_cancel(void *data);
static void ngx_http_enkod_ctx_written(void *data, ngx_err_t err);


ngx_http_enkod_ctx_t *
ngx_http_enkod_ctx_create(ngx_http_request_t *r,
    ngx_http_enkod_ctx_cleanup_pt cleanup)
{
    ngx_pool_cleanup_t    *cln;
    ngx_http_enkod_ctx_t  *ctx;

    /* not a cleanup of the request: that is called before the access log */

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_enkod_ctx_t));
    if (cln == NULL) {
        return NULL;
    }

    ctx = cln->data;

    ngx_memzero(ctx, sizeof(ngx_http_enkod_ctx_t));

    ctx->cleanup = cleanup;

    cln->handler = ngx_http_enkod_ctx_cleanup;

    ngx_http_set_ctx(r, ctx, ngx_http_enkod_module);

    return ctx;
}


static void
ngx_http_enkod_ctx_cleanup(void *data)
{
    ngx_http_enkod_ctx_t *ctx = data;

    ctx->cleanup(ctx);
}


ngx_http_enkod_ctx_t *
ngx_http_enkod_ctx_find(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t  *cln;

    if (r->internal || r->filter_finalize) {

        /* nginx has cleared the contexts, as for ngx_http_realip_module */

        for (cln = r->pool->cleanup; cln; cln = cln->next) {
            if (cln->handler == ngx_http_enkod_ctx_cleanup) {
                return cln->data;
            }
        }
    }

    return NULL;
}


void
ngx_http_enkod_ctx_end_refusal(ngx_http_enkod_ctx_t *ctx)
{
    unsigned  status;

    if (ctx->state != NGX_HTTP_ENKOD_REFUSED) {
        return;
    }

    status = enkod_error_get(ctx->error)->status;

    ngx_http_enkod_ctx_set_state(ctx, status < NGX_HTTP_INTERNAL_SERVER_ERROR
                                      ? NGX_HTTP_ENKOD_REJECTED
                                      : NGX_HTTP_ENKOD_FAILED,
                                 ctx->error);
}


ngx_uint_t
ngx_http_enkod_ctx_has_event(ngx_http_enkod_ctx_t *ctx)
{
    return ctx->event
           && ctx->state != NGX_HTTP_ENKOD_RECEIVING
           && enkod_event_refusal(ctx->event)->code == ENKOD_OK;
}


ngx_int_t
ngx_http_enkod_ctx_line(ngx_http_request_t *r, ngx_http_enkod_ctx_t *ctx,
    ngx_str_t *line)
{
    u_char  *p;

    if (ctx->line.len == 0) {

        p = ngx_pnalloc(r->pool, enkod_line_length(&ctx->envelope, ctx->event,
                                                   0));
        if (p == NULL) {
            return NGX_ERROR;
        }

        ctx->line.data = p;
        ctx->line.len = enkod_line_write(p, &ctx->envelope, ctx->event, 0) - p;

        if (!ctx->exposed) {

            /* a large event is not kept twice */

            enkod_event_borrow_text(ctx->event, p + ctx->line.len
                                                - (sizeof("}") - 1)
                                                - enkod_event_length(
                                                      ctx->event));
        }
    }

    *line = ctx->line;

    return NGX_OK;
}


ngx_int_t
ngx_http_enkod_ctx_write_begin(ngx_http_request_t *r,
    ngx_http_enkod_ctx_t *ctx, ngx_uint_t n, ngx_http_enkod_written_pt written)
{
    ctx->written = written;

    if (ctx->cancel.handler == NULL) {

        /* as ngx_http_cleanup_add() does, without its allocation */

        ctx->cancel.handler = ngx_http_enkod_ctx_cancel;
        ctx->cancel.data = ctx;
        ctx->cancel.next = r->cleanup;

        r->cleanup = &ctx->cancel;
    }

    return ngx_http_enkod_waiters_init(&ctx->waiters, r->pool, n,
                                       ngx_http_enkod_ctx_written, r);
}


static void
ngx_http_enkod_ctx_cancel(void *data)
{
    ngx_http_enkod_ctx_t *ctx = data;

    ngx_http_enkod_waiters_cancel(&ctx->waiters);

    /* nginx has taken it off its list */
    ctx->cancel.handler = NULL;
}


ngx_int_t
ngx_http_enkod_ctx_write_event(ngx_http_enkod_ctx_t *ctx,
    ngx_http_enkod_journal_t *journal, ngx_uint_t pass_status)
{
    size_t   len;
    u_char  *p;

    len = enkod_line_length(&ctx->envelope, ctx->event, pass_status) + 1;

    p = ngx_http_enkod_journal_reserve(journal, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    *enkod_line_write(p, &ctx->envelope, ctx->event, pass_status) = LF;

    ngx_http_enkod_journal_add(journal, len,
                               ngx_http_enkod_waiters_next(&ctx->waiters));

    return NGX_OK;
}


void
ngx_http_enkod_ctx_write_end(ngx_http_request_t *r, ngx_http_enkod_ctx_t *ctx,
    ngx_int_t rc)
{
    if (rc != NGX_OK) {
        ctx->waiters.err = NGX_ENOMEM;
    }

    if (ngx_http_enkod_waiters_wait(&ctx->waiters) == NGX_OK) {
        ctx->written(r, ctx->waiters.err);
    }
}


/* Called by the journal, outside of the request's own events. */

static void
ngx_http_enkod_ctx_written(void *data, ngx_err_t err)
{
    ngx_http_request_t *r = data;

    ngx_connection_t      *c;
    ngx_http_enkod_ctx_t  *ctx;

    c = r->connection;
    ctx = ngx_http_get_module_ctx(r, ngx_http_enkod_module);

    ngx_http_set_log_request(c->log, r);

    ctx->written(r, err);

    ngx_http_run_posted_requests(c);
}
