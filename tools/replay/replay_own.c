
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Files that are written to are opened by a name that somebody else may have
 * taken meanwhile, who can write to the folder: a link would have us write into
 * a file that is elsewhere, so there must be none.
 */


#include "replay.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>


int
replay_own_open(const char *name, int flags, const char **error)
{
    int          fd;
    struct stat  st;

    *error = NULL;

    fd = open(name, flags|O_CLOEXEC|O_NONBLOCK|O_NOFOLLOW, 0600);

    if (fd == -1) {
        *error = (errno == ELOOP) ? "it is a symbolic link" : NULL;
        return -1;
    }

    if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
        *error = "it is no regular file";

    } else if (st.st_nlink > 1) {
        *error = "it has another name, by a hard link";
    }

    if (*error) {
        (void) close(fd);
        return -1;
    }

    return fd;
}
