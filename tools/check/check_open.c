
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#include "check_open.h"
#include "../lib/tool_message.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>


int
check_open(const char *name)
{
    int  fd;

    if (strcmp(name, "-") == 0) {
        return STDIN_FILENO;
    }

    fd = open(name, O_RDONLY|O_CLOEXEC);

    if (fd == -1) {
        tool_error(errno, "cannot open \"%s\"", name);
    }

    return fd;
}


void
check_close(int fd)
{
    if (fd != STDIN_FILENO) {
        (void) close(fd);
    }
}
