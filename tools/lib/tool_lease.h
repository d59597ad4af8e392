
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Whether any process, of whatever user or container, has a file open.
 */


#ifndef _TOOL_LEASE_H_INCLUDED_
#define _TOOL_LEASE_H_INCLUDED_


#ifndef _GNU_SOURCE
#define _GNU_SOURCE                 /* F_SETLEASE */
#endif

#include <fcntl.h>
#include <sys/types.h>


/* Ignores SIGIO, by which the kernel says that somebody waits for our lease. */
void tool_lease_init(void);

/*
 * fcntl(F_SETLEASE) with F_RDLCK, F_WRLCK or F_UNLCK, for the descriptor of a
 * file of this owner.  A read lease is granted only if nobody has the file open
 * for writing, a write lease only if nobody else has it open; otherwise errno
 * is EAGAIN.  A process that opens the file waits until the lease is given
 * back, so that should be soon.
 *
 * The kernel gives leases to the owner of a file and to processes with
 * CAP_LEASE.  Root in a container normally does not have that, but may become
 * the owner for the time of the call.
 */
int tool_lease(int fd, uid_t owner, int type);


#endif /* _TOOL_LEASE_H_INCLUDED_ */
