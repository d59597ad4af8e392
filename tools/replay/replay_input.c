
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The bytes of FILE, up to the end that it had when it was opened: what is
 * written to it meanwhile waits for the next run, so that a replay ends even if
 * what it sends comes back into the same file.
 *
 * What is read is UTF-8 text, or that compressed by gzip.  Other input could
 * be taken for a file without any lines, so it is refused by its first bytes.
 */


#include "replay.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>


/* as many bytes tell what an input is */
#define REPLAY_MAGIC_SIZE     8


static int replay_input_stat(replay_t *replay);
static int replay_input_head(replay_t *replay);
static int replay_input_known(replay_t *replay);
static const char *replay_input_text(const unsigned char *p, size_t len);
static int replay_input_skip(replay_t *replay, off_t offset,
    unsigned char *last);


/* of formats that are recognized; gzip is the one that is read */

static const struct {
    const char  *magic;
    size_t       len;
    const char  *what;
} replay_formats[] = {
    { "\x1f\x8b", 2, NULL },
    { "BZh", 3, "is compressed by bzip2" },
    { "\xfd" "7zXZ", 5, "is compressed by xz" },
    { "\x5d\0\0", 3, "is compressed by lzma" },
    { "\x28\xb5\x2f\xfd", 4, "is compressed by zstd" },
    { "\x04\x22\x4d\x18", 4, "is compressed by lz4" },
    { "LZIP", 4, "is compressed by lzip" },
    { "\x1f\x9d", 2, "is compressed by compress" },
    { "PK\3\4", 4, "is compressed by zip" },
    { "7z\xbc\xaf\x27\x1c", 6, "is compressed by 7-zip" },
    { "\0\0\0{", 4, "is UTF-32 and not UTF-8" },
    { "{\0\0\0", 4, "is UTF-32 and not UTF-8" },
    { "\0{", 2, "is UTF-16 and not UTF-8" },
    { "{\0", 2, "is UTF-16 and not UTF-8" },
    { "\xff\xfe", 2, "is UTF-16 or UTF-32 and not UTF-8" },
    { "\xfe\xff", 2, "is UTF-16 and not UTF-8" },
    { "\xef\xbb\xbf", 3, "begins with a byte order mark, and no file of the"
                         " module does" }
};


int
replay_input_open(replay_t *replay)
{
    int             fd;
    replay_file_t  *file;

    file = &replay->file;

    if (file->pipe) {
        file->fd = STDIN_FILENO;
        file->final = 1;

    } else {
        /* a FIFO would wait for a writer here, just to be refused */
        fd = open(replay->name, O_RDONLY|O_CLOEXEC|O_NONBLOCK
                                |(replay->drain ? O_NOFOLLOW : 0));

        if (fd == -1) {
            replay_error(replay, errno, "cannot open \"%s\"", replay->name);
            return -1;
        }

        file->fd = fd;

        if (replay_input_stat(replay) != 0) {
            return -1;
        }
    }

    if (replay_input_head(replay) != 0 || replay_input_known(replay) != 0) {
        return -1;
    }

    return 0;
}


static int
replay_input_stat(replay_t *replay)
{
    struct stat     st;
    replay_file_t  *file;

    file = &replay->file;

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

    /* nobody writes to it any more */
    file->final = replay->drain;

    return 0;
}


/* The first bytes; of a pipe no more than are needed, as they may come late. */

static int
replay_input_head(replay_t *replay)
{
    size_t          size;
    ssize_t         n;
    replay_file_t  *file;

    file = &replay->file;

    size = file->pipe ? REPLAY_MAGIC_SIZE : REPLAY_HEAD_SIZE;

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
            replay_error(replay, errno, "cannot read \"%s\"", replay->name);
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


static int
replay_input_known(replay_t *replay)
{
    size_t          i;
    const char     *what;
    replay_file_t  *file;

    file = &replay->file;

    for (i = 0; i < sizeof(replay_formats) / sizeof(replay_formats[0]); i++) {

        if (file->head_len >= replay_formats[i].len
            && memcmp(file->head, replay_formats[i].magic,
                      replay_formats[i].len) == 0)
        {
            break;
        }
    }

    if (i == 0) {
        file->final = 1;
        return replay_gzip_open(replay);
    }

    what = (i < sizeof(replay_formats) / sizeof(replay_formats[0]))
           ? replay_formats[i].what
           : replay_input_text(file->head, file->head_len);

    if (what) {
        replay_error(replay, 0, "\"%s\" %s", replay->name, what);
        return -1;
    }

    return 0;
}


static const char *
replay_input_text(const unsigned char *p, size_t len)
{
    const unsigned char  *end;

    for (end = p + len; p < end; p++) {

        if (*p == '[') {
            return "is a JSON array and not a line for each event";
        }

        if (*p != ' ' && *p != '\t' && *p != '\r' && *p != '\n') {
            break;
        }
    }

    return NULL;
}


/* As read(); what was read of a pipe before comes first. */

ssize_t
replay_input_read(replay_file_t *file, unsigned char *buf, size_t size)
{
    ssize_t  n;

    if (file->unread) {
        n = (file->unread < size) ? file->unread : size;

        memcpy(buf, file->head + file->head_len - file->unread, n);

        file->unread -= n;

        return n;
    }

    do {
        n = read(file->fd, buf, size);
    } while (n == -1 && errno == EINTR && !replay_interrupted());

    return n;
}


/* Returns 1 and the byte in front of the offset, 0 if there is none, or -1. */

int
replay_input_seek(replay_t *replay, off_t offset, unsigned char *last)
{
    replay_file_t  *file;

    file = &replay->file;

    if (file->gzip) {
        return replay_input_skip(replay, offset, last);
    }

    if (offset > file->limit || pread(file->fd, last, 1, offset - 1) != 1) {
        return 0;
    }

    if (lseek(file->fd, offset, SEEK_SET) == -1) {
        replay_error(replay, errno, "cannot read \"%s\"", replay->name);
        return -1;
    }

    return 1;
}


static int
replay_input_skip(replay_t *replay, off_t offset, unsigned char *last)
{
    size_t         size;
    ssize_t        n;
    unsigned char  buf[4096];

    while (offset) {
        size = (offset < (off_t) sizeof(buf)) ? (size_t) offset : sizeof(buf);

        n = replay_gzip_read(replay, buf, size);

        if (n <= 0) {
            return n;
        }

        *last = buf[n - 1];
        offset -= n;
    }

    return 1;
}


off_t
replay_input_grown(replay_t *replay)
{
    struct stat     st;
    replay_file_t  *file;

    file = &replay->file;

    if (file->pipe || file->gzip) {
        /* these were read to their very end */
        return 0;
    }

    if (fstat(file->fd, &st) == -1) {
        replay_error(replay, errno, "cannot stat \"%s\"", replay->name);
        return 0;
    }

    return st.st_size - file->limit;
}
