
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Pass: passes an accepted event on by a subrequest (enkod_pass), writes it to
 * the spool (enkod_spool) if that fails, and reports the outcome.  This is all
 * that other folders use; the struct of a pass is in
 * ngx_http_enkod_pass_internal.h.
 */


#ifndef _NGX_HTTP_ENKOD_PASS_H_INCLUDED_
#define _NGX_HTTP_ENKOD_PASS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "enkod_error.h"
#include "ngx_http_enkod_ctx.h"

#pragma GCC visibility push(hidden)


typedef struct ngx_http_enkod_pass_s  ngx_http_enkod_pass_t;

/*
 * The outcome, as a state that the client's request r may take; the pass itself
 * does not change the state of r.
 *
 *     NGX_HTTP_ENKOD_ACCEPTED, ENKOD_OK  the event was delivered
 *     NGX_HTTP_ENKOD_SPOOLED, ENKOD_OK   it was not, but it is in the spool
 *     NGX_HTTP_ENKOD_FAILED, error       it is nowhere: ENKOD_UPSTREAM_FAILED,
 *                                        _TIMEOUT or _BUSY if there is no
 *                                        spool, else ENKOD_LOG_UNAVAILABLE
 *
 * The callback may finalize r.
 */
typedef void (*ngx_http_enkod_pass_pt)(ngx_http_request_t *r,
    ngx_http_enkod_state_e state, enkod_error_e error);


/*
 * Starts a pass of the request's event, which must be valid and have its
 * envelope filled, and stores it in ctx->pass.  "handler" is called exactly
 * once, possibly before this function returns; not at all if the request is
 * terminated first.
 * Returns NGX_OK; NGX_DECLINED if the value of enkod_pass is empty, so that
 * this event is not passed; or NGX_ERROR if there is no memory: the request
 * must then be finalized with NGX_ERROR.
 */
ngx_int_t ngx_http_enkod_pass_start(ngx_http_request_t *r,
    ngx_http_enkod_pass_pt handler);

/* The status of the answer; 0 until the subrequest has finished. */
ngx_uint_t ngx_http_enkod_pass_status(ngx_http_enkod_pass_t *pass);

/* Retry-After of an answer that means ENKOD_UPSTREAM_BUSY; may be empty. */
ngx_str_t *ngx_http_enkod_pass_retry_after(ngx_http_enkod_pass_t *pass);

/*
 * The beginning of the answer's body, escaped for a JSON string, in the memory
 * of the request; empty unless "success=" is used.  NGX_ERROR if there is no
 * memory.
 */
ngx_int_t ngx_http_enkod_pass_response(ngx_http_enkod_pass_t *pass,
    ngx_str_t *text);


/* Handlers of enkod_pass, enkod_pass_body, enkod_pass_type. */
char *ngx_http_enkod_pass_conf_set_uri(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_enkod_pass_conf_set_body(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_enkod_pass_conf_set_type(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * At the end of the configuration, when all locations are known: checks the
 * directives and prepares for subrequests.  NGX_ERROR after a message.
 */
ngx_int_t ngx_http_enkod_pass_conf_init(ngx_conf_t *cf);

/* Adds the filters that take the answers of subrequests. */
void ngx_http_enkod_pass_filter_init(void);


#pragma GCC visibility pop

#endif /* _NGX_HTTP_ENKOD_PASS_H_INCLUDED_ */
