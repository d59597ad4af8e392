
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Adds the line feed that a last line lacks, or cuts off a last line that was
 * never finished.  Whenever this is killed, either the file is as it was, or
 * its copy is complete and on the disk.
 *
 * Whoever follows the file must not see that a piece goes away, and what nginx
 * appends must not be cut off.  So the file is changed under a write lease
 * (F_SETLEASE): the kernel grants it only if no process, of whatever user or
 * container, has the file open, and whoever opens it then waits until it is
 * given back.  That is at once: the copy is made before.
 */


#include "checker.h"
#include "../lib/tool_lease.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>


#define CHECKER_COPY_SIZE     65536

#define CHECKER_REPAIR_CHANGED                                                \
    "\"%s\" has changed while it was checked and is left as it is"


static int checker_repair_open(checker_t *checker, const char *name,
    const struct stat *was, off_t size);
static int checker_repair_lease(checker_t *checker, const char *name, int fd,
    const struct stat *was);
static int checker_repair_end(checker_t *checker, const char *name, int fd,
    const struct stat *was);
static int checker_repair_cut(checker_t *checker, const char *name, int fd,
    const struct stat *was, off_t end);
static int checker_repair_backup(checker_t *checker, const char *name, int fd,
    const struct stat *st);
static int checker_repair_name(checker_t *checker, const char *name,
    const char *temp);
static int checker_repair_copy(checker_t *checker, const char *name,
    const char *backup, int fd, int to, off_t size);
static int checker_repair_folder(const char *name);


int
checker_repair(checker_t *checker, const char *name, const struct stat *st,
    off_t end, off_t size)
{
    int  fd, rc;

    fd = checker_repair_open(checker, name, st, size);
    if (fd == -1) {
        return -1;
    }

    rc = checker_repair_lease(checker, name, fd, st);

    if (rc == 0 && end == size) {
        rc = checker_repair_end(checker, name, fd, st);

    } else if (rc == 0) {
        rc = checker_repair_cut(checker, name, fd, st, end);
    }

    (void) close(fd);

    return rc;
}


/* The file that was checked, and no other that has its name meanwhile. */

static int
checker_repair_open(checker_t *checker, const char *name,
    const struct stat *was, off_t size)
{
    int          fd;
    struct stat  st;

    fd = open(name, O_RDWR|O_CLOEXEC|O_NONBLOCK|O_NOFOLLOW);

    if (fd == -1) {

        if (errno == ELOOP) {
            checker_error(checker, 0, "\"%s\" is a symbolic link; name the"
                          " file that it leads to", name);
        } else {
            checker_error(checker, errno, "cannot open \"%s\" to repair it",
                          name);
        }

        return -1;
    }

    if (fstat(fd, &st) == -1) {
        checker_error(checker, errno, "cannot stat \"%s\"", name);

    } else if (!S_ISREG(st.st_mode)) {
        checker_error(checker, 0, "\"%s\" is not a regular file and cannot be"
                      " repaired", name);

    } else if (st.st_dev != was->st_dev || st.st_ino != was->st_ino
               || was->st_size != size)
    {
        checker_error(checker, 0, CHECKER_REPAIR_CHANGED, name);

    } else {
        return fd;
    }

    (void) close(fd);

    return -1;
}


/* Now the file is ours alone, and as it was when it was checked. */

static int
checker_repair_lease(checker_t *checker, const char *name, int fd,
    const struct stat *was)
{
    struct stat  st;

    if (tool_lease(fd, was->st_uid, F_WRLCK) == -1) {

        if (errno == EAGAIN) {
            checker_error(checker, 0, "another process has \"%s\" open, which"
                          " is left as it is", name);

        } else if (errno == EACCES) {
            checker_error(checker, 0, "whether another process has \"%s\" open"
                          " can be told to its owner and to root only; it is"
                          " left as it is", name);

        } else {
            checker_error(checker, errno, "whether another process has \"%s\""
                          " open cannot be told, and it is left as it is",
                          name);
        }

        return -1;
    }

    if (fstat(fd, &st) == -1) {
        checker_error(checker, errno, "cannot stat \"%s\"", name);
        return -1;
    }

    if (st.st_size != was->st_size
        || st.st_mtim.tv_sec != was->st_mtim.tv_sec
        || st.st_mtim.tv_nsec != was->st_mtim.tv_nsec)
    {
        checker_error(checker, 0, CHECKER_REPAIR_CHANGED, name);
        return -1;
    }

    return 0;
}


static int
checker_repair_end(checker_t *checker, const char *name, int fd,
    const struct stat *was)
{
    ssize_t  n;

    do {
        n = pwrite(fd, "\n", 1, was->st_size);
    } while (n == -1 && errno == EINTR);

    (void) tool_lease(fd, was->st_uid, F_UNLCK);

    if (n != 1 || fsync(fd) == -1) {
        checker_error(checker, errno, "cannot add a line feed to \"%s\"",
                      name);
        return -1;
    }

    return 0;
}


static int
checker_repair_cut(checker_t *checker, const char *name, int fd,
    const struct stat *was, off_t end)
{
    int  rc;

    /* copying takes time */

    (void) tool_lease(fd, was->st_uid, F_UNLCK);

    if (checker_repair_backup(checker, name, fd, was) != 0
        || checker_repair_lease(checker, name, fd, was) != 0)
    {
        return -1;
    }

    rc = ftruncate(fd, end);

    (void) tool_lease(fd, was->st_uid, F_UNLCK);

    if (rc == -1 || fsync(fd) == -1) {
        checker_error(checker, errno, "cannot cut \"%s\"", name);
        return -1;
    }

    return 0;
}


/* FILE.bak is on the disk, with its name, when this returns 0. */

static int
checker_repair_backup(checker_t *checker, const char *name, int fd,
    const struct stat *st)
{
    int     to, rc;
    char   *backup;
    mode_t  mode;

    backup = malloc(strlen(name) + sizeof(".bak.XXXXXX"));

    if (backup == NULL) {
        checker_error(checker, 0, "no memory");
        return -1;
    }

    (void) sprintf(backup, "%s.bak.XXXXXX", name);

    to = mkostemp(backup, O_CLOEXEC);

    if (to == -1) {
        checker_error(checker, errno, "cannot create \"%s\"", backup);
        free(backup);
        return -1;
    }

    rc = checker_repair_copy(checker, name, backup, fd, to, st->st_size);

    if (rc == 0) {
        mode = st->st_mode & 0777;

        if (fchown(to, st->st_uid, st->st_gid) == -1) {
            /* to nobody to whom the file was not open */
            mode &= 0700;
        }

        (void) fchmod(to, mode);

        if (fsync(to) == -1) {
            checker_error(checker, errno, "cannot sync \"%s\"", backup);
            rc = -1;
        }
    }

    if (close(to) == -1 && rc == 0) {
        checker_error(checker, errno, "cannot close \"%s\"", backup);
        rc = -1;
    }

    if (rc == 0) {
        rc = checker_repair_name(checker, name, backup);
    }

    (void) unlink(backup);

    free(backup);

    return rc;
}


/* The copy becomes FILE.bak, where there is none yet. */

static int
checker_repair_name(checker_t *checker, const char *name, const char *temp)
{
    int    rc;
    char  *backup;

    backup = strndup(temp, strlen(name) + sizeof(".bak") - 1);

    if (backup == NULL) {
        checker_error(checker, 0, "no memory");
        return -1;
    }

    rc = link(temp, backup);

    if (rc == -1 && errno == EEXIST) {
        checker_error(checker, 0, "\"%s\" is there already; move it away to"
                      " repair \"%s\"", backup, name);

    } else if (rc == -1) {
        checker_error(checker, errno, "cannot create \"%s\"", backup);

    } else if (checker_repair_folder(backup) == -1) {
        checker_error(checker, errno, "cannot sync the folder of \"%s\"",
                      backup);
        rc = -1;
    }

    free(backup);

    return rc;
}


static int
checker_repair_copy(checker_t *checker, const char *name, const char *backup,
    int fd, int to, off_t size)
{
    off_t    done;
    ssize_t  n, len, written;
    char     buf[CHECKER_COPY_SIZE];

    for (done = 0; done < size; done += len) {

        len = (size - done < CHECKER_COPY_SIZE) ? (ssize_t) (size - done)
                                                : CHECKER_COPY_SIZE;

        len = pread(fd, buf, len, done);

        if (len == -1 && errno == EINTR) {
            len = 0;
            continue;
        }

        if (len <= 0) {
            checker_error(checker, len ? errno : 0, "cannot read \"%s\"",
                          name);
            return -1;
        }

        for (written = 0; written < len; written += n) {

            n = write(to, buf + written, len - written);

            if (n == -1 && errno == EINTR) {
                n = 0;
                continue;
            }

            if (n == -1) {
                checker_error(checker, errno, "cannot write \"%s\"", backup);
                return -1;
            }
        }
    }

    return 0;
}


/* fsync() of the folder that the file is in */

static int
checker_repair_folder(const char *name)
{
    int          fd, rc, err;
    char        *folder;
    const char  *slash;

    slash = strrchr(name, '/');

    folder = slash ? strndup(name, slash == name ? 1 : slash - name)
                   : strdup(".");
    if (folder == NULL) {
        return -1;
    }

    fd = open(folder, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    free(folder);

    if (fd == -1) {
        return -1;
    }

    rc = fsync(fd);
    err = errno;

    (void) close(fd);

    errno = err;

    return rc;
}
