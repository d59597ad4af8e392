
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#include "replay_collect.h"
#include "../lib/tool_file.h"
#include "../lib/tool_message.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>


static int replay_collect_check(replay_collect_t *collect, dev_t dev,
    ino_t ino);
static int replay_collect_refuse(const replay_collect_t *collect,
    const char *error);
static int replay_collect_end(int fd, off_t size);
static int replay_collect_write(int fd, const enkod_str_t *line);


void
replay_collect_init(replay_collect_t *collect, const char *name)
{
    collect->name = name;
    collect->fd = -1;
}


int
replay_collect_is_open(const replay_collect_t *collect)
{
    return collect->fd != -1;
}


int
replay_collect_open(replay_collect_t *collect, dev_t dev, ino_t ino)
{
    const char  *error;

    if (collect->name == NULL) {
        return 0;
    }

    if (collect->fd != -1) {
        return replay_collect_check(collect, dev, ino);
    }

    collect->fd = tool_file_open_own(collect->name, O_RDWR|O_CREAT|O_APPEND,
                                     &error);

    if (error) {
        return replay_collect_refuse(collect, error);
    }

    if (collect->fd == -1) {
        tool_error(errno, "cannot open \"%s\" for --collect", collect->name);
        return -1;
    }

    return replay_collect_check(collect, dev, ino);
}


static int
replay_collect_check(replay_collect_t *collect, dev_t dev, ino_t ino)
{
    const char   *error;
    struct stat   st;

    error = NULL;

    if (fstat(collect->fd, &st) == -1) {
        error = "it cannot be examined";

    } else if (st.st_dev == dev && st.st_ino == ino) {
        error = "it is FILE itself";

    } else if (flock(collect->fd, LOCK_EX|LOCK_NB) == -1) {
        error = "it is in use by another enkod-replay, or for --position";
    }

    return error ? replay_collect_refuse(collect, error) : 0;
}


static int
replay_collect_refuse(const replay_collect_t *collect, const char *error)
{
    tool_error(0, "cannot use \"%s\" for --collect: %s", collect->name, error);

    return -1;
}


int
replay_collect_add(replay_collect_t *collect, const enkod_str_t *line)
{
    struct stat  st;

    if (fstat(collect->fd, &st) == -1) {
        tool_error(errno, "cannot stat \"%s\"", collect->name);
        return -1;
    }

    if (replay_collect_end(collect->fd, st.st_size) != 0
        || replay_collect_write(collect->fd, line) != 0
        || fdatasync(collect->fd) == -1)
    {
        tool_error(errno, "cannot write \"%s\"", collect->name);

        if (ftruncate(collect->fd, st.st_size) == -1) {
            tool_error(errno, "cannot cut \"%s\"", collect->name);
        }

        return -1;
    }

    return 0;
}


/* A run that was killed may have left a piece of a line, which is ended. */

static int
replay_collect_end(int fd, off_t size)
{
    char  byte;

    if (size == 0) {
        return 0;
    }

    if (pread(fd, &byte, 1, size - 1) != 1) {
        return -1;
    }

    return (byte == '\n' || write(fd, "\n", 1) == 1) ? 0 : -1;
}


static int
replay_collect_write(int fd, const enkod_str_t *line)
{
    size_t        done;
    ssize_t       n;
    struct iovec  iov[2];

    for (done = 0; done < line->len + 1; done += n) {

        /* the line feed is in the same write as the end of the line */

        iov[0].iov_base = (void *) (line->data + done);
        iov[0].iov_len = line->len - done;
        iov[1].iov_base = "\n";
        iov[1].iov_len = 1;

        n = writev(fd, iov, 2);

        if (n == -1 && errno == EINTR) {
            n = 0;
            continue;
        }

        if (n == -1) {
            return -1;
        }
    }

    return 0;
}
