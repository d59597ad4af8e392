
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * What becomes of an event once its body was received: its line is written to
 * every enkod_log that applies, then it is passed, then the sender gets the
 * answer.  A refusal is written to enkod_reject_log before the sender is told.
 */


#include "ngx_http_enkod_ctx.h"
#include "ngx_http_enkod_deliver.h"
#include "ngx_http_enkod_envelope.h"
#include "ngx_http_enkod_module.h"
#include "ngx_http_enkod_pass.h"
#include "ngx_http_enkod_reject.h"
#include "ngx_http_enkod_response.h"


static void ngx_http_enkod_deliver_refusal(ngx_http_request_t *r);
static void ngx_http_enkod_deliver_lines(ngx_http_request_t *r,
    ngx_http_enkod_ctx_t *ctx, ngx_array_t *logs);
static ngx_int_t ngx_http_enkod_deliver_write_lines(ngx_http_request_t *r,
    ngx_http_enkod_ctx_t *ctx, ngx_array_t *logs);
static void ngx_http_enkod_deliver_written(ngx_http_request_t *r,
    ngx_err_t err);
static void ngx_http_enkod_deliver_pass(ngx_http_request_t *r);
static void ngx_http_enkod_deliver_answer(ngx_http_request_t *r,
    ngx_http_enkod_state_e state, enkod_error_e error);
static void ngx_http_enkod_deliver_count(ngx_http_request_t *r,
    ngx_http_enkod_ctx_t *ctx);


void
ngx_http_enkod_deliver(ngx_http_request_t *r)
{
    ngx_http_enkod_ctx_t       *ctx;
    ngx_http_enkod_loc_conf_t  *elcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_enkod_module);
    elcf = ngx_http_get_module_loc_conf(r, ngx_http_enkod_module);

    if (ctx->state == NGX_HTTP_ENKOD_REFUSED) {

        if (elcf->reject_log && ngx_http_enkod_reject_is_logged(ctx)) {
            ngx_http_enkod_deliver_refusal(r);
            return;
        }

        ngx_http_enkod_deliver_answer(r, NGX_HTTP_ENKOD_REFUSED, ctx->error);
        return;
    }

    if (elcf->ack_test && enkod_event_test(ctx->event)) {
        ngx_http_enkod_deliver_answer(r, NGX_HTTP_ENKOD_TEST, ENKOD_OK);
        return;
    }

    ctx->waiting = elcf->status;
    ngx_http_enkod_status_wait(elcf->status);

    if (elcf->logs) {
        ngx_http_enkod_deliver_lines(r, ctx, elcf->logs);
        return;
    }

    ngx_http_enkod_deliver_pass(r);
}


static void
ngx_http_enkod_deliver_refusal(ngx_http_request_t *r)
{
    ngx_int_t                   rc;
    ngx_http_enkod_ctx_t       *ctx;
    ngx_http_enkod_loc_conf_t  *elcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_enkod_module);
    elcf = ngx_http_get_module_loc_conf(r, ngx_http_enkod_module);

    rc = ngx_http_enkod_ctx_write_begin(r, ctx, 1,
                                        ngx_http_enkod_deliver_written);

    if (rc == NGX_OK) {
        rc = ngx_http_enkod_envelope_fill(r);
    }

    if (rc == NGX_OK) {
        rc = ngx_http_enkod_reject_write(ctx, elcf->reject_log);
    }

    ngx_http_enkod_ctx_write_end(r, ctx, rc);
}


/* The first sink: a line in each log whose condition holds. */

static void
ngx_http_enkod_deliver_lines(ngx_http_request_t *r, ngx_http_enkod_ctx_t *ctx,
    ngx_array_t *logs)
{
    ngx_int_t  rc;

    rc = ngx_http_enkod_ctx_write_begin(r, ctx, logs->nelts,
                                        ngx_http_enkod_deliver_written);

    if (rc == NGX_OK) {
        rc = ngx_http_enkod_deliver_write_lines(r, ctx, logs);
    }

    ngx_http_enkod_ctx_write_end(r, ctx, rc);
}


static ngx_int_t
ngx_http_enkod_deliver_write_lines(ngx_http_request_t *r,
    ngx_http_enkod_ctx_t *ctx, ngx_array_t *logs)
{
    ngx_int_t              rc;
    ngx_uint_t             i;
    ngx_http_enkod_log_t  *log;

    if (ngx_http_enkod_envelope_fill(r) != NGX_OK) {
        return NGX_ERROR;
    }

    log = logs->elts;

    for (i = 0; i < logs->nelts; i++) {

        if (log[i].filter) {

            rc = ngx_http_enkod_value_true(r, log[i].filter);

            if (rc == NGX_DECLINED) {
                continue;
            }

            if (rc != NGX_OK) {
                return NGX_ERROR;
            }
        }

        if (ngx_http_enkod_ctx_write_event(ctx, log[i].journal, 0) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static void
ngx_http_enkod_deliver_written(ngx_http_request_t *r, ngx_err_t err)
{
    ngx_http_enkod_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_enkod_module);

    if (err) {
        ngx_http_enkod_deliver_answer(r, NGX_HTTP_ENKOD_FAILED,
                                      ENKOD_LOG_UNAVAILABLE);
        return;
    }

    if (ctx->state == NGX_HTTP_ENKOD_REFUSED) {
        ngx_http_enkod_deliver_answer(r, NGX_HTTP_ENKOD_REFUSED, ctx->error);
        return;
    }

    ngx_http_enkod_deliver_pass(r);
}


/* The second sink. */

static void
ngx_http_enkod_deliver_pass(ngx_http_request_t *r)
{
    ngx_int_t                   rc;
    ngx_http_enkod_loc_conf_t  *elcf;

    elcf = ngx_http_get_module_loc_conf(r, ngx_http_enkod_module);

    if (elcf->pass == NULL) {
        ngx_http_enkod_deliver_answer(r, NGX_HTTP_ENKOD_ACCEPTED, ENKOD_OK);
        return;
    }

    /* before the subrequest asks for $request_id: it has to be the same */

    rc = ngx_http_enkod_envelope_fill(r);

    if (rc == NGX_OK) {
        rc = ngx_http_enkod_pass_start(r, ngx_http_enkod_deliver_answer);
    }

    if (rc == NGX_DECLINED) {
        ngx_http_enkod_deliver_answer(r, NGX_HTTP_ENKOD_ACCEPTED, ENKOD_OK);
        return;
    }

    if (rc == NGX_ERROR) {
        ngx_http_finalize_request(r, NGX_ERROR);
    }
}


static void
ngx_http_enkod_deliver_answer(ngx_http_request_t *r,
    ngx_http_enkod_state_e state, enkod_error_e error)
{
    ngx_int_t              rc;
    ngx_http_enkod_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_enkod_module);

    ngx_http_enkod_ctx_set_state(ctx, state, error);

    ngx_http_enkod_deliver_count(r, ctx);

    if (error == ENKOD_OK) {
        rc = ngx_http_enkod_response_ok(r);

    } else {
        ngx_http_enkod_ctx_end_refusal(ctx);

        rc = ngx_http_enkod_response_problem(r);
    }

    ngx_http_finalize_request(r, rc);
}


void
ngx_http_enkod_deliver_waited(ngx_http_enkod_ctx_t *ctx)
{
    if (ctx->waiting) {
        ngx_http_enkod_status_waited(ctx->waiting);
        ctx->waiting = NULL;
    }
}


/* Before the answer is sent, so that whoever gets it finds it counted. */

static void
ngx_http_enkod_deliver_count(ngx_http_request_t *r, ngx_http_enkod_ctx_t *ctx)
{
    ngx_uint_t                      event;
    const enkod_shape_t            *shape;
    ngx_http_enkod_loc_conf_t      *elcf;
    ngx_http_enkod_status_result_e  result;

    elcf = ngx_http_get_module_loc_conf(r, ngx_http_enkod_module);

    ngx_http_enkod_deliver_waited(ctx);

    if (ctx->complete) {
        ngx_http_enkod_status_answer(elcf->status,
                                     ngx_http_enkod_status_clock()
                                     - ctx->complete);
    }

    if (ctx->error != ENKOD_OK) {
        ngx_http_enkod_status_error(elcf->status, ctx->error);
        return;
    }

    if (enkod_event_test(ctx->event)) {
        result = NGX_HTTP_ENKOD_STATUS_TEST;

    } else if (ctx->state == NGX_HTTP_ENKOD_SPOOLED) {
        result = NGX_HTTP_ENKOD_STATUS_SPOOLED;

    } else {
        result = NGX_HTTP_ENKOD_STATUS_ACCEPTED;
    }

    shape = enkod_event_shape(ctx->event);
    event = shape ? shape->index + 1 : NGX_HTTP_ENKOD_STATUS_OTHER;

    ngx_http_enkod_status_event(elcf->status, event, result);
}
