
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * FILE is read up to the end that it had when it was opened: what is written
 * to it meanwhile waits for the next run, so that a replay ends even if what
 * it sends comes back into the same file.  Only the line at hand is in memory.
 */


#include "replay.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>


#define REPLAY_READ_SIZE      ((size_t) 256 * 1024)

/* so that sizes and offsets of lines stay far from the limits of their types */
#define REPLAY_MAX_LINE       ((size_t) 1 << 30)


static int replay_file_head(replay_t *replay);
static int replay_file_room(replay_t *replay);
static ssize_t replay_file_read(replay_t *replay);


int
replay_file_open(replay_t *replay)
{
    struct stat     st;
    replay_file_t  *file;

    file = &replay->file;

    if (file->pipe) {
        file->fd = STDIN_FILENO;
        return 0;
    }

    /* a FIFO would wait for a writer here, just to be refused */
    file->fd = open(replay->name, O_RDONLY|O_CLOEXEC|O_NONBLOCK);

    if (file->fd == -1) {
        replay_error(replay, errno, "cannot open \"%s\"", replay->name);
        return -1;
    }

    if (fstat(file->fd, &st) == -1) {
        replay_error(replay, errno, "cannot stat \"%s\"", replay->name);
        return -1;
    }

    if (!S_ISREG(st.st_mode)) {
        replay_error(replay, 0, "\"%s\" is no regular file; a pipe can be read"
                     " as \"-\"", replay->name);
        return -1;
    }

    file->dev = st.st_dev;
    file->ino = st.st_ino;
    file->limit = st.st_size;

    return replay_file_head(replay);
}


static int
replay_file_head(replay_t *replay)
{
    size_t          len;
    ssize_t         n;
    replay_file_t  *file;

    file = &replay->file;

    for (len = 0; len < REPLAY_HEAD_SIZE; len += n) {

        n = pread(file->fd, file->head + len, REPLAY_HEAD_SIZE - len, len);

        if (n == -1) {
            replay_error(replay, errno, "cannot read \"%s\"", replay->name);
            return -1;
        }

        if (n == 0) {
            break;
        }
    }

    return 0;
}


int
replay_file_seek(replay_t *replay, off_t offset)
{
    if (lseek(replay->file.fd, offset, SEEK_SET) == -1) {
        replay_error(replay, errno, "cannot read \"%s\"", replay->name);
        return -1;
    }

    replay->file.offset = offset;

    return 0;
}


int
replay_file_next(replay_t *replay, enkod_str_t *line)
{
    ssize_t         n;
    unsigned char  *lf;
    replay_file_t  *file;

    file = &replay->file;

    for ( ;; ) {
        lf = NULL;

        if (file->scanned < file->end) {
            lf = memchr(file->data + file->scanned, '\n',
                        file->end - file->scanned);
        }

        file->scanned = lf ? (size_t) (lf - file->data) : file->end;

        if (file->scanned - file->start > REPLAY_MAX_LINE) {
            replay_error(replay, 0, "\"%s\" has a line of more than 1 GiB at"
                         " offset %lld", replay->name,
                         (long long) file->offset);
            return -1;
        }

        if (lf) {
            break;
        }

        n = replay_file_read(replay);

        if (n <= 0) {
            return n;
        }
    }

    line->data = file->data + file->start;
    line->len = lf - line->data;

    file->offset += line->len + 1;
    file->start += line->len + 1;
    file->scanned = file->start;

    return 1;
}


size_t
replay_file_rest(const replay_file_t *file)
{
    return file->end - file->start;
}


static ssize_t
replay_file_read(replay_t *replay)
{
    size_t          room;
    off_t           left;
    ssize_t         n;
    replay_file_t  *file;

    file = &replay->file;

    if (replay_file_room(replay) != 0) {
        return -1;
    }

    /* no more behind a long line, so that its buffer is given back soon */

    room = file->size - file->end;
    room = (room < REPLAY_READ_SIZE) ? room : REPLAY_READ_SIZE;

    if (!file->pipe) {
        left = file->limit - file->offset - (off_t) replay_file_rest(file);
        room = (left < (off_t) room) ? (size_t) left : room;
    }

    do {
        n = read(file->fd, file->data + file->end, room);
    } while (n == -1 && errno == EINTR && !replay_interrupted());

    if (n == -1 && errno != EINTR) {
        replay_error(replay, errno, "cannot read \"%s\"", replay->name);
    }

    if (n == 0 && room && !file->pipe) {
        replay_error(replay, 0, "\"%s\" has become shorter", replay->name);
        return -1;
    }

    file->end += (n > 0) ? n : 0;

    return n;
}


/*
 * Moves what is left of the buffer to its beginning and makes room behind it.
 * A buffer that was needed for a long line is given back behind it.
 */

static int
replay_file_room(replay_t *replay)
{
    size_t          len, size;
    unsigned char  *p;
    replay_file_t  *file;

    file = &replay->file;

    len = replay_file_rest(file);

    if (file->start) {
        memmove(file->data, file->data + file->start, len);

        file->scanned -= file->start;
        file->end = len;
        file->start = 0;
    }

    size = (len < REPLAY_READ_SIZE / 2) ? REPLAY_READ_SIZE : 2 * len;

    if (file->size - len >= REPLAY_READ_SIZE / 2 && file->size <= 4 * size) {
        return 0;
    }

    p = realloc(file->data, size);

    if (p == NULL) {
        replay_error(replay, 0, "no memory for %zu bytes", size);
        return -1;
    }

    file->data = p;
    file->size = size;

    return 0;
}
