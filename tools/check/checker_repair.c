
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Cuts off a last line that was never finished.  Whenever this is killed,
 * either the file is as it was, or its copy is complete and on the disk.
 *
 * nginx locks bytes far behind all data in every file that it has open
 * (ngx_http_enkod_claim.c).  If all of them can be locked here, no nginx has
 * the file, and one that opens it has to wait until this is done.
 */


#include "checker.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>


/* the ranges of all masters, and the byte of those who append */
#define CHECKER_CLAIM_BASE    ((off_t) 1 << 62)
#define CHECKER_CLAIM_SIZE    (((off_t) 1 << 46) + 1)

#define CHECKER_COPY_SIZE     65536


static int checker_repair_claim(checker_t *checker, const char *name, int fd);
static int checker_repair_backup(checker_t *checker, const char *name, int fd,
    const struct stat *st);
static int checker_repair_copy(checker_t *checker, const char *name,
    const char *backup, int fd, int to, off_t size);
static int checker_repair_folder(const char *name);


int
checker_repair(checker_t *checker, const char *name, dev_t dev, ino_t ino,
    off_t end, off_t size)
{
    int          fd, rc;
    struct stat  st;

    rc = -1;

    fd = open(name, O_RDWR|O_CLOEXEC|O_NONBLOCK);

    if (fd == -1) {
        checker_error(checker, errno, "cannot open \"%s\" to repair it", name);
        return -1;
    }

    if (fstat(fd, &st) == -1) {
        checker_error(checker, errno, "cannot stat \"%s\"", name);
        goto done;
    }

    if (!S_ISREG(st.st_mode)) {
        checker_error(checker, 0, "\"%s\" is no regular file and cannot be"
                      " repaired", name);
        goto done;
    }

    if (checker_repair_claim(checker, name, fd) != 0) {
        goto done;
    }

    /* what was checked is what will be cut */

    if (fstat(fd, &st) == -1) {
        checker_error(checker, errno, "cannot stat \"%s\"", name);
        goto done;
    }

    if (st.st_dev != dev || st.st_ino != ino || st.st_size != size) {
        checker_error(checker, 0, "\"%s\" has changed while it was checked and"
                      " is left as it is", name);
        goto done;
    }

    if (checker_repair_backup(checker, name, fd, &st) != 0) {
        goto done;
    }

    if (ftruncate(fd, end) == -1 || fsync(fd) == -1) {
        checker_error(checker, errno, "cannot cut \"%s\"", name);
        goto done;
    }

    rc = 0;

done:

    (void) close(fd);

    return rc;
}


static int
checker_repair_claim(checker_t *checker, const char *name, int fd)
{
#ifdef F_OFD_SETLK
    struct flock  fl;

    memset(&fl, 0, sizeof(struct flock));

    fl.l_type = F_WRLCK;
    fl.l_whence = SEEK_SET;
    fl.l_start = CHECKER_CLAIM_BASE;
    fl.l_len = CHECKER_CLAIM_SIZE;

    if (fcntl(fd, F_OFD_SETLK, &fl) == 0) {
        return 0;
    }

    if (errno == EAGAIN || errno == EACCES) {
        checker_error(checker, 0, "\"%s\" is in use by nginx and is left as it"
                      " is; stop nginx, or rename the file and let nginx"
                      " reopen it", name);
        return -1;
    }

    if (errno != EINVAL) {
        checker_error(checker, errno, "cannot lock \"%s\"", name);
        return -1;
    }

    /* a kernel without such locks: nginx has none either */
#endif

    (void) checker;
    (void) name;
    (void) fd;

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

    backup = malloc(strlen(name) + sizeof(".bak"));

    if (backup == NULL) {
        checker_error(checker, 0, "no memory");
        return -1;
    }

    (void) sprintf(backup, "%s.bak", name);

    to = open(backup, O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC, 0600);

    if (to == -1) {

        if (errno == EEXIST) {
            checker_error(checker, 0, "\"%s\" is there already; move it away"
                          " to repair \"%s\"", backup, name);
        } else {
            checker_error(checker, errno, "cannot create \"%s\"", backup);
        }

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

    if (rc == 0 && checker_repair_folder(backup) == -1) {
        checker_error(checker, errno, "cannot sync the folder of \"%s\"",
                      backup);
        rc = -1;
    }

    if (rc != 0) {
        (void) unlink(backup);
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
