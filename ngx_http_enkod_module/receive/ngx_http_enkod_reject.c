
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The line of a refused body in enkod_reject_log.  Where the directive is on,
 * the body is kept as it was received until the event is accepted or refused.
 *
 *     {"received_at":"2026-11-23T03:44:01.123Z","request_id":"...",
 *      "remote_addr":"192.0.2.7","status":422,"code":"wrong_type",
 *      "field":"/message_id","body":"{\"event\":\"message open\",..."}
 *
 * It has "body_base64" instead of "body" if the body is not valid UTF-8, and no
 * "field" if the refusal does not concern one member.
 */


#include "ngx_http_enkod_ctx.h"
#include "ngx_http_enkod_module.h"
#include "ngx_http_enkod_reject.h"
#include "enkod_json.h"


/* the first block for a body in pieces; the next is twice as large */
#define NGX_HTTP_ENKOD_REJECT_BLOCK   1024

/* RFC 9110, 15.5.21; nginx has no name for it */
#define NGX_HTTP_ENKOD_UNPROCESSABLE_CONTENT  422


static size_t ngx_http_enkod_reject_length(ngx_http_enkod_ctx_t *ctx);
static u_char *ngx_http_enkod_reject_print(ngx_http_enkod_ctx_t *ctx,
    u_char *p);


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

        /* the usual case: the buffer of nginx lasts as long as the request */

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

        ngx_http_enkod_reject_free(ctx);

        ctx->body.data = data;
        ctx->body_size = size;
    }

    ngx_memcpy(ctx->body.data + ctx->body.len, p, len);
    ctx->body.len += len;

    return NGX_OK;
}


void
ngx_http_enkod_reject_free(ngx_http_enkod_ctx_t *ctx)
{
    if (ctx->body_size) {
        ngx_free(ctx->body.data);
        ctx->body_size = 0;
    }
}


ngx_uint_t
ngx_http_enkod_reject_is_logged(ngx_http_enkod_ctx_t *ctx)
{
    unsigned  status;

    status = enkod_error_get(ctx->error)->status;

    return status == NGX_HTTP_BAD_REQUEST
           || status == NGX_HTTP_ENKOD_UNPROCESSABLE_CONTENT;
}


ngx_int_t
ngx_http_enkod_reject_write(ngx_http_enkod_ctx_t *ctx,
    ngx_http_enkod_journal_t *journal)
{
    size_t   len;
    u_char  *p;

    len = ngx_http_enkod_reject_length(ctx) + 1;

    p = ngx_http_enkod_journal_reserve(journal, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    *ngx_http_enkod_reject_print(ctx, p) = LF;

    ngx_http_enkod_journal_add(journal, len,
                               ngx_http_enkod_waiters_next(&ctx->waiters));

    return NGX_OK;
}


static size_t
ngx_http_enkod_reject_length(ngx_http_enkod_ctx_t *ctx)
{
    size_t  len;

    ctx->body_text = enkod_json_is_utf8(ctx->body.data, ctx->body.len);

    len = enkod_line_refusal_length(&ctx->envelope, ctx->error,
                                    &enkod_event_refusal(ctx->event)->field,
                                    !ctx->body_text)
          + sizeof(ENKOD_LINE_REFUSAL_END) - 1;

    if (ctx->body_text) {
        return len + enkod_json_escaped_length(ctx->body.data, ctx->body.len);
    }

    return len + ngx_base64_encoded_length(ctx->body.len);
}


static u_char *
ngx_http_enkod_reject_print(ngx_http_enkod_ctx_t *ctx, u_char *p)
{
    ngx_str_t  base64;

    p = enkod_line_refusal_write(p, &ctx->envelope, ctx->error,
                                 &enkod_event_refusal(ctx->event)->field,
                                 !ctx->body_text);

    if (ctx->body_text) {
        p += enkod_json_escape(p, ctx->body.data, ctx->body.len);

    } else {
        base64.data = p;
        ngx_encode_base64(&base64, &ctx->body);
        p += base64.len;
    }

    return ngx_cpymem(p, ENKOD_LINE_REFUSAL_END,
                      sizeof(ENKOD_LINE_REFUSAL_END) - 1);
}
