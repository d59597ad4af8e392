
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#include "replay_secret.h"
#include "../lib/tool_buf.h"
#include "../lib/tool_file.h"
#include "../lib/tool_message.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>


#define REPLAY_SECRET_SIZE    65536


char *
replay_secret_read(const char *name)
{
    int         fd, rc;
    size_t      len;
    tool_buf_t  buf;

    fd = open(name, O_RDONLY|O_CLOEXEC);

    if (fd == -1) {
        tool_error(errno, "cannot open \"%s\"", name);
        return NULL;
    }

    memset(&buf, 0, sizeof(tool_buf_t));

    rc = tool_file_load(fd, name, REPLAY_SECRET_SIZE, &buf, &len);

    (void) close(fd);

    if (rc == 1) {
        tool_error(0, "\"%s\" is larger than %d bytes", name,
                   REPLAY_SECRET_SIZE);

    } else if (rc == 0 && len == 0) {
        tool_error(0, "\"%s\" is empty", name);

    } else if (rc == 0 && memchr(buf.data, '\0', len)) {
        tool_error(0, "\"%s\" contains a NUL byte", name);

    } else if (rc == 0 && tool_buf_reserve(&buf, len + 1, len)) {
        buf.data[len] = '\0';
        return (char *) buf.data;
    }

    tool_buf_free(&buf);

    return NULL;
}


char *
replay_secret_next(char *line)
{
    char  *lf;

    lf = strchr(line, '\n');

    if (lf == NULL) {
        return NULL;
    }

    *lf = '\0';

    if (lf > line && lf[-1] == '\r') {
        lf[-1] = '\0';
    }

    return lf[1] ? lf + 1 : NULL;
}
