
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * One path is for one purpose: what a log, a reject log, a spool and the logs
 * of nginx hold does not mix.  Names are compared by the file they lead to: two
 * spellings, a symbolic link or a second name of a file are the same path.
 */


#include "ngx_http_enkod_module.h"


/* a file; or, while it does not exist, its folder and its name there */

typedef struct {
    ngx_open_file_t             *open;
    dev_t                        dev;
    ino_t                        ino;
    u_char                      *name;      /* "" for a file */
} ngx_http_enkod_path_t;


static ngx_int_t ngx_http_enkod_paths_compare(ngx_array_t *paths,
    ngx_array_t *journals, ngx_log_t *log);
static ngx_int_t ngx_http_enkod_paths_check_other(
    ngx_http_enkod_journal_t *journal, ngx_open_file_t *other,
    ngx_array_t *journals, ngx_log_t *log);
static ngx_http_enkod_journal_t *ngx_http_enkod_paths_journal(
    ngx_array_t *journals, ngx_open_file_t *open);
static ngx_int_t ngx_http_enkod_paths_find(ngx_open_file_t *open,
    ngx_http_enkod_path_t *path);


ngx_int_t
ngx_http_enkod_paths_check(ngx_cycle_t *cycle, ngx_array_t *journals,
    ngx_log_t *log)
{
    ngx_int_t               rc;
    ngx_uint_t              n;
    ngx_pool_t             *pool;
    ngx_array_t             paths;
    ngx_list_part_t        *part;
    ngx_open_file_t        *open;
    ngx_http_enkod_path_t  *path;

    if (journals->nelts == 0) {
        return NGX_OK;
    }

    pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, log);
    if (pool == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_array_init(&paths, pool, 16, sizeof(ngx_http_enkod_path_t));

    for (part = &cycle->open_files.part; part; part = part->next) {

        open = part->elts;

        for (n = 0; rc == NGX_OK && n < part->nelts; n++) {

            if (open[n].name.len == 0) {
                continue;
            }

            path = ngx_array_push(&paths);

            if (path == NULL) {
                rc = NGX_ERROR;

            } else if (ngx_http_enkod_paths_find(&open[n], path) != NGX_OK) {
                paths.nelts--;
            }
        }
    }

    if (rc == NGX_OK) {
        rc = ngx_http_enkod_paths_compare(&paths, journals, log);
    }

    ngx_destroy_pool(pool);

    return rc;
}


static ngx_int_t
ngx_http_enkod_paths_compare(ngx_array_t *paths, ngx_array_t *journals,
    ngx_log_t *log)
{
    ngx_uint_t                 i, n;
    ngx_http_enkod_path_t     *path;
    ngx_http_enkod_journal_t  *journal;

    path = paths->elts;

    for (i = 0; i < paths->nelts; i++) {

        journal = ngx_http_enkod_paths_journal(journals, path[i].open);
        if (journal == NULL) {
            continue;
        }

        for (n = 0; n < paths->nelts; n++) {

            if (n == i
                || path[n].dev != path[i].dev
                || path[n].ino != path[i].ino
                || ngx_strcmp(path[n].name, path[i].name) != 0)
            {
                continue;
            }

            if (ngx_http_enkod_paths_check_other(journal, path[n].open,
                                                 journals, log)
                != NGX_OK)
            {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


/* The journal and the other one are the same file: may they be? */

static ngx_int_t
ngx_http_enkod_paths_check_other(ngx_http_enkod_journal_t *journal,
    ngx_open_file_t *other, ngx_array_t *journals, ngx_log_t *log)
{
    ngx_str_t                 *name, *directive;
    ngx_http_enkod_journal_t  *second;

    name = ngx_http_enkod_file_name(ngx_http_enkod_journal_file(journal));
    directive = ngx_http_enkod_journal_directive(journal);

    second = ngx_http_enkod_paths_journal(journals, other);

    if (second == NULL) {
        ngx_log_error(NGX_LOG_EMERG, log, 0,
                      "\"%V %V\" and a log of nginx, \"%s\", are the same "
                      "file, each needs one of its own",
                      directive, name, other->name.data);
        return NGX_ERROR;
    }

    if (ngx_http_enkod_journal_directive(second) != directive) {
        ngx_log_error(NGX_LOG_EMERG, log, 0,
                      "\"%V %V\" and \"%V %s\" are the same file, "
                      "each needs one of its own", directive, name,
                      ngx_http_enkod_journal_directive(second),
                      other->name.data);
        return NGX_ERROR;
    }

    if (ngx_http_enkod_journal_durable(second)
        != ngx_http_enkod_journal_durable(journal))
    {
        ngx_log_error(NGX_LOG_EMERG, log, 0,
                      "conflicting \"sync\" in \"%V\", \"%V\" and \"%s\" are "
                      "the same file", directive, name, other->name.data);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_http_enkod_journal_t *
ngx_http_enkod_paths_journal(ngx_array_t *journals, ngx_open_file_t *open)
{
    ngx_uint_t                  i;
    ngx_http_enkod_journal_t  **journal;

    journal = journals->elts;

    for (i = 0; i < journals->nelts; i++) {
        if (ngx_http_enkod_file_opened(ngx_http_enkod_journal_file(journal[i]))
            == open)
        {
            return journal[i];
        }
    }

    return NULL;
}


/*
 * NGX_DECLINED for a device, which keeps nothing apart, and if not even its
 * folder can be found; opening it then fails with a message of nginx.
 */

static ngx_int_t
ngx_http_enkod_paths_find(ngx_open_file_t *open, ngx_http_enkod_path_t *path)
{
    u_char           *name;
    ngx_file_info_t   fi;
    u_char            folder[NGX_MAX_PATH];

    path->open = open;

    if (ngx_file_info(open->name.data, &fi) != NGX_FILE_ERROR) {

        if (S_ISCHR(fi.st_mode)) {
            return NGX_DECLINED;
        }

        path->dev = fi.st_dev;
        path->ino = fi.st_ino;
        path->name = (u_char *) "";

        return NGX_OK;
    }

    /* a full name has a slash */

    name = (u_char *) strrchr((char *) open->name.data, '/') + 1;

    if ((size_t) (name - open->name.data) >= sizeof(folder)) {
        return NGX_DECLINED;
    }

    (void) ngx_cpystrn(folder, open->name.data, name - open->name.data + 1);

    if (ngx_file_info(folder, &fi) == NGX_FILE_ERROR) {
        return NGX_DECLINED;
    }

    path->dev = fi.st_dev;
    path->ino = fi.st_ino;
    path->name = name;

    return NGX_OK;
}
