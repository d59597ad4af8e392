
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The content handler of enkod_status.  An answer is complete in memory before
 * its header is sent, so all of its numbers are of the same time, and its
 * length is known.
 */


#include "ngx_http_enkod_module.h"
#include "ngx_http_enkod_status_accept.h"
#include "ngx_http_enkod_status_handler.h"
#include "ngx_http_enkod_status_page.h"
#include "ngx_http_enkod_status_snapshot.h"
#include "ngx_http_enkod_status_text.h"
#include "ngx_http_enkod_status_view.h"

#include <yajl/yajl_version.h>


/* what is sent; the index of its media type, if it can be negotiated */

typedef enum {
    NGX_HTTP_ENKOD_FORM_JSON = 0,
    NGX_HTTP_ENKOD_FORM_TEXT,
    NGX_HTTP_ENKOD_FORM_OPENMETRICS,
    NGX_HTTP_ENKOD_FORM_HTML,
    NGX_HTTP_ENKOD_FORM_READY
} ngx_http_enkod_form_e;


#define NGX_HTTP_ENKOD_NFORMS  NGX_HTTP_ENKOD_FORM_READY


static ngx_http_enkod_form_e ngx_http_enkod_status_form(ngx_http_request_t *r,
    ngx_uint_t status);
static ngx_int_t ngx_http_enkod_status_view(ngx_http_request_t *r,
    ngx_http_enkod_form_e form, ngx_http_enkod_view_t *view);
static ngx_int_t ngx_http_enkod_status_not_allowed(ngx_http_request_t *r);
static ngx_int_t ngx_http_enkod_status_headers(ngx_http_request_t *r,
    ngx_http_enkod_form_e form, ngx_uint_t negotiated);
static ngx_int_t ngx_http_enkod_status_send_page(ngx_http_request_t *r);
static ngx_int_t ngx_http_enkod_status_send_text(ngx_http_request_t *r,
    ngx_http_enkod_text_t *text);
static ngx_int_t ngx_http_enkod_status_send(ngx_http_request_t *r,
    ngx_chain_t *out, off_t len);


/* in the order in which they are preferred */

static const ngx_http_enkod_status_type_t  ngx_http_enkod_status_types[] = {
    { ngx_string("application"), ngx_string("json"), ngx_null_string },
    { ngx_string("text"), ngx_string("plain"), ngx_string("0.0.4") },
    { ngx_string("application"), ngx_string("openmetrics-text"),
      ngx_string("1.0.0") },
    { ngx_string("text"), ngx_string("html"), ngx_null_string }
};


/* of "enkod_status html": the page asks its own URL for JSON */

static const ngx_http_enkod_status_type_t  ngx_http_enkod_status_html_types[] =
{
    { ngx_string("text"), ngx_string("html"), ngx_null_string },
    { ngx_string("application"), ngx_string("json"), ngx_null_string }
};


/* of each form: the whole Content-Type, and the part that filters know */

static ngx_str_t  ngx_http_enkod_status_content_types[] = {
    ngx_string("application/json"),
    ngx_string("text/plain; version=0.0.4; charset=utf-8"),
    ngx_string("application/openmetrics-text; version=1.0.0; charset=utf-8"),
    ngx_string("text/html; charset=utf-8"),
    ngx_string("application/json")
};


static size_t  ngx_http_enkod_status_content_type_lens[] = {
    sizeof("application/json") - 1,
    sizeof("text/plain") - 1,
    sizeof("application/openmetrics-text") - 1,
    sizeof("text/html") - 1,
    sizeof("application/json") - 1
};


ngx_int_t
ngx_http_enkod_status_handler(ngx_http_request_t *r)
{
    ngx_int_t                    rc;
    ngx_uint_t                   negotiated;
    ngx_http_enkod_form_e        form;
    ngx_http_enkod_view_t        view;
    ngx_http_enkod_loc_conf_t   *elcf;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return ngx_http_enkod_status_not_allowed(r);
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    elcf = ngx_http_get_module_loc_conf(r, ngx_http_enkod_module);

    form = ngx_http_enkod_status_form(r, elcf->shows);

    negotiated = (elcf->shows == NGX_HTTP_ENKOD_STATUS_NEGOTIATED
                  || elcf->shows == NGX_HTTP_ENKOD_STATUS_PROMETHEUS
                  || elcf->shows == NGX_HTTP_ENKOD_STATUS_HTML);

    r->headers_out.status = NGX_HTTP_OK;

    if (form == NGX_HTTP_ENKOD_FORM_HTML) {

        if (ngx_http_enkod_status_headers(r, form, negotiated) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return ngx_http_enkod_status_send_page(r);
    }

    if (ngx_http_enkod_status_view(r, form, &view) != NGX_OK
        || ngx_http_enkod_status_headers(r, form, negotiated) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_enkod_status_send_text(r, &view.text);
}


/* What to send, where "status" is the parameter of the directive. */

static ngx_http_enkod_form_e
ngx_http_enkod_status_form(ngx_http_request_t *r, ngx_uint_t status)
{
    switch (status) {

    case NGX_HTTP_ENKOD_STATUS_JSON:
        return NGX_HTTP_ENKOD_FORM_JSON;

    case NGX_HTTP_ENKOD_STATUS_READY:
        return NGX_HTTP_ENKOD_FORM_READY;

    case NGX_HTTP_ENKOD_STATUS_PROMETHEUS:
        return NGX_HTTP_ENKOD_FORM_TEXT
               + ngx_http_enkod_status_accept(r,
                     &ngx_http_enkod_status_types[NGX_HTTP_ENKOD_FORM_TEXT],
                     NGX_HTTP_ENKOD_FORM_HTML - NGX_HTTP_ENKOD_FORM_TEXT);

    case NGX_HTTP_ENKOD_STATUS_HTML:
        return ngx_http_enkod_status_accept(r,
                                            ngx_http_enkod_status_html_types, 2)
               ? NGX_HTTP_ENKOD_FORM_JSON : NGX_HTTP_ENKOD_FORM_HTML;

    default: /* NGX_HTTP_ENKOD_STATUS_NEGOTIATED */
        return ngx_http_enkod_status_accept(r, ngx_http_enkod_status_types,
                                            NGX_HTTP_ENKOD_NFORMS);
    }
}


/* Writes the answer; NGX_ERROR if there is no memory. */

static ngx_int_t
ngx_http_enkod_status_view(ngx_http_request_t *r, ngx_http_enkod_form_e form,
    ngx_http_enkod_view_t *view)
{
    u_char                      *p;
    ngx_uint_t                   yajl;
    ngx_http_enkod_main_conf_t  *emcf;

    emcf = ngx_http_get_module_main_conf(r, ngx_http_enkod_module);

    view->snapshot = ngx_http_enkod_snapshot(r->pool, emcf->status,
                                            form == NGX_HTTP_ENKOD_FORM_JSON);
    if (view->snapshot == NULL
        || ngx_http_enkod_text_init(&view->text, r->pool) != NGX_OK)
    {
        return NGX_ERROR;
    }

    p = ngx_pnalloc(r->pool, 3 * NGX_INT_T_LEN + 2);
    if (p == NULL) {
        return NGX_ERROR;
    }

    yajl = yajl_version();

    view->yajl.data = p;
    view->yajl.len = ngx_sprintf(p, "%ui.%ui.%ui", yajl / 10000,
                                 yajl / 100 % 100, yajl % 100) - p;

    ngx_str_set(&view->version, NGX_HTTP_ENKOD_VERSION);
    ngx_str_set(&view->nginx, NGINX_VERSION);

    switch (form) {

    case NGX_HTTP_ENKOD_FORM_TEXT:
        return ngx_http_enkod_view_prometheus(view, 0);

    case NGX_HTTP_ENKOD_FORM_OPENMETRICS:
        return ngx_http_enkod_view_prometheus(view, 1);

    case NGX_HTTP_ENKOD_FORM_READY:

        if (!ngx_http_enkod_view_ready(view)) {
            r->headers_out.status = NGX_HTTP_SERVICE_UNAVAILABLE;
        }

        return NGX_OK;

    default: /* NGX_HTTP_ENKOD_FORM_JSON */
        ngx_http_enkod_view_json(view);
        return NGX_OK;
    }
}


static ngx_int_t
ngx_http_enkod_status_not_allowed(ngx_http_request_t *r)
{
    static ngx_str_t  name = ngx_string("Allow");
    static ngx_str_t  value = ngx_string("GET, HEAD");

    if (ngx_http_enkod_header_add(r, &name, &value) == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_HTTP_NOT_ALLOWED;
}


static ngx_int_t
ngx_http_enkod_status_headers(ngx_http_request_t *r,
    ngx_http_enkod_form_e form, ngx_uint_t negotiated)
{
    static ngx_str_t  cache_control = ngx_string("Cache-Control");
    static ngx_str_t  no_store = ngx_string("no-store");
    static ngx_str_t  options = ngx_string("X-Content-Type-Options");
    static ngx_str_t  nosniff = ngx_string("nosniff");
    static ngx_str_t  vary = ngx_string("Vary");
    static ngx_str_t  accept = ngx_string("Accept");
    static ngx_str_t  policy = ngx_string("Content-Security-Policy");
    static ngx_str_t  referrer = ngx_string("Referrer-Policy");
    static ngx_str_t  no_referrer = ngx_string("no-referrer");

    r->headers_out.content_type = ngx_http_enkod_status_content_types[form];
    r->headers_out.content_type_len =
                                 ngx_http_enkod_status_content_type_lens[form];
    r->headers_out.content_type_lowcase = NULL;

    if (ngx_http_enkod_header_add(r, &cache_control, &no_store) == NULL
        || ngx_http_enkod_header_add(r, &options, &nosniff) == NULL)
    {
        return NGX_ERROR;
    }

    if (negotiated && ngx_http_enkod_header_add(r, &vary, &accept) == NULL) {
        return NGX_ERROR;
    }

    if (form == NGX_HTTP_ENKOD_FORM_HTML
        && (ngx_http_enkod_header_add(r, &policy,
                                      &ngx_http_enkod_status_page_csp) == NULL
            || ngx_http_enkod_header_add(r, &referrer, &no_referrer) == NULL))
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_enkod_status_send_page(ngx_http_request_t *r)
{
    ngx_buf_t    *b;
    ngx_chain_t   out;

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->pos = ngx_http_enkod_status_page.data;
    b->last = b->pos + ngx_http_enkod_status_page.len;
    b->memory = 1;
    b->last_buf = (r == r->main);
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_enkod_status_send(r, &out, ngx_http_enkod_status_page.len);
}


static ngx_int_t
ngx_http_enkod_status_send_text(ngx_http_request_t *r,
    ngx_http_enkod_text_t *text)
{
    off_t  len;

    len = ngx_http_enkod_text_end(text);

    if (len == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    text->last->buf->last_buf = (r == r->main);
    text->last->buf->last_in_chain = 1;

    return ngx_http_enkod_status_send(r, text->out, len);
}


static ngx_int_t
ngx_http_enkod_status_send(ngx_http_request_t *r, ngx_chain_t *out, off_t len)
{
    ngx_int_t  rc;

    r->headers_out.content_length_n = len;

    /* it has no date that a condition could compare */
    r->disable_not_modified = 1;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    return ngx_http_output_filter(r, out);
}
