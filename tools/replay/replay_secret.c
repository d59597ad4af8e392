
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Everybody on the machine can read a command line, so a password is better in
 * a file.  What is in it is not repeated in messages.
 */


#include "replay.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>


static int replay_secret_headers(replay_t *replay, const char *name);
static char *replay_secret_read(replay_t *replay, const char *name);
static ssize_t replay_secret_fill(int fd, char *buf, size_t size);
static char *replay_secret_next(char *line);


int
replay_secret_header(replay_t *replay, const char *value)
{
    const char  *error;

    if (*value == '@') {
        return replay_secret_headers(replay, value + 1);
    }

    error = replay_value_header(replay, value);

    if (error) {
        replay_error(replay, 0, "invalid --header \"%s\": %s", value, error);
        return -1;
    }

    return 0;
}


static int
replay_secret_headers(replay_t *replay, const char *name)
{
    int          n;
    char        *text, *line, *next;
    const char  *error;

    text = replay_secret_read(replay, name);

    if (text == NULL) {
        return -1;
    }

    error = NULL;

    for (line = text, n = 1; line; line = next, n++) {

        next = replay_secret_next(line);

        error = *line ? replay_value_header(replay, line) : NULL;

        if (error) {
            replay_error(replay, 0, "invalid header in \"%s\" line %d: %s",
                         name, n, error);
            break;
        }
    }

    free(text);

    return error ? -1 : 0;
}


int
replay_secret_url(replay_t *replay, const char *value)
{
    char        *text;
    const char  *error;

    if (*value != '@') {
        error = replay_value_url(replay, value);

        if (error) {
            replay_error(replay, 0, "invalid URL \"%s\": %s", value, error);
            return -1;
        }

        return 0;
    }

    text = replay_secret_read(replay, value + 1);

    if (text == NULL) {
        return -1;
    }

    error = replay_secret_next(text) ? "it must stand there alone"
                                     : replay_value_url(replay, text);

    if (error) {
        replay_error(replay, 0, "invalid URL in \"%s\": %s", value + 1, error);
        free(text);
        return -1;
    }

    return 0;
}


/* The text of a file, which need not be a regular one, or NULL. */

static char *
replay_secret_read(replay_t *replay, const char *name)
{
    int      fd;
    char    *buf;
    ssize_t  n;

    fd = open(name, O_RDONLY|O_CLOEXEC);

    if (fd == -1) {
        replay_error(replay, errno, "cannot open \"%s\"", name);
        return NULL;
    }

    buf = malloc(REPLAY_SECRET_SIZE + 1);

    if (buf == NULL) {
        replay_error(replay, 0, "no memory");
        (void) close(fd);
        return NULL;
    }

    n = replay_secret_fill(fd, buf, REPLAY_SECRET_SIZE + 1);

    if (n == -1) {
        replay_error(replay, errno, "cannot read \"%s\"", name);

    } else if (n == 0) {
        replay_error(replay, 0, "there is nothing in \"%s\"", name);

    } else if (n > REPLAY_SECRET_SIZE) {
        replay_error(replay, 0, "\"%s\" is larger than %d bytes", name,
                     REPLAY_SECRET_SIZE);

    } else if (memchr(buf, '\0', n)) {
        replay_error(replay, 0, "\"%s\" has a NUL byte in it", name);

    } else {
        buf[n] = '\0';
    }

    (void) close(fd);

    if (replay->status == REPLAY_ERROR) {
        free(buf);
        return NULL;
    }

    return buf;
}


static ssize_t
replay_secret_fill(int fd, char *buf, size_t size)
{
    size_t   len;
    ssize_t  n;

    for (len = 0; len < size; len += n) {

        n = read(fd, buf + len, size - len);

        if (n <= 0) {
            return (n == 0) ? (ssize_t) len : -1;
        }
    }

    return len;
}


/* Ends a line, and returns the next one or NULL. */

static char *
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
