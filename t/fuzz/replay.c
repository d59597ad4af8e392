
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Runs a fuzz target with each input in CORPUS, and prints in TAP for which of
 * them it did not abort.  It does not need libFuzzer.
 */


#include <dirent.h>
#include <unistd.h>
#include <sys/wait.h>

#include "fuzz.h"
#include "../unit/tap.h"


static int replay(int i);
static void run(int i, int fd);
static int is_input(const struct dirent *file);


static int              n;
static struct dirent  **files;


int
main(void)
{
    int  i;

    n = scandir(CORPUS, &files, is_input, alphasort);

    tap_ok(n > 0, "there are inputs in %s", CORPUS);

    for (i = 0; i < n; i = replay(i)) { /* void */ }

    for (i = 0; i < n; i++) {
        free(files[i]);
    }

    free(files);

    return tap_done();
}


/*
 * Runs the target in a process with the inputs from this one on, until all are
 * done or one has aborted it.  Returns the number of the next input.
 */

static int
replay(int i)
{
    int    fds[2], status;
    char   done;
    pid_t  pid;

    if (pipe(fds) == -1) {
        abort();
    }

    pid = fork();

    switch (pid) {

    case -1:
        abort();

    case 0:
        run(i, fds[1]);
        exit(EXIT_SUCCESS);
    }

    close(fds[1]);

    while (i < n && read(fds[0], &done, 1) == 1) {
        tap_ok(1, "%s/%s", CORPUS, files[i++]->d_name);
    }

    if (waitpid(pid, &status, 0) != pid || status != 0) {
        tap_ok(0, "%s/%s", CORPUS, i < n ? files[i++]->d_name
                                         : "*, as there are leaks");
    }

    close(fds[0]);

    return i;
}


/* Writes a byte for each input for which the target did not abort. */

static void
run(int i, int fd)
{
    char      name[512];
    FILE     *file;
    size_t    size;
    uint8_t  *data;

    static uint8_t  buf[65536];

    for ( ; i < n; i++) {

        (void) snprintf(name, sizeof(name), "%s/%s", CORPUS,
                        files[i]->d_name);

        file = fopen(name, "r");
        if (file == NULL) {
            abort();
        }

        size = fread(buf, 1, sizeof(buf), file);
        fclose(file);

        data = fuzz_alloc(size);
        memcpy(data, buf, size);

        (void) LLVMFuzzerTestOneInput(data, size);

        free(data);

        if (write(fd, "", 1) != 1) {
            abort();
        }
    }
}


static int
is_input(const struct dirent *file)
{
    return file->d_name[0] != '.';
}
