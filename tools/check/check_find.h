
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Finds lines in bytes that are not known to be lines.
 */


#ifndef _CHECK_FIND_H_INCLUDED_
#define _CHECK_FIND_H_INCLUDED_


#include <stddef.h>


/* Whether these bytes are, or begin as, one of the module's lines. */
int check_find_is_line(const unsigned char *p, size_t len);

/* The next place from p on where a line begins, or NULL. */
const unsigned char *check_find_line(const unsigned char *p,
    const unsigned char *end);

/*
 * Whether a line that begins anywhere in these bytes is whole in them.  Only
 * braces count: what is not as the module writes it may be an event all the
 * same, one that nginx.conf declares and the command line does not.
 */
int check_find_whole(const unsigned char *p, size_t len);


#endif /* _CHECK_FIND_H_INCLUDED_ */
