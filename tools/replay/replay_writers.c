
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Who else has a file open for writing, and has nginx let go of it.
 *
 * The kernel grants a read lease only if nobody has the file open for writing,
 * in whatever process, container or user's session.  The lease is given back at
 * once: who opens the file would wait for it.
 *
 * A process is signalled only if it has this file open, so that a process id
 * that was left behind in a pid file, and is now that of somebody else, does no
 * harm.
 */


#include "replay.h"
#include "../lib/tool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>


/* seconds that nginx has to let go, which it does at once */
#define REPLAY_WRITERS_WAIT   30
#define REPLAY_WRITERS_NAP    10000000          /* nanoseconds */

/* as nginx calls the pid file of the old master during a binary upgrade */
#define REPLAY_OLDBIN         ".oldbin"


static int replay_writers_signal(replay_t *replay, const struct stat *st,
    int signo);
static int replay_writers_pid(replay_t *replay, const char *suffix,
    pid_t *pid);
static int replay_writers_has(replay_t *replay, pid_t pid,
    const struct stat *file);


int
replay_writers(replay_t *replay, int fd, const struct stat *st)
{
    int  rc;

    rc = tool_lease(fd, st->st_uid, F_RDLCK);

    if (rc == 0) {
        (void) tool_lease(fd, st->st_uid, F_UNLCK);

    } else if (errno == EAGAIN) {
        rc = 1;

    } else {
        replay_error(replay, errno, "cannot tell whether somebody writes to"
                     " \"%s\": a lease of it is for its owner and for root, on"
                     " a local file system", replay->name);
    }

    return rc;
}


int
replay_writers_known(replay_t *replay, int fd, const struct stat *st)
{
    int  rc;

    rc = replay_writers(replay, fd, st);

    if (rc <= 0) {
        return rc;
    }

    rc = replay_writers_signal(replay, st, 0);

    if (rc == 0) {
        replay_error(replay, 0, replay->pid_name
                     ? "\"%s\" is open for writing, but not by the process that"
                       " \"%s\" names"
                     : "\"%s\" is open for writing: if it is nginx that has it"
                       " open, --pid has to say which one",
                     replay->name, replay->pid_name);
    }

    return (rc > 0) ? 0 : -1;
}


int
replay_writers_gone(replay_t *replay, int fd, const struct stat *st)
{
    int              rc, told;
    double           end;
    struct timespec  nap = { 0, REPLAY_WRITERS_NAP };

    told = 0;
    end = replay_clock() + REPLAY_WRITERS_WAIT;

    for ( ;; ) {
        rc = replay_writers(replay, fd, st);

        if (rc <= 0) {
            return rc;
        }

        if (replay_interrupted()) {
            replay_complain(replay, "interrupted");
            replay->unknown = 1;
            return -1;
        }

        if (!told && replay_writers_signal(replay, st, SIGUSR1) == -1) {
            return -1;
        }

        told = 1;

        if (replay_clock() > end) {
            break;
        }

        (void) nanosleep(&nap, NULL);
    }

    replay_error(replay, 0, "\"%s\" is still open for writing after %d"
                 " seconds%s", replay->name, REPLAY_WRITERS_WAIT,
                 replay->pid_name ? "" : ": if it is nginx that has it open,"
                                         " --pid has to say which one");

    return -1;
}


/*
 * Sends a signal to the processes of --pid that have the file open.  Returns
 * their number, or -1.
 */

static int
replay_writers_signal(replay_t *replay, const struct stat *st, int signo)
{
    int    i, n, rc;
    pid_t  pid;

    static const char  *const suffixes[] = { "", REPLAY_OLDBIN };

    if (replay->pid_name == NULL) {
        return 0;
    }

    n = 0;

    for (i = 0; i < 2; i++) {

        rc = replay_writers_pid(replay, suffixes[i], &pid);

        if (rc == 1) {
            rc = replay_writers_has(replay, pid, st);
        }

        if (rc == -1) {
            return -1;
        }

        if (rc == 0) {
            continue;
        }

        if (kill(pid, signo) == -1) {
            replay_error(replay, errno, "cannot signal process %d",
                         (int) pid);
            return -1;
        }

        n++;
    }

    return n;
}


/* Returns 1 with what is in the file, 0 if there is none, or -1. */

static int
replay_writers_pid(replay_t *replay, const char *suffix, pid_t *pid)
{
    int    n, value;
    char  *name;
    FILE  *file;

    name = malloc(strlen(replay->pid_name) + strlen(suffix) + 1);

    if (name == NULL) {
        replay_error(replay, 0, "no memory");
        return -1;
    }

    (void) sprintf(name, "%s%s", replay->pid_name, suffix);

    file = fopen(name, "re");

    if (file == NULL && errno == ENOENT) {
        free(name);
        return 0;
    }

    n = 0;

    if (file == NULL) {
        replay_error(replay, errno, "cannot open \"%s\"", name);

    } else {
        n = fscanf(file, "%9d", &value) == 1 && value > 1;
        (void) fclose(file);

        if (n == 0) {
            replay_error(replay, 0, "\"%s\" is no pid file", name);
        }
    }

    free(name);

    if (n == 0) {
        return -1;
    }

    *pid = value;

    return 1;
}


/* Whether one of its descriptors is of the file; a process may be gone. */

static int
replay_writers_has(replay_t *replay, pid_t pid, const struct stat *file)
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

        replay_error(replay, errno, "cannot see what files process %d has"
                     " open", (int) pid);
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
