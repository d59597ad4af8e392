
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The lines of FILE.  Only the one at hand is in memory.
 */


#include "replay.h"

#include <errno.h>
#include <unistd.h>


#define REPLAY_READ_SIZE      ((size_t) 256 * 1024)

/* so that sizes and offsets of lines stay far from the limits of their types */
#define REPLAY_MAX_LINE       ((size_t) 1 << 30)


static int replay_file_room(replay_t *replay);
static ssize_t replay_file_read(replay_t *replay);
static ssize_t replay_file_plain(replay_t *replay, unsigned char *buf,
    size_t size);


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

    if (file->unended) {
        file->unended = 0;

        if (line->len == 0) {
            /* this was the line feed of the last line of an earlier run */
            return replay_file_next(replay, line);
        }
    }

    return 1;
}


size_t
replay_file_rest(const replay_file_t *file, enkod_str_t *rest)
{
    rest->data = file->data + file->start;
    rest->len = file->end - file->start;

    return rest->len;
}


void
replay_file_last(replay_file_t *file)
{
    file->offset += file->end - file->start;
    file->start = file->end;
    file->unended = 1;
}


void
replay_file_close(replay_file_t *file)
{
    replay_gzip_close(file->gzip);
    free(file->data);

    if (!file->pipe && file->fd != -1) {
        (void) close(file->fd);
    }

    memset(file, 0, sizeof(replay_file_t));

    file->fd = -1;
}


static ssize_t
replay_file_read(replay_t *replay)
{
    size_t          room;
    ssize_t         n;
    replay_file_t  *file;

    file = &replay->file;

    if (replay_file_room(replay) != 0) {
        return -1;
    }

    /* no more behind a long line, so that its buffer is given back soon */

    room = file->size - file->end;
    room = (room < REPLAY_READ_SIZE) ? room : REPLAY_READ_SIZE;

    if (file->gzip) {
        n = replay_gzip_read(replay, file->data + file->end, room);

    } else {
        n = replay_file_plain(replay, file->data + file->end, room);
    }

    file->end += (n > 0) ? n : 0;

    return n;
}


static ssize_t
replay_file_plain(replay_t *replay, unsigned char *buf, size_t size)
{
    off_t           left;
    ssize_t         n;
    replay_file_t  *file;

    file = &replay->file;

    if (!file->pipe) {
        left = file->limit - file->offset - (off_t) (file->end - file->start);
        size = (left < (off_t) size) ? (size_t) left : size;
    }

    n = replay_input_read(file, buf, size);

    if (n == -1 && errno != EINTR) {
        replay_error(replay, errno, "cannot read \"%s\"", replay->name);
    }

    if (n == 0 && size && !file->pipe) {
        replay_error(replay, 0, "\"%s\" has become shorter", replay->name);
        return -1;
    }

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

    len = file->end - file->start;

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
