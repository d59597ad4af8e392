
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * What several commands do.
 */


#ifndef _TOOL_H_INCLUDED_
#define _TOOL_H_INCLUDED_


#include <sys/types.h>


/*
 * Makes the process one that can open and write files: none of them gets the
 * descriptor of a standard stream that is closed, and a limit of their size is
 * an error of write() and not a signal.  Returns 0, or -1; then nothing must be
 * opened.
 */

int tool_start(void);


/*
 * fcntl(F_SETLEASE): whether any process, of whatever user or container, has
 * the file open, and for writing.  The kernel gives a lease to the owner of the
 * file and to who has CAP_LEASE; root in a container normally has not, but may
 * become the owner for that time.
 */

int tool_lease(int fd, uid_t owner, int type);


#endif /* _TOOL_H_INCLUDED_ */
