
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * What becomes of a body that is refused where enkod_reject_log is on: it is
 * kept as it came until there is a verdict, and then is in a line
 *
 *     {"received_at":"2026-11-23T03:44:01.123Z","request_id":"...",
 *      "remote_addr":"192.0.2.7","status":422,"code":"wrong_type",
 *      "field":"/message_id","body":"{\"event\":\"message open\",..."}
 *
 * with "body_base64" instead of "body" if the body is not valid UTF-8, and
 * without "field" if no member is to blame.
 */


#include "ngx_http_enkod_module.h"


#define NGX_HTTP_ENKOD_REJECT_STATUS  "\"status\":"
#define NGX_HTTP_ENKOD_REJECT_CODE    ",\"code\":\""
#define NGX_HTTP_ENKOD_REJECT_FIELD   "\",\"field\":\""
#define NGX_HTTP_ENKOD_REJECT_BODY    "\",\"body\":\""
#define NGX_HTTP_ENKOD_REJECT_BASE64  "\",\"body_base64\":\""

/* the first block for a body in pieces; the next is twice as large */
#define NGX_HTTP_ENKOD_REJECT_BLOCK   1024


ngx_int_t
ngx_http_enkod_reject_keep(ngx_http_request_t *r, u_char *p, size_t len,
    ngx_uint_t last)
{
    size_t                      size;
    u_char                     *data;
    ngx_http_enkod_ctx_t       *ctx;
    ngx_http_enkod_loc_conf_t  *elcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_enkod_module);
    elcf = ngx_http_get_module_loc_conf(r, ngx_http_enkod_module);

    len = ngx_min(len, elcf->max_event_size - ctx->body.len);

    if (len == 0) {
        return NGX_OK;
    }

    if (last && ctx->body.len == 0) {

        /* the usual case; nginx keeps what it has read to the end */

        ctx->body.data = p;
        ctx->body.len = len;

        return NGX_OK;
    }

    size = ctx->body_size ? ctx->body_size : NGX_HTTP_ENKOD_REJECT_BLOCK;

    while (size < ctx->body.len + len) {
        size *= 2;
    }

    size = ngx_min(size, elcf->max_event_size);

    if (size > ctx->body_size) {

        data = ngx_alloc(size, r->connection->log);
        if (data == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(data, ctx->body.data, ctx->body.len);

        ngx_http_enkod_reject_forget(ctx);

        ctx->body.data = data;
        ctx->body_size = size;
    }

    ngx_memcpy(ctx->body.data + ctx->body.len, p, len);
    ctx->body.len += len;

    return NGX_OK;
}


void
ngx_http_enkod_reject_forget(ngx_http_enkod_ctx_t *ctx)
{
    if (ctx->body_size) {
        ngx_free(ctx->body.data);
        ctx->body_size = 0;
    }
}


ngx_uint_t
ngx_http_enkod_reject_wanted(ngx_http_enkod_ctx_t *ctx)
{
    ngx_uint_t  status;

    status = enkod_error_get(ctx->verdict)->status;

    return status == NGX_HTTP_BAD_REQUEST
           || status == NGX_HTTP_ENKOD_UNPROCESSABLE_CONTENT;
}


size_t
ngx_http_enkod_reject_length(ngx_http_request_t *r)
{
    size_t                  len;
    ngx_http_enkod_ctx_t   *ctx;
    const enkod_refusal_t  *refusal;

    ctx = ngx_http_get_module_ctx(r, ngx_http_enkod_module);

    refusal = enkod_event_refusal(ctx->event);

    ctx->body_text = enkod_json_is_utf8(ctx->body.data, ctx->body.len);

    len = ngx_http_enkod_line_envelope_length(r)
          + sizeof(NGX_HTTP_ENKOD_REJECT_STATUS) - 1
          + sizeof("400") - 1
          + sizeof(NGX_HTTP_ENKOD_REJECT_CODE) - 1
          + ngx_strlen(enkod_error_get(ctx->verdict)->code)
          + sizeof("\"}") - 1;

    if (refusal->field.len) {
        len += sizeof(NGX_HTTP_ENKOD_REJECT_FIELD) - 1 + refusal->field.len;
    }

    if (ctx->body_text) {
        return len + sizeof(NGX_HTTP_ENKOD_REJECT_BODY) - 1
               + enkod_json_escaped(ctx->body.data, ctx->body.len);
    }

    return len + sizeof(NGX_HTTP_ENKOD_REJECT_BASE64) - 1
           + ngx_base64_encoded_length(ctx->body.len);
}


u_char *
ngx_http_enkod_reject_write(ngx_http_request_t *r, u_char *p)
{
    ngx_str_t               base64;
    const enkod_error_t    *error;
    ngx_http_enkod_ctx_t   *ctx;
    const enkod_refusal_t  *refusal;

    ctx = ngx_http_get_module_ctx(r, ngx_http_enkod_module);

    error = enkod_error_get(ctx->verdict);
    refusal = enkod_event_refusal(ctx->event);

    p = ngx_http_enkod_line_envelope(r, p);

    p = ngx_sprintf(p, NGX_HTTP_ENKOD_REJECT_STATUS "%ui"
                    NGX_HTTP_ENKOD_REJECT_CODE "%s",
                    (ngx_uint_t) error->status, error->code);

    if (refusal->field.len) {
        p = ngx_cpymem(p, NGX_HTTP_ENKOD_REJECT_FIELD,
                       sizeof(NGX_HTTP_ENKOD_REJECT_FIELD) - 1);
        p = ngx_cpymem(p, refusal->field.data, refusal->field.len);
    }

    if (ctx->body_text) {
        p = ngx_cpymem(p, NGX_HTTP_ENKOD_REJECT_BODY,
                       sizeof(NGX_HTTP_ENKOD_REJECT_BODY) - 1);
        p += enkod_json_escape(p, ctx->body.data, ctx->body.len);

    } else {
        p = ngx_cpymem(p, NGX_HTTP_ENKOD_REJECT_BASE64,
                       sizeof(NGX_HTTP_ENKOD_REJECT_BASE64) - 1);
        base64.data = p;
        ngx_encode_base64(&base64, &ctx->body);
        p += base64.len;
    }

    *p++ = '"';
    *p++ = '}';

    return p;
}
