
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The last word on the status of an answer.  A request whose event was not kept
 * leaves with the status of that, whatever an error_page or a filter of another
 * module has made of it.  This is a module of its own for its place among the
 * filters, which that of subrequests has as well: behind all that change an
 * answer, and before those that write it (see "config").
 */


#include "ngx_http_enkod_module.h"
#include "ngx_http_enkod_pass.h"


static ngx_int_t ngx_http_enkod_answer_init(ngx_conf_t *cf);
static ngx_int_t ngx_http_enkod_answer_header(ngx_http_request_t *r);
static ngx_uint_t ngx_http_enkod_answer_status(ngx_http_request_t *r,
    ngx_http_enkod_ctx_t *ctx);
static void ngx_http_enkod_answer_set_status(ngx_http_request_t *r,
    ngx_uint_t status);


static ngx_http_module_t  ngx_http_enkod_answer_module_ctx = {
    NULL,                                  /* preconfiguration */
    ngx_http_enkod_answer_init,            /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_enkod_answer_module = {
    NGX_MODULE_V1,
    &ngx_http_enkod_answer_module_ctx,     /* module context */
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
ngx_http_enkod_answer_init(ngx_conf_t *cf)
{
    /*
     * Always: the chain of filters belongs to the process.  After a reload that
     * has failed, a master makes its next worker with the chain of that reload
     * and the configuration from before.
     */
    ngx_http_enkod_filter_init();

    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_enkod_answer_header;

    return NGX_OK;
}


static ngx_int_t
ngx_http_enkod_answer_header(ngx_http_request_t *r)
{
    ngx_uint_t             status;
    ngx_http_enkod_ctx_t  *ctx;

    if (r != r->main) {
        return ngx_http_next_header_filter(r);
    }

    ctx = ngx_http_enkod_get_ctx(r);

    if (ctx && ngx_http_enkod_kept(ctx)) {

        if (r->headers_out.content_length_n != 0 || r->expect_trailers) {
            /* a filter has changed that, so something has to tell the end */
            r->header_only = 0;
        }

        return ngx_http_next_header_filter(r);
    }

    status = ngx_http_enkod_answer_status(r, ctx);

    if (status) {
        ngx_http_enkod_answer_set_status(r, status);
    }

    return ngx_http_next_header_filter(r);
}


/* That of an event which was not kept; 0 if the status is not ours to say. */

static ngx_uint_t
ngx_http_enkod_answer_status(ngx_http_request_t *r, ngx_http_enkod_ctx_t *ctx)
{
    ngx_http_enkod_error_page_t  *page;

    if (ctx && ctx->result == NGX_HTTP_ENKOD_FAILED) {
        return enkod_error_get(ctx->error)->status;
    }

    if (ctx && ctx->result == NGX_HTTP_ENKOD_REJECTED) {
        return 0;
    }

    page = ngx_http_enkod_error_page_get(r);

    if (page) {
        return page->failed;
    }

    /* nginx has given up reading the body */

    if (ctx && ctx->event && r->headers_out.status < NGX_HTTP_BAD_REQUEST) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return 0;
}


static void
ngx_http_enkod_answer_set_status(ngx_http_request_t *r, ngx_uint_t status)
{
    ngx_str_t  *line;

    if (r->headers_out.status == NGX_HTTP_NO_CONTENT
        || r->headers_out.status == NGX_HTTP_NOT_MODIFIED)
    {
        /* which need not be that of the body that follows */
        ngx_http_clear_content_length(r);
    }

    /* HTTP/1 sends the line, HTTP/2 and 3 the number, the log has this one */

    r->err_status = status;
    r->headers_out.status = status;

    line = &r->headers_out.status_line;

    if (line->len < 3 || ngx_atoi(line->data, 3) != (ngx_int_t) status) {
        line->len = 0;
    }

    /* what belongs to the status that is gone */

    if (r->headers_out.location) {
        r->headers_out.location->hash = 0;
        r->headers_out.location = NULL;
    }

    if (r->headers_out.content_range) {
        r->headers_out.content_range->hash = 0;
        r->headers_out.content_range = NULL;
    }
}
