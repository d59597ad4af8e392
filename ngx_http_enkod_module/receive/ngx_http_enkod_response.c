
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The answer to the sender.  An error is answered with problem details (RFC
 * 9457), which contain nothing of the request but the name of a member.
 */


#include "ngx_http_enkod_body.h"
#include "ngx_http_enkod_ctx.h"
#include "ngx_http_enkod_module.h"
#include "ngx_http_enkod_pass.h"
#include "ngx_http_enkod_response.h"
#include "enkod_json.h"


/* seconds in Retry-After, unless the upstream has sent another value */
#define NGX_HTTP_ENKOD_RETRY_AFTER  "5"


typedef struct {
    ngx_uint_t                   status;
    ngx_str_t                    line;      /* code and phrase, RFC 9110 */
} ngx_http_enkod_status_line_t;


static ngx_int_t ngx_http_enkod_response_send(ngx_http_request_t *r,
    ngx_str_t *body);
static ngx_int_t ngx_http_enkod_response_headers(ngx_http_request_t *r,
    ngx_uint_t status);
static ngx_int_t ngx_http_enkod_response_header(ngx_http_request_t *r,
    ngx_str_t *name, ngx_str_t *value);
static ngx_int_t ngx_http_enkod_response_body(ngx_http_request_t *r,
    ngx_str_t *title, ngx_str_t *body);
static const enkod_refusal_t *ngx_http_enkod_response_refusal(
    ngx_http_enkod_ctx_t *ctx);
static ngx_uint_t ngx_http_enkod_response_error_page(ngx_http_request_t *r,
    ngx_uint_t status);
static ngx_int_t ngx_http_enkod_response_note_failed(ngx_http_request_t *r);
static void ngx_http_enkod_response_log(ngx_http_request_t *r);
static ngx_str_t *ngx_http_enkod_response_line(ngx_uint_t status);


static ngx_http_enkod_status_line_t  ngx_http_enkod_status_lines[] = {
    { 400, ngx_string("400 Bad Request") },
    { 403, ngx_string("403 Forbidden") },
    { 405, ngx_string("405 Method Not Allowed") },
    { 413, ngx_string("413 Content Too Large") },
    { 415, ngx_string("415 Unsupported Media Type") },
    { 422, ngx_string("422 Unprocessable Content") },
    { 500, ngx_string("500 Internal Server Error") },
    { 502, ngx_string("502 Bad Gateway") },
    { 503, ngx_string("503 Service Unavailable") },
    { 504, ngx_string("504 Gateway Time-out") },
    { 0, ngx_string("500 Internal Server Error") }
};


ngx_int_t
ngx_http_enkod_response_ok(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = 0;

    /* set by an error_page that has led here */
    r->err_status = 0;

    /* a condition in the request must not turn it into 304 or 412 */
    r->disable_not_modified = 1;

    /* there is no body to wait for before the header is sent */
    r->header_only = 1;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    /* after a filter has changed the answer, its body has to be ended */

    return ngx_http_send_special(r, NGX_HTTP_LAST);
}


ngx_int_t
ngx_http_enkod_response_probe(ngx_http_request_t *r)
{
    static ngx_str_t  body = ngx_string("enKod webhook receiver\n");

    r->headers_out.status = NGX_HTTP_OK;
    r->disable_not_modified = 1;

    ngx_str_set(&r->headers_out.content_type, "text/plain");
    r->headers_out.content_type_len = r->headers_out.content_type.len;

    return ngx_http_enkod_response_send(r, &body);
}


ngx_int_t
ngx_http_enkod_response_problem(ngx_http_request_t *r)
{
    ngx_str_t              *line, title, body;
    ngx_uint_t              status;
    ngx_http_enkod_ctx_t   *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_enkod_module);

    status = enkod_error_get(ctx->error)->status;

    ngx_http_enkod_response_log(r);

    if (ngx_http_enkod_response_headers(r, status) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_http_enkod_response_error_page(r, status)) {

        if (ngx_http_enkod_response_note_failed(r) != NGX_OK
            || ngx_http_enkod_body_drop(r) != NGX_OK)
        {
            return NGX_ERROR;
        }

        return status;
    }

    line = ngx_http_enkod_response_line(status);

    title.len = line->len - sizeof("400 ") + 1;
    title.data = line->data + sizeof("400 ") - 1;

    if (ngx_http_enkod_response_body(r, &title, &body) != NGX_OK) {
        return NGX_ERROR;
    }

    r->headers_out.status = status;
    r->err_status = 0;

    /* nginx has no phrase for 422, and older ones for some others */
    r->headers_out.status_line = *line;

    ngx_str_set(&r->headers_out.content_type, "application/problem+json");
    r->headers_out.content_type_len = r->headers_out.content_type.len;

    return ngx_http_enkod_response_send(r, &body);
}


static ngx_int_t
ngx_http_enkod_response_send(ngx_http_request_t *r, ngx_str_t *body)
{
    ngx_int_t     rc;
    ngx_buf_t    *b;
    ngx_chain_t   out;

    r->headers_out.content_length_n = body->len;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->pos = body->data;
    b->last = body->data + body->len;
    b->memory = 1;
    b->last_buf = 1;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


static ngx_int_t
ngx_http_enkod_response_headers(ngx_http_request_t *r, ngx_uint_t status)
{
    static ngx_str_t  allow = ngx_string("Allow");
    static ngx_str_t  methods = ngx_string("GET, HEAD, POST");
    static ngx_str_t  retry_after = ngx_string("Retry-After");
    static ngx_str_t  seconds = ngx_string(NGX_HTTP_ENKOD_RETRY_AFTER);

    ngx_str_t             *value;
    ngx_http_enkod_ctx_t  *ctx;

    if (status == NGX_HTTP_NOT_ALLOWED) {
        return ngx_http_enkod_response_header(r, &allow, &methods);
    }

    if (status == NGX_HTTP_SERVICE_UNAVAILABLE) {

        ctx = ngx_http_get_module_ctx(r, ngx_http_enkod_module);

        if (ctx->error == ENKOD_UPSTREAM_BUSY) {

            value = ngx_http_enkod_pass_retry_after(ctx->pass);

            if (value->len) {
                return ngx_http_enkod_response_header(r, &retry_after, value);
            }
        }

        return ngx_http_enkod_response_header(r, &retry_after, &seconds);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_enkod_response_header(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *value)
{
    ngx_table_elt_t       *header;
    ngx_http_enkod_ctx_t  *ctx;

    header = ngx_http_enkod_header_add(r, name, value);
    if (header == NULL) {
        return NGX_ERROR;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_enkod_module);
    ctx->header = header;

    return NGX_OK;
}


static ngx_int_t
ngx_http_enkod_response_body(ngx_http_request_t *r, ngx_str_t *title,
    ngx_str_t *body)
{
    u_char                 *p;
    size_t                  len, detail;
    const enkod_error_t    *error;
    ngx_http_enkod_ctx_t   *ctx;
    const enkod_refusal_t  *refusal;

    ctx = ngx_http_get_module_ctx(r, ngx_http_enkod_module);

    error = enkod_error_get(ctx->error);

    refusal = ngx_http_enkod_response_refusal(ctx);

    detail = ngx_strlen(error->detail);

    len = sizeof("{\"title\":\"\",\"status\":,\"detail\":\"\",\"code\":\"\","
                 "\"field\":\"\",\"expected\":\"\",\"offset\":}\n")
          + title->len + NGX_INT_T_LEN
          + enkod_json_escaped_length((u_char *) error->detail, detail)
          + ngx_strlen(error->code);

    if (refusal) {
        len += refusal->field.len + NGX_SIZE_T_LEN
               + (refusal->expected ? ngx_strlen(refusal->expected) : 0);
    }

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    body->data = p;

    p = ngx_sprintf(p, "{\"title\":\"%V\",\"status\":%ui,\"detail\":\"",
                    title, (ngx_uint_t) error->status);
    p += enkod_json_escape(p, (u_char *) error->detail, detail);
    p = ngx_sprintf(p, "\",\"code\":\"%s\"", error->code);

    if (refusal) {

        if (refusal->field.len) {
            p = ngx_sprintf(p, ",\"field\":\"%*s\"", refusal->field.len,
                            refusal->field.data);
        }

        if (refusal->expected) {
            p = ngx_sprintf(p, ",\"expected\":\"%s\"", refusal->expected);
        }

        p = ngx_sprintf(p, ",\"offset\":%uz", refusal->offset);
    }

    *p++ = '}';
    *p++ = LF;

    body->len = p - body->data;

    return NGX_OK;
}


/*
 * The details of the refusal, if the body was refused.  A body that is too
 * large is refused in the same way whether its length was announced or not.
 */

static const enkod_refusal_t *
ngx_http_enkod_response_refusal(ngx_http_enkod_ctx_t *ctx)
{
    const enkod_refusal_t  *refusal;

    if (ctx->event == NULL || ctx->error == ENKOD_TOO_LARGE) {
        return NULL;
    }

    refusal = enkod_event_refusal(ctx->event);

    return refusal->code == ctx->error ? refusal : NULL;
}


/*
 * Whether ngx_http_special_response_handler() will find an error_page.  An
 * event that was not stored is not answered with a redirect.
 */

static ngx_uint_t
ngx_http_enkod_response_error_page(ngx_http_request_t *r, ngx_uint_t status)
{
    ngx_str_t                  uri;
    ngx_uint_t                 i;
    ngx_http_err_page_t       *page;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (clcf->error_pages == NULL || r->error_page || r->uri_changes == 0) {
        return 0;
    }

    page = clcf->error_pages->elts;

    for (i = 0; i < clcf->error_pages->nelts; i++) {

        if (page[i].status != (ngx_int_t) status) {
            continue;
        }

        if (status < NGX_HTTP_INTERNAL_SERVER_ERROR) {
            return 1;
        }

        return ngx_http_complex_value(r, &page[i].value, &uri) == NGX_OK
               && uri.len
               && (uri.data[0] == '/' || uri.data[0] == '@');
    }

    return 0;
}


/* A receiver that could not store the event does not get it again. */

static ngx_int_t
ngx_http_enkod_response_note_failed(ngx_http_request_t *r)
{
    void                       **receiver;
    ngx_http_enkod_ctx_t        *ctx;
    ngx_http_enkod_loc_conf_t   *elcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_enkod_module);

    if (ctx->state != NGX_HTTP_ENKOD_FAILED) {
        return NGX_OK;
    }

    if (ctx->failed == NULL) {
        ctx->failed = ngx_array_create(r->pool, 1, sizeof(void *));
        if (ctx->failed == NULL) {
            return NGX_ERROR;
        }
    }

    receiver = ngx_array_push(ctx->failed);
    if (receiver == NULL) {
        return NGX_ERROR;
    }

    elcf = ngx_http_get_module_loc_conf(r, ngx_http_enkod_module);

    *receiver = elcf->receiver;

    return NGX_OK;
}


static void
ngx_http_enkod_response_log(ngx_http_request_t *r)
{
    ngx_str_t               field;
    const enkod_error_t    *error;
    ngx_http_enkod_ctx_t   *ctx;
    const enkod_refusal_t  *refusal;

    ctx = ngx_http_get_module_ctx(r, ngx_http_enkod_module);

    error = enkod_error_get(ctx->error);
    refusal = ngx_http_enkod_response_refusal(ctx);

    if (ctx->state == NGX_HTTP_ENKOD_FAILED) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "enkod: event not stored, answered with %ui %s",
                      (ngx_uint_t) error->status, error->code);
        return;
    }

    if (refusal == NULL) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "enkod: request refused with %ui %s",
                      (ngx_uint_t) error->status, error->code);
        return;
    }

    field.len = refusal->field.len;
    field.data = (u_char *) refusal->field.data;

    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                  "enkod: event refused with %ui %s, field \"%V\", offset %uz",
                  (ngx_uint_t) error->status, error->code, &field,
                  refusal->offset);
}


static ngx_str_t *
ngx_http_enkod_response_line(ngx_uint_t status)
{
    ngx_uint_t  i;

    /* the last line is that of any status for which there is none */

    for (i = 0;
         ngx_http_enkod_status_lines[i].status
         && ngx_http_enkod_status_lines[i].status != status;
         i++)
    {
        /* void */
    }

    return &ngx_http_enkod_status_lines[i].line;
}
