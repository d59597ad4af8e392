
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The variables.  They read the context of a request and never change what
 * becomes of it.  A variable without a value yet is empty, and is evaluated
 * again the next time: the fields have values once the event is valid.  A value
 * stays where it is as long as the request lives, because the captures of a
 * regular expression point into the text that it was applied to.
 */


#include "ngx_http_enkod_ctx.h"
#include "ngx_http_enkod_envelope.h"
#include "ngx_http_enkod_module.h"
#include "ngx_http_enkod_pass.h"
#include "ngx_http_enkod_receive.h"
#include "enkod_json.h"


static ngx_int_t ngx_http_enkod_variable_event(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_enkod_variable_json(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_enkod_variable_line(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t escaped);
static ngx_int_t ngx_http_enkod_variable_escape(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, ngx_str_t *text);
static ngx_int_t ngx_http_enkod_variable_pass_status(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_enkod_variable_pass_response(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_enkod_variable_test(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_enkod_variable_error(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_enkod_variable_result(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_enkod_variable_field(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_http_enkod_ctx_t *ngx_http_enkod_variable_ctx(ngx_http_request_t *r,
    ngx_http_variable_value_t *v);
static void ngx_http_enkod_variable_set(ngx_http_variable_value_t *v,
    const u_char *data, size_t len);


static ngx_http_variable_t  ngx_http_enkod_variables[] = {

    { ngx_string("enkod_event"), NULL, ngx_http_enkod_variable_event,
      0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("enkod_json"), NULL, ngx_http_enkod_variable_json,
      0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("enkod_line"), NULL, ngx_http_enkod_variable_line,
      0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("enkod_line_escaped"), NULL, ngx_http_enkod_variable_line,
      1, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("enkod_pass_status"), NULL,
      ngx_http_enkod_variable_pass_status,
      0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("enkod_pass_response"), NULL,
      ngx_http_enkod_variable_pass_response,
      0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("enkod_test"), NULL, ngx_http_enkod_variable_test,
      0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("enkod_error"), NULL, ngx_http_enkod_variable_error,
      0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("enkod_result"), NULL, ngx_http_enkod_variable_result,
      0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

      ngx_http_null_variable
};


ngx_int_t
ngx_http_enkod_variables_add(ngx_conf_t *cf)
{
    ngx_uint_t                   i, n;
    ngx_http_variable_t         *var, *v;
    ngx_http_enkod_main_conf_t  *emcf;

    emcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_enkod_module);

    for (v = ngx_http_enkod_variables; v->name.len; v++) {

        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    for (i = 0; i < emcf->schema.nshapes; i++) {
        for (n = 0; n < emcf->schema.shapes[i]->nfields; n++) {

            if (ngx_http_enkod_variables_add_field(cf,
                                         &emcf->schema.shapes[i]->fields[n])
                != NGX_OK)
            {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


/*
 * Adds the variable of a field, if its name can be the name of a variable.
 * Fields of the same name share it; names of variables are case-insensitive.
 */

ngx_int_t
ngx_http_enkod_variables_add_field(ngx_conf_t *cf, const enkod_field_t *field)
{
    size_t                        i;
    u_char                        ch;
    ngx_str_t                    *name, full, **fields;
    ngx_uint_t                    n;
    ngx_http_variable_t          *var;
    ngx_http_enkod_main_conf_t   *emcf;

    static const char  prefix[] = "enkod_";

    for (i = 0; i < field->name.len; i++) {

        ch = ngx_tolower(field->name.data[i]);

        if ((ch < 'a' || ch > 'z') && (ch < '0' || ch > '9') && ch != '_') {
            return NGX_OK;
        }
    }

    for (n = 0; ngx_http_enkod_variables[n].name.len; n++) {

        full = ngx_http_enkod_variables[n].name;

        if (full.len - (sizeof(prefix) - 1) == field->name.len
            && ngx_strncasecmp(full.data + sizeof(prefix) - 1,
                               (u_char *) field->name.data, field->name.len)
               == 0)
        {
            return NGX_OK;
        }
    }

    emcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_enkod_module);

    fields = emcf->fields.elts;

    for (n = 0; n < emcf->fields.nelts; n++) {
        if (fields[n]->len == field->name.len
            && ngx_strncasecmp(fields[n]->data, (u_char *) field->name.data,
                               field->name.len)
               == 0)
        {
            return NGX_OK;
        }
    }

    name = ngx_palloc(cf->pool, sizeof(ngx_str_t));
    fields = ngx_array_push(&emcf->fields);

    full.len = sizeof(prefix) - 1 + field->name.len;
    full.data = ngx_pnalloc(cf->pool, full.len);

    if (name == NULL || fields == NULL || full.data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(ngx_cpymem(full.data, prefix, sizeof(prefix) - 1),
               field->name.data, field->name.len);

    name->len = field->name.len;
    name->data = full.data + sizeof(prefix) - 1;

    *fields = name;

    var = ngx_http_add_variable(cf, &full, NGX_HTTP_VAR_NOCACHEABLE);
    if (var == NULL) {
        return NGX_ERROR;
    }

    if (var->get_handler) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the variable \"$%V\" of a field in \"enkod_event\" "
                           "is defined already", &full);
        return NGX_ERROR;
    }

    var->get_handler = ngx_http_enkod_variable_field;
    var->data = (uintptr_t) name;

    return NGX_OK;
}


static ngx_int_t
ngx_http_enkod_variable_event(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    enkod_str_t            name;
    ngx_http_enkod_ctx_t  *ctx;

    ctx = ngx_http_enkod_variable_ctx(r, v);

    /* the name of a refused event is known, too, if it came in time */

    if (ctx && ctx->event && ctx->state != NGX_HTTP_ENKOD_RECEIVING) {
        name = enkod_event_name(ctx->event);
        ngx_http_enkod_variable_set(v, name.data, name.len);

        if (enkod_event_shape(ctx->event) == NULL) {
            /* otherwise the name is in the table */
            ctx->exposed = 1;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_enkod_variable_json(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char                *p;
    size_t                 len;
    ngx_http_enkod_ctx_t  *ctx;

    ctx = ngx_http_enkod_variable_ctx(r, v);

    if (ctx == NULL || !ngx_http_enkod_ctx_has_event(ctx)) {
        return NGX_OK;
    }

    if (ctx->json.len == 0) {

        len = enkod_event_length(ctx->event) + sizeof("{}") - 1;

        p = ngx_pnalloc(r->pool, len);
        if (p == NULL) {
            return NGX_ERROR;
        }

        ctx->json.len = len;
        ctx->json.data = p;

        *p++ = '{';
        p = enkod_event_write(ctx->event, p);
        *p = '}';
    }

    ngx_http_enkod_variable_set(v, ctx->json.data, ctx->json.len);

    return NGX_OK;
}


static ngx_int_t
ngx_http_enkod_variable_line(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t escaped)
{
    ngx_str_t              line;
    ngx_http_enkod_ctx_t  *ctx;

    ctx = ngx_http_enkod_variable_ctx(r, v);

    if (ctx == NULL || !ngx_http_enkod_ctx_has_event(ctx)) {
        return NGX_OK;
    }

    if (ngx_http_enkod_envelope_fill(r) != NGX_OK
        || ngx_http_enkod_ctx_line(r, ctx, &line) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (escaped) {
        return ngx_http_enkod_variable_escape(r, v, &line);
    }

    ngx_http_enkod_variable_set(v, line.data, line.len);

    return NGX_OK;
}


static ngx_int_t
ngx_http_enkod_variable_escape(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, ngx_str_t *text)
{
    u_char  *p;

    p = ngx_pnalloc(r->pool, enkod_json_escaped_length(text->data, text->len));
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_http_enkod_variable_set(v, p, enkod_json_escape(p, text->data,
                                                        text->len));

    return NGX_OK;
}


static ngx_int_t
ngx_http_enkod_variable_pass_status(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char                *p;
    ngx_uint_t             status;
    ngx_http_enkod_ctx_t  *ctx;

    ctx = ngx_http_enkod_variable_ctx(r, v);

    if (ctx == NULL || ctx->pass == NULL) {
        return NGX_OK;
    }

    status = ngx_http_enkod_pass_status(ctx->pass);

    if (status == 0) {
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_http_enkod_variable_set(v, p, ngx_sprintf(p, "%03ui", status) - p);

    return NGX_OK;
}


static ngx_int_t
ngx_http_enkod_variable_pass_response(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t              text;
    ngx_http_enkod_ctx_t  *ctx;

    ctx = ngx_http_enkod_variable_ctx(r, v);

    if (ctx == NULL || ctx->pass == NULL) {
        return NGX_OK;
    }

    if (ngx_http_enkod_pass_response(ctx->pass, &text) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_enkod_variable_set(v, text.data, text.len);

    return NGX_OK;
}


static ngx_int_t
ngx_http_enkod_variable_test(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_enkod_ctx_t  *ctx;

    ctx = ngx_http_enkod_variable_ctx(r, v);

    if (ctx && ngx_http_enkod_ctx_has_event(ctx)
        && enkod_event_test(ctx->event))
    {
        ngx_http_enkod_variable_set(v, (u_char *) "1", 1);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_enkod_variable_error(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    const char            *code;
    ngx_http_enkod_ctx_t  *ctx;

    ctx = ngx_http_enkod_variable_ctx(r, v);

    if (ctx && ctx->error != ENKOD_OK) {
        code = enkod_error_get(ctx->error)->code;
        ngx_http_enkod_variable_set(v, (u_char *) code, ngx_strlen(code));
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_enkod_variable_result(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_enkod_ctx_t  *ctx;

    static ngx_str_t  results[] = {
        [NGX_HTTP_ENKOD_RECEIVING] = ngx_null_string,
        [NGX_HTTP_ENKOD_REFUSED] = ngx_null_string,
        [NGX_HTTP_ENKOD_DELIVERING] = ngx_null_string,
        [NGX_HTTP_ENKOD_ACCEPTED] = ngx_string("accepted"),
        [NGX_HTTP_ENKOD_SPOOLED] = ngx_string("spooled"),
        [NGX_HTTP_ENKOD_TEST] = ngx_string("test"),
        [NGX_HTTP_ENKOD_REJECTED] = ngx_string("rejected"),
        [NGX_HTTP_ENKOD_FAILED] = ngx_string("failed")
    };

    ctx = ngx_http_enkod_variable_ctx(r, v);

    if (ctx) {
        ngx_http_enkod_variable_set(v, results[ctx->state].data,
                                    results[ctx->state].len);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_enkod_variable_field(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t *name = (ngx_str_t *) data;

    ngx_uint_t             i;
    enkod_str_t            value;
    const enkod_field_t   *field;
    const enkod_shape_t   *shape;
    ngx_http_enkod_ctx_t  *ctx;

    ctx = ngx_http_enkod_variable_ctx(r, v);

    if (ctx == NULL || !ngx_http_enkod_ctx_has_event(ctx)) {
        return NGX_OK;
    }

    shape = enkod_event_shape(ctx->event);

    if (shape == NULL) {
        return NGX_OK;
    }

    for (i = 0; i < shape->nfields; i++) {

        field = &shape->fields[i];

        if (field->name.len == name->len
            && ngx_strncasecmp((u_char *) field->name.data, name->data,
                               name->len)
               == 0)
        {
            value = enkod_event_field(ctx->event, field);
            ngx_http_enkod_variable_set(v, value.data, value.len);
            ctx->exposed = 1;
            break;
        }
    }

    return NGX_OK;
}


/*
 * Leaves the variable empty and not valid, so that its value is not cached: the
 * modules that log take a cached value even if the variable may have changed.
 */

static ngx_http_enkod_ctx_t *
ngx_http_enkod_variable_ctx(ngx_http_request_t *r,
    ngx_http_variable_value_t *v)
{
    v->valid = 0;
    v->no_cacheable = 1;
    v->not_found = 0;
    v->len = 0;
    v->data = (u_char *) "";

    return ngx_http_enkod_ctx_get(r->main);
}


static void
ngx_http_enkod_variable_set(ngx_http_variable_value_t *v, const u_char *data,
    size_t len)
{
    v->len = len;
    v->data = len ? (u_char *) data : (u_char *) "";
}
