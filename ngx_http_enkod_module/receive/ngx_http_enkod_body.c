
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Reads the body from the connection into the event.  It is read unbuffered (as
 * with "proxy_request_buffering off"), so that a body never goes to disk and is
 * refused at its first wrong byte.  Another module may have read it before,
 * into memory or into a temporary file.
 */


#include "ngx_http_enkod_body.h"
#include "ngx_http_enkod_ctx.h"
#include "ngx_http_enkod_module.h"
#include "ngx_http_enkod_reject.h"


/* how much of a temporary file is read at a time */
#define NGX_HTTP_ENKOD_BODY_SLICE  4096


static void ngx_http_enkod_body_handler(ngx_http_request_t *r);
static void ngx_http_enkod_body_done(ngx_http_request_t *r);
static ngx_int_t ngx_http_enkod_body_failed(ngx_http_request_t *r,
    ngx_int_t rc);
static ngx_int_t ngx_http_enkod_body_consume(ngx_http_request_t *r);
static ngx_int_t ngx_http_enkod_body_file(ngx_http_request_t *r,
    ngx_buf_t *b);
static ngx_int_t ngx_http_enkod_body_data(ngx_http_request_t *r, u_char *p,
    size_t len, ngx_uint_t last);


ngx_int_t
ngx_http_enkod_body_read(ngx_http_request_t *r,
    ngx_http_client_body_handler_pt handler)
{
    ngx_int_t              rc;
    ngx_http_enkod_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_enkod_module);

    ctx->body_handler = handler;

    r->request_body_no_buffering = 1;

    rc = ngx_http_read_client_request_body(r, ngx_http_enkod_body_handler);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return ngx_http_enkod_body_failed(r, rc);
    }

    return NGX_DONE;
}


/*
 * The server or module that makes an error page gets no body: a part of it is
 * gone, and the rest would be taken for a whole body, or for a request.  A body
 * that was read before may be used by a subrequest, too (mirror).
 */

ngx_int_t
ngx_http_enkod_body_drop(ngx_http_request_t *r)
{
    if (r->reading_body) {
        r->request_body->bufs = NULL;

    } else if (r->request_body) {
        r->request_body = ngx_pcalloc(r->pool,
                                      sizeof(ngx_http_request_body_t));
        if (r->request_body == NULL) {
            return NGX_ERROR;
        }
    }

    r->headers_in.content_length_n = 0;
    r->headers_in.content_length = NULL;
    r->headers_in.chunked = 0;

    return NGX_OK;
}


/*
 * Called when the body, or its beginning, was read, and then whenever there may
 * be more of it.  Only r->reading_body tells whether it is complete: nginx
 * clears request_body_no_buffering when nothing is left to read.
 */

static void
ngx_http_enkod_body_handler(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    r->read_event_handler = ngx_http_enkod_body_handler;

    for ( ;; ) {

        rc = ngx_http_enkod_body_consume(r);

        if (rc == NGX_ERROR) {
            rc = ngx_http_enkod_body_failed(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
            ngx_http_finalize_request(r, rc);
            return;
        }

        if (rc == NGX_DONE || !r->reading_body) {
            break;
        }

        rc = ngx_http_read_unbuffered_request_body(r);

        if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
            ngx_http_finalize_request(r, ngx_http_enkod_body_failed(r, rc));
            return;
        }

        if (rc == NGX_AGAIN && r->request_body->bufs == NULL) {
            return;
        }
    }

    ngx_http_enkod_body_done(r);
}


static void
ngx_http_enkod_body_done(ngx_http_request_t *r)
{
    enkod_error_e          error;
    ngx_http_enkod_ctx_t  *ctx;

    /*
     * Otherwise a client that shuts down its sending side while the event is
     * being delivered would be taken for one that has closed the connection.
     */
    r->read_event_handler = ngx_http_block_reading;

    if (r->connection->read->timer_set) {
        ngx_del_timer(r->connection->read);
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_enkod_module);

    if (ctx->state == NGX_HTTP_ENKOD_RECEIVING) {

        error = enkod_event_finish(ctx->event);

        ngx_http_enkod_ctx_set_state(ctx, error == ENKOD_OK
                                          ? NGX_HTTP_ENKOD_DELIVERING
                                          : NGX_HTTP_ENKOD_REFUSED,
                                     error);
    }

    ctx->body_handler(r);
}


/* nginx has failed to read the body; returns what to finalize with. */

static ngx_int_t
ngx_http_enkod_body_failed(ngx_http_request_t *r, ngx_int_t rc)
{
    return ngx_http_enkod_body_drop(r) == NGX_OK ? rc : NGX_ERROR;
}


/* Returns NGX_OK, NGX_DONE if nothing more is to be read, or NGX_ERROR. */

static ngx_int_t
ngx_http_enkod_body_consume(ngx_http_request_t *r)
{
    ngx_int_t     rc;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    if (r->request_body == NULL) {
        return NGX_OK;
    }

    for (cl = r->request_body->bufs; cl; cl = cl->next) {

        b = cl->buf;

        if (ngx_buf_in_memory(b)) {
            rc = ngx_http_enkod_body_data(r, b->pos, b->last - b->pos,
                                          b->last_buf);

        } else if (b->in_file) {
            rc = ngx_http_enkod_body_file(r, b);

        } else {
            rc = NGX_OK;
        }

        if (rc != NGX_OK) {
            return rc;
        }

        if (r->reading_body) {
            /* nginx goes on reading only into buffers that are empty */
            b->pos = b->last;
        }
    }

    if (r->reading_body) {
        r->request_body->bufs = NULL;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_enkod_body_file(ngx_http_request_t *r, ngx_buf_t *b)
{
    off_t      offset;
    size_t     size;
    ssize_t    n;
    ngx_int_t  rc;
    u_char     buf[NGX_HTTP_ENKOD_BODY_SLICE];

    for (offset = b->file_pos; offset < b->file_last; offset += n) {

        size = (size_t) ngx_min(b->file_last - offset,
                                NGX_HTTP_ENKOD_BODY_SLICE);

        n = ngx_read_file(b->file, buf, size, offset);

        if (n == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (n == 0) {
            ngx_log_error(NGX_LOG_CRIT, r->connection->log, 0,
                          "\"%s\" has only %O of %O bytes of the request body",
                          b->file->name.data, offset, b->file_last);
            return NGX_ERROR;
        }

        rc = ngx_http_enkod_body_data(r, buf, n, 0);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_enkod_body_data(ngx_http_request_t *r, u_char *p, size_t len,
    ngx_uint_t last)
{
    enkod_error_e               error;
    ngx_http_enkod_ctx_t       *ctx;
    ngx_http_enkod_loc_conf_t  *elcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_enkod_module);
    elcf = ngx_http_get_module_loc_conf(r, ngx_http_enkod_module);

    ctx->received += len;

    ngx_http_enkod_status_received(elcf->status, len);

    if (elcf->reject_log && ctx->event
        && ngx_http_enkod_reject_keep(r, p, len, last) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ctx->state == NGX_HTTP_ENKOD_RECEIVING) {

        error = enkod_event_feed(ctx->event, p, len, last);

        if (error != ENKOD_OK) {
            ngx_http_enkod_ctx_set_state(ctx, NGX_HTTP_ENKOD_REFUSED, error);
        }
    }

    if (ctx->received > (off_t) elcf->max_event_size) {

        /* refused by enkod_event_feed(), now or before */

        r->keepalive = 0;
        r->lingering_close = 1;

        return NGX_DONE;
    }

    return NGX_OK;
}
