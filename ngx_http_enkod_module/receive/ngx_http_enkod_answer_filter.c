
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The filter that decides on the status of an answer.  If an event could not be
 * stored, the answer has the 5xx that says so, whatever an error_page or a
 * filter of another module has made of it.  The filter is in a module of its
 * own, because the order of modules decides the order of filters: this one, and
 * the one for subrequests, run after all filters that change an answer and
 * before those that write it (see "config").
 */


#include "ngx_http_enkod_ctx.h"
#include "ngx_http_enkod_error_page.h"
#include "ngx_http_enkod_pass.h"


static ngx_int_t ngx_http_enkod_answer_filter_init(ngx_conf_t *cf);
static ngx_int_t ngx_http_enkod_answer_filter_header(ngx_http_request_t *r);
static ngx_uint_t ngx_http_enkod_answer_filter_status(ngx_http_request_t *r,
    ngx_http_enkod_ctx_t *ctx);
static void ngx_http_enkod_answer_filter_set_status(ngx_http_request_t *r,
    ngx_uint_t status);


static ngx_http_module_t  ngx_http_enkod_answer_filter_module_ctx = {
    NULL,                                  /* preconfiguration */
    ngx_http_enkod_answer_filter_init,     /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_enkod_answer_filter_module = {
    NGX_MODULE_V1,
    &ngx_http_enkod_answer_filter_module_ctx,  /* module context */
    NULL,                                  /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;


static ngx_int_t
ngx_http_enkod_answer_filter_init(ngx_conf_t *cf)
{
    /*
     * Unconditionally, since the chain of filters belongs to the process.  If
     * a reload fails, the next worker is started with the chain of that reload
     * and the configuration from before.
     */
    ngx_http_enkod_pass_filter_init();

    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_enkod_answer_filter_header;

    return NGX_OK;
}


static ngx_int_t
ngx_http_enkod_answer_filter_header(ngx_http_request_t *r)
{
    ngx_uint_t             status;
    ngx_http_enkod_ctx_t  *ctx;

    if (r != r->main) {
        return ngx_http_next_header_filter(r);
    }

    ctx = ngx_http_enkod_ctx_get(r);

    if (ctx && ngx_http_enkod_ctx_is_stored(ctx)) {

        if (r->headers_out.content_length_n != 0 || r->expect_trailers) {
            /* a filter adds a body or trailers, which have to be ended */
            r->header_only = 0;
        }

        return ngx_http_next_header_filter(r);
    }

    status = ngx_http_enkod_answer_filter_status(r, ctx);

    if (status) {
        ngx_http_enkod_answer_filter_set_status(r, status);
    }

    return ngx_http_next_header_filter(r);
}


/* The status of an event that was not stored, or 0. */

static ngx_uint_t
ngx_http_enkod_answer_filter_status(ngx_http_request_t *r,
    ngx_http_enkod_ctx_t *ctx)
{
    ngx_http_enkod_error_page_t  *page;

    if (ctx && ctx->state == NGX_HTTP_ENKOD_FAILED) {
        return enkod_error_get(ctx->error)->status;
    }

    if (ctx && ctx->state == NGX_HTTP_ENKOD_REJECTED) {
        return 0;
    }

    page = ngx_http_enkod_error_page_get(r);

    if (page) {
        return page->failed;
    }

    /* nginx has failed to read the body */

    if (ctx && ctx->event && r->headers_out.status < NGX_HTTP_BAD_REQUEST) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return 0;
}


static void
ngx_http_enkod_answer_filter_set_status(ngx_http_request_t *r,
    ngx_uint_t status)
{
    ngx_str_t  *line;

    if (r->headers_out.status == NGX_HTTP_NO_CONTENT
        || r->headers_out.status == NGX_HTTP_NOT_MODIFIED)
    {
        /* a body may follow whose length is another one */
        ngx_http_clear_content_length(r);
    }

    /* err_status is for the log, the line for HTTP/1, the number for HTTP/2 */

    r->err_status = status;
    r->headers_out.status = status;

    line = &r->headers_out.status_line;

    if (line->len < 3 || ngx_atoi(line->data, 3) != (ngx_int_t) status) {
        line->len = 0;
    }

    /* headers that belong to the former status */

    if (r->headers_out.location) {
        r->headers_out.location->hash = 0;
        r->headers_out.location = NULL;
    }

    if (r->headers_out.content_range) {
        r->headers_out.content_range->hash = 0;
        r->headers_out.content_range = NULL;
    }
}
