
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Parameters of directives that may have variables, and conditions.
 */


#include "ngx_http_enkod_module.h"


ngx_http_complex_value_t *
ngx_http_enkod_value(ngx_conf_t *cf, ngx_str_t *text)
{
    ngx_http_complex_value_t          *value;
    ngx_http_compile_complex_value_t   ccv;

    value = ngx_palloc(cf->pool, sizeof(ngx_http_complex_value_t));
    if (value == NULL) {
        return NULL;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = text;
    ccv.complex_value = value;

    return ngx_http_compile_complex_value(&ccv) == NGX_OK ? value : NULL;
}


ngx_int_t
ngx_http_enkod_value_true(ngx_http_request_t *r,
    ngx_http_complex_value_t *condition)
{
    ngx_str_t  value;

    if (condition == NULL) {
        return NGX_OK;
    }

    if (ngx_http_complex_value(r, condition, &value) != NGX_OK) {
        return NGX_ERROR;
    }

    if (value.len == 0 || (value.len == 1 && value.data[0] == '0')) {
        return NGX_DECLINED;
    }

    return NGX_OK;
}
