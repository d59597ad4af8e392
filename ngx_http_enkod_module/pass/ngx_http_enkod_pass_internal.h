
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The struct of a pass, and what the files of this folder do for each other.
 * Calls go in one direction only:
 *
 *     filter --> pass --> target --> subrequest
 *
 * Pass also calls subrequest and pass_response; pass_conf calls target and
 * subrequest at configuration time.  What a lower file learns from nginx it
 * reports through a callback in the struct.
 */


#ifndef _NGX_HTTP_ENKOD_PASS_INTERNAL_H_INCLUDED_
#define _NGX_HTTP_ENKOD_PASS_INTERNAL_H_INCLUDED_


#include "ngx_http_enkod_module.h"
#include "ngx_http_enkod_pass.h"

#pragma GCC visibility push(hidden)


/* nginx ends the subrequest; takes and returns what a post_subrequest does */
typedef ngx_int_t (*ngx_http_enkod_pass_finished_pt)(ngx_http_request_t *sr,
    ngx_http_enkod_pass_t *pass, ngx_int_t rc);


struct ngx_http_enkod_pass_s {
    ngx_uint_t                        state;    /* see ngx_http_enkod_pass.c */

    ngx_http_request_t               *request;  /* the client's */
    ngx_http_enkod_loc_conf_t        *conf;     /* of its location */
    ngx_http_enkod_pass_pt            handler;  /* gets the outcome */

    ngx_http_request_t               *subrequest;
    uint64_t                          started;  /* microseconds */
    ngx_http_post_subrequest_t        post;
    ngx_http_enkod_pass_finished_pt   finished;

    ngx_str_t                         location; /* @name, or empty */
    ngx_uint_t                        status;   /* of the answer; 0 until the
                                                   subrequest has finished */
    ngx_str_t                         retry_after;  /* of the answer */
    ngx_str_t                         response; /* beginning of its body */
    ngx_str_t                         escaped;  /* the same, once it is whole */

    /* what the upstream module had in u->finalize_request */
    void                            (*finalize)(ngx_http_request_t *r,
                                          ngx_int_t rc);

    unsigned                          client_gone:1;
};


typedef struct ngx_http_enkod_pass_main_conf_s
    ngx_http_enkod_pass_main_conf_t;

struct ngx_http_enkod_pass_main_conf_s {
    ngx_array_t                       targets;  /* of all enkod_pass */
    ngx_module_t                     *fastcgi;  /* NULL: nginx is without it */

    /* indexes of variables: ngx_int_t, not to be inherited; $request_method */
    ngx_array_t                       variables;
    ngx_int_t                         request_method;
};


/*
 * Pass: what the filters hand to it.
 */

/* The header of the subrequest's answer. */
void ngx_http_enkod_pass_answer_header(ngx_http_enkod_pass_t *pass);

/*
 * A part of the body, of the subrequest or of one of its own; consumes all of
 * "in".  NGX_ERROR if there is no memory.
 */
ngx_int_t ngx_http_enkod_pass_answer_body(ngx_http_enkod_pass_t *pass,
    ngx_chain_t *in);


/*
 * Pass response: what is kept of the answer.
 */

/* A buffer of the body; NGX_ERROR if there is no memory. */
ngx_int_t ngx_http_enkod_pass_response_store(ngx_http_enkod_pass_t *pass,
    ngx_buf_t *b);

/* Sets pass->retry_after if the answer has that header. */
void ngx_http_enkod_pass_response_find_retry_after(
    ngx_http_enkod_pass_t *pass);


/*
 * Target: where a subrequest goes.
 */

/*
 * Evaluates enkod_pass: a URI and its arguments; of a named location, its name
 * in pass->location and the URI of the client's request.  Returns NGX_OK;
 * NGX_DECLINED if the value is empty; NGX_ABORT, after a message, if there is
 * no such place; NGX_ERROR if there is no memory.
 */
ngx_int_t ngx_http_enkod_target_get(ngx_http_enkod_pass_t *pass,
    ngx_str_t *uri, ngx_str_t *args);

/*
 * From here on messages of nginx about a subrequest of r show the parameter of
 * enkod_pass in place of a URI that may contain values of the event.
 */
void ngx_http_enkod_target_hide(ngx_http_request_t *r);

/* Whether the server has a location of that name. */
ngx_uint_t ngx_http_enkod_target_exists(ngx_http_core_srv_conf_t *cscf,
    ngx_str_t *name);


/*
 * Subrequest: a POST with a body and headers of ours, and nothing of the
 * client's body.
 */

/*
 * Creates pass->subrequest, which nginx runs later; pass->finished is called
 * whenever nginx ends it.  "body" must last as long as the request.  NGX_ERROR
 * if there is no memory: the client's request must be finalized with that.
 */
ngx_int_t ngx_http_enkod_subrequest_create(ngx_http_enkod_pass_t *pass,
    ngx_str_t *uri, ngx_str_t *args, ngx_str_t *body);

/* The pass whose subrequest r is; NULL for all other requests. */
ngx_http_enkod_pass_t *ngx_http_enkod_subrequest_pass(ngx_http_request_t *r);

/* The same, but r may also be a subrequest of the subrequest, at any depth. */
ngx_http_enkod_pass_t *ngx_http_enkod_subrequest_find_pass(
    ngx_http_request_t *r);

/* At the end of the configuration, if there is an enkod_pass. */
ngx_int_t ngx_http_enkod_subrequest_init(ngx_conf_t *cf,
    ngx_http_enkod_pass_main_conf_t *pmcf);


#pragma GCC visibility pop

#endif /* _NGX_HTTP_ENKOD_PASS_INTERNAL_H_INCLUDED_ */
