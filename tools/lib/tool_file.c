
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#include "tool_file.h"
#include "tool_message.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>


#define TOOL_FILE_READ        ((size_t) 64 * 1024)


int
tool_file_open(const char *name, int flags, struct stat *st)
{
    int  fd, err;

    fd = open(name, flags|O_CLOEXEC|O_NONBLOCK|O_NOFOLLOW, 0600);

    if (fd == -1) {
        return -1;
    }

    if (fstat(fd, st) == -1) {
        err = errno;

    } else if (S_ISREG(st->st_mode)) {
        return fd;

    } else {
        err = S_ISDIR(st->st_mode) ? EISDIR : EINVAL;
    }

    (void) close(fd);

    errno = err;

    return -1;
}


int
tool_file_open_own(const char *name, int flags, const char **error)
{
    int          fd;
    struct stat  st;

    fd = tool_file_open(name, flags, &st);

    if (fd != -1 && st.st_nlink > 1) {
        (void) close(fd);
        *error = "it has another name, by a hard link";
        return -1;
    }

    *error = NULL;

    if (fd == -1 && errno == ELOOP) {
        *error = "it is a symbolic link";

    } else if (fd == -1 && errno == EINVAL) {
        *error = "it is not a regular file";
    }

    return fd;
}


ssize_t
tool_file_read(int fd, void *buf, size_t size)
{
    ssize_t  n;

    do {
        n = read(fd, buf, size);
    } while (n == -1 && errno == EINTR);

    return n;
}


int
tool_file_load(int fd, const char *name, size_t max, tool_buf_t *buf,
    size_t *len)
{
    ssize_t  n;

    *len = 0;

    for ( ;; ) {

        if (tool_buf_reserve(buf, *len + TOOL_FILE_READ, *len) == NULL) {
            return -1;
        }

        n = tool_file_read(fd, buf->data + *len, buf->size - *len);

        if (n == -1) {
            tool_error(errno, "cannot read \"%s\"", name);
            return -1;
        }

        if (n == 0) {
            return 0;
        }

        *len += n;

        if (*len > max) {
            return 1;
        }
    }
}


int
tool_file_sync_folder(const char *name)
{
    int          fd, rc, err;
    char        *folder;
    const char  *slash;

    slash = strrchr(name, '/');

    folder = slash ? strndup(name, slash == name ? 1 : slash - name)
                   : strdup(".");
    if (folder == NULL) {
        return -1;
    }

    fd = open(folder, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    free(folder);

    if (fd == -1) {
        return -1;
    }

    rc = fsync(fd);
    err = errno;

    (void) close(fd);

    errno = err;

    return rc;
}
