
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The context of a request: what receive/ and pass/ both know of it.  It is
 * created when a location with enkod_webhook gets the request, and lasts until
 * the request's pool is destroyed, so that the access log sees it.
 */


#ifndef _NGX_HTTP_ENKOD_CTX_H_INCLUDED_
#define _NGX_HTTP_ENKOD_CTX_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "enkod_event.h"
#include "enkod_line.h"
#include "ngx_http_enkod_journal.h"
#include "ngx_http_enkod_status.h"
#include "ngx_http_enkod_module.h"

#pragma GCC visibility push(hidden)


typedef struct ngx_http_enkod_ctx_s  ngx_http_enkod_ctx_t;


/*
 * The state of a request.  Only ngx_http_enkod_ctx_set_state() changes it.
 *
 *                  RECEIVING
 *                  |       |
 *                  v       v
 *     .-------> REFUSED  DELIVERING <---------.
 *     |        |   |     |    |   |           |
 *     |        |   v     v    |   |           |
 *     `--------|-- FAILED ----|---|-----------'
 *              v              v   v
 *          REJECTED    ACCEPTED  TEST or SPOOLED
 *
 * The states of the last line are final.  FAILED is, too, unless an error_page
 * brings the request to another receiver, which tries again.
 *
 * A request that nginx ends by itself keeps the state that it has: RECEIVING or
 * REFUSED if the body cannot be read, any state if the request is terminated.
 */

typedef enum {
    /* the body is being read and checked, and nothing is wrong with it so far;
       also the state of a GET or HEAD request */
    NGX_HTTP_ENKOD_RECEIVING = 0,

    /* the request or its body is refused; what remains of the body is read,
       and the refusal is logged */
    NGX_HTTP_ENKOD_REFUSED,

    /* the event is valid, its lines are being written or it is being passed */
    NGX_HTTP_ENKOD_DELIVERING,

    /* the event is in every sink, or in the spool, or needs none: 200 */
    NGX_HTTP_ENKOD_ACCEPTED,
    NGX_HTTP_ENKOD_SPOOLED,
    NGX_HTTP_ENKOD_TEST,

    /* 4xx: the sender has to change something */
    NGX_HTTP_ENKOD_REJECTED,

    /* 5xx: the event, or the refusal, could not be stored */
    NGX_HTTP_ENKOD_FAILED
} ngx_http_enkod_state_e;


/* "err" is the first error of the lines that were waited for, or 0 */
typedef void (*ngx_http_enkod_written_pt)(ngx_http_request_t *r,
    ngx_err_t err);

typedef void (*ngx_http_enkod_ctx_cleanup_pt)(ngx_http_enkod_ctx_t *ctx);


struct ngx_http_enkod_ctx_s {
    ngx_http_enkod_state_e           state;
    enkod_error_e                    error;     /* of REFUSED, REJECTED and
                                                   FAILED, else ENKOD_OK */

    enkod_event_t                   *event;     /* NULL if no body is checked */

    time_t                           sec;       /* when the body was complete */
    unsigned                         msec;
    enkod_envelope_t                 envelope;  /* filled before the first line
                                                   is written */
    ngx_str_t                        line;      /* once it was asked for */

    /* lines that are being written */
    ngx_http_enkod_waiters_t         waiters;
    ngx_http_enkod_written_pt        written;
    ngx_http_cleanup_t               cancel;    /* of them */

    struct ngx_http_enkod_pass_s    *pass;      /* once it was started */

    ngx_http_enkod_ctx_cleanup_pt    cleanup;

    /* of receive/ only */

    off_t                            received;  /* bytes of the body */
    uint64_t                         complete;  /* of a POST: when its body was,
                                                   or 0; microseconds */
    ngx_http_enkod_status_receiver_t  *waiting; /* counts the event as one that
                                                   waits for a sink; or NULL */
    ngx_http_client_body_handler_pt  body_handler;  /* when it is complete */

    ngx_str_t                        body;      /* for enkod_reject_log */
    size_t                           body_size; /* of its own block, or 0 */

    ngx_str_t                        json;      /* once $enkod_json was asked
                                                   for */

    ngx_table_elt_t                 *header;    /* of the answer: Allow, ... */

    ngx_array_t                     *failed;    /* void *, receivers that could
                                                   not store the event; or
                                                   NULL */

    unsigned                         exposed:1; /* variables point into the
                                                   event's text, which must
                                                   stay where it is */
    unsigned                         body_text:1;   /* the body is UTF-8 */
};


/*
 * A new context in the state RECEIVING, or NULL if there is no memory.
 * "cleanup" is called before its memory is freed.
 */
ngx_http_enkod_ctx_t *ngx_http_enkod_ctx_create(ngx_http_request_t *r,
    ngx_http_enkod_ctx_cleanup_pt cleanup);

/*
 * The context of a request, also after an internal redirect (error_page), which
 * clears the contexts of all modules; NULL if no receiver got the request.
 */
#define ngx_http_enkod_ctx_get(r)                                             \
    (ngx_http_get_module_ctx(r, ngx_http_enkod_module)                        \
     ? ngx_http_get_module_ctx(r, ngx_http_enkod_module)                      \
     : ngx_http_enkod_ctx_find(r))

/* the second half of ngx_http_enkod_ctx_get() */
ngx_http_enkod_ctx_t *ngx_http_enkod_ctx_find(ngx_http_request_t *r);

/* "error" is the reason for REFUSED, REJECTED and FAILED, else ENKOD_OK. */

static ngx_inline void
ngx_http_enkod_ctx_set_state(ngx_http_enkod_ctx_t *ctx,
    ngx_http_enkod_state_e state, enkod_error_e error)
{
    ctx->state = state;
    ctx->error = error;
}


/*
 * Before a refusal is answered: a request in the state REFUSED becomes
 * REJECTED, or FAILED if the status of its error is 5xx.
 */
void ngx_http_enkod_ctx_end_refusal(ngx_http_enkod_ctx_t *ctx);

/* whether the sender has to get a 200 */
#define ngx_http_enkod_ctx_is_stored(ctx)                                     \
    ((ctx)->state >= NGX_HTTP_ENKOD_ACCEPTED                                  \
     && (ctx)->state <= NGX_HTTP_ENKOD_TEST)

/* whether the event is complete and valid, whatever became of it later */
ngx_uint_t ngx_http_enkod_ctx_has_event(ngx_http_enkod_ctx_t *ctx);

/*
 * The line of a valid event, without its line feed, in memory of the request.
 * The envelope has to be filled.  NGX_ERROR if there is no memory.
 */
ngx_int_t ngx_http_enkod_ctx_line(ngx_http_request_t *r,
    ngx_http_enkod_ctx_t *ctx, ngx_str_t *line);


/*
 * Writing lines and waiting for them: ctx_write_begin(), then for each line
 * ctx_write_event() or what does the same for another line, then
 * ctx_write_end().  "written" is called exactly once, by ctx_write_end() or
 * later, unless the request ends before.
 */

/* For up to "n" lines; NGX_ERROR if there is no memory. */
ngx_int_t ngx_http_enkod_ctx_write_begin(ngx_http_request_t *r,
    ngx_http_enkod_ctx_t *ctx, ngx_uint_t n,
    ngx_http_enkod_written_pt written);

/*
 * Adds the line of the event, which says with which status it could not be
 * passed if "pass_status" is not 0; NGX_ERROR if there is no memory.
 */
ngx_int_t ngx_http_enkod_ctx_write_event(ngx_http_enkod_ctx_t *ctx,
    ngx_http_enkod_journal_t *journal, ngx_uint_t pass_status);

/* "rc" is NGX_ERROR if not all could be added, then "written" gets an error. */
void ngx_http_enkod_ctx_write_end(ngx_http_request_t *r,
    ngx_http_enkod_ctx_t *ctx, ngx_int_t rc);


#pragma GCC visibility pop

#endif /* _NGX_HTTP_ENKOD_CTX_H_INCLUDED_ */
