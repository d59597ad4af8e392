
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The configuration of the module, as receive/ and pass/ see it.
 */


#ifndef _NGX_HTTP_ENKOD_MODULE_H_INCLUDED_
#define _NGX_HTTP_ENKOD_MODULE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "enkod_event.h"
#include "ngx_http_enkod_journal.h"
#include "ngx_http_enkod_status.h"

#pragma GCC visibility push(hidden)


typedef struct {
    enkod_schema_t               schema;
    ngx_http_enkod_journals_t   *journals;
    ngx_http_enkod_status_t     *status;
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

    ngx_http_complex_value_t    *token;     /* NULL: no token is needed */
    ngx_array_t                 *tokens;    /* ngx_str_t */

    ngx_array_t                 *logs;      /* ngx_http_enkod_log_t, or NULL */
    ngx_http_enkod_journal_t    *reject_log;    /* or NULL */

    ngx_http_complex_value_t    *pass;      /* URI or @name; NULL: off */
    ngx_str_t                    pass_name; /* for messages: as configured,
                                               without arguments */
    ngx_http_complex_value_t    *pass_success;  /* NULL: any 2xx */
    ngx_http_complex_value_t    *pass_body; /* NULL: the line */
    ngx_str_t                    pass_type;
    ngx_http_enkod_journal_t    *spool;     /* or NULL */

    enkod_settings_t             settings;  /* the same, for the event core */

    ngx_uint_t                   shows;     /* enkod_status, or unset */

    /* of a receiver; its "if" has the same, as it has the same name */
    ngx_http_enkod_status_receiver_t  *status;
} ngx_http_enkod_loc_conf_t;


#define NGX_HTTP_ENKOD_VERSION  "0.2.0"


/*
 * A setter as ngx_conf_set_enum_slot(), which names the choice if the value is
 * none of it.
 */
char *ngx_http_enkod_command_choice(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * Of a directive that answers the requests of its location: sets the handler,
 * and, when the location is merged, makes sure that it still is the handler.
 * Both return what a setter returns.
 */
char *ngx_http_enkod_command_handler(ngx_conf_t *cf,
    ngx_http_handler_pt handler);
char *ngx_http_enkod_command_check(ngx_conf_t *cf, const char *name,
    ngx_http_handler_pt handler);

/* Adds a header to the answer; NULL if there is no memory. */
ngx_table_elt_t *ngx_http_enkod_header_add(ngx_http_request_t *r,
    ngx_str_t *name, ngx_str_t *value);

/*
 * Compiles a parameter that may have variables; NULL on error, with a message
 * of nginx.
 */
ngx_http_complex_value_t *ngx_http_enkod_value(ngx_conf_t *cf,
    ngx_str_t *text);

/*
 * NGX_OK if "condition" is NULL, or its value is neither empty nor "0";
 * NGX_DECLINED if it is; NGX_ERROR if there is no memory.
 */
ngx_int_t ngx_http_enkod_value_true(ngx_http_request_t *r,
    ngx_http_complex_value_t *condition);


/*
 * At configuration time: what there is to count is added to emcf->status.  A
 * receiver is added when its configuration has been merged, and gets
 * conf->status; files at the end of the configuration.  NGX_ERROR if there is
 * no memory.
 */
ngx_int_t ngx_http_enkod_count_errors(ngx_http_enkod_status_t *status);
ngx_int_t ngx_http_enkod_count_receiver(ngx_conf_t *cf,
    ngx_http_enkod_loc_conf_t *conf);
ngx_int_t ngx_http_enkod_count_files(ngx_conf_t *cf,
    ngx_http_enkod_main_conf_t *emcf);


extern ngx_module_t  ngx_http_enkod_module;


#pragma GCC visibility pop

#endif /* _NGX_HTTP_ENKOD_MODULE_H_INCLUDED_ */
