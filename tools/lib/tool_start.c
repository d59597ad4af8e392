
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#include "tool_start.h"
#include "tool_message.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>


int
tool_start(const char *program)
{
    int               fd;
    struct sigaction  sa;

    tool_message_init(program);

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
