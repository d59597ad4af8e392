
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The framing of the subrequest that passes an event on: a POST with a body and
 * headers of ours, and nothing of the client's body.  It runs in the
 * background, so that a client that closes the connection does not stop it.
 */


#include "ngx_http_enkod_pass_internal.h"


static ngx_int_t ngx_http_enkod_subrequest_add_handler(ngx_conf_t *cf,
    ngx_http_phases phase, ngx_http_handler_pt handler);
static ngx_int_t ngx_http_enkod_subrequest_finished(ngx_http_request_t *sr,
    void *data, ngx_int_t rc);
static void ngx_http_enkod_subrequest_named_location(ngx_http_request_t *sr);
static ngx_int_t ngx_http_enkod_subrequest_set_variables(
    ngx_http_request_t *sr);
static ngx_int_t ngx_http_enkod_subrequest_set_body(ngx_http_request_t *sr,
    ngx_str_t *body);
static ngx_int_t ngx_http_enkod_subrequest_set_headers(ngx_http_request_t *sr,
    ngx_str_t *type);
static ngx_uint_t ngx_http_enkod_subrequest_drops(ngx_str_t *name);
static ngx_table_elt_t *ngx_http_enkod_subrequest_add_header(
    ngx_http_request_t *sr, ngx_table_elt_t *header, ngx_str_t *value);
static ngx_int_t ngx_http_enkod_subrequest_hide_length(ngx_http_request_t *r);
static ngx_int_t ngx_http_enkod_subrequest_show_length(ngx_http_request_t *r);


/* variables whose values the subrequest must not take from the client's */

static ngx_str_t  ngx_http_enkod_subrequest_variables[] = {
    ngx_string("content_length"),
    ngx_string("content_type"),
    ngx_string("http_accept_encoding"),
    ngx_string("http_content_encoding"),
    ngx_string("http_content_length"),
    ngx_string("http_content_type"),
    ngx_string("http_transfer_encoding"),
    ngx_string("request_body"),
    ngx_string("request_body_file"),
    ngx_string("request_length")
};


/* without the hash, which ngx_http_enkod_subrequest_init() computes */

static ngx_table_elt_t  ngx_http_enkod_subrequest_length = {
    .key = ngx_string("Content-Length"),
    .lowcase_key = (u_char *) "content-length"
};


static ngx_table_elt_t  ngx_http_enkod_subrequest_type = {
    .key = ngx_string("Content-Type"),
    .lowcase_key = (u_char *) "content-type"
};


ngx_int_t
ngx_http_enkod_subrequest_init(ngx_conf_t *cf,
    ngx_http_enkod_pass_main_conf_t *pmcf)
{
    ngx_int_t   *index;
    ngx_str_t   *name;
    ngx_uint_t   i, n;

    static ngx_str_t         method = ngx_string("request_method");
    static ngx_table_elt_t  *headers[] = {
        &ngx_http_enkod_subrequest_length,
        &ngx_http_enkod_subrequest_type
    };

    for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        headers[i]->hash = ngx_hash_key(headers[i]->lowcase_key,
                                        headers[i]->key.len);
    }

    name = ngx_http_enkod_subrequest_variables;
    n = sizeof(ngx_http_enkod_subrequest_variables) / sizeof(ngx_str_t);

    if (ngx_array_init(&pmcf->variables, cf->pool, n, sizeof(ngx_int_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {

        index = ngx_array_push(&pmcf->variables);

        *index = ngx_http_get_variable_index(cf, &name[i]);
        if (*index == NGX_ERROR) {
            return NGX_ERROR;
        }
    }

    pmcf->request_method = ngx_http_get_variable_index(cf, &method);

    if (pmcf->request_method == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (ngx_http_enkod_subrequest_add_handler(cf, NGX_HTTP_SERVER_REWRITE_PHASE,
                                       ngx_http_enkod_subrequest_hide_length)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_enkod_subrequest_add_handler(cf, NGX_HTTP_PREACCESS_PHASE,
                                       ngx_http_enkod_subrequest_show_length);
}


static ngx_int_t
ngx_http_enkod_subrequest_add_handler(ngx_conf_t *cf, ngx_http_phases phase,
    ngx_http_handler_pt handler)
{
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[phase].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = handler;

    return NGX_OK;
}


ngx_int_t
ngx_http_enkod_subrequest_create(ngx_http_enkod_pass_t *pass, ngx_str_t *uri,
    ngx_str_t *args, ngx_str_t *body)
{
    ngx_http_request_t  *sr;

    pass->post.handler = ngx_http_enkod_subrequest_finished;
    pass->post.data = pass;

    if (ngx_http_subrequest(pass->request, uri, args, &sr, &pass->post,
                            NGX_HTTP_SUBREQUEST_BACKGROUND)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    pass->subrequest = sr;

    sr->method = NGX_HTTP_POST;
    ngx_str_set(&sr->method_name, "POST");

    if (pass->location.len) {
        sr->write_event_handler = ngx_http_enkod_subrequest_named_location;
    }

    /*
     * No error_page: the status must be that of the target.  With a directive
     * like "error_page 502 =200 /sorry.html" a 200 would be a lie.
     */
    sr->error_page = 1;

    /* "success=" can see only what is in memory */
    sr->filter_need_in_memory = (pass->conf->pass_success != NULL);

    if (ngx_http_enkod_subrequest_set_variables(sr) != NGX_OK
        || ngx_http_enkod_subrequest_set_body(sr, body) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_enkod_subrequest_set_headers(sr, &pass->conf->pass_type);
}


static ngx_int_t
ngx_http_enkod_subrequest_finished(ngx_http_request_t *sr, void *data,
    ngx_int_t rc)
{
    ngx_http_enkod_pass_t *pass = data;

    return pass->finished(sr, pass, rc);
}


/* The handler of a request survives internal redirects; a context does not. */

ngx_http_enkod_pass_t *
ngx_http_enkod_subrequest_pass(ngx_http_request_t *r)
{
    if (r->post_subrequest
        && r->post_subrequest->handler == ngx_http_enkod_subrequest_finished)
    {
        return r->post_subrequest->data;
    }

    return NULL;
}


ngx_http_enkod_pass_t *
ngx_http_enkod_subrequest_find_pass(ngx_http_request_t *r)
{
    ngx_http_enkod_pass_t  *pass;

    for ( /* void */ ; r != r->main; r = r->parent) {

        pass = ngx_http_enkod_subrequest_pass(r);

        if (pass) {
            return pass;
        }
    }

    return NULL;
}


/* Instead of ngx_http_handler(), which would find the location of a URI. */

static void
ngx_http_enkod_subrequest_named_location(ngx_http_request_t *sr)
{
    ngx_http_enkod_pass_t  *pass;

    pass = ngx_http_enkod_subrequest_pass(sr);

    (void) ngx_http_named_location(sr, &pass->location);

    ngx_http_finalize_request(sr, NGX_DONE);
}


/*
 * A subrequest shares the cached values of variables with the main request and
 * its other subrequests (mirror, which may run at the same time).  Some have
 * another value here, so this subrequest gets a copy.
 */

static ngx_int_t
ngx_http_enkod_subrequest_set_variables(ngx_http_request_t *sr)
{
    size_t                            size;
    ngx_int_t                        *index;
    ngx_uint_t                        i;
    ngx_http_core_main_conf_t        *cmcf;
    ngx_http_variable_value_t        *variables, *v;
    ngx_http_enkod_main_conf_t       *emcf;
    ngx_http_enkod_pass_main_conf_t  *pmcf;

    cmcf = ngx_http_get_module_main_conf(sr, ngx_http_core_module);
    emcf = ngx_http_get_module_main_conf(sr, ngx_http_enkod_module);
    pmcf = emcf->pass;

    size = cmcf->variables.nelts * sizeof(ngx_http_variable_value_t);

    variables = ngx_palloc(sr->pool, size);
    if (variables == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(variables, sr->variables, size);

    index = pmcf->variables.elts;

    for (i = 0; i < pmcf->variables.nelts; i++) {
        variables[index[i]].valid = 0;
        variables[index[i]].not_found = 0;
    }

    /* nginx would show the client's, which an error_page may have changed */

    v = &variables[pmcf->request_method];

    v->len = sr->method_name.len;
    v->data = sr->method_name.data;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    sr->variables = variables;

    return NGX_OK;
}


static ngx_int_t
ngx_http_enkod_subrequest_set_body(ngx_http_request_t *sr, ngx_str_t *body)
{
    ngx_buf_t  *b;

    sr->request_body = ngx_pcalloc(sr->pool, sizeof(ngx_http_request_body_t));
    if (sr->request_body == NULL) {
        return NGX_ERROR;
    }

    sr->headers_in.content_length_n = -1;
    sr->headers_in.chunked = 0;

    /* $request_length; no request line and no headers were read */
    sr->request_length = body->len;

    if (body->len == 0) {
        return NGX_OK;
    }

    b = ngx_calloc_buf(sr->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    /* for a next upstream nginx sends everything from b->start again */

    b->start = body->data;
    b->pos = b->start;
    b->last = b->start + body->len;
    b->end = b->last;
    b->memory = 1;
    b->last_buf = 1;

    sr->request_body->bufs = ngx_alloc_chain_link(sr->pool);
    if (sr->request_body->bufs == NULL) {
        return NGX_ERROR;
    }

    sr->request_body->bufs->buf = b;
    sr->request_body->bufs->next = NULL;

    return NGX_OK;
}


/*
 * The client's headers, without those of its body, and with ours; in a list of
 * its own, as nginx gives a subrequest only a copy of the first part of the
 * client's list.
 */

static ngx_int_t
ngx_http_enkod_subrequest_set_headers(ngx_http_request_t *sr, ngx_str_t *type)
{
    ngx_str_t         length;
    ngx_uint_t        i, n;
    ngx_list_part_t  *part, first;
    ngx_table_elt_t  *header, *h;

    first = sr->main->headers_in.headers.part;

    n = 2;

    for (part = &first; part; part = part->next) {
        n += part->nelts;
    }

    length.data = ngx_pnalloc(sr->pool, NGX_OFF_T_LEN);

    if (length.data == NULL
        || ngx_list_init(&sr->headers_in.headers, sr->pool, n,
                         sizeof(ngx_table_elt_t))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (part = &first; part; part = part->next) {

        header = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (ngx_http_enkod_subrequest_drops(&header[i].key)) {
                continue;
            }

            h = ngx_list_push(&sr->headers_in.headers);
            if (h == NULL) {
                return NGX_ERROR;
            }

            *h = header[i];
        }
    }

    length.len = ngx_sprintf(length.data, "%O", sr->request_length)
                 - length.data;

    sr->headers_in.content_length = ngx_http_enkod_subrequest_add_header(sr,
                                     &ngx_http_enkod_subrequest_length,
                                     &length);
    sr->headers_in.content_type = ngx_http_enkod_subrequest_add_header(sr,
                                     &ngx_http_enkod_subrequest_type, type);

    /* used by grpc_pass */
    sr->headers_in.te = NULL;

    if (sr->headers_in.content_length == NULL
        || sr->headers_in.content_type == NULL)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * Whether this is a header that describes the client's body (RFC 9110, 8; RFC
 * 9112, 6) or asks for an answer that is of no use here (RFC 9110, 10.1, 12.5,
 * 13, 14).
 */

static ngx_uint_t
ngx_http_enkod_subrequest_drops(ngx_str_t *name)
{
    u_char      ch;
    ngx_uint_t  i;

    static ngx_str_t  prefixes[] = {
        ngx_string("content-"),
        ngx_string("if-")
    };

    static ngx_str_t  names[] = {
        ngx_string("accept-encoding"),
        ngx_string("digest"),
        ngx_string("expect"),
        ngx_string("range"),
        ngx_string("repr-digest"),
        ngx_string("te"),
        ngx_string("trailer"),
        ngx_string("transfer-encoding")
    };

    /* the first letter is enough for most headers */

    ch = ngx_tolower(name->data[0]);

    for (i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        if (ch == prefixes[i].data[0]
            && name->len >= prefixes[i].len
            && ngx_strncasecmp(name->data, prefixes[i].data, prefixes[i].len)
               == 0)
        {
            return 1;
        }
    }

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (ch == names[i].data[0]
            && name->len == names[i].len
            && ngx_strncasecmp(name->data, names[i].data, names[i].len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


static ngx_table_elt_t *
ngx_http_enkod_subrequest_add_header(ngx_http_request_t *sr,
    ngx_table_elt_t *header, ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&sr->headers_in.headers);
    if (h == NULL) {
        return NULL;
    }

    *h = *header;
    h->value = *value;

    return h;
}


/*
 * client_max_body_size does not apply to an event that was accepted.  nginx
 * compares it with the length whenever it has found a location.  So there is no
 * length until then, also after an internal redirect, and there is one when the
 * target handles the request.
 */

static ngx_int_t
ngx_http_enkod_subrequest_hide_length(ngx_http_request_t *r)
{
    if (r != r->main && ngx_http_enkod_subrequest_pass(r)) {
        r->headers_in.content_length_n = -1;
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_enkod_subrequest_show_length(ngx_http_request_t *r)
{
    if (r != r->main && ngx_http_enkod_subrequest_pass(r)) {
        r->headers_in.content_length_n = r->request_length;
    }

    return NGX_DECLINED;
}
