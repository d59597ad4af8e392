
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * What is kept of the answer to a subrequest: its status, the beginning of its
 * body (for "success=" and $enkod_pass_response), its Retry-After.
 */


#include "ngx_http_enkod_pass_internal.h"
#include "enkod_json.h"


/* how much of a body is kept */
#define NGX_HTTP_ENKOD_RESPONSE_SIZE  4096


ngx_int_t
ngx_http_enkod_pass_response_store(ngx_http_enkod_pass_t *pass, ngx_buf_t *b)
{
    size_t      len;
    ngx_str_t  *response;

    if (!ngx_buf_in_memory(b)) {
        return NGX_OK;
    }

    response = &pass->response;

    len = ngx_min((size_t) (b->last - b->pos),
                  NGX_HTTP_ENKOD_RESPONSE_SIZE - response->len);

    if (len == 0) {
        return NGX_OK;
    }

    if (response->data == NULL) {
        response->data = ngx_pnalloc(pass->request->pool,
                                     NGX_HTTP_ENKOD_RESPONSE_SIZE);
        if (response->data == NULL) {
            return NGX_ERROR;
        }
    }

    ngx_memcpy(response->data + response->len, b->pos, len);
    response->len += len;

    return NGX_OK;
}


void
ngx_http_enkod_pass_response_find_retry_after(ngx_http_enkod_pass_t *pass)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *header;

    static ngx_str_t  name = ngx_string("retry-after");

    part = &pass->subrequest->headers_out.headers.part;
    header = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return;
            }

            part = part->next;
            header = part->elts;
            i = 0;
        }

        if (header[i].hash
            && header[i].key.len == name.len
            && ngx_strncasecmp(header[i].key.data, name.data, name.len) == 0)
        {
            pass->retry_after = header[i].value;
            return;
        }
    }
}


ngx_uint_t
ngx_http_enkod_pass_status(ngx_http_enkod_pass_t *pass)
{
    return pass->status;
}


ngx_str_t *
ngx_http_enkod_pass_retry_after(ngx_http_enkod_pass_t *pass)
{
    return &pass->retry_after;
}


ngx_int_t
ngx_http_enkod_pass_response(ngx_http_enkod_pass_t *pass, ngx_str_t *text)
{
    *text = pass->escaped;

    if (text->len || pass->response.len == 0) {
        return NGX_OK;
    }

    /* an upstream may send any bytes */

    text->data = ngx_pnalloc(pass->request->pool, 6 * pass->response.len);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    text->len = enkod_json_escape_any(text->data, pass->response.data,
                                      pass->response.len);

    if (pass->status) {
        /* the subrequest has finished, no more will come */
        pass->escaped = *text;
    }

    return NGX_OK;
}
