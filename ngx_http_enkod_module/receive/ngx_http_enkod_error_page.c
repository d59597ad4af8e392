
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The status of which an error_page was taken.  nginx does not keep it
 * ("error_page 403 = @name" clears it), and clears the contexts of modules, but
 * it evaluates the value of the error_page at that moment.  So an empty
 * variable of ours is put in front of each value, and records the status.
 */


#include "ngx_http_enkod_error_page.h"
#include "ngx_http_enkod_module.h"
#include "ngx_http_enkod_receive.h"


/* the name of that variable, followed by the status */
#define NGX_HTTP_ENKOD_ERROR_PAGE  "ngx_http_enkod_error_page_"


static ngx_int_t ngx_http_enkod_error_page_watch_one(ngx_conf_t *cf,
    ngx_http_err_page_t *page);
static ngx_int_t ngx_http_enkod_error_page_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static void ngx_http_enkod_error_page_cleanup(void *data);


ngx_int_t
ngx_http_enkod_error_page_watch(ngx_conf_t *cf, ngx_array_t *pages)
{
    ngx_uint_t            i;
    ngx_http_err_page_t  *page;

    static ngx_str_t  watched = ngx_string("${" NGX_HTTP_ENKOD_ERROR_PAGE);

    if (pages == NULL) {
        return NGX_OK;
    }

    page = pages->elts;

    for (i = 0; i < pages->nelts; i++) {

        if (page[i].value.value.len > watched.len
            && ngx_strncmp(page[i].value.value.data, watched.data, watched.len)
               == 0)
        {
            /* inherited, and done there */
            continue;
        }

        if (ngx_http_enkod_error_page_watch_one(cf, &page[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_enkod_error_page_watch_one(ngx_conf_t *cf, ngx_http_err_page_t *page)
{
    u_char                    *p;
    size_t                     len;
    ngx_str_t                  name, value;
    ngx_http_variable_t       *var;
    ngx_http_complex_value_t  *cv;

    len = sizeof("${" NGX_HTTP_ENKOD_ERROR_PAGE "}?") - 1 + NGX_INT_T_LEN
          + page->value.value.len + page->args.len;

    p = ngx_pnalloc(cf->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value.data = p;
    name.data = p + 2;

    p = ngx_sprintf(p, "${" NGX_HTTP_ENKOD_ERROR_PAGE "%i", page->status);

    name.len = p - name.data;

    p = ngx_sprintf(p, "}%V", &page->value.value);

    if (page->args.len) {
        /* nginx has cut off the arguments, since there were no variables */
        p = ngx_sprintf(p, "?%V", &page->args);
    }

    value.len = p - value.data;

    var = ngx_http_add_variable(cf, &name,
                                NGX_HTTP_VAR_CHANGEABLE
                                |NGX_HTTP_VAR_NOCACHEABLE
                                |NGX_HTTP_VAR_NOHASH);
    if (var == NULL) {
        return NGX_ERROR;
    }

    var->get_handler = ngx_http_enkod_error_page_variable;
    var->data = page->status;

    cv = ngx_http_enkod_value(cf, &value);
    if (cv == NULL) {
        return NGX_ERROR;
    }

    page->value = *cv;

    return NGX_OK;
}


static ngx_int_t
ngx_http_enkod_error_page_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_uint_t                    status = data;

    ngx_pool_cleanup_t           *cln;
    ngx_http_enkod_loc_conf_t    *elcf;
    ngx_http_enkod_error_page_t  *page;

    v->len = 0;
    v->valid = 1;
    v->no_cacheable = 1;
    v->not_found = 0;

    if (r != r->main) {
        return NGX_OK;
    }

    page = ngx_http_enkod_error_page_get(r);

    if (page == NULL) {

        cln = ngx_pool_cleanup_add(r->pool,
                                   sizeof(ngx_http_enkod_error_page_t));
        if (cln == NULL) {
            return NGX_ERROR;
        }

        cln->handler = ngx_http_enkod_error_page_cleanup;

        page = cln->data;
        page->failed = 0;
    }

    page->status = status;

    elcf = ngx_http_get_module_loc_conf(r, ngx_http_enkod_module);

    if (elcf->webhook && status >= NGX_HTTP_INTERNAL_SERVER_ERROR) {

        page->failed = status;

        /* as for any other error: no 304, 206, 412 or 416 */
        r->disable_not_modified = 1;
        r->headers_in.range = NULL;
    }

    return NGX_OK;
}


ngx_http_enkod_error_page_t *
ngx_http_enkod_error_page_get(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t  *cln;

    for (cln = r->pool->cleanup; cln; cln = cln->next) {
        if (cln->handler == ngx_http_enkod_error_page_cleanup) {
            return cln->data;
        }
    }

    return NULL;
}


/* Does nothing: the record is found by this handler. */

static void
ngx_http_enkod_error_page_cleanup(void *data)
{
}
