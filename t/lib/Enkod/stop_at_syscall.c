
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * usage: steps N kill PROGRAM ARGUMENT...
 *        steps N append FILE TEXT PROGRAM ARGUMENT...
 *
 * Runs the program up to its Nth system call.  Then it is killed; or TEXT is
 * appended to FILE, and the program goes on.  If somebody keeps us from opening
 * the file (a lease), TEXT is appended after the program's end.
 *
 * The exit status is the program's; 100 if it was killed, 101 if it ended
 * before, 102 if something else went wrong.
 */


#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>


static int append(const char *name, const char *text, int flags);


int
main(int argc, char **argv)
{
    int    status, sig, waits;
    long   n, step;
    pid_t  pid;
    char **program;

    if (argc < 4) {
        return 102;
    }

    step = 2 * atol(argv[1]) - 1;       /* there are two stops for each */
    program = (argv[2][0] == 'k') ? argv + 3 : argv + 5;

    pid = fork();

    if (pid == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        execvp(program[0], program);
        _exit(102);
    }

    if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status)) {
        return 102;
    }

    ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD
                                         |PTRACE_O_EXITKILL);

    for (n = 0, sig = 0; n < step; /* void */ ) {

        ptrace(PTRACE_SYSCALL, pid, NULL, sig);
        sig = 0;

        if (waitpid(pid, &status, 0) != pid) {
            return 102;
        }

        if (!WIFSTOPPED(status)) {
            return 101;
        }

        if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
            n++;

        } else if (WSTOPSIG(status) != SIGTRAP) {
            sig = WSTOPSIG(status);
        }
    }

    if (argv[2][0] == 'k') {
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        return 100;
    }

    waits = append(argv[3], argv[4], O_NONBLOCK);

    for (sig = 0; /* void */ ; /* void */ ) {

        ptrace(PTRACE_CONT, pid, NULL, sig);

        if (waitpid(pid, &status, 0) != pid) {
            return 102;
        }

        if (!WIFSTOPPED(status)) {
            break;
        }

        sig = (WSTOPSIG(status) == SIGTRAP) ? 0 : WSTOPSIG(status);
    }

    if (waits && append(argv[3], argv[4], 0) != 0) {
        return 102;
    }

    return WIFEXITED(status) ? WEXITSTATUS(status) : 102;
}


/* Returns whether it has to wait. */

static int
append(const char *name, const char *text, int flags)
{
    int  fd;

    fd = open(name, O_WRONLY|O_APPEND|flags);

    if (fd == -1) {

        if (flags && errno == EWOULDBLOCK) {
            return 1;
        }

        _exit(102);
    }

    if (write(fd, text, strlen(text)) != (ssize_t) strlen(text)) {
        _exit(102);
    }

    close(fd);

    return 0;
}
