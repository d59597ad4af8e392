
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Whether events can be stored at present, for a load balancer, as one line of
 * JSON.  Nothing is written to find out: a file is not ready if the last write
 * or sync has failed, or if its file system is full.
 *
 * A failure counts for a limited time.  A balancer that has seen it sends no
 * more events, so without that limit nothing would ever try the file again.
 */


#include "ngx_http_enkod_status_view.h"


/* bytes that a file needs: lines are usually shorter */
#define NGX_HTTP_ENKOD_READY_FREE   4096

/* how long a failure counts, in milliseconds */
#define NGX_HTTP_ENKOD_READY_RETRY  30000


static ngx_err_t ngx_http_enkod_ready_file(ngx_http_enkod_snapshot_t *snapshot,
    ngx_http_enkod_snapshot_file_t *file);
static void ngx_http_enkod_ready_problem(ngx_http_enkod_text_t *text,
    ngx_http_enkod_snapshot_file_t *file, ngx_err_t err);


ngx_uint_t
ngx_http_enkod_view_ready(ngx_http_enkod_view_t *view)
{
    ngx_err_t                        err;
    ngx_uint_t                       i, n;
    ngx_http_enkod_text_t           *text;
    ngx_http_enkod_snapshot_file_t  *file;

    text = &view->text;
    file = view->snapshot->files;
    n = 0;

    for (i = 0; i < view->snapshot->nfiles; i++) {

        err = ngx_http_enkod_ready_file(view->snapshot, &file[i]);

        if (err == 0) {
            continue;
        }

        if (n++ == 0) {
            ngx_http_enkod_text_literal(text, "{\"ready\":false,"
                                              "\"problems\":[");
        } else {
            ngx_http_enkod_text_literal(text, ",");
        }

        ngx_http_enkod_ready_problem(text, &file[i], err);
    }

    if (n) {
        ngx_http_enkod_text_literal(text, "]}\n");
        return 0;
    }

    ngx_http_enkod_text_literal(text, "{\"ready\":true}\n");

    return 1;
}


/* Returns why nothing can be written, or 0. */

static ngx_err_t
ngx_http_enkod_ready_file(ngx_http_enkod_snapshot_t *snapshot,
    ngx_http_enkod_snapshot_file_t *file)
{
    /* the difference is large if the clock has been set back */

    if (file->err
        && snapshot->now - file->failed < NGX_HTTP_ENKOD_READY_RETRY)
    {
        return file->err;
    }

    if (file->free >= 0
        && file->free + file->reserved < NGX_HTTP_ENKOD_READY_FREE)
    {
        return NGX_ENOSPC;
    }

    return 0;
}


static void
ngx_http_enkod_ready_problem(ngx_http_enkod_text_t *text,
    ngx_http_enkod_snapshot_file_t *file, ngx_err_t err)
{
    ngx_http_enkod_text_literal(text, "{\"file\":\"");
    ngx_http_enkod_text_json(text, &file->name);
    ngx_http_enkod_text_literal(text, "\",\"error\":\"");
    ngx_http_enkod_text_error(text, err);
    ngx_http_enkod_text_literal(text, "\"}");
}
