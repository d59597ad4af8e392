
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The library of Shim.pm: preloaded into nginx, it takes note of what nginx
 * does to the files with lines, and makes it fail when told so.  The folder
 * with the files that tell it, and that it writes to, is in ENKOD_SHIM:
 *
 *     mode      one byte: what write() of lines does, and where an append stops
 *     space     one byte: what fallocate() does
 *     sync      one byte: what fdatasync() and fsync() do
 *     clock     seconds by which the clock is wrong, 8 bytes, and by which the
 *               one that only goes forward is ahead, 8 bytes
 *     writes    a line for each write() of lines
 *     syncs     a line for each sync
 *     errors    which open file has been told of which error
 *
 * An error of a sync is what it is on Linux: what was not on the disk then is
 * lost, and everything that open() has returned before is told so, once, by its
 * next sync.  Processes that have inherited a descriptor share that.
 */


#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
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


#define SHIM_INODES  1024
#define SHIM_OPENED  65536
#define SHIM_FDS     4096
#define SHIM_CHUNK   65536


/* shared by all processes */

typedef struct {
    uint32_t               nopened;
    uint32_t               told[SHIM_OPENED];       /* of how many errors */
    struct {
        uint64_t           ino;
        uint32_t           errors;
    } inodes[SHIM_INODES];
} shim_errors_t;


static int               mode = -1, space = -1, sync_mode = -1;
static int               writes = -1, syncs = -1;
static volatile int64_t *wrong;
static shim_errors_t    *errors;
static uint32_t          opened[SHIM_FDS];          /* by descriptor, or 0 */


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
    space = shim_open("space", O_RDWR);
    sync_mode = shim_open("sync", O_RDWR);
    writes = shim_open("writes", O_WRONLY|O_APPEND);
    syncs = shim_open("syncs", O_WRONLY|O_APPEND);

    fd = shim_open("clock", O_RDWR);

    if (fd != -1) {
        wrong = mmap(NULL, 2 * sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);

        if (wrong == MAP_FAILED) {
            wrong = NULL;
        }

        close(fd);
    }

    fd = shim_open("errors", O_RDWR);

    if (fd != -1 && ftruncate(fd, sizeof(shim_errors_t)) == 0) {
        errors = mmap(NULL, sizeof(shim_errors_t), PROT_READ|PROT_WRITE,
                      MAP_SHARED, fd, 0);

        if (errors == MAP_FAILED) {
            errors = NULL;
        }

        close(fd);
    }
}


/* how many errors there were; it is the place to count them, too */

static uint32_t *
shim_errors(ino_t ino)
{
    int       i;
    uint64_t  old;

    for (i = 0; i < SHIM_INODES; i++) {
        old = 0;

        if (__atomic_compare_exchange_n(&errors->inodes[i].ino, &old, ino, 0,
                                        __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
            || old == ino)
        {
            return &errors->inodes[i].errors;
        }
    }

    abort();
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


/* the process stops, once, until it gets SIGCONT */

static void
shim_stop(char where)
{
    char  c = '-';

    if (mode == -1
        || syscall(SYS_pread64, mode, &c, 1, (off_t) 0) != 1
        || c != where)
    {
        return;
    }

    shim_next(mode, '-');
    raise(SIGSTOP);
}


/* so much of it as is whole lines, or nearly none */

static size_t
shim_border(const char *p, size_t len)
{
    while (len > 1 && p[len - 1] != '\n') {
        len--;
    }

    return len;
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
    size_t       half = len / 2;
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

    shim_stop('W');

    pread(mode, &c, 1, 0);

    /* two lines may be of the same length; there has to be something to cut off */
    half -= (half && p[half - 1] == '\n');

    if (buf == full) {
        full = NULL;
        errno = ENOSPC;
        return -1;
    }

    switch (c) {

    case 'k':
        shim_next(mode, '-');
        shim_write(fd, buf, half, len);
        raise(SIGKILL);
        break;

    case 'K':
        shim_next(mode, '-');
        shim_write(fd, buf, len, len);
        raise(SIGKILL);
        break;

    case 's':
        shim_next(mode, '-');
        full = p + half;
        return shim_write(fd, buf, half, len);

    case 'p':
        shim_next(mode, '-');
        rest = p + half;
        return shim_write(fd, buf, half, len);

    case 'm':
        shim_next(mode, '-');
        full = p + len - 1;
        return shim_write(fd, buf, len - 1, len);

    case 'b':
        shim_next(mode, '-');
        half = shim_border(p, half);
        full = p + half;
        return shim_write(fd, buf, half, len);

    case 'l':
        shim_next(mode, '-');
        shim_write(fd, buf, half, len);
        usleep(50000);
        return half
               + shim_write(fd, p + half, len - half, len - half);

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

    case 'F':
        if (skip) {
            shim_next(mode, '-');
            errno = ENOSPC;
            return -1;
        }

        break;

    case 'r':
        if (shim_chance(16)) {
            errno = EIO;
            return -1;
        }

        if (shim_chance(16)) {
            full = p + half;
            return shim_write(fd, buf, half, len);
        }

        if (shim_chance(16)) {
            rest = p + len / 3;
            return shim_write(fd, buf, len / 3, len);
        }

        if (shim_chance(16)) {
            full = p + len - 1;
            return shim_write(fd, buf, len - 1, len);
        }

        if (shim_chance(16)) {
            errno = EINTR;
            return -1;
        }
    }

    rest = NULL;

    return shim_write(fd, buf, len, len);
}


/* fallocate() */

int
fallocate(int fd, int flags, off_t offset, off_t len)
{
    char  c = '-';

    if (space != -1) {
        pread(space, &c, 1, 0);
    }

    if (c == 'r' && shim_chance(2)) {
        c = "fcq"[shim_chance(3) ? 0 : 1 + shim_chance(2)];
    }

    /* more than any batch here is a chunk */

    if (c == 'f' || (c == 'c' && len > SHIM_CHUNK)) {
        errno = ENOSPC;
        return -1;
    }

    if (c == 'q') {
        errno = EDQUOT;
        return -1;
    }

    if (c == 'n') {
        errno = EOPNOTSUPP;
        return -1;
    }

    return syscall(SYS_fallocate, fd, flags, offset, len);
}


int fallocate64(int fd, int flags, off_t offset, off_t len)
    __attribute__((alias("fallocate")));


/* open(), close(), fdatasync(), fsync() */

typedef struct {
    const char  *what;
    struct stat  st;
    int          rc;
    int          err;
    int          lost;      /* it is this one that has failed */
    uint32_t     errors;    /* of the file, so far */
    double       begun;     /* seconds */
} shim_note_t;


static double
shim_now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return ts.tv_sec + ts.tv_nsec / 1e9;
}


static void
shim_note(shim_note_t *note, const char *what, const char *path)
{
    int   n;
    char  text[4352];

    n = snprintf(text, sizeof(text), "%s %d %d %llu %lld %d %d %d %u %.9f %s\n",
                 what, (int) getpid(), S_ISDIR(note->st.st_mode) ? 1 : 0,
                 (unsigned long long) note->st.st_ino,
                 (long long) note->st.st_size, note->rc, note->err,
                 note->lost, note->errors, note->begun, path);

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


/* a new open file, which is not told of what was before */

static int
shim_opened(int fd, const char *path, int flags)
{
    uint32_t     n;
    shim_note_t  note;

    if (fd < 0 || fd >= SHIM_FDS) {
        return fd;
    }

    opened[fd] = 0;

    if (errors == NULL || strstr(path, ".jsonl") == NULL) {
        return fd;
    }

    memset(&note, 0, sizeof(shim_note_t));

    if (fstat(fd, &note.st) == 0 && S_ISREG(note.st.st_mode)) {
        n = __atomic_add_fetch(&errors->nopened, 1, __ATOMIC_SEQ_CST)
            % SHIM_OPENED;

        errors->told[n] = *shim_errors(note.st.st_ino);
        opened[fd] = n;

        if (flags & O_CREAT) {
            note.begun = shim_now();
            shim_note(&note, "open", path);
        }
    }

    return fd;
}


int
open(const char *path, int flags, ...)
{
    int      access;
    va_list  args;

    va_start(args, flags);
    access = (flags & (O_CREAT|O_TMPFILE)) ? va_arg(args, int) : 0;
    va_end(args);

    if ((flags & O_APPEND) && strstr(path, ".jsonl") != NULL) {
        shim_stop('O');
    }

    return shim_opened(syscall(SYS_openat, AT_FDCWD, path, flags, access),
                       path, flags);
}


int open64(const char *path, int flags, ...) __attribute__((alias("open")));


int
close(int fd)
{
    if (fd >= 0 && fd < SHIM_FDS) {
        opened[fd] = 0;
    }

    return syscall(SYS_close, fd);
}


/* the one byte that tells whether a line is whole */

ssize_t
pread64(int fd, void *buf, size_t len, off64_t offset)
{
    if (len == 1 && fd != mode && fd != sync_mode) {
        shim_stop('P');
    }

    return syscall(SYS_pread64, fd, buf, len, offset);
}


/* true if there was an error that this open file has not been told of */

static int
shim_tell(int fd, shim_note_t *note)
{
    uint32_t  *count, told;

    if (errors == NULL || S_ISDIR(note->st.st_mode)) {
        return 0;
    }

    count = shim_errors(note->st.st_ino);

    note->errors = __atomic_add_fetch(count, note->lost, __ATOMIC_SEQ_CST);

    if (fd >= SHIM_FDS || opened[fd] == 0) {
        return 0;
    }

    told = __atomic_exchange_n(&errors->told[opened[fd]], note->errors,
                               __ATOMIC_SEQ_CST);

    return told != note->errors;
}


/*
 * What was written before a sync began is on the disk when it has succeeded,
 * and no more; what was written until one has failed is lost.
 */

static int
shim_sync(const char *what, long call, int fd)
{
    int          held;
    char         c = '-', path[4096];
    shim_note_t  note;

    memset(&note, 0, sizeof(shim_note_t));

    note.begun = shim_now();

    if (sync_mode == -1 || fstat(fd, &note.st) == -1) {
        return syscall(call, fd);
    }

    for (held = 0; /* void */ ; held = 1) {
        pread(sync_mode, &c, 1, 0);

        if (c != 'h') {
            break;
        }

        if (!held) {
            shim_note(&note, "hold", "-");
        }

        usleep(1000);
    }

    if (held) {
        shim_note(&note, "held", "-");
    }

    /* a file may have been renamed */
    shim_path(fd, path, sizeof(path));

    switch (c) {

    case 's':
        usleep(50000);
        break;

    case 'I':
        shim_next(sync_mode, '-');
        note.lost = 1;
        break;

    case 'i':
        note.lost = 1;
        break;

    case 'd':
        note.lost = S_ISDIR(note.st.st_mode) ? 1 : 0;
        break;

    case 'r':
        note.lost = shim_chance(8);

        if (shim_chance(8)) {
            usleep(20000);
        }
    }

    if (note.lost) {
        fstat(fd, &note.st);
        note.rc = -1;

    } else {
        note.rc = syscall(call, fd);
        note.err = (note.rc == -1) ? errno : 0;
    }

    if (shim_tell(fd, &note)) {
        note.rc = -1;
    }

    if (note.rc == -1 && note.err == 0) {
        note.err = EIO;
    }

    shim_note(&note, what, path);

    errno = note.err;
    return note.rc;
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


/* the clock; that of the timers is another one, see below */

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


int
clock_gettime(clockid_t id, struct timespec *ts)
{
    int  rc;

    rc = syscall(SYS_clock_gettime, id, ts);

    if (rc == 0 && wrong
        && (id == CLOCK_MONOTONIC || id == CLOCK_MONOTONIC_COARSE))
    {
        ts->tv_sec += wrong[1];
    }

    return rc;
}
