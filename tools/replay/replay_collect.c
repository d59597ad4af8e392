
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Lines that were not delivered are appended to a file, as they stand, before
 * the position moves past them.  The line is on the disk by then: the position
 * may get there at any time.
 */


#include "replay.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/uio.h>
#include <unistd.h>


static int replay_collect_check(replay_t *replay);
static int replay_collect_refuse(replay_t *replay, const char *error);
static int replay_collect_end(int fd, off_t size);
static int replay_collect_write(int fd, const enkod_str_t *line);


int
replay_collect_open(replay_t *replay)
{
    const char  *error;

    if (replay->collect_name == NULL) {
        return 0;
    }

    if (replay->collect != -1) {
        return replay_collect_check(replay);
    }

    replay->collect = replay_own_open(replay->collect_name,
                                      O_RDWR|O_CREAT|O_APPEND, &error);

    if (error) {
        return replay_collect_refuse(replay, error);
    }

    if (replay->collect == -1) {
        replay_error(replay, errno, "cannot open \"%s\" for --collect",
                     replay->collect_name);
        return -1;
    }

    return replay_collect_check(replay);
}


static int
replay_collect_check(replay_t *replay)
{
    int          fd;
    const char  *error;
    struct stat  st;

    fd = replay->collect;
    error = NULL;

    if (fstat(fd, &st) == -1) {
        error = "it cannot be looked at";

    } else if (st.st_dev == replay->file.dev && st.st_ino == replay->file.ino) {
        error = "it is FILE itself";

    } else if (flock(fd, LOCK_EX|LOCK_NB) == -1) {
        error = "it is in use by another enkod-replay, or for --position";
    }

    return error ? replay_collect_refuse(replay, error) : 0;
}


static int
replay_collect_refuse(replay_t *replay, const char *error)
{
    replay_error(replay, 0, "cannot use \"%s\" for --collect: %s",
                 replay->collect_name, error);

    return -1;
}


/* Returns 0, or -1 after a message; then nothing of the line is left. */

int
replay_collect(replay_t *replay, const enkod_str_t *line)
{
    int          fd;
    struct stat  st;

    fd = replay->collect;

    if (fstat(fd, &st) == -1) {
        replay_error(replay, errno, "cannot stat \"%s\"",
                     replay->collect_name);
        return -1;
    }

    if (replay_collect_end(fd, st.st_size) != 0
        || replay_collect_write(fd, line) != 0
        || fdatasync(fd) == -1)
    {
        replay_error(replay, errno, "cannot write \"%s\"",
                     replay->collect_name);

        if (ftruncate(fd, st.st_size) == -1) {
            replay_error(replay, errno, "cannot cut \"%s\"",
                         replay->collect_name);
        }

        return -1;
    }

    return 0;
}


/* A run that was killed may have left a piece of a line, which ends here. */

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
