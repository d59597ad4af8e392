
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The answer to a subrequest of enkod_pass ends here: none of it gets to the
 * client.  It is read to its end, so that the upstream's connection can be kept
 * and an answer that breaks off is noticed, through the buffers that the target
 * has for it.
 */


#include "ngx_http_enkod_module.h"


/* how much of an answer success= can see */
#define NGX_HTTP_ENKOD_RESPONSE_SIZE  4096


static ngx_int_t ngx_http_enkod_filter_header(ngx_http_request_t *r);
static ngx_int_t ngx_http_enkod_filter_body(ngx_http_request_t *r,
    ngx_chain_t *in);
static void ngx_http_enkod_filter_finalize(ngx_http_request_t *r,
    ngx_int_t rc);
static ngx_int_t ngx_http_enkod_filter_keep(ngx_http_request_t *r,
    ngx_http_enkod_pass_t *pass, ngx_buf_t *b);


static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;
static ngx_http_output_body_filter_pt    ngx_http_next_body_filter;


void
ngx_http_enkod_filter_init(void)
{
    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_enkod_filter_header;

    ngx_http_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_http_enkod_filter_body;
}


static ngx_int_t
ngx_http_enkod_filter_header(ngx_http_request_t *r)
{
    ngx_http_enkod_pass_t  *pass;

    pass = (r == r->main) ? NULL : ngx_http_enkod_pass_get(r);

    if (pass && r == pass->subrequest) {

        /*
         * What a subrequest and those of its own have to say is put in order by
         * ngx_http_postpone_filter(), and passed on by ngx_event_pipe(), only
         * where the connection belongs to it.  Not earlier, as nginx looks
         * there whether the client has gone.
         */

        r->connection->data = r;
        r->read_event_handler = ngx_http_enkod_pass_block_reading;

        if (r->upstream) {
            pass->finalize = r->upstream->finalize_request;
            r->upstream->finalize_request = ngx_http_enkod_filter_finalize;
        }
    }

    /* where the header of a subrequest ends, too */

    return ngx_http_next_header_filter(r);
}


static ngx_int_t
ngx_http_enkod_filter_body(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_buf_t              *b;
    ngx_chain_t            *cl;
    ngx_http_request_t     *sr;
    ngx_http_enkod_pass_t  *pass;

    /* behind ngx_http_postpone_filter() all is said to be the client's */

    sr = (r == r->main) ? r->connection->data : r;

    pass = (sr == r->main) ? NULL : ngx_http_enkod_pass_get(sr);

    /* what is kept in memory for somebody is collected further on */

    if (pass == NULL || r->subrequest_in_memory) {
        return ngx_http_next_body_filter(r, in);
    }

    for (cl = in; cl; cl = cl->next) {

        b = cl->buf;

        if (ngx_http_enkod_filter_keep(sr, pass, b) != NGX_OK) {
            return NGX_ERROR;
        }

        b->pos = b->last;
        b->file_pos = b->file_last;
    }

    return NGX_OK;
}


/*
 * An answer that breaks off is ended by nginx as if all were well, and a filter
 * (ssi) may keep the last buffer of a subrequest to itself; but the module of
 * the upstream is told.
 */

static void
ngx_http_enkod_filter_finalize(ngx_http_request_t *r, ngx_int_t rc)
{
    ngx_http_enkod_pass_t  *pass;

    pass = ngx_http_enkod_pass_get(r);

    pass->complete = (rc == NGX_OK);

    pass->finalize(r, rc);
}


static ngx_int_t
ngx_http_enkod_filter_keep(ngx_http_request_t *r, ngx_http_enkod_pass_t *pass,
    ngx_buf_t *b)
{
    size_t                      len;
    ngx_http_enkod_loc_conf_t  *elcf;

    elcf = ngx_http_get_module_loc_conf(r->main, ngx_http_enkod_module);

    if (elcf->pass_success == NULL || !ngx_buf_in_memory(b)) {
        return NGX_OK;
    }

    len = ngx_min(b->last - b->pos,
                  NGX_HTTP_ENKOD_RESPONSE_SIZE - (ssize_t) pass->response.len);

    if (len == 0) {
        return NGX_OK;
    }

    if (pass->response.data == NULL) {
        pass->response.data = ngx_pnalloc(r->pool,
                                          NGX_HTTP_ENKOD_RESPONSE_SIZE);
        if (pass->response.data == NULL) {
            return NGX_ERROR;
        }
    }

    ngx_memcpy(pass->response.data + pass->response.len, b->pos, len);
    pass->response.len += len;

    return NGX_OK;
}
