
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The program of SyscallStepper.pm.  It traces processes and lets each of them
 * run from one system call on a file of lines to the next.  It reads commands
 * from standard input and answers each with one line:
 *
 *     attach PID        "attached", or "error" and the reason
 *     step PID          runs the process until it is about to make such a call,
 *                       "call NAME"; or waits for an event, "idle"; or waits for a
 *                       lock that another process has, "blocked"; or has ended,
 *                       "gone"
 *     hold PID          "held": the process stops until its next step
 *     kill PID          "gone"
 *     detach PID        "detached"
 *
 * A file of lines is one with ".jsonl" in its name.  A step that is "blocked"
 * is under way: the next one of that process waits for its end.
 */


#define _GNU_SOURCE

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/ptrace.h>


#define STEP_PROCESSES  8

/* microseconds between two looks, and the number of looks before giving up */
#define STEP_PAUSE      50
#define STEP_LOOKS      600000

/* a process waits if so many looks in a row find it waiting */
#define STEP_QUIET      4


typedef struct {
    pid_t        pid;
    int          running;
} step_process_t;


typedef struct {
    long         nr;
    const char  *name;
} step_call_t;


/* calls whose first argument is a descriptor */

static const step_call_t  calls[] = {
    { SYS_write, "write" },
    { SYS_pwrite64, "pwrite" },
    { SYS_writev, "writev" },
    { SYS_pread64, "pread" },
    { SYS_read, "read" },
    { SYS_fstat, "fstat" },
#ifdef SYS_newfstatat
    { SYS_newfstatat, "fstat" },
#endif
#ifdef SYS_statx
    { SYS_statx, "fstat" },
#endif
    { SYS_lseek, "lseek" },
    { SYS_fallocate, "fallocate" },
    { SYS_ftruncate, "ftruncate" },
    { SYS_fcntl, "fcntl" },
    { SYS_flock, "flock" },
};

static step_process_t  processes[STEP_PROCESSES];


static step_process_t *
step_process(pid_t pid)
{
    int  i;

    for (i = 0; i < STEP_PROCESSES; i++) {
        if (processes[i].pid == pid) {
            return &processes[i];
        }
    }

    return NULL;
}


static int
step_is_event(long nr)
{
    size_t  i;

    static const long  waits[] = {
        SYS_epoll_pwait, SYS_ppoll, SYS_pselect6,
#ifdef SYS_epoll_wait
        SYS_epoll_wait,
#endif
#ifdef SYS_poll
        SYS_poll,
#endif
#ifdef SYS_select
        SYS_select,
#endif
    };

    for (i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
        if (nr == waits[i]) {
            return 1;
        }
    }

    return 0;
}


/*
 * Returns the name of the call if the process is about to make one of those
 * above, or a wait for events, before which it has done everything else; or
 * NULL.
 */

static const char *
step_call(pid_t pid)
{
    int                             n;
    char                            link[64], path[4096];
    size_t                          i;
    struct ptrace_syscall_info      info;

    if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) <= 0
        || info.op != PTRACE_SYSCALL_INFO_ENTRY)
    {
        return NULL;
    }

    if (step_is_event(info.entry.nr)) {
        return "idle";
    }

    for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {

        if ((long) info.entry.nr != calls[i].nr) {
            continue;
        }

        snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int) pid,
                 (int) info.entry.args[0]);

        n = readlink(link, path, sizeof(path) - 1);

        if (n == -1) {
            return NULL;
        }

        path[n] = '\0';

        return strstr(path, ".jsonl") ? calls[i].name : NULL;
    }

    return NULL;
}


/*
 * Returns the call in which the process waits, if it does.  The kernel says
 * nothing about a process that runs.
 */

static long
step_waits(pid_t pid)
{
    long   nr;
    char   path[64], state;
    FILE  *file;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int) pid);

    file = fopen(path, "r");

    if (file == NULL) {
        return -1;
    }

    state = ' ';

    if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1 || state != 'S') {
        fclose(file);
        return -1;
    }

    fclose(file);

    snprintf(path, sizeof(path), "/proc/%d/syscall", (int) pid);

    file = fopen(path, "r");

    if (file == NULL) {
        return -1;
    }

    if (fscanf(file, "%ld", &nr) != 1) {
        nr = -1;
    }

    fclose(file);

    return nr;
}


/* Waits until the process stops, waits or ends. */

static const char *
step_wait(step_process_t *process)
{
    int          i, status, signo, quiet;
    long         nr, last;
    const char  *name;

    static char  text[64];

    last = -1;
    quiet = 0;

    for (i = 0; i < STEP_LOOKS; i++) {

        if (waitpid(process->pid, &status, WNOHANG|__WALL) != process->pid) {

            /* in the same call twice, as it may have been woken up */

            nr = step_waits(process->pid);
            quiet = (nr != -1 && nr == last) ? quiet + 1 : 0;
            last = nr;

            if (quiet == STEP_QUIET) {

                if (step_is_event(nr)) {
                    return "idle";
                }

                if (nr == SYS_futex) {
                    return "blocked";
                }
            }

            usleep(STEP_PAUSE);
            continue;
        }

        quiet = 0;

        if (WIFEXITED(status) || WIFSIGNALED(status)) {
            process->pid = 0;
            return "gone";
        }

        signo = WSTOPSIG(status);

        if (signo == (SIGTRAP|0x80)) {

            name = step_call(process->pid);

            if (name && strcmp(name, "idle") == 0) {
                ptrace(PTRACE_SYSCALL, process->pid, 0, 0);
                return "idle";
            }

            if (name) {
                process->running = 0;
                snprintf(text, sizeof(text), "call %s", name);
                return text;
            }

            signo = 0;

        } else if (status >> 16) {
            /* an event of ptrace itself */
            signo = 0;
        }

        ptrace(PTRACE_SYSCALL, process->pid, 0, signo);
    }

    return "stuck";
}


static const char *
step_attach(pid_t pid)
{
    int              status;
    step_process_t  *process;

    process = step_process(0);

    if (process == NULL
        || ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD) == -1
        || ptrace(PTRACE_INTERRUPT, pid, 0, 0) == -1
        || waitpid(pid, &status, __WALL) != pid
        || ptrace(PTRACE_SYSCALL, pid, 0, 0) == -1)
    {
        return NULL;
    }

    process->pid = pid;
    process->running = 1;

    return "attached";
}


static const char *
step_go(step_process_t *process)
{
    if (!process->running) {
        process->running = 1;
        ptrace(PTRACE_SYSCALL, process->pid, 0, 0);
    }

    return step_wait(process);
}


static const char *
step_hold(step_process_t *process)
{
    int  status;

    if (process->running) {
        ptrace(PTRACE_INTERRUPT, process->pid, 0, 0);

        if (waitpid(process->pid, &status, __WALL) != process->pid
            || !WIFSTOPPED(status))
        {
            return "gone";
        }

        process->running = 0;
    }

    return "held";
}


static const char *
step_kill(step_process_t *process)
{
    int  status;

    kill(process->pid, SIGKILL);

    while (waitpid(process->pid, &status, __WALL) == process->pid
           && !WIFSIGNALED(status) && !WIFEXITED(status))
    {
        /* void */
    }

    process->pid = 0;

    return "gone";
}


static const char *
step_detach(step_process_t *process)
{
    pid_t  pid;

    pid = process->pid;

    if (strcmp(step_hold(process), "held") == 0) {
        ptrace(PTRACE_DETACH, pid, 0, 0);
    }

    process->pid = 0;

    return "detached";
}


int
main(void)
{
    int              pid;
    char             line[128], what[16];
    const char      *answer;
    step_process_t  *process;

    setvbuf(stdout, NULL, _IOLBF, 0);

    /* the kernel must not make the pauses longer */
    prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);

    while (fgets(line, sizeof(line), stdin)) {

        if (sscanf(line, "%15s %d", what, &pid) != 2) {
            return 1;
        }

        errno = 0;
        process = step_process(pid);
        answer = NULL;

        if (strcmp(what, "attach") == 0) {
            answer = step_attach(pid);

        } else if (process == NULL) {
            errno = ESRCH;

        } else if (strcmp(what, "step") == 0) {
            answer = step_go(process);

        } else if (strcmp(what, "hold") == 0) {
            answer = step_hold(process);

        } else if (strcmp(what, "kill") == 0) {
            answer = step_kill(process);

        } else if (strcmp(what, "detach") == 0) {
            answer = step_detach(process);
        }

        if (answer) {
            printf("%s\n", answer);

        } else {
            printf("error %s\n", strerror(errno));
        }
    }

    return 0;
}
