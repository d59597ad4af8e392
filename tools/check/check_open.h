
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * A file that is only read; "-" is standard input.
 */


#ifndef _CHECK_OPEN_H_INCLUDED_
#define _CHECK_OPEN_H_INCLUDED_


/* Returns a descriptor, or -1 after a message. */
int check_open(const char *name);

void check_close(int fd);


#endif /* _CHECK_OPEN_H_INCLUDED_ */
