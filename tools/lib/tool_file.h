
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Files, as commands need them that may run as root.
 */


#ifndef _TOOL_FILE_H_INCLUDED_
#define _TOOL_FILE_H_INCLUDED_


#include <sys/stat.h>
#include <sys/types.h>

#include "tool_buf.h"


/*
 * Opens a regular file; neither a symbolic link is followed, nor does a FIFO
 * block.  "flags" are those of open(2), a file that is created has mode 0600.
 * Returns -1 with errno: ELOOP for a symbolic link, EISDIR for a folder, EINVAL
 * for anything else that is not a regular file.
 */
int tool_file_open(const char *name, int flags, struct stat *st);

/*
 * The same for a file that is written to, in a folder where others may create
 * files: a hard link to a file elsewhere is refused as well.  If the name is
 * not that of a file to write to, *error says why; otherwise it is NULL, and
 * after -1 there is errno.
 */
int tool_file_open_own(const char *name, int flags, const char **error);

/* read(2) that is not interrupted by a signal. */
ssize_t tool_file_read(int fd, void *buf, size_t size);

/*
 * Reads all of a file, which need not be a regular one, into the buffer.
 * Returns 0 and *len; 1 if it is longer than "max" bytes; or -1 after a message
 * about "name".
 */
int tool_file_load(int fd, const char *name, size_t max, tool_buf_t *buf,
    size_t *len);

/* fsync(2) of the folder that the file is in. */
int tool_file_sync_folder(const char *name);


#endif /* _TOOL_FILE_H_INCLUDED_ */
