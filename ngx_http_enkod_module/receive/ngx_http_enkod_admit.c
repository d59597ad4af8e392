
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The checks of a request that are made before its body is read.
 */


#include "ngx_http_enkod_admit.h"
#include "ngx_http_enkod_module.h"


static ngx_uint_t ngx_http_enkod_admit_token(ngx_http_request_t *r,
    ngx_http_enkod_loc_conf_t *elcf);
static ngx_uint_t ngx_http_enkod_admit_equal(ngx_str_t *value,
    ngx_str_t *token);
static ngx_uint_t ngx_http_enkod_admit_encoded(ngx_http_request_t *r);


enkod_error_e
ngx_http_enkod_admit(ngx_http_request_t *r)
{
    ngx_uint_t                  method;
    ngx_http_enkod_loc_conf_t  *elcf;

    elcf = ngx_http_get_module_loc_conf(r, ngx_http_enkod_module);

    if (elcf->token && !ngx_http_enkod_admit_token(r, elcf)) {
        return ENKOD_FORBIDDEN;
    }

    method = ngx_http_enkod_admit_method(r);

    if (method & (NGX_HTTP_GET|NGX_HTTP_HEAD)) {
        return ENKOD_OK;
    }

    if (!(method & NGX_HTTP_POST)) {
        return ENKOD_METHOD_NOT_ALLOWED;
    }

    if (ngx_http_enkod_admit_encoded(r)) {
        return ENKOD_UNSUPPORTED_ENCODING;
    }

    if (r->headers_in.content_length_n > (off_t) elcf->max_event_size) {
        return ENKOD_TOO_LARGE;
    }

    return ENKOD_OK;
}


ngx_uint_t
ngx_http_enkod_admit_line_method(ngx_http_request_t *r)
{
    ngx_str_t  *line;

    line = &r->request_line;

    if (r->method != NGX_HTTP_GET || line->len == 0) {
        return r->method;
    }

    if (ngx_strncmp(line->data, "GET ", sizeof("GET ") - 1) == 0) {
        return NGX_HTTP_GET;
    }

    if (ngx_strncmp(line->data, "POST ", sizeof("POST ") - 1) == 0) {
        return NGX_HTTP_POST;
    }

    return NGX_HTTP_UNKNOWN;
}


static ngx_uint_t
ngx_http_enkod_admit_token(ngx_http_request_t *r,
    ngx_http_enkod_loc_conf_t *elcf)
{
    ngx_str_t    value, *token;
    ngx_uint_t   i, valid;

    if (ngx_http_complex_value(r, elcf->token, &value) != NGX_OK) {
        return 0;
    }

    valid = 0;
    token = elcf->tokens->elts;

    for (i = 0; i < elcf->tokens->nelts; i++) {
        valid |= ngx_http_enkod_admit_equal(&value, &token[i]);
    }

    return valid;
}


/*
 * The time that this takes depends only on the length of the value, which the
 * sender knows.
 */

static ngx_uint_t
ngx_http_enkod_admit_equal(ngx_str_t *value, ngx_str_t *token)
{
    size_t               i;
    volatile ngx_uint_t  diff;

    diff = value->len ^ token->len;

    for (i = 0; i < value->len; i++) {
        diff |= value->data[i] ^ token->data[i % token->len];
    }

    return diff == 0;
}


/*
 * Whether there is a Content-Encoding other than "identity".  nginx has no
 * pointer to this header.
 */

static ngx_uint_t
ngx_http_enkod_admit_encoded(ngx_http_request_t *r)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *header;

    static ngx_str_t  name = ngx_string("content-encoding");
    static ngx_str_t  identity = ngx_string("identity");

    part = &r->headers_in.headers.part;
    header = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return 0;
            }

            part = part->next;
            header = part->elts;
            i = 0;
        }

        if (header[i].key.len != name.len
            || ngx_strncasecmp(header[i].key.data, name.data, name.len) != 0)
        {
            continue;
        }

        if (header[i].value.len == 0) {
            continue;
        }

        if (header[i].value.len != identity.len
            || ngx_strncasecmp(header[i].value.data, identity.data,
                               identity.len)
               != 0)
        {
            return 1;
        }
    }
}
