
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#ifndef _GNU_SOURCE
#define _GNU_SOURCE                 /* mkostemp() */
#endif

#include "check_backup.h"
#include "../lib/tool_file.h"
#include "../lib/tool_message.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>


#define CHECK_BACKUP_SIZE     65536


static int check_backup_name(const char *name, const char *temp);
static int check_backup_copy(const char *name, const char *backup, int fd,
    int to, off_t size);


int
check_backup(const char *name, int fd, const struct stat *st)
{
    int     to, rc;
    char   *backup;
    mode_t  mode;

    backup = malloc(strlen(name) + sizeof(".bak.XXXXXX"));

    if (backup == NULL) {
        tool_error(0, "no memory");
        return -1;
    }

    (void) sprintf(backup, "%s.bak.XXXXXX", name);

    to = mkostemp(backup, O_CLOEXEC);

    if (to == -1) {
        tool_error(errno, "cannot create \"%s\"", backup);
        free(backup);
        return -1;
    }

    rc = check_backup_copy(name, backup, fd, to, st->st_size);

    if (rc == 0) {
        mode = st->st_mode & 0777;

        if (fchown(to, st->st_uid, st->st_gid) == -1) {
            /* not readable for users who could not read the file */
            mode &= 0700;
        }

        (void) fchmod(to, mode);

        if (fsync(to) == -1) {
            tool_error(errno, "cannot sync \"%s\"", backup);
            rc = -1;
        }
    }

    if (close(to) == -1 && rc == 0) {
        tool_error(errno, "cannot close \"%s\"", backup);
        rc = -1;
    }

    if (rc == 0) {
        rc = check_backup_name(name, backup);
    }

    (void) unlink(backup);

    free(backup);

    return rc;
}


/* Names the copy FILE.bak, unless there is one. */

static int
check_backup_name(const char *name, const char *temp)
{
    int    rc;
    char  *backup;

    backup = strndup(temp, strlen(name) + sizeof(".bak") - 1);

    if (backup == NULL) {
        tool_error(0, "no memory");
        return -1;
    }

    rc = link(temp, backup);

    if (rc == -1 && errno == EEXIST) {
        tool_error(0, "\"%s\" already exists; move it away to repair \"%s\"",
                   backup, name);

    } else if (rc == -1) {
        tool_error(errno, "cannot create \"%s\"", backup);

    } else if (tool_file_sync_folder(backup) == -1) {
        tool_error(errno, "cannot sync the folder of \"%s\"", backup);
        rc = -1;
    }

    free(backup);

    return rc;
}


static int
check_backup_copy(const char *name, const char *backup, int fd, int to,
    off_t size)
{
    char     buf[CHECK_BACKUP_SIZE];
    off_t    done;
    ssize_t  n, len, written;

    for (done = 0; done < size; done += len) {

        len = (size - done < CHECK_BACKUP_SIZE) ? (ssize_t) (size - done)
                                                : CHECK_BACKUP_SIZE;

        len = pread(fd, buf, len, done);

        if (len == -1 && errno == EINTR) {
            len = 0;
            continue;
        }

        if (len <= 0) {
            tool_error(len ? errno : 0, "cannot read \"%s\"", name);
            return -1;
        }

        for (written = 0; written < len; written += n) {

            n = write(to, buf + written, len - written);

            if (n == -1 && errno == EINTR) {
                n = 0;
                continue;
            }

            if (n == -1) {
                tool_error(errno, "cannot write \"%s\"", backup);
                return -1;
            }
        }
    }

    return 0;
}
