
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Registers with status/ what is counted: error codes, receivers, the events
 * that they accept, and files.  What happens to a file is reported to status/.
 */


#include "ngx_http_enkod_module.h"


static void *ngx_http_enkod_count_file(ngx_conf_t *cf, void *ctx,
    ngx_str_t *directive, ngx_open_file_t *open, ngx_str_t *name,
    ngx_uint_t sync);
static ngx_int_t ngx_http_enkod_count_event(ngx_http_enkod_main_conf_t *emcf,
    ngx_http_enkod_loc_conf_t *conf, const enkod_shape_t *shape);
static ngx_uint_t ngx_http_enkod_count_takes(ngx_http_enkod_loc_conf_t *conf,
    const enkod_shape_t *shape);
static ngx_uint_t ngx_http_enkod_count_takes_other(
    ngx_http_enkod_loc_conf_t *conf);


static const ngx_http_enkod_journal_watch_t  ngx_http_enkod_count_watch = {
    ngx_http_enkod_count_file,
    ngx_http_enkod_status_file_written,
    ngx_http_enkod_status_file_synced
};


ngx_int_t
ngx_http_enkod_count_errors(ngx_http_enkod_status_t *status)
{
    ngx_str_t             code;
    ngx_uint_t            i;
    const enkod_error_t  *error;

    for (i = ENKOD_OK + 1; i < ENKOD_NERRORS; i++) {

        error = enkod_error_get(i);

        code.data = (u_char *) error->code;
        code.len = ngx_strlen(error->code);

        if (ngx_http_enkod_status_add_error(status, &code, error->status)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_enkod_count_receiver(ngx_conf_t *cf, ngx_http_enkod_loc_conf_t *conf)
{
    unsigned                     i;
    ngx_str_t                    server;
    ngx_http_core_loc_conf_t    *clcf;
    ngx_http_core_srv_conf_t    *cscf;
    ngx_http_enkod_main_conf_t  *emcf;

    static ngx_str_t  other = ngx_string("other");

    cscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module);
    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    emcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_enkod_module);

    server = cscf->server_name;

    if (server.len == 0) {
        ngx_str_set(&server, "_");
    }

    conf->status = ngx_http_enkod_status_add_receiver(cf, emcf->status, &server,
                                                      &clcf->name);
    if (conf->status == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < emcf->schema.nshapes; i++) {
        if (ngx_http_enkod_count_event(emcf, conf, emcf->schema.shapes[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    /* an error_page may bring any event here */

    return ngx_http_enkod_status_add_event(emcf->status, conf->status,
                                           NGX_HTTP_ENKOD_STATUS_OTHER, &other,
                                       ngx_http_enkod_count_takes_other(conf));
}


static ngx_int_t
ngx_http_enkod_count_event(ngx_http_enkod_main_conf_t *emcf,
    ngx_http_enkod_loc_conf_t *conf, const enkod_shape_t *shape)
{
    ngx_str_t  name;

    if (!ngx_http_enkod_count_takes(conf, shape)) {
        return NGX_OK;
    }

    name.len = shape->name.len;
    name.data = (u_char *) shape->name.data;

    return ngx_http_enkod_status_add_event(emcf->status, conf->status,
                                           shape->index + 1, &name, 1);
}


static ngx_uint_t
ngx_http_enkod_count_takes(ngx_http_enkod_loc_conf_t *conf,
    const enkod_shape_t *shape)
{
    unsigned  i;

    for (i = 0; i < conf->settings.nevents; i++) {
        if (enkod_schema_same(&shape->name, &conf->settings.events[i])) {
            return 1;
        }
    }

    return conf->settings.nevents == 0;
}


/* Whether it takes an event that is not in the schema. */

static ngx_uint_t
ngx_http_enkod_count_takes_other(ngx_http_enkod_loc_conf_t *conf)
{
    unsigned  i;

    if (!conf->accept_unknown) {
        return 0;
    }

    for (i = 0; i < conf->settings.nevents; i++) {
        if (enkod_schema_find(conf->settings.schema, &conf->settings.events[i])
            == NULL)
        {
            return 1;
        }
    }

    return conf->settings.nevents == 0;
}


ngx_int_t
ngx_http_enkod_count_files(ngx_conf_t *cf, ngx_http_enkod_main_conf_t *emcf)
{
    return ngx_http_enkod_journals_watch(cf, emcf->journals,
                                         &ngx_http_enkod_count_watch,
                                         emcf->status);
}


static void *
ngx_http_enkod_count_file(ngx_conf_t *cf, void *ctx, ngx_str_t *directive,
    ngx_open_file_t *open, ngx_str_t *name, ngx_uint_t sync)
{
    const char  *use;

    if (ngx_strcmp(directive->data, "enkod_reject_log") == 0) {
        use = "reject";

    } else if (ngx_strcmp(directive->data, "enkod_spool") == 0) {
        use = "spool";

    } else {
        use = "log";
    }

    return ngx_http_enkod_status_add_file(cf, ctx, open, name, use, sync);
}
