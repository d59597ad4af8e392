
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * What several directives have in common: a parameter that is one of several
 * words, and the content handler of a location, of which there is only one.
 */


#include "ngx_http_enkod_module.h"


char *
ngx_http_enkod_command_choice(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *p = conf;

    u_char           *last, list[128];
    ngx_str_t        *value;
    ngx_uint_t       *np, i;
    ngx_conf_enum_t  *e;

    np = (ngx_uint_t *) (p + cmd->offset);

    if (*np != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;
    e = cmd->post;
    last = list;

    for (i = 0; e[i].name.len; i++) {

        if (e[i].name.len == value[1].len
            && ngx_strcmp(e[i].name.data, value[1].data) == 0)
        {
            *np = e[i].value;
            return NGX_CONF_OK;
        }

        last = ngx_slprintf(last, list + sizeof(list), "%s\"%V\"",
                            i ? " or " : "", &e[i].name);
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid value \"%V\" in \"%V\", it must be %*s",
                       &value[1], &cmd->name, (size_t) (last - list), list);

    return NGX_CONF_ERROR;
}


char *
ngx_http_enkod_command_handler(ngx_conf_t *cf, ngx_http_handler_pt handler)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->handler) {
        return "must be the only directive in its location "
               "that answers requests";
    }

    clcf->handler = handler;

    return NGX_CONF_OK;
}


char *
ngx_http_enkod_command_check(ngx_conf_t *cf, const char *name,
    ngx_http_handler_pt handler)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->handler != handler) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%s\" in location \"%V\" must be the only "
                           "directive there that answers requests",
                           name, &clcf->name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}
