
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The state machine of a pass: an accepted event is passed on by a subrequest,
 * the outcome is judged, an event that was not delivered is written to the
 * spool, and then the outcome is reported.  The functions stand in the order in
 * which a subrequest meets them.
 */


#include "ngx_http_enkod_pass_internal.h"
#include "ngx_http_enkod_message.h"


#define NGX_HTTP_ENKOD_MAX_STATUS  999


/*
 * A pass goes down through these states.  It may skip some, along the lines,
 * but never goes up again.
 *
 *     STARTED -----------.
 *        |               |  the target does not exist
 *        v               |
 *     RUNNING -------.   |  nginx routes the subrequest and sends it to the
 *        |           |   |  target
 *        v           |   |
 *     ANSWERED ------+   |  the header of the answer has arrived, the body is
 *        |           |   |  being read
 *        v           |   |
 *     COMPLETE       |   |  the upstream module has read the answer to its end
 *        |           |   |
 *        v           |   |
 *     FINISHED <-----'   |  nginx has ended the subrequest, and will run the
 *        |               |  client's request, which judges the outcome
 *        +<--------------'
 *        |
 *        +------> SPOOLING  the event was not delivered, and there is a spool:
 *        |           |      its line is being written
 *        v           |
 *     REPORTED <-----'      the callback got the outcome
 */

typedef enum {
    NGX_HTTP_ENKOD_PASS_STARTED = 0,
    NGX_HTTP_ENKOD_PASS_RUNNING,
    NGX_HTTP_ENKOD_PASS_ANSWERED,
    NGX_HTTP_ENKOD_PASS_COMPLETE,
    NGX_HTTP_ENKOD_PASS_FINISHED,
    NGX_HTTP_ENKOD_PASS_SPOOLING,
    NGX_HTTP_ENKOD_PASS_REPORTED
} ngx_http_enkod_pass_state_e;


static ngx_inline ngx_int_t ngx_http_enkod_pass_move(
    ngx_http_enkod_pass_t *pass, ngx_http_enkod_pass_state_e state);
static void ngx_http_enkod_pass_upstream_finalized(ngx_http_request_t *sr,
    ngx_int_t rc);
static ngx_int_t ngx_http_enkod_pass_subrequest_finished(
    ngx_http_request_t *sr, ngx_http_enkod_pass_t *pass, ngx_int_t rc);
static ngx_uint_t ngx_http_enkod_pass_is_answered(ngx_http_enkod_pass_t *pass);
static void ngx_http_enkod_pass_wake(ngx_http_request_t *r);
static void ngx_http_enkod_pass_block_reading(ngx_http_request_t *r);
static void ngx_http_enkod_pass_clear_error(ngx_http_enkod_pass_t *pass);
static enkod_error_e ngx_http_enkod_pass_judge(ngx_http_enkod_pass_t *pass);
static void ngx_http_enkod_pass_count(ngx_http_enkod_pass_t *pass,
    enkod_error_e error);
static void ngx_http_enkod_pass_spool(ngx_http_enkod_pass_t *pass,
    enkod_error_e error);
static void ngx_http_enkod_pass_spooled(ngx_http_request_t *r, ngx_err_t err);
static void ngx_http_enkod_pass_report(ngx_http_enkod_pass_t *pass,
    ngx_http_enkod_state_e state, enkod_error_e error);


ngx_int_t
ngx_http_enkod_pass_start(ngx_http_request_t *r,
    ngx_http_enkod_pass_pt handler)
{
    ngx_int_t               rc;
    ngx_str_t               uri, args, body;
    ngx_http_enkod_ctx_t   *ctx;
    ngx_http_enkod_pass_t  *pass;

    pass = ngx_pcalloc(r->pool, sizeof(ngx_http_enkod_pass_t));
    if (pass == NULL) {
        return NGX_ERROR;
    }

    pass->request = r;
    pass->conf = ngx_http_get_module_loc_conf(r, ngx_http_enkod_module);
    pass->handler = handler;
    pass->finished = ngx_http_enkod_pass_subrequest_finished;

    ctx = ngx_http_get_module_ctx(r, ngx_http_enkod_module);
    ctx->pass = pass;

    rc = ngx_http_enkod_target_get(pass, &uri, &args);

    if (rc == NGX_ABORT) {
        pass->status = NGX_HTTP_INTERNAL_SERVER_ERROR;
        ngx_http_enkod_pass_spool(pass, ENKOD_UPSTREAM_FAILED);
        return NGX_OK;
    }

    if (rc != NGX_OK) {
        return rc;
    }

    if (pass->conf->pass_body) {
        rc = ngx_http_complex_value(r, pass->conf->pass_body, &body);

    } else {
        rc = ngx_http_enkod_ctx_line(r, ctx, &body);
    }

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_enkod_target_hide(r);

    if (ngx_http_enkod_subrequest_create(pass, &uri, &args, &body) != NGX_OK) {
        return NGX_ERROR;
    }

    pass->started = ngx_http_enkod_status_clock();

    (void) ngx_http_enkod_pass_move(pass, NGX_HTTP_ENKOD_PASS_RUNNING);

    r->write_event_handler = ngx_http_enkod_pass_wake;
    r->read_event_handler = ngx_http_enkod_pass_block_reading;

    ngx_http_enkod_pass_clear_error(pass);

    return NGX_OK;
}


/*
 * The one place where a state changes.  NGX_DECLINED if the pass is in that
 * state already, or in a later one: nginx may report a thing twice.
 */

static ngx_inline ngx_int_t
ngx_http_enkod_pass_move(ngx_http_enkod_pass_t *pass,
    ngx_http_enkod_pass_state_e state)
{
    if (pass->state >= state) {
        return NGX_DECLINED;
    }

    pass->state = state;

    return NGX_OK;
}


void
ngx_http_enkod_pass_answer_header(ngx_http_enkod_pass_t *pass)
{
    ngx_http_request_t  *sr;

    if (ngx_http_enkod_pass_move(pass, NGX_HTTP_ENKOD_PASS_ANSWERED)
        != NGX_OK)
    {
        return;
    }

    sr = pass->subrequest;

    /*
     * ngx_http_postpone_filter() passes on the output of a subrequest, and
     * ngx_event_pipe() does not write it to a temporary file, only where the
     * connection belongs to this subrequest.  It must not belong to it earlier:
     * nginx would check then whether the client has closed the connection.
     */

    sr->connection->data = sr;
    sr->read_event_handler = ngx_http_enkod_pass_block_reading;

    /*
     * nginx ends a subrequest whose answer breaks off as if it were complete,
     * and a filter (ssi) may hold back the last buffer.  But the upstream
     * module is told what happened.
     */

    if (sr->upstream) {
        pass->finalize = sr->upstream->finalize_request;
        sr->upstream->finalize_request = ngx_http_enkod_pass_upstream_finalized;
    }
}


ngx_int_t
ngx_http_enkod_pass_answer_body(ngx_http_enkod_pass_t *pass, ngx_chain_t *in)
{
    ngx_buf_t  *b;

    for ( /* void */ ; in; in = in->next) {

        b = in->buf;

        if (pass->conf->pass_success
            && ngx_http_enkod_pass_response_store(pass, b) != NGX_OK)
        {
            return NGX_ERROR;
        }

        b->pos = b->last;
        b->file_pos = b->file_last;
    }

    return NGX_OK;
}


static void
ngx_http_enkod_pass_upstream_finalized(ngx_http_request_t *sr, ngx_int_t rc)
{
    ngx_http_enkod_pass_t  *pass;

    pass = ngx_http_enkod_subrequest_pass(sr);

    if (rc == NGX_OK) {
        (void) ngx_http_enkod_pass_move(pass, NGX_HTTP_ENKOD_PASS_COMPLETE);
    }

    pass->finalize(sr, rc);
}


/*
 * nginx goes on with the status that this returns, and for some of them it
 * would end the client's request as well.
 */

static ngx_int_t
ngx_http_enkod_pass_subrequest_finished(ngx_http_request_t *sr,
    ngx_http_enkod_pass_t *pass, ngx_int_t rc)
{
    if (pass->state >= NGX_HTTP_ENKOD_PASS_FINISHED) {
        return NGX_OK;
    }

    switch (rc) {

    case NGX_ERROR:
    case NGX_HTTP_CLOSE:
    case NGX_HTTP_CLIENT_CLOSED_REQUEST:
    case NGX_HTTP_REQUEST_TIME_OUT:
        pass->status = NGX_HTTP_BAD_GATEWAY;
        break;

    default:

        if (rc >= NGX_HTTP_SPECIAL_RESPONSE
            || rc == NGX_HTTP_CREATED
            || rc == NGX_HTTP_NO_CONTENT)
        {
            /* nginx sends an answer for it, and then finishes it again */
            return rc;
        }

        if (sr->buffered || sr->postponed) {
            /* the answer is still being read from a file, or generated */
            return rc;
        }

        pass->status = sr->headers_out.status;

        if (!ngx_http_enkod_pass_is_answered(pass)) {
            pass->status = NGX_HTTP_BAD_GATEWAY;
        }
    }

    if (pass->status < NGX_HTTP_OK
        || pass->status > NGX_HTTP_ENKOD_MAX_STATUS)
    {
        /*
         * HTTP/0.9 has no status; after 1xx another one is missing; a handler
         * may set any number, but nginx reads three digits.
         */
        pass->status = NGX_HTTP_BAD_GATEWAY;
    }

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, sr->connection->log, 0,
                   "enkod pass finished in state %ui, status %ui",
                   pass->state, pass->status);

    (void) ngx_http_enkod_pass_move(pass, NGX_HTTP_ENKOD_PASS_FINISHED);

    sr->connection->data = sr->main;

    /* nothing else may be done here: the client's request goes on when run */

    return ngx_http_post_request(sr->main, NULL);
}


/* Whether the target has been sent the whole event, and has answered it. */

static ngx_uint_t
ngx_http_enkod_pass_is_answered(ngx_http_enkod_pass_t *pass)
{
    ngx_module_t                *fastcgi;
    ngx_http_request_t          *sr;
    ngx_http_upstream_t         *u;
    ngx_http_enkod_main_conf_t  *emcf;

    sr = pass->subrequest;

    if (!sr->header_sent) {
        return 0;
    }

#if (NGX_HTTP_CACHE)

    if (sr->cached) {
        return 0;
    }

#endif

    u = sr->upstream;

    if (u == NULL) {
        return 1;
    }

    if (!u->request_body_sent) {
        return 0;
    }

    if (!u->header_sent) {
        /* X-Accel-Redirect: another handler has made the answer */
        return 1;
    }

    emcf = ngx_http_get_module_main_conf(sr, ngx_http_enkod_module);
    fastcgi = emcf->pass->fastcgi;

    if (fastcgi
        && u->output.tag == (ngx_buf_tag_t) fastcgi
        && !(u->buffering ? u->pipe->upstream_done : u->length == 0))
    {
        /* nginx takes a closed connection for the end of the records */
        return 0;
    }

    return pass->state == NGX_HTTP_ENKOD_PASS_COMPLETE;
}


/* The write event handler of the client's request while it waits. */

static void
ngx_http_enkod_pass_wake(ngx_http_request_t *r)
{
    enkod_error_e           error;
    ngx_http_request_t     *sr;
    ngx_http_enkod_ctx_t   *ctx;
    ngx_http_enkod_pass_t  *pass;

    ctx = ngx_http_get_module_ctx(r, ngx_http_enkod_module);
    pass = ctx->pass;
    sr = pass->subrequest;

    if (pass->state < NGX_HTTP_ENKOD_PASS_FINISHED) {

        /*
         * An event of the client's connection.  The subrequest may wait for
         * one: limit_req and others delay a request by a timer of the
         * connection.  An upstream does not; it would only check whether the
         * client has closed the connection.
         */

        if (sr->upstream == NULL || sr->upstream->cleanup == NULL) {
            sr->write_event_handler(sr);
        }

        return;
    }

    r->write_event_handler = ngx_http_request_empty_handler;
    r->read_event_handler = ngx_http_block_reading;

    if (pass->client_gone) {
        r->connection->error = 1;
    }

    /* $upstream_status and others, for the access log */
    r->upstream_states = sr->upstream_states;

    error = ngx_http_enkod_pass_judge(pass);

    ngx_http_enkod_pass_count(pass, error);

    if (error != ENKOD_OK) {
        ngx_http_enkod_pass_spool(pass, error);
        return;
    }

    ngx_http_enkod_pass_report(pass, NGX_HTTP_ENKOD_ACCEPTED, ENKOD_OK);
}


/*
 * The read event handler of both requests, instead of ngx_http_block_reading().
 */

static void
ngx_http_enkod_pass_block_reading(ngx_http_request_t *r)
{
    ngx_http_enkod_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r->main, ngx_http_enkod_module);

    ngx_http_enkod_pass_clear_error(ctx->pass);

    ngx_http_block_reading(r);
}


/*
 * A client that resets an HTTP/2 stream makes an error of its connection.  With
 * that nginx would try no other upstream, and would end the request without
 * calling us.  So the error is put aside until the subrequest has finished.
 */

static void
ngx_http_enkod_pass_clear_error(ngx_http_enkod_pass_t *pass)
{
    ngx_connection_t  *c;

    c = pass->request->connection;

    if (c->error) {
        pass->client_gone = 1;
        c->error = 0;
    }
}


static enkod_error_e
ngx_http_enkod_pass_judge(ngx_http_enkod_pass_t *pass)
{
    static ngx_msec_t  logged;

    if (pass->status >= NGX_HTTP_OK
        && pass->status < NGX_HTTP_SPECIAL_RESPONSE
        && ngx_http_enkod_value_true(pass->subrequest,
                                     pass->conf->pass_success)
           == NGX_OK)
    {
        return ENKOD_OK;
    }

    /* nginx logs errors that it has found itself, but not a status */

    if (ngx_http_enkod_message_due(&logged)) {
        ngx_log_error(NGX_LOG_ERR, pass->request->connection->log, 0,
                      "enkod: \"%V\" did not take an event, its status was %ui",
                      &pass->conf->pass_name, pass->status);
    }

    switch (pass->status) {

    case NGX_HTTP_GATEWAY_TIME_OUT:
        return ENKOD_UPSTREAM_TIMEOUT;

    case NGX_HTTP_TOO_MANY_REQUESTS:
    case NGX_HTTP_SERVICE_UNAVAILABLE:
        ngx_http_enkod_pass_response_find_retry_after(pass);
        return ENKOD_UPSTREAM_BUSY;

    default:
        return ENKOD_UPSTREAM_FAILED;
    }
}


static void
ngx_http_enkod_pass_count(ngx_http_enkod_pass_t *pass, enkod_error_e error)
{
    ngx_http_enkod_status_outcome_e  outcome;

    switch (error) {

    case ENKOD_OK:
        outcome = NGX_HTTP_ENKOD_STATUS_DELIVERED;
        break;

    case ENKOD_UPSTREAM_TIMEOUT:
        outcome = NGX_HTTP_ENKOD_STATUS_TIMEOUT;
        break;

    case ENKOD_UPSTREAM_BUSY:
        outcome = NGX_HTTP_ENKOD_STATUS_BUSY;
        break;

    default: /* ENKOD_UPSTREAM_FAILED */
        outcome = NGX_HTTP_ENKOD_STATUS_FAILED;
    }

    ngx_http_enkod_status_pass(pass->conf->status, outcome,
                               ngx_http_enkod_status_clock() - pass->started);
}


/* The event was not delivered.  Without a spool "error" is the outcome. */

static void
ngx_http_enkod_pass_spool(ngx_http_enkod_pass_t *pass, enkod_error_e error)
{
    ngx_int_t              rc;
    ngx_http_request_t    *r;
    ngx_http_enkod_ctx_t  *ctx;

    if (pass->conf->spool == NULL) {
        ngx_http_enkod_pass_report(pass, NGX_HTTP_ENKOD_FAILED, error);
        return;
    }

    (void) ngx_http_enkod_pass_move(pass, NGX_HTTP_ENKOD_PASS_SPOOLING);

    r = pass->request;
    ctx = ngx_http_get_module_ctx(r, ngx_http_enkod_module);

    rc = ngx_http_enkod_ctx_write_begin(r, ctx, 1, ngx_http_enkod_pass_spooled);

    if (rc == NGX_OK) {
        rc = ngx_http_enkod_ctx_write_event(ctx, pass->conf->spool,
                                            pass->status);
    }

    ngx_http_enkod_ctx_write_end(r, ctx, rc);
}


static void
ngx_http_enkod_pass_spooled(ngx_http_request_t *r, ngx_err_t err)
{
    ngx_http_enkod_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_enkod_module);

    if (err) {
        ngx_http_enkod_pass_report(ctx->pass, NGX_HTTP_ENKOD_FAILED,
                                   ENKOD_LOG_UNAVAILABLE);
        return;
    }

    ngx_http_enkod_pass_report(ctx->pass, NGX_HTTP_ENKOD_SPOOLED, ENKOD_OK);
}


static void
ngx_http_enkod_pass_report(ngx_http_enkod_pass_t *pass,
    ngx_http_enkod_state_e state, enkod_error_e error)
{
    (void) ngx_http_enkod_pass_move(pass, NGX_HTTP_ENKOD_PASS_REPORTED);

    pass->handler(pass->request, state, error);
}
