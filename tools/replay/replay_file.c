
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#include "replay_file.h"
#include "replay_interrupt.h"
#include "../lib/tool_message.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>


/* of a pipe no more than is needed to recognize it, as bytes may come late */
#define REPLAY_PIPE_HEAD      8


static int replay_file_stat(replay_file_t *file);
static int replay_file_head(replay_file_t *file);


int
replay_file_open(replay_file_t *file, const char *name, int nofollow)
{
    memset(file, 0, sizeof(replay_file_t));

    file->name = name;
    file->pipe = (strcmp(name, "-") == 0);

    if (file->pipe) {
        file->fd = STDIN_FILENO;
        return replay_file_head(file);
    }

    /* a FIFO would wait for a writer here, just to be refused */
    file->fd = open(name, O_RDONLY|O_CLOEXEC|O_NONBLOCK
                          |(nofollow ? O_NOFOLLOW : 0));

    if (file->fd == -1) {
        tool_error(errno, "cannot open \"%s\"", name);
        return -1;
    }

    if (replay_file_stat(file) != 0) {
        return -1;
    }

    return replay_file_head(file);
}


void
replay_file_close(replay_file_t *file)
{
    if (!file->pipe && file->fd != -1) {
        (void) close(file->fd);
    }

    file->fd = -1;
}


static int
replay_file_stat(replay_file_t *file)
{
    struct stat  st;

    if (fstat(file->fd, &st) == -1) {
        tool_error(errno, "cannot stat \"%s\"", file->name);
        return -1;
    }

    if (!S_ISREG(st.st_mode)) {
        tool_error(0, "\"%s\" is not a regular file; a pipe can be read as"
                   " \"-\"", file->name);
        return -1;
    }

    file->dev = st.st_dev;
    file->ino = st.st_ino;
    file->limit = st.st_size;

    return 0;
}


static int
replay_file_head(replay_file_t *file)
{
    size_t   size;
    ssize_t  n;

    size = file->pipe ? REPLAY_PIPE_HEAD : REPLAY_HEAD_SIZE;

    while (file->head_len < size) {

        n = file->pipe ? read(file->fd, file->head + file->head_len,
                              size - file->head_len)
                       : pread(file->fd, file->head + file->head_len,
                               size - file->head_len, file->head_len);

        if (n == -1 && errno == EINTR) {

            if (replay_interrupted()) {
                break;
            }

            continue;
        }

        if (n == -1) {
            tool_error(errno, "cannot read \"%s\"", file->name);
            return -1;
        }

        if (n == 0) {
            break;
        }

        file->head_len += n;
    }

    if (file->pipe) {
        file->unread = file->head_len;
    }

    return 0;
}


ssize_t
replay_file_read(replay_file_t *file, unsigned char *buf, size_t size)
{
    ssize_t  n;

    if (file->unread) {
        n = (file->unread < size) ? file->unread : size;

        memcpy(buf, file->head + file->head_len - file->unread, n);

        file->unread -= n;
        file->offset += n;

        return n;
    }

    do {
        n = read(file->fd, buf, size);
    } while (n == -1 && errno == EINTR && !replay_interrupted());

    if (n == -1 && errno != EINTR) {
        tool_error(errno, "cannot read \"%s\"", file->name);
    }

    if (n > 0) {
        file->offset += n;
    }

    return n;
}


int
replay_file_seek(replay_file_t *file, off_t offset, unsigned char *last)
{
    if (offset > file->limit || pread(file->fd, last, 1, offset - 1) != 1) {
        return 0;
    }

    if (lseek(file->fd, offset, SEEK_SET) == -1) {
        tool_error(errno, "cannot read \"%s\"", file->name);
        return -1;
    }

    file->offset = offset;

    return 1;
}


off_t
replay_file_grown(const replay_file_t *file)
{
    struct stat  st;

    if (fstat(file->fd, &st) == -1) {
        tool_error(errno, "cannot stat \"%s\"", file->name);
        return 0;
    }

    return st.st_size - file->limit;
}
