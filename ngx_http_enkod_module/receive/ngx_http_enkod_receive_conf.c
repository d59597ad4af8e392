
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The directives that say what is received: enkod_events, enkod_event,
 * enkod_max_event_size and enkod_token.
 */


#include "ngx_http_enkod_module.h"
#include "ngx_http_enkod_receive.h"
#include "enkod_json.h"


/* offsets into an event are kept in 32 bits */
#define NGX_HTTP_ENKOD_MAX_SIZE_LIMIT  (512 * 1024 * 1024)


char *
ngx_http_enkod_receive_set_events(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_enkod_loc_conf_t *elcf = conf;

    ngx_str_t   *value, *name;
    ngx_uint_t   i, n;

    if (elcf->events != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "all") == 0) {
        elcf->events = NULL;
        return NGX_CONF_OK;
    }

    elcf->events = ngx_array_create(cf->pool, cf->args->nelts - 1,
                                    sizeof(ngx_str_t));
    if (elcf->events == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        if (value[i].len == 0 || ngx_strcmp(value[i].data, "all") == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\" in \"enkod_events\", "
                               "it must be \"all\" alone or names of events",
                               &value[i]);
            return NGX_CONF_ERROR;
        }

        name = elcf->events->elts;

        for (n = 0; n < elcf->events->nelts; n++) {
            if (name[n].len == value[i].len
                && ngx_strcmp(name[n].data, value[i].data) == 0)
            {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "duplicate event \"%V\" in "
                                   "\"enkod_events\"", &value[i]);
                return NGX_CONF_ERROR;
            }
        }

        name = ngx_array_push(elcf->events);
        if (name == NULL) {
            return NGX_CONF_ERROR;
        }

        *name = value[i];
    }

    return NGX_CONF_OK;
}


char *
ngx_http_enkod_receive_merge_events(ngx_conf_t *cf,
    ngx_http_enkod_loc_conf_t *conf)
{
    ngx_str_t    *name;
    ngx_uint_t    i;
    enkod_str_t  *event;

    if (conf->events == NULL) {
        return NGX_CONF_OK;
    }

    name = conf->events->elts;

    event = ngx_palloc(cf->pool, conf->events->nelts * sizeof(enkod_str_t));
    if (event == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < conf->events->nelts; i++) {

        event[i].data = name[i].data;
        event[i].len = name[i].len;

        if (!conf->accept_unknown
            && enkod_schema_find(conf->settings.schema, &event[i]) == NULL)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "unknown event \"%V\" in \"enkod_events\", it "
                               "must be declared by \"enkod_event\", or "
                               "\"enkod_unknown_event accept\" must apply; "
                               "a name with spaces needs quotes",
                               &name[i]);
            return NGX_CONF_ERROR;
        }
    }

    conf->settings.events = event;
    conf->settings.nevents = conf->events->nelts;

    return NGX_CONF_OK;
}


char *
ngx_http_enkod_receive_set_event(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_enkod_main_conf_t *emcf = conf;

    ngx_str_t      *value;
    ngx_uint_t      i;
    const char     *error;
    enkod_str_t     text;
    enkod_shape_t  *shape;
    enkod_field_t  *field;

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        if (!enkod_json_is_utf8(value[i].data, value[i].len)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\" in \"enkod_event\": "
                               "names must be valid UTF-8", &value[i]);
            return NGX_CONF_ERROR;
        }
    }

    text.data = value[1].data;
    text.len = value[1].len;

    shape = enkod_schema_declare(&emcf->schema, &text, &error);

    i = 1;

    while (shape && ++i < cf->args->nelts) {

        text.data = value[i].data;
        text.len = value[i].len;

        field = enkod_schema_declare_field(&emcf->schema, shape, &text,
                                           &error);
        if (field == NULL) {
            break;
        }

        if (ngx_http_enkod_variables_add_field(cf, field) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    if (i == cf->args->nelts) {
        return NGX_CONF_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\" in \"enkod_event\": %s",
                       &value[i], error);

    return NGX_CONF_ERROR;
}


char *
ngx_http_enkod_receive_set_size(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_enkod_loc_conf_t *elcf = conf;

    ssize_t     size;
    ngx_str_t  *value;

    if (elcf->max_event_size != NGX_CONF_UNSET_SIZE) {
        return "is duplicate";
    }

    value = cf->args->elts;

    size = ngx_parse_size(&value[1]);

    if (size <= 0 || size > NGX_HTTP_ENKOD_MAX_SIZE_LIMIT) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in \"enkod_max_event_size\", "
                           "it must be a size from 1 to 512m", &value[1]);
        return NGX_CONF_ERROR;
    }

    elcf->max_event_size = size;

    return NGX_CONF_OK;
}


char *
ngx_http_enkod_receive_set_token(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_enkod_loc_conf_t *elcf = conf;

    ngx_str_t   *value, *token;
    ngx_uint_t   i;

    if (elcf->token) {
        return "is duplicate";
    }

    value = cf->args->elts;

    elcf->token = ngx_http_enkod_value(cf, &value[1]);
    elcf->tokens = ngx_array_create(cf->pool, cf->args->nelts - 2,
                                    sizeof(ngx_str_t));

    if (elcf->token == NULL || elcf->tokens == NULL) {
        return NGX_CONF_ERROR;
    }

    if (elcf->token->lengths == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in \"enkod_token\", it must "
                           "have a variable, like \"$arg_token\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    for (i = 2; i < cf->args->nelts; i++) {

        if (value[i].len == 0 || ngx_strchr(value[i].data, '$') != NULL) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid token in \"enkod_token\", it must be "
                               "neither empty nor contain \"$\"");
            return NGX_CONF_ERROR;
        }

        token = ngx_array_push(elcf->tokens);
        if (token == NULL) {
            return NGX_CONF_ERROR;
        }

        *token = value[i];
    }

    return NGX_CONF_OK;
}
