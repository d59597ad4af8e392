
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The library of Shim.pm: preloaded into nginx, it takes note of what nginx
 * does to the files with lines, and makes it fail when told so.  The folder
 * with the files that tell it, and that it writes to, is in ENKOD_SHIM:
 *
 *     mode      one byte: what write() of lines does
 *     sync      one byte: what fdatasync() and fsync() do
 *     clock     seconds by which the clock is wrong, 8 bytes
 *     writes    a line for each write() of lines
 *     syncs     a line for each sync, and for each line that was cut off
 *     cut       what was cut off
 */


#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>


static int               mode = -1, sync_mode = -1, writes = -1, syncs = -1;
static int               cut = -1;
static volatile int64_t *wrong;


static int
shim_open(const char *name, int flags)
{
    char  path[4096];

    snprintf(path, sizeof(path), "%s/%s", getenv("ENKOD_SHIM"), name);

    return open(path, flags|O_CLOEXEC);
}


static void __attribute__((constructor))
shim_init(void)
{
    int  fd;

    if (getenv("ENKOD_SHIM") == NULL) {
        return;
    }

    mode = shim_open("mode", O_RDWR);
    sync_mode = shim_open("sync", O_RDWR);
    writes = shim_open("writes", O_WRONLY|O_APPEND);
    syncs = shim_open("syncs", O_WRONLY|O_APPEND);
    cut = shim_open("cut", O_WRONLY|O_APPEND);

    fd = shim_open("clock", O_RDWR);

    if (fd != -1) {
        wrong = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);

        if (wrong == MAP_FAILED) {
            wrong = NULL;
        }

        close(fd);
    }
}


/* write() */

static ssize_t
shim_write(int fd, const void *buf, size_t len, size_t asked)
{
    int      err;
    char     text[128];
    ssize_t  n;

    n = syscall(SYS_write, fd, buf, len);
    err = errno;

    snprintf(text, sizeof(text), "%d %zu %zd\n", (int) getpid(), asked, n);
    syscall(SYS_write, writes, text, strlen(text));

    errno = err;
    return n;
}


static void
shim_next(int fd, char c)
{
    pwrite(fd, &c, 1, 0);
}


/* one of so many, by chance */

static int
shim_chance(int n)
{
    static _Thread_local unsigned  seed;

    if (seed == 0) {
        seed = getpid() * 7919 + time(NULL) + 1;
    }

    return rand_r(&seed) / 64 % n == 0;
}


ssize_t
write(int fd, const void *buf, size_t len)
{
    char         c = '-';
    size_t       skip = len > 0 && *(const char *) buf == '\n';
    const char  *p = buf;

    static const char   begin[] = "{\"received_at\":\"";
    static const void  *rest, *full;

    if (mode == -1
        || !(buf == rest || buf == full
             || (len > sizeof(begin) + skip
                 && memcmp(p + skip, begin, sizeof(begin) - 1) == 0)))
    {
        return syscall(SYS_write, fd, buf, len);
    }

    pread(mode, &c, 1, 0);

    if (buf == full) {
        full = NULL;
        errno = ENOSPC;
        return -1;
    }

    switch (c) {

    case 'k':
        shim_next(mode, '-');
        shim_write(fd, buf, len / 2, len);
        raise(SIGKILL);
        break;

    case 'K':
        shim_next(mode, '-');
        shim_write(fd, buf, len, len);
        raise(SIGKILL);
        break;

    case 's':
        shim_next(mode, '-');
        full = p + len / 2;
        return shim_write(fd, buf, len / 2, len);

    case 'p':
        shim_next(mode, '-');
        rest = p + len / 2;
        return shim_write(fd, buf, len / 2, len);

    case 'l':
        shim_next(mode, '-');
        shim_write(fd, buf, len / 2, len);
        usleep(50000);
        return len / 2
               + shim_write(fd, p + len / 2, len - len / 2, len - len / 2);

    case 'e':
        shim_next(mode, '-');
        errno = EINTR;
        return -1;

    case 'f':
        errno = ENOSPC;
        return -1;

    case 'i':
        errno = EIO;
        return -1;

    case 'r':
        if (shim_chance(16)) {
            errno = EIO;
            return -1;
        }

        if (shim_chance(16)) {
            full = p + len / 2;
            return shim_write(fd, buf, len / 2, len);
        }

        if (shim_chance(16)) {
            rest = p + len / 3;
            return shim_write(fd, buf, len / 3, len);
        }

        if (shim_chance(16)) {
            errno = EINTR;
            return -1;
        }
    }

    rest = NULL;

    return shim_write(fd, buf, len, len);
}


/* fdatasync(), fsync(), ftruncate() */

static void
shim_note(const char *what, struct stat *st, int rc, int err,
    const char *path)
{
    int   n;
    char  text[4352];

    n = snprintf(text, sizeof(text), "%s %d %d %llu %lld %d %d %s\n", what,
                 (int) getpid(), S_ISDIR(st->st_mode) ? 1 : 0,
                 (unsigned long long) st->st_ino, (long long) st->st_size, rc,
                 err, path);

    syscall(SYS_write, syncs, text, n);
}


static void
shim_path(int fd, char *path, size_t size)
{
    int   n;
    char  link[64];

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, path, size - 1);
    path[n < 0 ? 0 : n] = '\0';
}


static int
shim_sync(const char *what, long call, int fd)
{
    int          rc, err, held;
    char         c = '-', path[4096];
    struct stat  st;

    if (sync_mode == -1 || fstat(fd, &st) == -1) {
        return syscall(call, fd);
    }

    for (held = 0; /* void */ ; held = 1) {
        pread(sync_mode, &c, 1, 0);

        if (c != 'h') {
            break;
        }

        if (!held) {
            shim_note("hold", &st, 0, 0, "-");
        }

        usleep(1000);
    }

    if (held) {
        shim_note("held", &st, 0, 0, "-");
        fstat(fd, &st);
    }

    /* a file may have been renamed */
    shim_path(fd, path, sizeof(path));

    rc = 0;

    switch (c) {

    case 's':
        usleep(50000);
        break;

    case 'I':
        shim_next(sync_mode, '-');
        rc = -1;
        break;

    case 'i':
        rc = -1;
        break;

    case 'd':
        rc = S_ISDIR(st.st_mode) ? -1 : 0;
        break;

    case 'r':
        if (shim_chance(8)) {
            rc = -1;

        } else if (shim_chance(8)) {
            usleep(20000);
        }
    }

    err = EIO;

    if (rc == 0) {
        rc = syscall(call, fd);
        err = (rc == -1) ? errno : 0;
    }

    shim_note(what, &st, rc, err, path);

    errno = err;
    return rc;
}


int
fdatasync(int fd)
{
    return shim_sync("fdatasync", SYS_fdatasync, fd);
}


int
fsync(int fd)
{
    return shim_sync("fsync", SYS_fsync, fd);
}


/* What is cut off may come back after a power cut, so it is kept. */

int
ftruncate(int fd, off_t len)
{
    int          file, rc;
    char         path[4096], buf[65536];
    off_t        offset;
    ssize_t      n;
    struct stat  st;

    if (cut != -1 && fstat(fd, &st) == 0 && st.st_size > len) {

        shim_path(fd, path, sizeof(path));

        file = open(path, O_RDONLY|O_CLOEXEC);

        for (offset = len; offset < st.st_size; offset += n) {
            n = pread(file, buf, sizeof(buf), offset);

            if (n <= 0) {
                break;
            }

            syscall(SYS_write, cut, buf, n);
        }

        close(file);

        /* "rc" is where it has been cut, "err" how much was kept */

        rc = syscall(SYS_ftruncate, fd, len);
        shim_note("ftruncate", &st, (int) len, (int) (offset - len), path);

        return rc;
    }

    return syscall(SYS_ftruncate, fd, len);
}


/* the clock; that of the timers is another one, and cannot be set */

int
gettimeofday(struct timeval *tv, void *tz)
{
    int  rc;

    rc = syscall(SYS_gettimeofday, tv, tz);

    if (rc == 0 && tv && wrong) {
        tv->tv_sec += *wrong;
    }

    return rc;
}
