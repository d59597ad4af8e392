
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Adds the line feed that a last line lacks, or cuts off a last line that was
 * never finished.  Whenever this is killed, either the file is as it was, or
 * its copy is complete and on the disk.
 *
 * A process that follows the file must not see that a piece goes away, and what
 * nginx appends must not be cut off.  So the file is changed under a write
 * lease: the kernel grants it only if no other process has the file open, and a
 * process that opens it then waits until the lease is given back.  The copy is
 * made before, so that this is soon.
 */


#ifndef _CHECK_REPAIR_H_INCLUDED_
#define _CHECK_REPAIR_H_INCLUDED_


#include <sys/stat.h>
#include <sys/types.h>


/*
 * Cuts off what follows "end", or adds a line feed if "end" is "size".  The
 * file has to be the one of "st" and "size" bytes long still, and no process
 * may have it open, including this one.  Returns 0, or -1 after a message.
 */
int check_repair(const char *name, const struct stat *st, off_t end,
    off_t size);


#endif /* _CHECK_REPAIR_H_INCLUDED_ */
