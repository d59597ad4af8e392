
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * FILE.bak, the copy of a file.
 */


#ifndef _CHECK_BACKUP_H_INCLUDED_
#define _CHECK_BACKUP_H_INCLUDED_


#include <sys/stat.h>


/*
 * Copies the file of this name, descriptor and state.  Returns 0 when the copy
 * is complete and on the disk with its name; or -1 after a message, also if
 * there is a FILE.bak already, which stays.
 */
int check_backup(const char *name, int fd, const struct stat *st);


#endif /* _CHECK_BACKUP_H_INCLUDED_ */
