
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#include "tool_lease.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>


void
tool_lease_init(void)
{
    (void) signal(SIGIO, SIG_IGN);
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
