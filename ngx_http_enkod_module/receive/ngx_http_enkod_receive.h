
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * What receive/ offers to the module: the content handler, and the parts of the
 * configuration that concern it.  Setters of directives are as in nginx.
 */


#ifndef _NGX_HTTP_ENKOD_RECEIVE_H_INCLUDED_
#define _NGX_HTTP_ENKOD_RECEIVE_H_INCLUDED_


#include "ngx_http_enkod_module.h"

#pragma GCC visibility push(hidden)


/* The content handler of a location with enkod_webhook. */
ngx_int_t ngx_http_enkod_handler(ngx_http_request_t *r);

/* Frees what a worker has kept. */
void ngx_http_enkod_event_block_exit_process(ngx_cycle_t *cycle);

/*
 * Records the status of which an error_page is taken.  "pages" are those of a
 * location, or NULL.
 */
ngx_int_t ngx_http_enkod_error_page_watch(ngx_conf_t *cf, ngx_array_t *pages);

/* The variables that always exist, and those of the fields of the schema. */
ngx_int_t ngx_http_enkod_variables_add(ngx_conf_t *cf);
ngx_int_t ngx_http_enkod_variables_add_field(ngx_conf_t *cf,
    const enkod_field_t *field);


/* enkod_events NAME ... | all */
char *ngx_http_enkod_receive_set_events(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* enkod_event NAME FIELD=TYPE ... */
char *ngx_http_enkod_receive_set_event(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* enkod_max_event_size SIZE */
char *ngx_http_enkod_receive_set_size(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* enkod_token VALUE TOKEN ... */
char *ngx_http_enkod_receive_set_token(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* enkod_log PATH [sync] [if=CONDITION] | off */
char *ngx_http_enkod_log_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/*
 * enkod_reject_log, enkod_spool PATH [sync] | off: into the
 * ngx_http_enkod_journal_t * at cmd->offset
 */
char *ngx_http_enkod_log_set_file(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* The list of enkod_events for the event core, once all events are declared. */
char *ngx_http_enkod_receive_merge_events(ngx_conf_t *cf,
    ngx_http_enkod_loc_conf_t *conf);


#pragma GCC visibility pop

#endif /* _NGX_HTTP_ENKOD_RECEIVE_H_INCLUDED_ */
