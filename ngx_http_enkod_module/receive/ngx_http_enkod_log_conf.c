
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The directives that name files: enkod_log, enkod_reject_log, enkod_spool.
 */


#include "ngx_http_enkod_module.h"
#include "ngx_http_enkod_receive.h"


static ngx_http_enkod_journal_t *ngx_http_enkod_log_journal(ngx_conf_t *cf,
    ngx_command_t *cmd, ngx_uint_t sync);
static ngx_uint_t ngx_http_enkod_log_syncable(ngx_conf_t *cf,
    ngx_command_t *cmd);


char *
ngx_http_enkod_log_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_enkod_loc_conf_t *elcf = conf;

    ngx_str_t                 *value;
    ngx_uint_t                 i, sync;
    ngx_http_enkod_log_t      *log, *logs;
    ngx_http_complex_value_t  *filter;

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {

        if (cf->args->nelts != 2 || elcf->logs != NGX_CONF_UNSET_PTR) {
            return "must stand alone if it is \"off\"";
        }

        elcf->logs = NULL;

        return NGX_CONF_OK;
    }

    if (elcf->logs == NULL) {
        return "must stand alone if it is \"off\"";
    }

    sync = 0;
    filter = NULL;

    for (i = 2; i < cf->args->nelts; i++) {

        if (!sync && ngx_strcmp(value[i].data, "sync") == 0) {
            sync = 1;
            continue;
        }

        if (filter == NULL && value[i].len > sizeof("if=") - 1
            && ngx_strncmp(value[i].data, "if=", sizeof("if=") - 1) == 0)
        {
            value[i].data += sizeof("if=") - 1;
            value[i].len -= sizeof("if=") - 1;

            filter = ngx_http_enkod_value(cf, &value[i]);
            if (filter == NULL) {
                return NGX_CONF_ERROR;
            }

            continue;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\" in \"enkod_log\", only "
                           "one \"sync\" and one \"if=CONDITION\" may follow "
                           "the path", &value[i]);
        return NGX_CONF_ERROR;
    }

    if (elcf->logs == NGX_CONF_UNSET_PTR) {
        elcf->logs = ngx_array_create(cf->pool, 2,
                                      sizeof(ngx_http_enkod_log_t));
        if (elcf->logs == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    log = ngx_array_push(elcf->logs);
    if (log == NULL) {
        return NGX_CONF_ERROR;
    }

    log->filter = filter;

    log->journal = ngx_http_enkod_log_journal(cf, cmd, sync);
    if (log->journal == NULL) {
        return NGX_CONF_ERROR;
    }

    logs = elcf->logs->elts;

    for (i = 0; i < elcf->logs->nelts - 1; i++) {

        if (logs[i].journal == log->journal) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate path \"%V\" in \"enkod_log\"",
                               &value[1]);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


char *
ngx_http_enkod_log_set_file(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *p = conf;

    ngx_str_t                  *value;
    ngx_http_enkod_journal_t  **journal;

    journal = (ngx_http_enkod_journal_t **) (p + cmd->offset);

    if (*journal != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {

        if (cf->args->nelts != 2) {
            return "must stand alone if it is \"off\"";
        }

        *journal = NULL;

        return NGX_CONF_OK;
    }

    if (cf->args->nelts == 3 && ngx_strcmp(value[2].data, "sync") != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\" in \"%V\", only "
                           "\"sync\" may follow the path",
                           &value[2], &cmd->name);
        return NGX_CONF_ERROR;
    }

    *journal = ngx_http_enkod_log_journal(cf, cmd, cf->args->nelts == 3);

    return *journal ? NGX_CONF_OK : NGX_CONF_ERROR;
}


/* The journal of the directive's first parameter, which is the path. */

static ngx_http_enkod_journal_t *
ngx_http_enkod_log_journal(ngx_conf_t *cf, ngx_command_t *cmd, ngx_uint_t sync)
{
    ngx_str_t                   *value;
    ngx_http_enkod_main_conf_t  *emcf;

    value = cf->args->elts;

    if (value[1].len == 0
        || ngx_strchr(value[1].data, '$') != NULL
        || ngx_strncmp(value[1].data, "syslog:", sizeof("syslog:") - 1) == 0)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid path \"%V\" in \"%V\", it must be "
                           "that of a file and have no variables",
                           &value[1], &cmd->name);
        return NULL;
    }

    if (sync && !ngx_http_enkod_log_syncable(cf, cmd)) {
        return NULL;
    }

    emcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_enkod_module);

    return ngx_http_enkod_journal_get(cf, emcf->journals, &cmd->name,
                                      &value[1], sync);
}


static ngx_uint_t
ngx_http_enkod_log_syncable(ngx_conf_t *cf, ngx_command_t *cmd)
{
#if (NGX_THREADS)
    ngx_str_t        *value, path;
    ngx_file_info_t   fi;

    value = cf->args->elts;

    path = value[1];

    if (ngx_conf_full_name(cf->cycle, &path, 0) != NGX_OK) {
        return 0;
    }

    /* a file that is not there yet will be a regular one */

    if (ngx_file_info(path.data, &fi) != NGX_FILE_ERROR && !ngx_is_file(&fi)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"sync\" in \"%V\" needs a regular file, which "
                           "\"%V\" is not", &cmd->name, &value[1]);
        return 0;
    }

    return 1;
#else
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"sync\" in \"%V\" is not available, it needs an "
                       "nginx built with \"--with-threads\"", &cmd->name);
    return 0;
#endif
}
