
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The filters at which the answer to a subrequest of enkod_pass ends: nothing
 * of it reaches the client.  It is read to its end, through the buffers of the
 * target, so that the connection to an upstream can be kept alive and an answer
 * that breaks off is noticed.
 */


#include "ngx_http_enkod_pass_internal.h"


static ngx_int_t ngx_http_enkod_pass_filter_header(ngx_http_request_t *r);
static ngx_int_t ngx_http_enkod_pass_filter_body(ngx_http_request_t *r,
    ngx_chain_t *in);


static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;
static ngx_http_output_body_filter_pt    ngx_http_next_body_filter;


void
ngx_http_enkod_pass_filter_init(void)
{
    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_enkod_pass_filter_header;

    ngx_http_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_http_enkod_pass_filter_body;
}


static ngx_int_t
ngx_http_enkod_pass_filter_header(ngx_http_request_t *r)
{
    ngx_http_enkod_pass_t  *pass;

    pass = (r == r->main) ? NULL : ngx_http_enkod_subrequest_pass(r);

    if (pass) {
        ngx_http_enkod_pass_answer_header(pass);
    }

    /* the next filters do not send the header of a subrequest */

    return ngx_http_next_header_filter(r);
}


static ngx_int_t
ngx_http_enkod_pass_filter_body(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_http_request_t     *sr;
    ngx_http_enkod_pass_t  *pass;

    /* ngx_http_postpone_filter() passes everything on as of the main request */

    sr = (r == r->main) ? r->connection->data : r;

    pass = ngx_http_enkod_subrequest_find_pass(sr);

    /* an answer that is wanted in memory is collected by a later filter */

    if (pass == NULL || r->subrequest_in_memory) {
        return ngx_http_next_body_filter(r, in);
    }

    return ngx_http_enkod_pass_answer_body(pass, in);
}
