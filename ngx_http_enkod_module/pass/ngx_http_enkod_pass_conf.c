
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The directives enkod_pass, enkod_pass_body and enkod_pass_type, and what can
 * be checked of them only at the end of the configuration.
 */


#include "ngx_http_enkod_pass_internal.h"


typedef struct {
    ngx_http_complex_value_t    *uri;       /* of an enkod_pass */
    ngx_http_core_srv_conf_t    *server;    /* of its location */
} ngx_http_enkod_pass_target_t;


static char *ngx_http_enkod_pass_conf_add_target(ngx_conf_t *cf,
    ngx_http_complex_value_t *uri);


char *
ngx_http_enkod_pass_conf_set_uri(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_enkod_loc_conf_t *elcf = conf;

    u_char     *p;
    ngx_str_t  *value;

    if (elcf->pass) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (value[1].len == 0
        || (value[1].data[0] != '/'
            && value[1].data[0] != '@'
            && value[1].data[0] != '$'))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid URI \"%V\" in \"enkod_pass\", it must "
                           "begin with \"/\", \"@\" or a variable", &value[1]);
        return NGX_CONF_ERROR;
    }

    elcf->pass = ngx_http_enkod_value(cf, &value[1]);
    if (elcf->pass == NULL) {
        return NGX_CONF_ERROR;
    }

    elcf->pass_name = value[1];

    p = ngx_strlchr(value[1].data, value[1].data + value[1].len, '?');

    if (p) {
        elcf->pass_name.len = p - value[1].data;
    }

    if (cf->args->nelts == 3) {

        if (value[2].len <= sizeof("success=") - 1
            || ngx_strncmp(value[2].data, "success=", sizeof("success=") - 1)
               != 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\" in \"enkod_pass\", "
                               "only \"success=CONDITION\" may follow the URI",
                               &value[2]);
            return NGX_CONF_ERROR;
        }

        value[2].data += sizeof("success=") - 1;
        value[2].len -= sizeof("success=") - 1;

        elcf->pass_success = ngx_http_enkod_value(cf, &value[2]);
        if (elcf->pass_success == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    return ngx_http_enkod_pass_conf_add_target(cf, elcf->pass);
}


static char *
ngx_http_enkod_pass_conf_add_target(ngx_conf_t *cf,
    ngx_http_complex_value_t *uri)
{
    ngx_http_enkod_main_conf_t       *emcf;
    ngx_http_enkod_pass_target_t     *target;
    ngx_http_enkod_pass_main_conf_t  *pmcf;

    emcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_enkod_module);

    pmcf = emcf->pass;

    if (pmcf == NULL) {

        pmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_enkod_pass_main_conf_t));
        if (pmcf == NULL
            || ngx_array_init(&pmcf->targets, cf->pool, 4,
                              sizeof(ngx_http_enkod_pass_target_t))
               != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }

        emcf->pass = pmcf;
    }

    target = ngx_array_push(&pmcf->targets);
    if (target == NULL) {
        return NGX_CONF_ERROR;
    }

    target->uri = uri;
    target->server = ngx_http_conf_get_module_srv_conf(cf,
                                                       ngx_http_core_module);

    return NGX_CONF_OK;
}


char *
ngx_http_enkod_pass_conf_set_body(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_enkod_loc_conf_t *elcf = conf;

    ngx_str_t  *value;

    if (elcf->pass_body != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (value[1].len == 0) {
        return "must not be empty";
    }

    if (ngx_strcmp(value[1].data, "$enkod_line") == 0) {
        /* the default, which needs no copy */
        elcf->pass_body = NULL;
        return NGX_CONF_OK;
    }

    elcf->pass_body = ngx_http_enkod_value(cf, &value[1]);

    return elcf->pass_body ? NGX_CONF_OK : NGX_CONF_ERROR;
}


char *
ngx_http_enkod_pass_conf_set_type(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_enkod_loc_conf_t *elcf = conf;

    size_t      i;
    ngx_str_t  *value;

    if (elcf->pass_type.data) {
        return "is duplicate";
    }

    value = cf->args->elts;

    elcf->pass_type = value[1];

    for (i = 0; i < value[1].len; i++) {
        if (value[1].data[i] < 0x20 || value[1].data[i] > 0x7e) {
            break;
        }
    }

    if (i < value[1].len || ngx_strlchr(value[1].data,
                                        value[1].data + value[1].len, '/')
                            == NULL)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid type \"%V\" in \"enkod_pass_type\", it "
                           "must be a MIME type as \"application/json\"",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_enkod_pass_conf_init(ngx_conf_t *cf)
{
    ngx_uint_t                        i;
    ngx_http_enkod_main_conf_t       *emcf;
    ngx_http_enkod_pass_target_t     *target;
    ngx_http_enkod_pass_main_conf_t  *pmcf;

    emcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_enkod_module);

    pmcf = emcf->pass;

    if (pmcf == NULL) {
        return NGX_OK;
    }

    target = pmcf->targets.elts;

    for (i = 0; i < pmcf->targets.nelts; i++) {

        if (target[i].uri->lengths == NULL
            && target[i].uri->value.data[0] == '@'
            && !ngx_http_enkod_target_exists(target[i].server,
                                             &target[i].uri->value))
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "no location \"%V\" for \"enkod_pass\" in that "
                               "server", &target[i].uri->value);
            return NGX_ERROR;
        }
    }

    for (i = 0; cf->cycle->modules[i]; i++) {
        if (ngx_strcmp(cf->cycle->modules[i]->name, "ngx_http_fastcgi_module")
            == 0)
        {
            pmcf->fastcgi = cf->cycle->modules[i];
        }
    }

    return ngx_http_enkod_subrequest_init(cf, pmcf);
}
