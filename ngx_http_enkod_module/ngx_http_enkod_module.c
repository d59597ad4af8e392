
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The module: its directives, and how the levels of the configuration are
 * merged.  A configuration that cannot work is refused by "nginx -t", with the
 * name of the directive.
 */


#include "ngx_http_enkod_module.h"
#include "ngx_http_enkod_pass.h"
#include "ngx_http_enkod_receive.h"
#include "ngx_http_enkod_status_handler.h"


#define NGX_HTTP_ENKOD_MAX_EVENT_SIZE  (64 * 1024)


static ngx_int_t ngx_http_enkod_preconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_http_enkod_postconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_http_enkod_init_module(ngx_cycle_t *cycle);
static ngx_int_t ngx_http_enkod_init_process(ngx_cycle_t *cycle);
static void ngx_http_enkod_exit_process(ngx_cycle_t *cycle);
static void *ngx_http_enkod_create_main_conf(ngx_conf_t *cf);
static void *ngx_http_enkod_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_enkod_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static void *ngx_http_enkod_conf_alloc(void *data, size_t size);
static void ngx_http_enkod_conf_free(void *data, void *p);

static char *ngx_http_enkod_webhook(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_enkod_set_status(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


static ngx_conf_enum_t  ngx_http_enkod_extra_fields[] = {
    { ngx_string("keep"), ENKOD_EXTRA_KEEP },
    { ngx_string("drop"), ENKOD_EXTRA_DROP },
    { ngx_string("reject"), ENKOD_EXTRA_REJECT },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_enkod_unknown_event[] = {
    { ngx_string("reject"), 0 },
    { ngx_string("accept"), 1 },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_enkod_test[] = {
    { ngx_string("accept"), 0 },
    { ngx_string("ack"), 1 },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_enkod_shows[] = {
    { ngx_string("json"), NGX_HTTP_ENKOD_STATUS_JSON },
    { ngx_string("prometheus"), NGX_HTTP_ENKOD_STATUS_PROMETHEUS },
    { ngx_string("html"), NGX_HTTP_ENKOD_STATUS_HTML },
    { ngx_string("ready"), NGX_HTTP_ENKOD_STATUS_READY },
    { ngx_null_string, 0 }
};


static ngx_command_t  ngx_http_enkod_commands[] = {

    { ngx_string("enkod_webhook"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_enkod_webhook,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("enkod_events"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_enkod_receive_set_events,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("enkod_event"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_enkod_receive_set_event,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("enkod_extra_fields"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_enkod_command_choice,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_enkod_loc_conf_t, extra_fields),
      &ngx_http_enkod_extra_fields },

    { ngx_string("enkod_unknown_event"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_enkod_command_choice,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_enkod_loc_conf_t, accept_unknown),
      &ngx_http_enkod_unknown_event },

    { ngx_string("enkod_test"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_enkod_command_choice,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_enkod_loc_conf_t, ack_test),
      &ngx_http_enkod_test },

    { ngx_string("enkod_max_event_size"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_enkod_receive_set_size,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("enkod_token"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_2MORE,
      ngx_http_enkod_receive_set_token,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("enkod_log"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_enkod_log_set,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("enkod_reject_log"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_enkod_log_set_file,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_enkod_loc_conf_t, reject_log),
      NULL },

    { ngx_string("enkod_pass"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_enkod_pass_conf_set_uri,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("enkod_pass_body"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_enkod_pass_conf_set_body,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("enkod_pass_type"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_enkod_pass_conf_set_type,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("enkod_spool"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_enkod_log_set_file,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_enkod_loc_conf_t, spool),
      NULL },

    { ngx_string("enkod_status"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE1,
      ngx_http_enkod_set_status,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_enkod_loc_conf_t, shows),
      &ngx_http_enkod_shows },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_enkod_module_ctx = {
    ngx_http_enkod_preconfiguration,       /* preconfiguration */
    ngx_http_enkod_postconfiguration,      /* postconfiguration */

    ngx_http_enkod_create_main_conf,       /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_enkod_create_loc_conf,        /* create location configuration */
    ngx_http_enkod_merge_loc_conf          /* merge location configuration */
};


ngx_module_t  ngx_http_enkod_module = {
    NGX_MODULE_V1,
    &ngx_http_enkod_module_ctx,            /* module context */
    ngx_http_enkod_commands,               /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_http_enkod_init_module,            /* init module */
    ngx_http_enkod_init_process,           /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_enkod_exit_process,           /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_int_t
ngx_http_enkod_preconfiguration(ngx_conf_t *cf)
{
    return ngx_http_enkod_variables_add(cf);
}


static ngx_int_t
ngx_http_enkod_postconfiguration(ngx_conf_t *cf)
{
    ngx_http_enkod_main_conf_t  *emcf;

    static ngx_str_t  name = ngx_string("request_id");

    emcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_enkod_module);

    emcf->request_id = ngx_http_get_variable_index(cf, &name);

    if (emcf->request_id == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (ngx_http_enkod_journals_check(emcf->journals, cf->cycle, cf->log)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_http_enkod_count_files(cf, emcf) != NGX_OK
        || ngx_http_enkod_status_init(cf, emcf->status, &ngx_http_enkod_module)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_enkod_pass_conf_init(cf);
}


static ngx_int_t
ngx_http_enkod_init_module(ngx_cycle_t *cycle)
{
    ngx_http_enkod_main_conf_t  *emcf;

    emcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_enkod_module);

    if (emcf == NULL) {
        /* there is no "http" */
        return NGX_OK;
    }

    if (ngx_http_enkod_status_init_module(emcf->status, cycle) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_enkod_journals_init_module(emcf->journals, cycle);
}


static ngx_int_t
ngx_http_enkod_init_process(ngx_cycle_t *cycle)
{
    ngx_http_enkod_main_conf_t  *emcf;

    emcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_enkod_module);

    if (emcf == NULL) {
        return NGX_OK;
    }

    if (ngx_http_enkod_status_init_process(emcf->status, cycle) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_enkod_journals_init_process(emcf->journals, cycle);
}


static void
ngx_http_enkod_exit_process(ngx_cycle_t *cycle)
{
    ngx_http_enkod_main_conf_t  *emcf;

    emcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_enkod_module);

    if (emcf) {
        ngx_http_enkod_status_exit_process(emcf->status);
    }

    ngx_http_enkod_event_block_exit_process(cycle);
}


static void *
ngx_http_enkod_create_main_conf(ngx_conf_t *cf)
{
    enkod_mem_t                  mem;
    ngx_http_enkod_main_conf_t  *emcf;

    emcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_enkod_main_conf_t));
    if (emcf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     emcf->webhook = 0;
     *     emcf->request_id = 0;
     *     emcf->pass = NULL;
     */

    emcf->journals = ngx_http_enkod_journals_create(cf, &ngx_http_enkod_module);
    if (emcf->journals == NULL) {
        return NULL;
    }

    emcf->status = ngx_http_enkod_status_create(cf);
    if (emcf->status == NULL
        || ngx_http_enkod_count_errors(emcf->status) != NGX_OK)
    {
        return NULL;
    }

    mem.alloc = ngx_http_enkod_conf_alloc;
    mem.free = ngx_http_enkod_conf_free;
    mem.ctx = cf->pool;

    if (enkod_schema_init(&emcf->schema, &mem) != 0
        || ngx_array_init(&emcf->fields, cf->pool, 16, sizeof(ngx_str_t *))
           != NGX_OK)
    {
        return NULL;
    }

    return emcf;
}


static void *
ngx_http_enkod_conf_alloc(void *data, size_t size)
{
    return ngx_palloc(data, size);
}


static void
ngx_http_enkod_conf_free(void *data, void *p)
{
    (void) ngx_pfree(data, p);
}


static void *
ngx_http_enkod_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_enkod_loc_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_enkod_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     conf->webhook = 0;
     *     conf->receiver = NULL;
     *     conf->token = NULL;
     *     conf->tokens = NULL;
     *     conf->pass = NULL;
     *     conf->pass_name = { 0, NULL };
     *     conf->pass_success = NULL;
     *     conf->pass_type = { 0, NULL };
     *     conf->settings = { 0 };
     *     conf->status = NULL;
     */

    conf->events = NGX_CONF_UNSET_PTR;
    conf->extra_fields = NGX_CONF_UNSET_UINT;
    conf->accept_unknown = NGX_CONF_UNSET_UINT;
    conf->ack_test = NGX_CONF_UNSET_UINT;
    conf->max_event_size = NGX_CONF_UNSET_SIZE;
    conf->logs = NGX_CONF_UNSET_PTR;
    conf->reject_log = NGX_CONF_UNSET_PTR;
    conf->pass_body = NGX_CONF_UNSET_PTR;
    conf->spool = NGX_CONF_UNSET_PTR;
    conf->shows = NGX_CONF_UNSET_UINT;

    return conf;
}


static char *
ngx_http_enkod_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_enkod_loc_conf_t *prev = parent;
    ngx_http_enkod_loc_conf_t *conf = child;

    ngx_http_core_loc_conf_t    *clcf;
    ngx_http_enkod_main_conf_t  *emcf;

    ngx_conf_merge_ptr_value(conf->events, prev->events, NULL);
    ngx_conf_merge_uint_value(conf->extra_fields, prev->extra_fields,
                              ENKOD_EXTRA_KEEP);
    ngx_conf_merge_uint_value(conf->accept_unknown, prev->accept_unknown, 0);
    ngx_conf_merge_uint_value(conf->ack_test, prev->ack_test, 0);
    ngx_conf_merge_size_value(conf->max_event_size, prev->max_event_size,
                              NGX_HTTP_ENKOD_MAX_EVENT_SIZE);

    ngx_conf_merge_ptr_value(conf->reject_log, prev->reject_log, NULL);
    ngx_conf_merge_ptr_value(conf->pass_body, prev->pass_body, NULL);
    ngx_conf_merge_str_value(conf->pass_type, prev->pass_type,
                             "application/json");
    ngx_conf_merge_ptr_value(conf->spool, prev->spool, NULL);

    if (conf->logs == NGX_CONF_UNSET_PTR) {
        /* it may remain unset, which is not "off": see the warning below */
        conf->logs = prev->logs;
    }

    if (conf->token == NULL) {
        conf->token = prev->token;
        conf->tokens = prev->tokens;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    emcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_enkod_module);

    if (emcf->webhook
        && ngx_http_enkod_error_page_watch(cf, clcf->error_pages) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (clcf->noname && conf->shows == NGX_CONF_UNSET_UINT
        && prev->shows != NGX_CONF_UNSET_UINT && clcf->handler == NULL)
    {
        /* "if" and "limit_except" that do not answer themselves */

        conf->shows = prev->shows;
        clcf->handler = ngx_http_enkod_status_handler;
    }

    if (conf->shows != NGX_CONF_UNSET_UINT
        && ngx_http_enkod_command_check(cf, "enkod_status",
                                        ngx_http_enkod_status_handler)
           != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    conf->receiver = conf;

    if (clcf->noname && prev->webhook && clcf->handler == NULL) {

        /* "if" and "limit_except" that do not answer themselves */

        conf->webhook = 1;
        conf->receiver = prev->receiver;
        clcf->handler = ngx_http_enkod_handler;

        if (conf->pass == NULL) {
            conf->pass = prev->pass;
            conf->pass_name = prev->pass_name;
            conf->pass_success = prev->pass_success;
        }
    }

    if (!conf->webhook) {

        if (conf->pass) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"enkod_pass\" in location \"%V\" needs "
                               "\"enkod_webhook\" there", &clcf->name);
            return NGX_CONF_ERROR;
        }

        return NGX_CONF_OK;
    }

    if (ngx_http_enkod_command_check(cf, "enkod_webhook",
                                     ngx_http_enkod_handler)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    conf->settings.schema = &emcf->schema;
    conf->settings.max_size = conf->max_event_size;
    conf->settings.extra = conf->extra_fields;
    conf->settings.accept_unknown = conf->accept_unknown;

    if (ngx_http_enkod_receive_merge_events(cf, conf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_enkod_count_receiver(cf, conf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (conf->pass) {
        ngx_http_enkod_status_add_pass(conf->status);
    }

    if (conf->logs == NGX_CONF_UNSET_PTR) {
        conf->logs = NULL;

        if (conf->pass == NULL) {
            ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                               "\"enkod_webhook\" in location \"%V\" has "
                               "neither \"enkod_log\" nor \"enkod_pass\": its "
                               "events are stored nowhere", &clcf->name);
        }
    }

    if (!clcf->noname
        && clcf->client_max_body_size
        && clcf->client_max_body_size < (off_t) conf->max_event_size)
    {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "\"client_max_body_size\" in location \"%V\" is "
                           "smaller than \"enkod_max_event_size\", so nginx "
                           "itself refuses larger events", &clcf->name);
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_enkod_webhook(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_enkod_loc_conf_t *elcf = conf;

    ngx_http_enkod_main_conf_t  *emcf;

    if (elcf->webhook) {
        return "is duplicate";
    }

    elcf->webhook = 1;

    emcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_enkod_module);
    emcf->webhook = 1;

    return ngx_http_enkod_command_handler(cf, ngx_http_enkod_handler);
}


static char *
ngx_http_enkod_set_status(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_enkod_loc_conf_t *elcf = conf;

    char  *rv;

    if (cf->args->nelts > 1) {
        rv = ngx_http_enkod_command_choice(cf, cmd, conf);

        if (rv != NGX_CONF_OK) {
            return rv;
        }

    } else if (elcf->shows != NGX_CONF_UNSET_UINT) {
        return "is duplicate";

    } else {
        elcf->shows = NGX_HTTP_ENKOD_STATUS_NEGOTIATED;
    }

    return ngx_http_enkod_command_handler(cf, ngx_http_enkod_status_handler);
}
