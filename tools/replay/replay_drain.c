
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#ifndef _GNU_SOURCE
#define _GNU_SOURCE                 /* renameat2() */
#endif

#include "replay_drain.h"
#include "replay_collect.h"
#include "replay_file.h"
#include "replay_interrupt.h"
#include "replay_rotated.h"
#include "replay_status.h"
#include "replay_writers.h"
#include "../lib/tool_file.h"
#include "../lib/tool_lease.h"
#include "../lib/tool_message.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>


static int replay_drain_rotate(replay_run_t *run, replay_rotated_t *rotated,
    int *renamed);
static int replay_drain_may_rotate(replay_run_t *run, int fd,
    const struct stat *st);
static int replay_drain_rename(replay_rotated_t *rotated);
static int replay_drain_number(replay_run_t *run,
    const replay_rotated_t *rotated, unsigned long number, int *done);
static int replay_drain_file(replay_run_t *run, const char *name,
    const char *position_name, int *done);
static int replay_drain_release(const char *name, const char *pid_name);
static int replay_drain_remove(replay_run_t *run, const char *position_name);
static int replay_drain_worse(int one, int two);


int
replay_drain(replay_run_t *run)
{
    int                rc, done, renamed, status;
    size_t             i;
    replay_rotated_t   rotated;

    tool_lease_init();

    if (replay_collect_open(&run->collect, 0, 0) != 0
        || replay_rotated_find(&rotated, run->options->name) != 0)
    {
        return REPLAY_ERROR;
    }

    status = REPLAY_OK;
    done = 1;

    for (i = 0; i < rotated.n && done; i++) {
        rc = replay_drain_number(run, &rotated, rotated.numbers[i], &done);
        status = replay_drain_worse(status, rc);
    }

    if (done) {
        rc = replay_drain_rotate(run, &rotated, &renamed);

        if (renamed) {
            rc = replay_drain_number(run, &rotated, rotated.last, &done);
        }

        status = replay_drain_worse(status, rc);
    }

    replay_rotated_free(&rotated);

    return status;
}


/* Renames FILE, if there is something in it; returns the exit status. */

static int
replay_drain_rotate(replay_run_t *run, replay_rotated_t *rotated, int *renamed)
{
    int          fd, rc;
    struct stat  st;

    *renamed = 0;

    fd = tool_file_open(rotated->name, O_RDONLY, &st);

    if (fd == -1) {

        if (errno == ENOENT && rotated->n) {
            /* nginx is not running, or has not opened a new one yet */
            return REPLAY_OK;
        }

        tool_error(errno, "cannot open \"%s\"", rotated->name);
        return REPLAY_ERROR;
    }

    rc = REPLAY_OK;

    if (st.st_size) {
        rc = replay_drain_may_rotate(run, fd, &st);

        if (rc == REPLAY_OK) {
            rc = replay_drain_rename(rotated);
            *renamed = (rc == REPLAY_OK);
        }
    }

    (void) close(fd);

    return rc;
}


/* Whether what has to follow the renaming can be done. */

static int
replay_drain_may_rotate(replay_run_t *run, int fd, const struct stat *st)
{
    replay_writers_t  writers;

    if (replay_collect_open(&run->collect, st->st_dev, st->st_ino) != 0) {
        return REPLAY_ERROR;
    }

    writers.name = run->options->name;
    writers.fd = fd;
    writers.st = st;
    writers.pid_name = run->options->pid_name;

    if (replay_writers_check(&writers) == REPLAY_WRITERS_ERROR) {
        return REPLAY_ERROR;
    }

    if (replay_interrupted()) {
        tool_warn("interrupted");
        return REPLAY_LEFT;
    }

    return REPLAY_OK;
}


static int
replay_drain_rename(replay_rotated_t *rotated)
{
    int    rc;
    char  *name;

    name = replay_rotated_name(rotated, rotated->last + 1, "");

    if (name == NULL) {
        return REPLAY_ERROR;
    }

    rc = renameat2(AT_FDCWD, rotated->name, AT_FDCWD, name, RENAME_NOREPLACE);

    if (rc == -1) {
        tool_error(errno, "cannot rename \"%s\" to \"%s\"", rotated->name,
                   name);

    } else {
        rotated->last++;
    }

    free(name);

    return (rc == 0) ? REPLAY_OK : REPLAY_ERROR;
}


/* Returns the exit status, and whether the files after it may be sent. */

static int
replay_drain_number(replay_run_t *run, const replay_rotated_t *rotated,
    unsigned long number, int *done)
{
    int    status;
    char  *name, *position_name;

    *done = 0;
    status = REPLAY_ERROR;

    name = replay_rotated_name(rotated, number, "");
    position_name = replay_rotated_name(rotated, number, ".pos");

    if (name && position_name) {
        status = replay_drain_file(run, name, position_name, done);
        replay_run_reset(run);
    }

    free(name);
    free(position_name);

    return status;
}


static int
replay_drain_file(replay_run_t *run, const char *name,
    const char *position_name, int *done)
{
    int  rc, status;

    rc = replay_drain_release(name, run->options->pid_name);

    if (rc != REPLAY_OK) {
        return rc;
    }

    status = replay_run(run, name, position_name);

    if (status == REPLAY_ERROR || !replay_run_is_complete(run)) {
        /* a file in which only lines were skipped does not stop the others */
        *done = (status == REPLAY_SKIPPED);
        return status;
    }

    rc = replay_drain_remove(run, position_name);

    if (rc != REPLAY_OK) {
        return rc;
    }

    *done = 1;

    return status;
}


/* Nobody writes to the file any more, or this is not REPLAY_OK. */

static int
replay_drain_release(const char *name, const char *pid_name)
{
    int               fd;
    struct stat       st;
    replay_writers_e  rc;
    replay_writers_t  writers;

    fd = tool_file_open(name, O_RDONLY, &st);

    if (fd == -1) {
        tool_error(errno, "cannot open \"%s\"", name);
        return REPLAY_ERROR;
    }

    writers.name = name;
    writers.fd = fd;
    writers.st = &st;
    writers.pid_name = pid_name;

    rc = replay_writers_release(&writers);

    (void) close(fd);

    if (rc == REPLAY_WRITERS_INTERRUPTED) {
        tool_warn("interrupted");
        return REPLAY_LEFT;
    }

    return (rc == REPLAY_WRITERS_NONE) ? REPLAY_OK : REPLAY_ERROR;
}


static int
replay_drain_remove(replay_run_t *run, const char *position_name)
{
    struct stat           st;
    replay_writers_e      rc;
    replay_writers_t      writers;
    const replay_file_t  *file;

    file = &run->input.file;

    if (fstat(file->fd, &st) == -1) {
        tool_error(errno, "cannot stat \"%s\"", file->name);
        return REPLAY_ERROR;
    }

    writers.name = file->name;
    writers.fd = file->fd;
    writers.st = &st;
    writers.pid_name = NULL;

    rc = replay_writers(&writers);

    if (rc == REPLAY_WRITERS_ERROR) {
        return REPLAY_ERROR;
    }

    if (fstat(file->fd, &st) == -1) {
        tool_error(errno, "cannot stat \"%s\"", file->name);
        return REPLAY_ERROR;
    }

    if (rc == REPLAY_WRITERS_SOME || st.st_size != file->limit) {
        tool_warn("\"%s\" is written to again, and is kept", file->name);
        return REPLAY_LEFT;
    }

    /* in this order: without its position, all of it would be sent again */

    if (unlink(file->name) == -1) {
        tool_error(errno, "cannot remove \"%s\"", file->name);
        return REPLAY_ERROR;
    }

    if (unlink(position_name) == -1 && errno != ENOENT) {
        tool_error(errno, "cannot remove \"%s\"", position_name);
        return REPLAY_ERROR;
    }

    return REPLAY_OK;
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
