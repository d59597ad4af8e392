
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The request that nginx makes of an event: a POST with a body and headers of
 * its own, and nothing of the client's body.  It runs in the background, so
 * that a client that leaves does not stop it.
 */


#include "ngx_http_enkod_module.h"


static ngx_int_t ngx_http_enkod_subrequest_add_handler(ngx_conf_t *cf,
    ngx_http_phases phase, ngx_http_handler_pt handler);
static ngx_int_t ngx_http_enkod_subrequest_server(ngx_http_request_t *r);
static ngx_int_t ngx_http_enkod_subrequest_location(ngx_http_request_t *r);
static ngx_uint_t ngx_http_enkod_subrequest_ours(ngx_http_request_t *r);
static ngx_int_t ngx_http_enkod_subrequest_variables(ngx_http_request_t *sr);
static ngx_int_t ngx_http_enkod_subrequest_body(ngx_http_request_t *sr,
    ngx_str_t *body);
static ngx_int_t ngx_http_enkod_subrequest_headers(ngx_http_request_t *sr);
static ngx_uint_t ngx_http_enkod_subrequest_dropped(ngx_str_t *name);
static ngx_table_elt_t *ngx_http_enkod_subrequest_header(
    ngx_http_request_t *sr, ngx_table_elt_t *header, ngx_str_t *value);
static void ngx_http_enkod_subrequest_named(ngx_http_request_t *sr);
static ngx_http_request_t *ngx_http_enkod_subrequest_shown(
    ngx_http_request_t *r, ngx_http_request_t *sr, ngx_http_upstream_t *u);

#if (angie_version >= 1012000)

static u_char *ngx_http_enkod_subrequest_log(ngx_log_t *log, u_char *buf,
    u_char *last, void *data);

static ngx_log_ext_handler_pt   ngx_http_enkod_next_log_handler;

#else

static u_char *ngx_http_enkod_subrequest_log(ngx_http_request_t *r,
    ngx_http_request_t *current, u_char *buf, size_t len);

static ngx_http_log_handler_pt  ngx_http_enkod_next_log_handler;

#endif


/* what the subrequest must not remember of the client's request */

static ngx_str_t  ngx_http_enkod_subrequest_vars[] = {
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
ngx_http_enkod_subrequest_init(ngx_conf_t *cf)
{
    ngx_int_t                   *index;
    ngx_uint_t                   i, n;
    ngx_http_enkod_main_conf_t  *emcf;

    static ngx_str_t         method = ngx_string("request_method");
    static ngx_table_elt_t  *headers[] = {
        &ngx_http_enkod_subrequest_length,
        &ngx_http_enkod_subrequest_type
    };

    for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        headers[i]->hash = ngx_hash_key(headers[i]->lowcase_key,
                                        headers[i]->key.len);
    }

    n = sizeof(ngx_http_enkod_subrequest_vars) / sizeof(ngx_str_t);

    emcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_enkod_module);

    if (ngx_array_init(&emcf->subrequest_vars, cf->pool, n, sizeof(ngx_int_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {

        index = ngx_array_push(&emcf->subrequest_vars);

        *index = ngx_http_get_variable_index(cf,
                                           &ngx_http_enkod_subrequest_vars[i]);
        if (*index == NGX_ERROR) {
            return NGX_ERROR;
        }
    }

    emcf->request_method = ngx_http_get_variable_index(cf, &method);

    if (emcf->request_method == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (ngx_http_enkod_subrequest_add_handler(cf, NGX_HTTP_SERVER_REWRITE_PHASE,
                                            ngx_http_enkod_subrequest_server)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_http_enkod_subrequest_add_handler(cf, NGX_HTTP_PREACCESS_PHASE,
                                          ngx_http_enkod_subrequest_location)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; cf->cycle->modules[i]; i++) {
        if (ngx_strcmp(cf->cycle->modules[i]->name, "ngx_http_fastcgi_module")
            == 0)
        {
            emcf->fastcgi = cf->cycle->modules[i];
        }
    }

    return NGX_OK;
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


/*
 * What the receiver has accepted is not refused for its size.  nginx looks at
 * client_max_body_size whenever it has found a location, so it does not know
 * the length until that is behind it, also after an internal redirect.
 */

static ngx_int_t
ngx_http_enkod_subrequest_server(ngx_http_request_t *r)
{
    if (ngx_http_enkod_subrequest_ours(r)) {
        r->headers_in.content_length_n = -1;
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_enkod_subrequest_location(ngx_http_request_t *r)
{
    if (ngx_http_enkod_subrequest_ours(r)) {
        r->headers_in.content_length_n = r->request_length;
    }

    return NGX_DECLINED;
}


/* Not one of its own, which has no such body. */

static ngx_uint_t
ngx_http_enkod_subrequest_ours(ngx_http_request_t *r)
{
    ngx_http_enkod_pass_t  *pass;

    if (r == r->main) {
        return 0;
    }

    pass = ngx_http_enkod_pass_get(r);

    return pass && r == pass->subrequest;
}


ngx_int_t
ngx_http_enkod_subrequest_create(ngx_http_request_t *r,
    ngx_http_enkod_pass_t *pass, ngx_str_t *uri, ngx_str_t *args,
    ngx_str_t *body)
{
    ngx_http_request_t         *sr;
    ngx_http_enkod_loc_conf_t  *elcf;

    if (r->log_handler != ngx_http_enkod_subrequest_log) {
        ngx_http_enkod_next_log_handler = r->log_handler;
        r->log_handler = ngx_http_enkod_subrequest_log;
    }

    if (ngx_http_subrequest(r, uri, args, &sr, &pass->post,
                            NGX_HTTP_SUBREQUEST_BACKGROUND)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    pass->subrequest = sr;

    sr->method = NGX_HTTP_POST;
    ngx_str_set(&sr->method_name, "POST");

    if (pass->location.len) {
        sr->write_event_handler = ngx_http_enkod_subrequest_named;
    }

    /*
     * The outcome is that of the target.  An error_page is for people who look
     * at it, and one like "error_page 502 =200 /sorry.html" would make a lie of
     * our 200.
     */
    sr->error_page = 1;

    elcf = ngx_http_get_module_loc_conf(r, ngx_http_enkod_module);

    /* what success= is to see must not stay in a file */
    sr->filter_need_in_memory = (elcf->pass_success != NULL);

    if (ngx_http_enkod_subrequest_variables(sr) != NGX_OK
        || ngx_http_enkod_subrequest_body(sr, body) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_enkod_subrequest_headers(sr);
}


/*
 * Subrequests share the values of variables, and nginx remembers them.  Some
 * have others here, and another subrequest (mirror) may ask at the same time.
 */

static ngx_int_t
ngx_http_enkod_subrequest_variables(ngx_http_request_t *sr)
{
    size_t                       size;
    ngx_int_t                   *index;
    ngx_uint_t                   i;
    ngx_http_core_main_conf_t   *cmcf;
    ngx_http_enkod_main_conf_t  *emcf;
    ngx_http_variable_value_t   *variables, *v;

    cmcf = ngx_http_get_module_main_conf(sr, ngx_http_core_module);
    emcf = ngx_http_get_module_main_conf(sr, ngx_http_enkod_module);

    size = cmcf->variables.nelts * sizeof(ngx_http_variable_value_t);

    variables = ngx_palloc(sr->pool, size);
    if (variables == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(variables, sr->variables, size);

    index = emcf->subrequest_vars.elts;

    for (i = 0; i < emcf->subrequest_vars.nelts; i++) {
        variables[index[i]].valid = 0;
        variables[index[i]].not_found = 0;
    }

    /* nginx would look at the client's, which an error_page may have changed */

    v = &variables[emcf->request_method];

    v->len = sr->method_name.len;
    v->data = sr->method_name.data;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    sr->variables = variables;

    return NGX_OK;
}


static ngx_int_t
ngx_http_enkod_subrequest_body(ngx_http_request_t *sr, ngx_str_t *body)
{
    ngx_buf_t  *b;

    sr->request_body = ngx_pcalloc(sr->pool, sizeof(ngx_http_request_body_t));
    if (sr->request_body == NULL) {
        return NGX_ERROR;
    }

    sr->headers_in.content_length_n = -1;
    sr->headers_in.chunked = 0;

    /* there is no request line, and there are no headers that were read */
    sr->request_length = body->len;

    if (body->len == 0) {
        return NGX_OK;
    }

    b = ngx_calloc_buf(sr->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    /* the next upstream begins at b->start again */

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
 * The client's headers, without those that belong to its body, and with those
 * of ours; in a list of our own, as the subrequest has only a copy of the
 * beginning of the client's.
 */

static ngx_int_t
ngx_http_enkod_subrequest_headers(ngx_http_request_t *sr)
{
    ngx_str_t                   length;
    ngx_uint_t                  i, n;
    ngx_list_part_t            *part, first;
    ngx_table_elt_t            *header, *h;
    ngx_http_enkod_loc_conf_t  *elcf;

    elcf = ngx_http_get_module_loc_conf(sr->main, ngx_http_enkod_module);

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

            if (ngx_http_enkod_subrequest_dropped(&header[i].key)) {
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

    sr->headers_in.content_length = ngx_http_enkod_subrequest_header(sr,
                                     &ngx_http_enkod_subrequest_length,
                                     &length);
    sr->headers_in.content_type = ngx_http_enkod_subrequest_header(sr,
                                     &ngx_http_enkod_subrequest_type,
                                     &elcf->pass_type);

    /* grpc_pass looks there */
    sr->headers_in.te = NULL;

    if (sr->headers_in.content_length == NULL
        || sr->headers_in.content_type == NULL)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * What says something of the client's body (RFC 9110, 8; RFC 9112, 6) or asks
 * for an answer that is not wanted here (RFC 9110, 10.1, 12.5, 13, 14).
 */

static ngx_uint_t
ngx_http_enkod_subrequest_dropped(ngx_str_t *name)
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

    /* most headers are told by their first letter */

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
ngx_http_enkod_subrequest_header(ngx_http_request_t *sr,
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


/* What nginx does with a subrequest is to look for the location of its URI. */

static void
ngx_http_enkod_subrequest_named(ngx_http_request_t *sr)
{
    ngx_http_enkod_pass_t  *pass;

    pass = ngx_http_enkod_pass_get(sr);

    (void) ngx_http_named_location(sr, &pass->location);

    ngx_http_finalize_request(sr, NGX_DONE);
}


/*
 * Adds to a message of nginx what it is about.  Of the subrequest this would be
 * its URI, and that of its upstream, which may have values of the event in
 * them: the configuration tells as much.
 */

#if (angie_version >= 1012000)

static u_char *
ngx_http_enkod_subrequest_log(ngx_log_t *log, u_char *buf, u_char *last,
    void *data)
{
    ngx_http_log_ctx_t   ctx;
    ngx_http_request_t   sr;
    ngx_http_upstream_t  u;

    ctx = *(ngx_http_log_ctx_t *) data;

    ctx.current_request = ngx_http_enkod_subrequest_shown(ctx.current_request,
                                                          &sr, &u);

    return ngx_http_enkod_next_log_handler(log, buf, last, &ctx);
}

#else

static u_char *
ngx_http_enkod_subrequest_log(ngx_http_request_t *r,
    ngx_http_request_t *current, u_char *buf, size_t len)
{
    ngx_http_request_t   sr;
    ngx_http_upstream_t  u;

    current = ngx_http_enkod_subrequest_shown(current, &sr, &u);

    return ngx_http_enkod_next_log_handler(r, current, buf, len);
}

#endif


/* The request as a message may show it, which may be a copy made there. */

static ngx_http_request_t *
ngx_http_enkod_subrequest_shown(ngx_http_request_t *r, ngx_http_request_t *sr,
    ngx_http_upstream_t *u)
{
    ngx_http_enkod_pass_t  *pass;

    pass = ngx_http_enkod_pass_get(r);

    if (pass == NULL) {
        return r;
    }

    *sr = *r;
    sr->uri = *pass->name;

    if (r->upstream) {
        *u = *r->upstream;
        ngx_str_null(&u->uri);
        sr->upstream = u;
    }

    return sr;
}
