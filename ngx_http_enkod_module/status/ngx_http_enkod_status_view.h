
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Views: each one writes a snapshot as a text.
 */


#ifndef _NGX_HTTP_ENKOD_STATUS_VIEW_H_INCLUDED_
#define _NGX_HTTP_ENKOD_STATUS_VIEW_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_enkod_status_snapshot.h"
#include "ngx_http_enkod_status_text.h"

#pragma GCC visibility push(hidden)


typedef struct {
    ngx_http_enkod_text_t        text;
    ngx_http_enkod_snapshot_t   *snapshot;

    ngx_str_t                    version;   /* of the module */
    ngx_str_t                    nginx;
    ngx_str_t                    yajl;
} ngx_http_enkod_view_t;


/* of an error: whether it is a failure (5xx), not a refusal (4xx) */
#define ngx_http_enkod_view_is_failure(error)  ((error)->status >= 500)


/* docs/status.schema.json; the snapshot should have a history */
void ngx_http_enkod_view_json(ngx_http_enkod_view_t *view);

/*
 * The text format 0.0.4 of Prometheus, or OpenMetrics 1.0.  NGX_ERROR if there
 * is no memory.
 */
ngx_int_t ngx_http_enkod_view_prometheus(ngx_http_enkod_view_t *view,
    ngx_uint_t openmetrics);

/* Returns whether events can be stored. */
ngx_uint_t ngx_http_enkod_view_ready(ngx_http_enkod_view_t *view);


#pragma GCC visibility pop

#endif /* _NGX_HTTP_ENKOD_STATUS_VIEW_H_INCLUDED_ */
