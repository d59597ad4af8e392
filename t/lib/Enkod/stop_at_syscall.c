
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * usage: stop_at_syscall N kill PROGRAM ARGUMENT...
 *        stop_at_syscall N append FILE TEXT PROGRAM ARGUMENT...
 *
 * Runs the program up to its Nth system call.  Then kills it; or appends TEXT
 * to FILE and lets the program continue.  If the file cannot be opened because
 * of a lease, TEXT is appended when the program has ended.
 *
 * The exit status is that of the program; 100 if the program was killed, 101 if
 * it ended before the call, 102 for any other failure.
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

    step = 2 * atol(argv[1]) - 1;       /* two stops for each call */
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


/* Returns true if the lease has to be waited for. */

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
