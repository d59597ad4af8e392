
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Lines of different kinds must not get into the same file, and neither must
 * lines and the logs of nginx.  Paths are compared by device and inode, so that
 * other spellings, symbolic links and hard links are found, too.
 */


#include "ngx_http_enkod_paths.h"


/* if the file does not exist, its folder is compared, and its name there */

typedef struct {
    ngx_open_file_t             *open;
    dev_t                        dev;
    ino_t                        ino;
    u_char                      *name;      /* "" if the file exists */
} ngx_http_enkod_paths_file_t;


static ngx_int_t ngx_http_enkod_paths_compare(ngx_array_t *files,
    ngx_array_t *paths, ngx_log_t *log);
static ngx_int_t ngx_http_enkod_paths_check_pair(ngx_http_enkod_path_t *path,
    ngx_open_file_t *other, ngx_array_t *paths, ngx_log_t *log);
static ngx_http_enkod_path_t *ngx_http_enkod_paths_get(ngx_array_t *paths,
    ngx_open_file_t *open);
static ngx_int_t ngx_http_enkod_paths_stat(ngx_open_file_t *open,
    ngx_http_enkod_paths_file_t *file);


ngx_int_t
ngx_http_enkod_paths_check(ngx_array_t *paths, ngx_cycle_t *cycle,
    ngx_log_t *log)
{
    ngx_int_t                     rc;
    ngx_uint_t                    n;
    ngx_pool_t                   *pool;
    ngx_array_t                   files;
    ngx_list_part_t              *part;
    ngx_open_file_t              *open;
    ngx_http_enkod_paths_file_t  *file;

    if (paths->nelts == 0) {
        return NGX_OK;
    }

    pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, log);
    if (pool == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_array_init(&files, pool, 16, sizeof(ngx_http_enkod_paths_file_t));

    for (part = &cycle->open_files.part; part; part = part->next) {

        open = part->elts;

        for (n = 0; rc == NGX_OK && n < part->nelts; n++) {

            if (open[n].name.len == 0) {
                continue;
            }

            file = ngx_array_push(&files);

            if (file == NULL) {
                rc = NGX_ERROR;

            } else if (ngx_http_enkod_paths_stat(&open[n], file) != NGX_OK) {
                files.nelts--;
            }
        }
    }

    if (rc == NGX_OK) {
        rc = ngx_http_enkod_paths_compare(&files, paths, log);
    }

    ngx_destroy_pool(pool);

    return rc;
}


static ngx_int_t
ngx_http_enkod_paths_compare(ngx_array_t *files, ngx_array_t *paths,
    ngx_log_t *log)
{
    ngx_uint_t                    i, n;
    ngx_http_enkod_path_t        *path;
    ngx_http_enkod_paths_file_t  *file;

    file = files->elts;

    for (i = 0; i < files->nelts; i++) {

        path = ngx_http_enkod_paths_get(paths, file[i].open);
        if (path == NULL) {
            continue;
        }

        for (n = 0; n < files->nelts; n++) {

            if (n == i
                || file[n].dev != file[i].dev
                || file[n].ino != file[i].ino
                || ngx_strcmp(file[n].name, file[i].name) != 0)
            {
                continue;
            }

            if (ngx_http_enkod_paths_check_pair(path, file[n].open, paths, log)
                != NGX_OK)
            {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


/* The file of the path is also the file "other" of the cycle. */

static ngx_int_t
ngx_http_enkod_paths_check_pair(ngx_http_enkod_path_t *path,
    ngx_open_file_t *other, ngx_array_t *paths, ngx_log_t *log)
{
    ngx_http_enkod_path_t  *second;

    second = ngx_http_enkod_paths_get(paths, other);

    if (second == NULL) {
        ngx_log_error(NGX_LOG_EMERG, log, 0,
                      "\"%V %V\" and the nginx log \"%s\" are the same "
                      "file, each needs one of its own",
                      path->directive, path->name, other->name.data);
        return NGX_ERROR;
    }

    if (second->directive != path->directive) {
        ngx_log_error(NGX_LOG_EMERG, log, 0,
                      "\"%V %V\" and \"%V %s\" are the same file, "
                      "each needs one of its own",
                      path->directive, path->name, second->directive,
                      other->name.data);
        return NGX_ERROR;
    }

    if (second->sync != path->sync) {
        ngx_log_error(NGX_LOG_EMERG, log, 0,
                      "conflicting \"sync\" in \"%V\", \"%V\" and \"%s\" are "
                      "the same file",
                      path->directive, path->name, other->name.data);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* Returns NULL for a log of nginx. */

static ngx_http_enkod_path_t *
ngx_http_enkod_paths_get(ngx_array_t *paths, ngx_open_file_t *open)
{
    ngx_uint_t              i;
    ngx_http_enkod_path_t  *path;

    path = paths->elts;

    for (i = 0; i < paths->nelts; i++) {
        if (path[i].open == open) {
            return &path[i];
        }
    }

    return NULL;
}


/*
 * Returns NGX_DECLINED for a device, which may be used for any purpose, and if
 * the folder does not exist; nginx then logs that it cannot open the file.
 */

static ngx_int_t
ngx_http_enkod_paths_stat(ngx_open_file_t *open,
    ngx_http_enkod_paths_file_t *file)
{
    u_char           *name;
    ngx_file_info_t   fi;
    u_char            folder[NGX_MAX_PATH];

    file->open = open;

    if (ngx_file_info(open->name.data, &fi) != NGX_FILE_ERROR) {

        if (S_ISCHR(fi.st_mode)) {
            return NGX_DECLINED;
        }

        file->dev = fi.st_dev;
        file->ino = fi.st_ino;
        file->name = (u_char *) "";

        return NGX_OK;
    }

    /* an absolute path has a slash */

    name = (u_char *) strrchr((char *) open->name.data, '/') + 1;

    if ((size_t) (name - open->name.data) >= sizeof(folder)) {
        return NGX_DECLINED;
    }

    (void) ngx_cpystrn(folder, open->name.data, name - open->name.data + 1);

    if (ngx_file_info(folder, &fi) == NGX_FILE_ERROR) {
        return NGX_DECLINED;
    }

    file->dev = fi.st_dev;
    file->ino = fi.st_ino;
    file->name = name;

    return NGX_OK;
}
