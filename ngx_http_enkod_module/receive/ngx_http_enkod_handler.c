
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The content handler of a location with enkod_webhook: the request is admitted
 * or refused, its body is read and checked, and then the event is delivered.
 */


#include "ngx_http_enkod_admit.h"
#include "ngx_http_enkod_body.h"
#include "ngx_http_enkod_ctx.h"
#include "ngx_http_enkod_deliver.h"
#include "ngx_http_enkod_error_page.h"
#include "ngx_http_enkod_event_block.h"
#include "ngx_http_enkod_message.h"
#include "ngx_http_enkod_module.h"
#include "ngx_http_enkod_receive.h"
#include "ngx_http_enkod_reject.h"
#include "ngx_http_enkod_response.h"


static ngx_int_t ngx_http_enkod_handler_subrequest(ngx_http_request_t *r);
static ngx_int_t ngx_http_enkod_handler_again(ngx_http_request_t *r,
    ngx_http_enkod_ctx_t *ctx);
static ngx_uint_t ngx_http_enkod_handler_may_retry(ngx_http_request_t *r,
    ngx_http_enkod_ctx_t *ctx);
static void ngx_http_enkod_handler_retry(ngx_http_request_t *r,
    ngx_http_enkod_ctx_t *ctx);
static ngx_int_t ngx_http_enkod_handler_error_page(ngx_http_request_t *r);
static ngx_int_t ngx_http_enkod_handler_refuse(ngx_http_request_t *r,
    enkod_error_e error);
static void ngx_http_enkod_handler_received(ngx_http_request_t *r);
static void ngx_http_enkod_handler_cleanup(ngx_http_enkod_ctx_t *ctx);


ngx_int_t
ngx_http_enkod_handler(ngx_http_request_t *r)
{
    ngx_int_t                   rc;
    enkod_error_e               error;
    ngx_http_enkod_ctx_t       *ctx;
    ngx_http_enkod_loc_conf_t  *elcf;

    if (r != r->main) {
        return ngx_http_enkod_handler_subrequest(r);
    }

    ctx = ngx_http_enkod_ctx_get(r);

    if (ctx) {
        return ngx_http_enkod_handler_again(r, ctx);
    }

    if (r->internal) {

        rc = ngx_http_enkod_handler_error_page(r);
        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    ctx = ngx_http_enkod_ctx_create(r, ngx_http_enkod_handler_cleanup);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* empty, but not NULL: bytes may be added */
    ctx->body.data = (u_char *) "";

    error = ngx_http_enkod_admit(r);

    if (error != ENKOD_OK) {
        return ngx_http_enkod_handler_refuse(r, error);
    }

    if (ngx_http_enkod_admit_method(r) & (NGX_HTTP_GET|NGX_HTTP_HEAD)) {

        rc = ngx_http_discard_request_body(r);
        if (rc != NGX_OK) {
            return rc;
        }

        elcf = ngx_http_get_module_loc_conf(r, ngx_http_enkod_module);

        ngx_http_enkod_status_probe(elcf->status);

        return ngx_http_enkod_response_probe(r);
    }

    if (ngx_http_enkod_event_block_create(r, ctx) != NGX_OK) {
        return ngx_http_enkod_handler_refuse(r, ENKOD_NO_MEMORY);
    }

    return ngx_http_enkod_body_read(r, ngx_http_enkod_handler_received);
}


/* A subrequest has no body of its own: the configuration is wrong. */

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
 * An error_page has brought the request here from another receiver, or from
 * this one.  An event that was admitted and could not be stored may be stored
 * here; else the answer is that of the first receiver.
 */

static ngx_int_t
ngx_http_enkod_handler_again(ngx_http_request_t *r, ngx_http_enkod_ctx_t *ctx)
{
    ngx_int_t  rc;

    ngx_http_set_ctx(r, ctx, ngx_http_enkod_module);

    if (ctx->header) {
        /* it belongs to the first answer */
        ctx->header->hash = 0;
        ctx->header = NULL;
    }

    if (ngx_http_enkod_handler_may_retry(r, ctx)) {
        ngx_http_enkod_handler_retry(r, ctx);
        return NGX_DONE;
    }

    /* another error_page might lead here again */
    r->error_page = 1;

    if (ctx->error != ENKOD_OK) {
        ngx_http_enkod_ctx_end_refusal(ctx);

        return ngx_http_enkod_response_problem(r);
    }

    if (ngx_http_enkod_ctx_is_stored(ctx)) {
        return ngx_http_enkod_response_ok(r);
    }

    if (ctx->event == NULL) {
        return ngx_http_enkod_response_probe(r);
    }

    /* nginx has failed to read the body */

    rc = ngx_http_enkod_handler_error_page(r);

    return rc == NGX_DECLINED ? NGX_HTTP_INTERNAL_SERVER_ERROR : rc;
}


/*
 * Whether this receiver may store the event, or the refusal, that another one
 * could not store.  Each receiver gets it once.
 */

static ngx_uint_t
ngx_http_enkod_handler_may_retry(ngx_http_request_t *r,
    ngx_http_enkod_ctx_t *ctx)
{
    void                       **receiver;
    ngx_uint_t                   i;
    ngx_http_enkod_loc_conf_t   *elcf;

    elcf = ngx_http_get_module_loc_conf(r, ngx_http_enkod_module);

    if (ctx->state != NGX_HTTP_ENKOD_FAILED) {
        return 0;
    }

    if (!ngx_http_enkod_ctx_has_event(ctx)
        && (ctx->error != ENKOD_LOG_UNAVAILABLE || elcf->reject_log == NULL))
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


static void
ngx_http_enkod_handler_retry(ngx_http_request_t *r, ngx_http_enkod_ctx_t *ctx)
{
    enkod_error_e  error;

    error = enkod_event_refusal(ctx->event)->code;

    ngx_http_enkod_ctx_set_state(ctx, error == ENKOD_OK
                                      ? NGX_HTTP_ENKOD_DELIVERING
                                      : NGX_HTTP_ENKOD_REFUSED,
                                 error);

    r->main->count++;

    ngx_http_enkod_deliver(r);
}


/*
 * A request that was refused before it got to a receiver ("deny", for example),
 * and was brought here by an error_page, is answered with the status that it
 * had.  Returns NGX_DECLINED if there was no error_page.
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
 * The body of a refused request is read and dropped, so that the sender sees
 * the answer; unless it is too large, or the sender waits for "100 Continue".
 */

static ngx_int_t
ngx_http_enkod_handler_refuse(ngx_http_request_t *r, enkod_error_e error)
{
    ngx_int_t                   rc;
    ngx_uint_t                  waits;
    ngx_http_enkod_ctx_t       *ctx;
    ngx_http_core_loc_conf_t   *clcf;
    ngx_http_enkod_loc_conf_t  *elcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_enkod_module);

    ngx_http_enkod_ctx_set_state(ctx, NGX_HTTP_ENKOD_REFUSED, error);

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

    ngx_http_enkod_status_error(elcf->status, error);

    ngx_http_enkod_ctx_end_refusal(ctx);

    rc = ngx_http_enkod_response_problem(r);

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (rc == NGX_OK && !waits
        && clcf->lingering_close == NGX_HTTP_LINGERING_OFF)
    {
        /* as nginx does for its 413: a reset could discard the answer */
        (void) ngx_http_discard_request_body(r);
    }

    return rc;
}


static void
ngx_http_enkod_handler_received(ngx_http_request_t *r)
{
    ngx_time_t            *tp;
    ngx_http_enkod_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_enkod_module);

    tp = ngx_timeofday();

    ctx->sec = tp->sec;
    ctx->msec = tp->msec;

    if (ctx->event || ngx_http_enkod_admit_method(r) & NGX_HTTP_POST) {
        ctx->complete = ngx_http_enkod_status_clock();
    }

    ngx_http_enkod_deliver(r);
}


static void
ngx_http_enkod_handler_cleanup(ngx_http_enkod_ctx_t *ctx)
{
    ngx_http_enkod_deliver_waited(ctx);
    ngx_http_enkod_reject_free(ctx);
    ngx_http_enkod_event_block_free(ctx);
}
