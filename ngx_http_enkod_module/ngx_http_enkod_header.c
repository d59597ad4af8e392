
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Headers of an answer.
 */


#include "ngx_http_enkod_module.h"


ngx_table_elt_t *
ngx_http_enkod_header_add(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *value)
{
    ngx_table_elt_t  *header;

    header = ngx_list_push(&r->headers_out.headers);
    if (header == NULL) {
        return NULL;
    }

    header->hash = 1;
#if (nginx_version >= 1023000)
    header->next = NULL;
#endif
    header->key = *name;
    header->value = *value;

    return header;
}
