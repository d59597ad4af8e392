
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#ifndef _GNU_SOURCE
#define _GNU_SOURCE                 /* F_SETLEASE */
#endif

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"


int
tool_start(void)
{
    int               fd;
    struct sigaction  sa;

    for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {

        if (fcntl(fd, F_GETFD) != -1) {
            continue;
        }

        /*
         * The lowest free descriptor is this one.  A standard input that is
         * closed is not an empty one: reading it is an error.
         */

        if (open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDWR) != fd) {
            return -1;
        }
    }

    memset(&sa, 0, sizeof(struct sigaction));

    sa.sa_handler = SIG_IGN;

    return sigaction(SIGXFSZ, &sa, NULL);
}


int
tool_lease(int fd, uid_t owner, int type)
{
    int    rc, err;
    uid_t  uid;

    rc = fcntl(fd, F_SETLEASE, type);

    if (rc != -1 || errno != EACCES) {
        return rc;
    }

    uid = geteuid();

    if (seteuid(owner) == -1) {
        errno = EACCES;
        return -1;
    }

    rc = fcntl(fd, F_SETLEASE, type);
    err = errno;

    if (seteuid(uid) == -1) {
        return -1;
    }

    errno = err;

    return rc;
}
