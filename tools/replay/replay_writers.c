
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#ifndef _GNU_SOURCE
#define _GNU_SOURCE                 /* asprintf() */
#endif

#include "replay_writers.h"
#include "replay_interrupt.h"
#include "../lib/tool_clock.h"
#include "../lib/tool_lease.h"
#include "../lib/tool_message.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>


/* nginx reopens its files at once, unless the machine is very busy */
#define REPLAY_WRITERS_WAIT   30        /* seconds */
#define REPLAY_WRITERS_NAP    0.01

/* the pid file of the old master process during a binary upgrade */
#define REPLAY_OLDBIN         ".oldbin"


static int replay_writers_signal(const replay_writers_t *writers, int signo);
static pid_t replay_writers_pid(const char *name, const char *suffix);
static pid_t replay_writers_read(const char *name);
static int replay_writers_has(pid_t pid, const struct stat *file);


replay_writers_e
replay_writers(const replay_writers_t *writers)
{
    if (tool_lease(writers->fd, writers->st->st_uid, F_RDLCK) != -1) {
        (void) tool_lease(writers->fd, writers->st->st_uid, F_UNLCK);
        return REPLAY_WRITERS_NONE;
    }

    if (errno == EAGAIN) {
        return REPLAY_WRITERS_SOME;
    }

    tool_error(errno, "cannot find out whether another process writes to"
               " \"%s\": only its owner and root can take a lease of it, on a"
               " local file system", writers->name);

    return REPLAY_WRITERS_ERROR;
}


replay_writers_e
replay_writers_check(const replay_writers_t *writers)
{
    int               n;
    replay_writers_e  rc;

    rc = replay_writers(writers);

    if (rc != REPLAY_WRITERS_SOME) {
        return rc;
    }

    n = replay_writers_signal(writers, 0);

    if (n == 0) {
        tool_error(0, writers->pid_name
                   ? "\"%s\" is open for writing, but not by the process that"
                     " \"%s\" names"
                   : "\"%s\" is open for writing: if nginx has it open, --pid"
                     " has to name its pid file",
                   writers->name, writers->pid_name);
    }

    return (n > 0) ? REPLAY_WRITERS_SOME : REPLAY_WRITERS_ERROR;
}


replay_writers_e
replay_writers_release(const replay_writers_t *writers)
{
    int               signalled;
    double            end;
    replay_writers_e  rc;

    signalled = 0;
    end = tool_clock() + REPLAY_WRITERS_WAIT;

    for ( ;; ) {
        rc = replay_writers(writers);

        if (rc != REPLAY_WRITERS_SOME) {
            return rc;
        }

        if (replay_interrupted()) {
            return REPLAY_WRITERS_INTERRUPTED;
        }

        if (!signalled && replay_writers_signal(writers, SIGUSR1) == -1) {
            return REPLAY_WRITERS_ERROR;
        }

        signalled = 1;

        if (tool_clock() > end) {
            break;
        }

        tool_sleep(REPLAY_WRITERS_NAP);
    }

    tool_error(0, "\"%s\" is still open for writing after %d seconds%s",
               writers->name, REPLAY_WRITERS_WAIT,
               writers->pid_name ? "" : ": if nginx has it open, --pid has to"
                                        " name its pid file");

    return REPLAY_WRITERS_ERROR;
}


/*
 * Sends a signal to the processes of --pid that have the file open.  Returns
 * their number, or -1 after a message.
 */

static int
replay_writers_signal(const replay_writers_t *writers, int signo)
{
    int    i, n, rc;
    pid_t  pid;

    static const char  *const suffixes[] = { "", REPLAY_OLDBIN };

    if (writers->pid_name == NULL) {
        return 0;
    }

    n = 0;

    for (i = 0; i < 2; i++) {

        pid = replay_writers_pid(writers->pid_name, suffixes[i]);

        rc = (pid > 0) ? replay_writers_has(pid, writers->st) : (int) pid;

        if (rc == -1) {
            return -1;
        }

        if (rc == 0) {
            continue;
        }

        if (kill(pid, signo) == -1) {
            tool_error(errno, "cannot signal process %d", (int) pid);
            return -1;
        }

        n++;
    }

    return n;
}


/* Returns what is in the pid file, 0 if there is no file, or -1. */

static pid_t
replay_writers_pid(const char *name, const char *suffix)
{
    char   *file;
    pid_t   pid;

    if (asprintf(&file, "%s%s", name, suffix) == -1) {
        tool_error(0, "no memory");
        return -1;
    }

    pid = replay_writers_read(file);

    free(file);

    return pid;
}


static pid_t
replay_writers_read(const char *name)
{
    int    n, value;
    FILE  *file;

    file = fopen(name, "re");

    if (file == NULL) {

        if (errno == ENOENT) {
            return 0;
        }

        tool_error(errno, "cannot open \"%s\"", name);
        return -1;
    }

    n = fscanf(file, "%9d", &value);

    (void) fclose(file);

    if (n != 1 || value <= 1) {
        tool_error(0, "\"%s\" is not a pid file", name);
        return -1;
    }

    return value;
}


/* Whether the process, if it exists, has the file open; -1 after a message. */

static int
replay_writers_has(pid_t pid, const struct stat *file)
{
    int             has;
    DIR            *dir;
    char            name[64];
    struct stat     st;
    struct dirent  *entry;

    (void) snprintf(name, sizeof(name), "/proc/%d/fd", (int) pid);

    dir = opendir(name);

    if (dir == NULL) {

        if (errno == ENOENT) {
            return 0;
        }

        tool_error(errno, "cannot see what files process %d has open",
                   (int) pid);
        return -1;
    }

    has = 0;

    while (!has && (entry = readdir(dir)) != NULL) {

        has = fstatat(dirfd(dir), entry->d_name, &st, 0) == 0
              && st.st_dev == file->st_dev && st.st_ino == file->st_ino;
    }

    (void) closedir(dir);

    return has;
}
