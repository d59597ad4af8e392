
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * What the rooms of the nginx half share: the configuration, the state of a
 * request, and one prototype for each thing that a room does for another.
 */


#ifndef _NGX_HTTP_ENKOD_MODULE_H_INCLUDED_
#define _NGX_HTTP_ENKOD_MODULE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "enkod_event.h"
#include "ngx_http_enkod_journal.h"

#pragma GCC visibility push(hidden)


/* seconds in Retry-After where nobody named another number */
#define NGX_HTTP_ENKOD_RETRY_AFTER  "5"

/* how every line begins */
#define NGX_HTTP_ENKOD_LINE_START   "{\"received_at\":\""

/* RFC 9110; nginx has no name for it */
#define NGX_HTTP_ENKOD_UNPROCESSABLE_CONTENT  422


typedef struct {
    enkod_schema_t               schema;
    ngx_http_enkod_journals_t   *journals;
    ngx_array_t                  fields;    /* ngx_str_t *, with variables */
    ngx_uint_t                   webhook;   /* there is a receiver */
    ngx_int_t                    request_id;    /* index of the variable */

    /* NULL: there is no enkod_pass */
    struct ngx_http_enkod_pass_main_conf_s  *pass;
} ngx_http_enkod_main_conf_t;


typedef struct {
    ngx_http_enkod_journal_t    *journal;
    ngx_http_complex_value_t    *filter;    /* if=; NULL: always */
} ngx_http_enkod_log_t;


typedef struct {
    ngx_uint_t                   webhook;
    void                        *receiver;  /* the same within its "if" */

    ngx_array_t                 *events;    /* ngx_str_t; NULL: all */
    ngx_uint_t                   extra_fields;
    ngx_uint_t                   accept_unknown;
    ngx_uint_t                   ack_test;
    size_t                       max_event_size;

    ngx_http_complex_value_t    *token;     /* NULL: none is asked for */
    ngx_array_t                 *tokens;    /* ngx_str_t */

    ngx_array_t                 *logs;      /* ngx_http_enkod_log_t, or NULL */
    ngx_http_enkod_journal_t    *reject_log;    /* or NULL */

    ngx_http_complex_value_t    *pass;      /* URI or @name; NULL: off */
    ngx_str_t                    pass_name; /* it in messages: as it stands in
                                               the configuration, without
                                               arguments */
    ngx_http_complex_value_t    *pass_success;  /* NULL: any 2xx */
    ngx_http_complex_value_t    *pass_body; /* NULL: the line */
    ngx_str_t                    pass_type;
    ngx_http_enkod_journal_t    *spool;     /* or NULL */

    enkod_settings_t             settings;  /* the same, for the event core */
} ngx_http_enkod_loc_conf_t;


typedef enum {
    NGX_HTTP_ENKOD_UNDECIDED = 0,
    NGX_HTTP_ENKOD_ACCEPTED,
    NGX_HTTP_ENKOD_TEST,
    NGX_HTTP_ENKOD_SPOOLED,
    NGX_HTTP_ENKOD_REJECTED,
    NGX_HTTP_ENKOD_FAILED
} ngx_http_enkod_result_e;


typedef struct {
    enkod_event_t               *event;
    enkod_error_e                verdict;   /* what is thought of the body */
    enkod_error_e                error;     /* what is answered */
    ngx_http_enkod_result_e      result;

    off_t                        received;  /* bytes of the body */

    /* what is called when the body is there */
    ngx_http_client_body_handler_pt  body_handler;

    ngx_str_t                    body;      /* as it came, for a refusal */
    size_t                       body_size; /* of the block it is in, or 0 */

    time_t                       sec;       /* when the body was there */
    ngx_msec_t                   msec;
    ngx_str_t                    request_id;
    ngx_str_t                    remote_addr;   /* as in JSON */
    ngx_str_t                    json;      /* once a variable has asked */
    ngx_str_t                    line;      /* likewise */

    ngx_http_enkod_waiter_t     *waiters;   /* one for each line */
    ngx_http_enkod_waiter_t      waiter;    /* the only one, mostly */
    ngx_uint_t                   nwaiters;
    ngx_uint_t                   pending;   /* sinks still to answer */

    struct ngx_http_enkod_pass_s    *pass;  /* once it was started */

    ngx_table_elt_t             *header;    /* of the answer: Allow, ... */

    ngx_array_t                 *failed;    /* void *, receivers, or NULL */

    unsigned                     accepted:1;    /* the event is whole, good */
    unsigned                     shown:1;       /* some of its text is known to
                                                   nginx, and has to stay */
    unsigned                     body_text:1;   /* valid UTF-8 */
} ngx_http_enkod_ctx_t;


/* the event is where it should be: the sender has to see a 200 */
#define ngx_http_enkod_kept(ctx)                                              \
    ((ctx)->result == NGX_HTTP_ENKOD_ACCEPTED                                 \
     || (ctx)->result == NGX_HTTP_ENKOD_TEST                                  \
     || (ctx)->result == NGX_HTTP_ENKOD_SPOOLED)


/*
 * Log: the directives enkod_log, enkod_reject_log and enkod_spool.
 */

char *ngx_http_enkod_log_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* A file or "off", into the ngx_http_enkod_journal_t * at cmd->offset. */
char *ngx_http_enkod_log_set_file(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


/*
 * Value: a parameter with variables.
 */

/* At configuration time; NULL on error. */
ngx_http_complex_value_t *ngx_http_enkod_value(ngx_conf_t *cf,
    ngx_str_t *text);

/*
 * NGX_OK if there is no condition, or it is neither empty nor "0"; NGX_DECLINED
 * if it is; NGX_ERROR if there is no memory.
 */
ngx_int_t ngx_http_enkod_value_true(ngx_http_request_t *r,
    ngx_http_complex_value_t *condition);


/*
 * Handler: the content handler of a location with enkod_webhook.
 */

ngx_int_t ngx_http_enkod_handler(ngx_http_request_t *r);

/* Of the module: frees what a worker has kept. */
void ngx_http_enkod_exit_process(ngx_cycle_t *cycle);

/*
 * The context of a request, also after an internal redirect (error_page), when
 * nginx has forgotten it; NULL if the request met no enkod_webhook.
 */
#define ngx_http_enkod_get_ctx(r)                                             \
    (ngx_http_get_module_ctx(r, ngx_http_enkod_module)                        \
     ? ngx_http_get_module_ctx(r, ngx_http_enkod_module)                      \
     : ngx_http_enkod_find_ctx(r))

/* the part for which nginx has to have forgotten it */
ngx_http_enkod_ctx_t *ngx_http_enkod_find_ctx(ngx_http_request_t *r);


/*
 * Admit: token, method, encoding and announced length, in this order.
 */

/* ENKOD_OK, or why the request is refused. */
enkod_error_e ngx_http_enkod_admit(ngx_http_request_t *r);

/*
 * The method of the client: error_page and X-Accel-Redirect make a GET of it on
 * their way to a URI, and an event must not be taken for a probe.
 */
#define ngx_http_enkod_admit_method(r)                                        \
    ((r)->internal ? ngx_http_enkod_admit_line_method(r) : (r)->method)

/* that of the request line, where there is one */
ngx_uint_t ngx_http_enkod_admit_line_method(ngx_http_request_t *r);


/*
 * Body: reads the request's body to its end, feeding ctx->event as it comes,
 * or dropping it once ctx->error is set; then calls "handler", with ctx->error
 * saying what came of it.  A body that grows larger than enkod_max_event_size
 * ends at once with ENKOD_TOO_LARGE.  Returns what a content handler returns.
 */

ngx_int_t ngx_http_enkod_body_read(ngx_http_request_t *r,
    ngx_http_client_body_handler_pt handler);

/* The request has no body from here on; NGX_ERROR if there is no memory. */
ngx_int_t ngx_http_enkod_body_drop(ngx_http_request_t *r);


/*
 * Response: each sends a whole answer and returns what to finalize with.
 */

/* 200 with no body: the event is where it should be */
ngx_int_t ngx_http_enkod_response_ok(ngx_http_request_t *r);

/* 200 with a short line of text for GET and HEAD */
ngx_int_t ngx_http_enkod_response_probe(ngx_http_request_t *r);

/* problem+json (RFC 9457) for ctx->error, or the administrator's error_page */
ngx_int_t ngx_http_enkod_response_problem(ngx_http_request_t *r);


/*
 * Error page: what an error_page has led away from, which nginx forgets.
 */

typedef struct {
    ngx_uint_t                   status;    /* of the last error */
    ngx_uint_t                   failed;    /* of a receiver, 5xx, or 0 */
} ngx_http_enkod_error_page_t;

/* At configuration time; "pages" is that of a location, or NULL. */
ngx_int_t ngx_http_enkod_error_page_watch(ngx_conf_t *cf, ngx_array_t *pages);

/* NULL if no error_page was taken. */
ngx_http_enkod_error_page_t *ngx_http_enkod_error_page_get(
    ngx_http_request_t *r);


/*
 * Line: the text of an accepted event with its envelope, without "\n".  With a
 * status that is not 0 it says that the event could not be passed.
 */

/* Looks up what any line needs; NGX_ERROR if there is no memory. */
ngx_int_t ngx_http_enkod_line_prepare(ngx_http_request_t *r);

/* How each line begins: when, which request, from where; to the comma. */
size_t ngx_http_enkod_line_envelope_length(ngx_http_request_t *r);
u_char *ngx_http_enkod_line_envelope(ngx_http_request_t *r, u_char *p);

size_t ngx_http_enkod_line_length(ngx_http_request_t *r,
    ngx_uint_t pass_status);
u_char *ngx_http_enkod_line_write(ngx_http_request_t *r, u_char *p,
    ngx_uint_t pass_status);

/* The same in memory that lasts as long as the request. */
ngx_int_t ngx_http_enkod_line_get(ngx_http_request_t *r, ngx_str_t *line);


/*
 * Reject: the body that is refused, and its line, without "\n".
 */

/* Keeps the next bytes of the body; NGX_ERROR if there is no memory. */
ngx_int_t ngx_http_enkod_reject_keep(ngx_http_request_t *r, u_char *p,
    size_t len, ngx_uint_t last);

/* Gives the memory of that back. */
void ngx_http_enkod_reject_forget(ngx_http_enkod_ctx_t *ctx);

/* Whether the verdict is one that the operator wants to see the body of. */
ngx_uint_t ngx_http_enkod_reject_wanted(ngx_http_enkod_ctx_t *ctx);

/* After ngx_http_enkod_line_prepare(), and in this order. */
size_t ngx_http_enkod_reject_length(ngx_http_request_t *r);
u_char *ngx_http_enkod_reject_write(ngx_http_request_t *r, u_char *p);


/*
 * Variables: what is always there, and one for each field of the table.
 */

ngx_int_t ngx_http_enkod_variables_add(ngx_conf_t *cf);
ngx_int_t ngx_http_enkod_variables_add_field(ngx_conf_t *cf,
    const enkod_field_t *field);


extern ngx_module_t  ngx_http_enkod_module;


#pragma GCC visibility pop

#endif /* _NGX_HTTP_ENKOD_MODULE_H_INCLUDED_ */
