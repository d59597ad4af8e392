
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#include "check_repair.h"
#include "check_backup.h"
#include "../lib/tool_file.h"
#include "../lib/tool_lease.h"
#include "../lib/tool_message.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>


#define CHECK_REPAIR_CHANGED                                                  \
    "\"%s\" has changed while it was checked and is left as it is"


static int check_repair_open(const char *name, const struct stat *was,
    off_t size);
static int check_repair_lease(const char *name, int fd,
    const struct stat *was);
static int check_repair_end(const char *name, int fd, const struct stat *was);
static int check_repair_cut(const char *name, int fd, const struct stat *was,
    off_t end);


int
check_repair(const char *name, const struct stat *st, off_t end, off_t size)
{
    int  fd, rc;

    fd = check_repair_open(name, st, size);

    if (fd == -1) {
        return -1;
    }

    rc = check_repair_lease(name, fd, st);

    if (rc == 0 && end == size) {
        rc = check_repair_end(name, fd, st);

    } else if (rc == 0) {
        rc = check_repair_cut(name, fd, st, end);
    }

    (void) close(fd);

    return rc;
}


/* The file that was checked, not another one that has its name now. */

static int
check_repair_open(const char *name, const struct stat *was, off_t size)
{
    int          fd;
    struct stat  st;

    fd = tool_file_open(name, O_RDWR, &st);

    if (fd == -1) {

        if (errno == ELOOP) {
            tool_error(0, "\"%s\" is a symbolic link; name the file that it"
                       " points to", name);

        } else if (errno == EINVAL) {
            tool_error(0, "\"%s\" is not a regular file and cannot be"
                       " repaired", name);

        } else {
            tool_error(errno, "cannot open \"%s\" to repair it", name);
        }

        return -1;
    }

    if (st.st_dev != was->st_dev || st.st_ino != was->st_ino
        || was->st_size != size)
    {
        tool_error(0, CHECK_REPAIR_CHANGED, name);
        (void) close(fd);
        return -1;
    }

    return fd;
}


/* No other process has the file open, and it is as it was checked. */

static int
check_repair_lease(const char *name, int fd, const struct stat *was)
{
    struct stat  st;

    if (tool_lease(fd, was->st_uid, F_WRLCK) == -1) {

        if (errno == EAGAIN) {
            tool_error(0, "another process has \"%s\" open; the file is left"
                       " as it is", name);

        } else if (errno == EACCES) {
            tool_error(0, "only the owner of \"%s\" and root can find out"
                       " whether another process has it open; it is left as it"
                       " is", name);

        } else {
            tool_error(errno, "cannot find out whether another process has"
                       " \"%s\" open; it is left as it is", name);
        }

        return -1;
    }

    if (fstat(fd, &st) == -1) {
        tool_error(errno, "cannot stat \"%s\"", name);
        return -1;
    }

    if (st.st_size != was->st_size
        || st.st_mtim.tv_sec != was->st_mtim.tv_sec
        || st.st_mtim.tv_nsec != was->st_mtim.tv_nsec)
    {
        tool_error(0, CHECK_REPAIR_CHANGED, name);
        return -1;
    }

    return 0;
}


static int
check_repair_end(const char *name, int fd, const struct stat *was)
{
    ssize_t  n;

    do {
        n = pwrite(fd, "\n", 1, was->st_size);
    } while (n == -1 && errno == EINTR);

    (void) tool_lease(fd, was->st_uid, F_UNLCK);

    if (n != 1 || fsync(fd) == -1) {
        tool_error(errno, "cannot add a line feed to \"%s\"", name);
        return -1;
    }

    return 0;
}


static int
check_repair_cut(const char *name, int fd, const struct stat *was, off_t end)
{
    int  rc;

    /* copying takes time */

    (void) tool_lease(fd, was->st_uid, F_UNLCK);

    if (check_backup(name, fd, was) != 0
        || check_repair_lease(name, fd, was) != 0)
    {
        return -1;
    }

    rc = ftruncate(fd, end);

    (void) tool_lease(fd, was->st_uid, F_UNLCK);

    if (rc == -1 || fsync(fd) == -1) {
        tool_error(errno, "cannot cut \"%s\"", name);
        return -1;
    }

    return 0;
}
