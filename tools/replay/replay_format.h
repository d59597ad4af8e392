
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * What an input is.  It is read if it is UTF-8 text, or that compressed by
 * gzip.  Other input could be taken for a file without any lines, so it is
 * refused by its first bytes.
 */


#ifndef _REPLAY_FORMAT_H_INCLUDED_
#define _REPLAY_FORMAT_H_INCLUDED_


#include <stddef.h>


/*
 * Returns NULL, and whether it is compressed by gzip; or why it cannot be read,
 * in words that follow its name.
 */
const char *replay_format(const unsigned char *head, size_t len, int *gzip);


#endif /* _REPLAY_FORMAT_H_INCLUDED_ */
