
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Sends what is in a file that nginx writes to, and nothing is lost whenever
 * this is killed: the file gets a name of its own, nginx opens another one,
 * nobody writes to it any more, it is sent, it is removed.  Each of these steps
 * is known by what is in the folder, and what was left by an earlier run goes
 * first, in its order.
 */


#include "replay.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>


static int replay_drain_take(replay_t *replay, replay_rests_t *rests);
static int replay_drain_rename(replay_t *replay, replay_rests_t *rests);
static int replay_drain_rest(replay_t *replay, const replay_rests_t *rests,
    unsigned long number, int *done);
static int replay_drain_release(replay_t *replay);
static int replay_drain_open(replay_t *replay, struct stat *st);
static int replay_drain_kept(const replay_t *replay);
static int replay_drain_remove(replay_t *replay);
static int replay_drain_worse(int one, int two);


int
replay_drain(replay_t *replay)
{
    int              rc, done, status;
    size_t           i;
    replay_rests_t   rests;

    /* somebody opens a file in the moment in which we have a lease of it */
    (void) signal(SIGIO, SIG_IGN);

    if (replay_collect_open(replay) != 0
        || replay_rests_find(replay, &rests) != 0)
    {
        return REPLAY_ERROR;
    }

    status = REPLAY_OK;
    done = 1;

    for (i = 0; i < rests.n && done; i++) {
        rc = replay_drain_rest(replay, &rests, rests.numbers[i], &done);
        status = replay_drain_worse(status, rc);
    }

    if (done) {
        replay->name = rests.name;

        switch (replay_drain_take(replay, &rests)) {

        case -1:
            status = replay_drain_worse(status, replay_status(replay));
            break;

        case 1:
            rc = replay_drain_rest(replay, &rests, rests.last, &done);
            status = replay_drain_worse(status, rc);
        }
    }

    free(rests.numbers);

    return status;
}


/* Returns 1, or 0 if there is nothing to be taken. */

static int
replay_drain_take(replay_t *replay, replay_rests_t *rests)
{
    int          fd, rc;
    struct stat  st;

    fd = replay_drain_open(replay, &st);

    if (fd == -1) {

        if (errno == ENOENT && rests->n) {
            /* nginx does not run, or is just about to open a new one */
            return 0;
        }

        replay_error(replay, errno, "cannot open \"%s\"", replay->name);
        return -1;
    }

    if (st.st_size == 0) {
        (void) close(fd);
        return 0;
    }

    replay->file.dev = st.st_dev;
    replay->file.ino = st.st_ino;

    rc = replay_collect_open(replay);

    if (rc == 0) {
        rc = replay_writers_known(replay, fd, &st);
    }

    (void) close(fd);

    return (rc == 0) ? replay_drain_rename(replay, rests) : -1;
}


static int
replay_drain_rename(replay_t *replay, replay_rests_t *rests)
{
    int    rc;
    char  *name;

    if (replay_interrupted()) {
        replay_complain(replay, "interrupted");
        replay->unknown = 1;
        return -1;
    }

    name = replay_rest_name(replay, rests->name, rests->last + 1, "");

    if (name == NULL) {
        return -1;
    }

    rc = renameat2(AT_FDCWD, rests->name, AT_FDCWD, name, RENAME_NOREPLACE);

    if (rc == -1) {
        replay_error(replay, errno, "cannot rename \"%s\" to \"%s\"",
                     rests->name, name);

    } else {
        rests->last++;
    }

    free(name);

    return (rc == 0) ? 1 : -1;
}


/* Returns the exit status; "done" is whether what comes behind it may be sent. */

static int
replay_drain_rest(replay_t *replay, const replay_rests_t *rests,
    unsigned long number, int *done)
{
    int    status;
    char  *name, *position;

    name = replay_rest_name(replay, rests->name, number, "");
    position = replay_rest_name(replay, rests->name, number, ".pos");

    *done = 0;
    status = REPLAY_ERROR;

    if (name == NULL || position == NULL) {
        goto done;
    }

    replay->name = name;
    replay->position_name = position;

    if (replay_drain_release(replay) != 0) {
        status = replay_status(replay);
        goto done;
    }

    status = replay_file(replay);

    if (status == REPLAY_ERROR || !replay_drain_kept(replay)) {
        *done = (status == REPLAY_SKIPPED);
        goto done;
    }

    if (replay_drain_remove(replay) != 0) {
        status = replay_status(replay);
        goto done;
    }

    *done = 1;

done:

    replay_reset(replay);

    free(name);
    free(position);

    replay->position_name = NULL;

    return status;
}


/* Nobody writes to it any more, or this fails. */

static int
replay_drain_release(replay_t *replay)
{
    int          fd, rc;
    struct stat  st;

    fd = replay_drain_open(replay, &st);

    if (fd == -1) {
        replay_error(replay, errno, "cannot open \"%s\"", replay->name);
        return -1;
    }

    rc = replay_writers_gone(replay, fd, &st);

    (void) close(fd);

    return rc;
}


/* A name that leads elsewhere is not followed: it would be removed then. */

static int
replay_drain_open(replay_t *replay, struct stat *st)
{
    int  fd, err;

    fd = open(replay->name, O_RDONLY|O_CLOEXEC|O_NONBLOCK|O_NOFOLLOW);

    if (fd == -1) {
        return -1;
    }

    if (fstat(fd, st) == -1) {
        err = errno;

    } else if (S_ISREG(st->st_mode)) {
        return fd;

    } else {
        err = S_ISDIR(st->st_mode) ? EISDIR : EINVAL;
    }

    (void) close(fd);

    errno = err;

    return -1;
}


/* Whether all that is in it is delivered, or in the file of --collect. */

static int
replay_drain_kept(const replay_t *replay)
{
    return replay->left == 0 && !replay->unknown && !replay->grown
           && replay->tally.skipped == replay->tally.kept;
}


static int
replay_drain_remove(replay_t *replay)
{
    int          rc;
    struct stat  st;

    if (fstat(replay->file.fd, &st) == -1) {
        replay_error(replay, errno, "cannot stat \"%s\"", replay->name);
        return -1;
    }

    rc = replay_writers(replay, replay->file.fd, &st);

    if (rc == 0 && fstat(replay->file.fd, &st) == -1) {
        replay_error(replay, errno, "cannot stat \"%s\"", replay->name);
        rc = -1;
    }

    if (rc == -1) {
        return -1;
    }

    if (rc == 1 || st.st_size != replay->file.limit) {
        replay_complain(replay, "\"%s\" is written to again, and stays",
                        replay->name);
        replay->grown = 1;
        return -1;
    }

    /* in this order: without its position, all of it would be sent again */

    if (unlink(replay->name) == -1) {
        replay_error(replay, errno, "cannot remove \"%s\"", replay->name);
        return -1;
    }

    if (unlink(replay->position_name) == -1 && errno != ENOENT) {
        replay_error(replay, errno, "cannot remove \"%s\"",
                     replay->position_name);
        return -1;
    }

    return 0;
}


static int
replay_drain_worse(int one, int two)
{
    size_t  i;

    static const int  order[] = { REPLAY_ERROR, REPLAY_LEFT, REPLAY_SKIPPED };

    for (i = 0; i < sizeof(order) / sizeof(order[0]); i++) {

        if (one == order[i] || two == order[i]) {
            return order[i];
        }
    }

    return REPLAY_OK;
}
