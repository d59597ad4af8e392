
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The second sink: an accepted event is handed on by a subrequest, and what
 * became of that is known before the sender is told anything.
 */


#include "ngx_http_enkod_module.h"
#include "ngx_http_enkod_message.h"


#define NGX_HTTP_ENKOD_MAX_STATUS  999


static char *ngx_http_enkod_pass_add(ngx_conf_t *cf,
    ngx_http_complex_value_t *uri);
static ngx_int_t ngx_http_enkod_pass_finished(ngx_http_request_t *sr,
    void *data, ngx_int_t rc);
static ngx_uint_t ngx_http_enkod_pass_answered(ngx_http_request_t *sr,
    ngx_http_enkod_pass_t *pass);
static void ngx_http_enkod_pass_handler(ngx_http_request_t *r);
static enkod_error_e ngx_http_enkod_pass_outcome(ngx_http_request_t *r);
static ngx_uint_t ngx_http_enkod_pass_success(ngx_http_request_t *r);
static void ngx_http_enkod_pass_retry_after(ngx_http_enkod_pass_t *pass);
static void ngx_http_enkod_pass_log(ngx_http_request_t *r);
static void ngx_http_enkod_pass_keep_client(ngx_http_request_t *r,
    ngx_http_enkod_pass_t *pass);


char *
ngx_http_enkod_pass_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_enkod_loc_conf_t *elcf = conf;

    u_char     *p;
    ngx_str_t  *value;

    if (elcf->pass) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (value[1].len == 0
        || (value[1].data[0] != '/'
            && value[1].data[0] != '@'
            && value[1].data[0] != '$'))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid URI \"%V\" in \"enkod_pass\", it must "
                           "begin with \"/\", \"@\" or a variable", &value[1]);
        return NGX_CONF_ERROR;
    }

    elcf->pass = ngx_http_enkod_value(cf, &value[1]);
    if (elcf->pass == NULL) {
        return NGX_CONF_ERROR;
    }

    elcf->pass_name = value[1];

    p = ngx_strlchr(value[1].data, value[1].data + value[1].len, '?');

    if (p) {
        elcf->pass_name.len = p - value[1].data;
    }

    if (cf->args->nelts == 3) {

        if (value[2].len <= sizeof("success=") - 1
            || ngx_strncmp(value[2].data, "success=", sizeof("success=") - 1)
               != 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\" in \"enkod_pass\", "
                               "only \"success=CONDITION\" may follow the URI",
                               &value[2]);
            return NGX_CONF_ERROR;
        }

        value[2].data += sizeof("success=") - 1;
        value[2].len -= sizeof("success=") - 1;

        elcf->pass_success = ngx_http_enkod_value(cf, &value[2]);
        if (elcf->pass_success == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    return ngx_http_enkod_pass_add(cf, elcf->pass);
}


/* What can be checked only when all of the server's locations are known. */

static char *
ngx_http_enkod_pass_add(ngx_conf_t *cf, ngx_http_complex_value_t *uri)
{
    ngx_http_enkod_target_t     *target;
    ngx_http_enkod_main_conf_t  *emcf;

    emcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_enkod_module);

    target = ngx_array_push(&emcf->targets);
    if (target == NULL) {
        return NGX_CONF_ERROR;
    }

    target->uri = uri;
    target->server = ngx_http_conf_get_module_srv_conf(cf,
                                                       ngx_http_core_module);

    return NGX_CONF_OK;
}


char *
ngx_http_enkod_pass_set_body(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_enkod_loc_conf_t *elcf = conf;

    ngx_str_t  *value;

    if (elcf->pass_body != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (value[1].len == 0) {
        return "must not be empty";
    }

    if (ngx_strcmp(value[1].data, "$enkod_line") == 0) {
        /* the default, which needs no copy */
        elcf->pass_body = NULL;
        return NGX_CONF_OK;
    }

    elcf->pass_body = ngx_http_enkod_value(cf, &value[1]);

    return elcf->pass_body ? NGX_CONF_OK : NGX_CONF_ERROR;
}


char *
ngx_http_enkod_pass_set_type(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_enkod_loc_conf_t *elcf = conf;

    size_t      i;
    ngx_str_t  *value;

    if (elcf->pass_type.data) {
        return "is duplicate";
    }

    value = cf->args->elts;

    elcf->pass_type = value[1];

    for (i = 0; i < value[1].len; i++) {
        if (value[1].data[i] < 0x20 || value[1].data[i] > 0x7e) {
            break;
        }
    }

    if (i < value[1].len || ngx_strlchr(value[1].data,
                                        value[1].data + value[1].len, '/')
                            == NULL)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid type \"%V\" in \"enkod_pass_type\", it "
                           "must be a MIME type as \"application/json\"",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_enkod_pass_init(ngx_conf_t *cf)
{
    ngx_uint_t                   i;
    ngx_http_enkod_target_t     *target;
    ngx_http_enkod_main_conf_t  *emcf;

    emcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_enkod_module);

    target = emcf->targets.elts;

    for (i = 0; i < emcf->targets.nelts; i++) {

        if (target[i].uri->lengths == NULL
            && target[i].uri->value.data[0] == '@'
            && !ngx_http_enkod_target_known(target[i].server,
                                            &target[i].uri->value))
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "no location \"%V\" for \"enkod_pass\" in that "
                               "server", &target[i].uri->value);
            return NGX_ERROR;
        }
    }

    return emcf->targets.nelts ? ngx_http_enkod_subrequest_init(cf) : NGX_OK;
}


ngx_int_t
ngx_http_enkod_pass_start(ngx_http_request_t *r,
    ngx_http_enkod_pass_pt handler)
{
    ngx_int_t                   rc;
    ngx_str_t                   uri, args, body;
    ngx_http_enkod_ctx_t       *ctx;
    ngx_http_enkod_pass_t      *pass;
    ngx_http_enkod_loc_conf_t  *elcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_enkod_module);
    elcf = ngx_http_get_module_loc_conf(r, ngx_http_enkod_module);

    pass = ngx_pcalloc(r->pool, sizeof(ngx_http_enkod_pass_t));
    if (pass == NULL) {
        return NGX_ERROR;
    }

    pass->name = &elcf->pass_name;
    pass->handler = handler;
    pass->post.handler = ngx_http_enkod_pass_finished;
    pass->post.data = pass;

    ctx->pass = pass;

    /* $request_id has to be the same here and there */

    if (ngx_http_enkod_line_prepare(r) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = ngx_http_enkod_target_get(r, &uri, &args);

    if (rc == NGX_HTTP_INTERNAL_SERVER_ERROR) {
        pass->status = rc;
        ctx->error = ENKOD_UPSTREAM_FAILED;
        handler(r);
        return NGX_OK;
    }

    if (rc != NGX_OK) {
        return rc;
    }

    if (elcf->pass_body) {
        rc = ngx_http_complex_value(r, elcf->pass_body, &body);

    } else {
        rc = ngx_http_enkod_line_get(r, &body);
    }

    if (rc != NGX_OK
        || ngx_http_enkod_subrequest_create(r, pass, &uri, &args, &body)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    r->write_event_handler = ngx_http_enkod_pass_handler;
    r->read_event_handler = ngx_http_enkod_pass_block_reading;

    ngx_http_enkod_pass_keep_client(r, pass);

    return NGX_OK;
}


ngx_http_enkod_pass_t *
ngx_http_enkod_pass_get(ngx_http_request_t *r)
{
    for ( /* void */ ; r != r->main; r = r->parent) {

        if (r->post_subrequest
            && r->post_subrequest->handler == ngx_http_enkod_pass_finished)
        {
            return r->post_subrequest->data;
        }
    }

    return NULL;
}


/*
 * nginx takes the status that this returns for what to go on with, and would
 * end the client's request, too, for some of them.
 */

static ngx_int_t
ngx_http_enkod_pass_finished(ngx_http_request_t *sr, void *data, ngx_int_t rc)
{
    ngx_http_enkod_pass_t *pass = data;

    if (pass->finished) {
        return NGX_OK;
    }

    switch (rc) {

    case NGX_ERROR:
    case NGX_HTTP_CLOSE:
    case NGX_HTTP_CLIENT_CLOSED_REQUEST:
    case NGX_HTTP_REQUEST_TIME_OUT:
        pass->status = NGX_HTTP_BAD_GATEWAY;
        break;

    default:

        if (rc >= NGX_HTTP_SPECIAL_RESPONSE
            || rc == NGX_HTTP_CREATED
            || rc == NGX_HTTP_NO_CONTENT)
        {
            /* it has no answer yet, and will be here again with one */
            return rc;
        }

        if (sr->buffered || sr->postponed) {
            /* its answer is still being read from a file, or made */
            return rc;
        }

        pass->status = sr->headers_out.status;

        if (!ngx_http_enkod_pass_answered(sr, pass)) {
            pass->status = NGX_HTTP_BAD_GATEWAY;
        }
    }

    if (pass->status < NGX_HTTP_OK
        || pass->status > NGX_HTTP_ENKOD_MAX_STATUS)
    {
        /*
         * Of HTTP/0.9, which has none; that something else is to come, and it
         * has not; or of a handler: nginx reads three digits.
         */
        pass->status = NGX_HTTP_BAD_GATEWAY;
    }

    pass->finished = 1;

    sr->connection->data = sr->main;

    /* that is all that may be done here; the rest when nginx comes to it */

    return ngx_http_post_request(sr->main, NULL);
}


/* Whether somebody has got all of the event, and has answered to the end. */

static ngx_uint_t
ngx_http_enkod_pass_answered(ngx_http_request_t *sr,
    ngx_http_enkod_pass_t *pass)
{
    ngx_http_upstream_t         *u;
    ngx_http_enkod_main_conf_t  *emcf;

    if (!sr->header_sent) {
        return 0;
    }

#if (NGX_HTTP_CACHE)

    if (sr->cached) {
        return 0;
    }

#endif

    u = sr->upstream;

    if (u == NULL) {
        return 1;
    }

    if (!u->request_body_sent) {
        return 0;
    }

    if (!u->header_sent) {
        /* X-Accel-Redirect: the answer is that of another handler */
        return 1;
    }

    emcf = ngx_http_get_module_main_conf(sr, ngx_http_enkod_module);

    if (u->output.tag == (ngx_buf_tag_t) emcf->fastcgi
        && emcf->fastcgi
        && !(u->buffering ? u->pipe->upstream_done : u->length == 0))
    {
        /* nginx takes a closed connection for the end of the records */
        return 0;
    }

    return pass->complete;
}


static void
ngx_http_enkod_pass_handler(ngx_http_request_t *r)
{
    ngx_http_request_t     *sr;
    ngx_http_enkod_ctx_t   *ctx;
    ngx_http_enkod_pass_t  *pass;

    ctx = ngx_http_get_module_ctx(r, ngx_http_enkod_module);
    pass = ctx->pass;

    if (!pass->finished) {

        /*
         * An event of the client's connection: limit_req and others that delay
         * a request wait for one.  An upstream does not, and would only look
         * whether the client has gone.
         */

        sr = pass->subrequest;

        if (sr->upstream == NULL || sr->upstream->cleanup == NULL) {
            sr->write_event_handler(sr);
        }

        return;
    }

    r->write_event_handler = ngx_http_request_empty_handler;
    r->read_event_handler = ngx_http_block_reading;

    if (pass->client_gone) {
        r->connection->error = 1;
    }

    /* $upstream_status and others, for the access log */
    r->upstream_states = pass->subrequest->upstream_states;

    ctx->error = ngx_http_enkod_pass_outcome(r);

    pass->handler(r);
}


static enkod_error_e
ngx_http_enkod_pass_outcome(ngx_http_request_t *r)
{
    ngx_http_enkod_ctx_t   *ctx;
    ngx_http_enkod_pass_t  *pass;

    ctx = ngx_http_get_module_ctx(r, ngx_http_enkod_module);
    pass = ctx->pass;

    if (pass->status >= NGX_HTTP_OK
        && pass->status < NGX_HTTP_SPECIAL_RESPONSE
        && ngx_http_enkod_pass_success(r))
    {
        return ENKOD_OK;
    }

    ngx_http_enkod_pass_log(r);

    switch (pass->status) {

    case NGX_HTTP_GATEWAY_TIME_OUT:
        return ENKOD_UPSTREAM_TIMEOUT;

    case NGX_HTTP_TOO_MANY_REQUESTS:
    case NGX_HTTP_SERVICE_UNAVAILABLE:
        ngx_http_enkod_pass_retry_after(pass);
        return ENKOD_UPSTREAM_BUSY;

    default:
        return ENKOD_UPSTREAM_FAILED;
    }
}


/* What the administrator says about an answer that claims to be good. */

static ngx_uint_t
ngx_http_enkod_pass_success(ngx_http_request_t *r)
{
    ngx_http_enkod_ctx_t       *ctx;
    ngx_http_enkod_loc_conf_t  *elcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_enkod_module);
    elcf = ngx_http_get_module_loc_conf(r, ngx_http_enkod_module);

    return ngx_http_enkod_value_true(ctx->pass->subrequest, elcf->pass_success)
           == NGX_OK;
}


static void
ngx_http_enkod_pass_retry_after(ngx_http_enkod_pass_t *pass)
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


/*
 * nginx has logged what it found out by itself, but not what an upstream has
 * answered.
 */

static void
ngx_http_enkod_pass_log(ngx_http_request_t *r)
{
    ngx_http_enkod_ctx_t  *ctx;

    static ngx_msec_t  logged;

    if (!ngx_http_enkod_message_due(&logged)) {
        return;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_enkod_module);

    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "enkod: \"%V\" did not take an event, its status was %ui",
                  ctx->pass->name, ctx->pass->status);
}


/* Instead of ngx_http_block_reading(). */

void
ngx_http_enkod_pass_block_reading(ngx_http_request_t *r)
{
    ngx_http_enkod_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r->main, ngx_http_enkod_module);

    ngx_http_enkod_pass_keep_client(r, ctx->pass);

    ngx_http_block_reading(r);
}


/*
 * A client that has left an HTTP/2 stream makes an error of the connection, for
 * which nginx would try no other upstream, and end the request without telling
 * us.
 */

static void
ngx_http_enkod_pass_keep_client(ngx_http_request_t *r,
    ngx_http_enkod_pass_t *pass)
{
    ngx_connection_t  *c;

    c = r->connection;

    if (c->error) {
        pass->client_gone = 1;
        c->error = 0;
    }
}
