
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The library of Preload.pm.  Preloaded into nginx, it records what nginx does
 * to files of lines, and makes these calls fail when told so.  It is one file,
 * as all calls share the state of an open file.  ENKOD_PRELOAD names the folder
 * with the files that control it and that it writes to:
 *
 *     mode      one byte: what write() of lines does, and where an append stops
 *     space     one byte: what fallocate() does
 *     sync      one byte: what fdatasync() and fsync() do
 *     clock     the seconds by which the clock is wrong, 8 bytes, and those by
 *               which the monotonic clock is ahead, 8 bytes
 *     writes    a line for each write() of lines
 *     syncs     a line for each sync
 *     errors    which error was reported to which open file
 *
 * Errors of syncs are as on Linux: what was not on the disk then is lost, and
 * each open file description that is older than the error has the error
 * reported once, by its next sync.  Processes that inherit a descriptor share
 * the description.
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


#define PRELOAD_INODES  1024
#define PRELOAD_OPENED  65536
#define PRELOAD_FDS     4096
#define PRELOAD_CHUNK   65536


/* shared by all processes */

typedef struct {
    uint32_t               nopened;
    uint32_t               told[PRELOAD_OPENED];    /* number of errors */
    struct {
        uint64_t           ino;
        uint32_t           errors;
    } inodes[PRELOAD_INODES];
} preload_errors_t;


static int               mode = -1, space = -1, sync_mode = -1;
static int               writes = -1, syncs = -1;
static volatile int64_t *wrong;
static preload_errors_t    *errors;
static uint32_t          opened[PRELOAD_FDS];       /* by descriptor, or 0 */


static int
preload_open(const char *name, int flags)
{
    char  path[4096];

    snprintf(path, sizeof(path), "%s/%s", getenv("ENKOD_PRELOAD"), name);

    return open(path, flags|O_CLOEXEC);
}


static void __attribute__((constructor))
preload_init(void)
{
    int  fd;

    if (getenv("ENKOD_PRELOAD") == NULL) {
        return;
    }

    mode = preload_open("mode", O_RDWR);
    space = preload_open("space", O_RDWR);
    sync_mode = preload_open("sync", O_RDWR);
    writes = preload_open("writes", O_WRONLY|O_APPEND);
    syncs = preload_open("syncs", O_WRONLY|O_APPEND);

    fd = preload_open("clock", O_RDWR);

    if (fd != -1) {
        wrong = mmap(NULL, 2 * sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);

        if (wrong == MAP_FAILED) {
            wrong = NULL;
        }

        close(fd);
    }

    fd = preload_open("errors", O_RDWR);

    if (fd != -1 && ftruncate(fd, sizeof(preload_errors_t)) == 0) {
        errors = mmap(NULL, sizeof(preload_errors_t), PROT_READ|PROT_WRITE,
                      MAP_SHARED, fd, 0);

        if (errors == MAP_FAILED) {
            errors = NULL;
        }

        close(fd);
    }
}


/* the number of errors of an inode, and the place to count them */

static uint32_t *
preload_errors(ino_t ino)
{
    int       i;
    uint64_t  old;

    for (i = 0; i < PRELOAD_INODES; i++) {
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
preload_write(int fd, const void *buf, size_t len, size_t asked)
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
preload_next(int fd, char c)
{
    pwrite(fd, &c, 1, 0);
}


/* stops the process, once, until it gets SIGCONT */

static void
preload_stop(char where)
{
    char  c = '-';

    if (mode == -1
        || syscall(SYS_pread64, mode, &c, 1, (off_t) 0) != 1
        || c != where)
    {
        return;
    }

    preload_next(mode, '-');
    raise(SIGSTOP);
}


/* the length of the whole lines, or nearly nothing if there are none */

static size_t
preload_border(const char *p, size_t len)
{
    while (len > 1 && p[len - 1] != '\n') {
        len--;
    }

    return len;
}


/* true in one of n cases, by chance */

static int
preload_chance(int n)
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

    preload_stop('W');

    pread(mode, &c, 1, 0);

    /* a piece must not end at the border of two lines */
    half -= (half && p[half - 1] == '\n');

    if (buf == full) {
        full = NULL;
        errno = ENOSPC;
        return -1;
    }

    switch (c) {

    case 'k':
        preload_next(mode, '-');
        preload_write(fd, buf, half, len);
        raise(SIGKILL);
        break;

    case 'K':
        preload_next(mode, '-');
        preload_write(fd, buf, len, len);
        raise(SIGKILL);
        break;

    case 's':
        preload_next(mode, '-');
        full = p + half;
        return preload_write(fd, buf, half, len);

    case 'p':
        preload_next(mode, '-');
        rest = p + half;
        return preload_write(fd, buf, half, len);

    case 'm':
        preload_next(mode, '-');
        full = p + len - 1;
        return preload_write(fd, buf, len - 1, len);

    case 'b':
        preload_next(mode, '-');
        half = preload_border(p, half);
        full = p + half;
        return preload_write(fd, buf, half, len);

    case 'l':
        preload_next(mode, '-');
        preload_write(fd, buf, half, len);
        usleep(50000);
        return half
               + preload_write(fd, p + half, len - half, len - half);

    case 'e':
        preload_next(mode, '-');
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
            preload_next(mode, '-');
            errno = ENOSPC;
            return -1;
        }

        break;

    case 'r':
        if (preload_chance(16)) {
            errno = EIO;
            return -1;
        }

        if (preload_chance(16)) {
            full = p + half;
            return preload_write(fd, buf, half, len);
        }

        if (preload_chance(16)) {
            rest = p + len / 3;
            return preload_write(fd, buf, len / 3, len);
        }

        if (preload_chance(16)) {
            full = p + len - 1;
            return preload_write(fd, buf, len - 1, len);
        }

        if (preload_chance(16)) {
            errno = EINTR;
            return -1;
        }
    }

    rest = NULL;

    return preload_write(fd, buf, len, len);
}


/* fallocate() */

int
fallocate(int fd, int flags, off_t offset, off_t len)
{
    char  c = '-';

    if (space != -1) {
        pread(space, &c, 1, 0);
    }

    if (c == 'r' && preload_chance(2)) {
        c = "fcq"[preload_chance(3) ? 0 : 1 + preload_chance(2)];
    }

    /* a length above that of any batch here is a chunk */

    if (c == 'f' || (c == 'c' && len > PRELOAD_CHUNK)) {
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
    int          lost;      /* this sync has failed */
    uint32_t     errors;    /* of the file, so far */
    double       begun;     /* seconds */
} preload_note_t;


static double
preload_now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return ts.tv_sec + ts.tv_nsec / 1e9;
}


static void
preload_note(preload_note_t *note, const char *what, const char *path)
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
preload_path(int fd, char *path, size_t size)
{
    int   n;
    char  link[64];

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, path, size - 1);
    path[n < 0 ? 0 : n] = '\0';
}


/* a new open file, to which earlier errors are not reported */

static int
preload_opened(int fd, const char *path, int flags)
{
    uint32_t     n;
    preload_note_t  note;

    if (fd < 0 || fd >= PRELOAD_FDS) {
        return fd;
    }

    opened[fd] = 0;

    if (errors == NULL || strstr(path, ".jsonl") == NULL) {
        return fd;
    }

    memset(&note, 0, sizeof(preload_note_t));

    if (fstat(fd, &note.st) == 0 && S_ISREG(note.st.st_mode)) {
        n = __atomic_add_fetch(&errors->nopened, 1, __ATOMIC_SEQ_CST)
            % PRELOAD_OPENED;

        errors->told[n] = *preload_errors(note.st.st_ino);
        opened[fd] = n;

        if (flags & O_CREAT) {
            note.begun = preload_now();
            preload_note(&note, "open", path);
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
        preload_stop('O');
    }

    return preload_opened(syscall(SYS_openat, AT_FDCWD, path, flags, access),
                       path, flags);
}


int open64(const char *path, int flags, ...) __attribute__((alias("open")));


int
close(int fd)
{
    if (fd >= 0 && fd < PRELOAD_FDS) {
        opened[fd] = 0;
    }

    return syscall(SYS_close, fd);
}


/* the read of the last byte, which says whether the last line is whole */

ssize_t
pread64(int fd, void *buf, size_t len, off64_t offset)
{
    if (len == 1 && fd != mode && fd != sync_mode) {
        preload_stop('P');
    }

    return syscall(SYS_pread64, fd, buf, len, offset);
}


/* true if there was an error that was not reported to this open file */

static int
preload_tell(int fd, preload_note_t *note)
{
    uint32_t  *count, told;

    if (errors == NULL || S_ISDIR(note->st.st_mode)) {
        return 0;
    }

    count = preload_errors(note->st.st_ino);

    note->errors = __atomic_add_fetch(count, note->lost, __ATOMIC_SEQ_CST);

    if (fd >= PRELOAD_FDS || opened[fd] == 0) {
        return 0;
    }

    told = __atomic_exchange_n(&errors->told[opened[fd]], note->errors,
                               __ATOMIC_SEQ_CST);

    return told != note->errors;
}


/*
 * When a sync succeeds, what was written before it began is on the disk, and no
 * more.  When it fails, what was written until then is lost.
 */

static int
preload_sync(const char *what, long call, int fd)
{
    int          held;
    char         c = '-', path[4096];
    preload_note_t  note;

    memset(&note, 0, sizeof(preload_note_t));

    note.begun = preload_now();

    if (sync_mode == -1 || fstat(fd, &note.st) == -1) {
        return syscall(call, fd);
    }

    for (held = 0; /* void */ ; held = 1) {
        pread(sync_mode, &c, 1, 0);

        if (c != 'h') {
            break;
        }

        if (!held) {
            preload_note(&note, "hold", "-");
        }

        usleep(1000);
    }

    if (held) {
        preload_note(&note, "held", "-");
    }

    /* a file may have been renamed */
    preload_path(fd, path, sizeof(path));

    switch (c) {

    case 's':
        usleep(50000);
        break;

    case 'I':
        preload_next(sync_mode, '-');
        note.lost = 1;
        break;

    case 'i':
        note.lost = 1;
        break;

    case 'd':
        note.lost = S_ISDIR(note.st.st_mode) ? 1 : 0;
        break;

    case 'r':
        note.lost = preload_chance(8);

        if (preload_chance(8)) {
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

    if (preload_tell(fd, &note)) {
        note.rc = -1;
    }

    if (note.rc == -1 && note.err == 0) {
        note.err = EIO;
    }

    preload_note(&note, what, path);

    errno = note.err;
    return note.rc;
}


int
fdatasync(int fd)
{
    return preload_sync("fdatasync", SYS_fdatasync, fd);
}


int
fsync(int fd)
{
    return preload_sync("fsync", SYS_fsync, fd);
}


/* the clock; timers use the monotonic clock, see below */

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
