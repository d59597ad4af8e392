
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The text of a file that was compressed by gzip: one member, or several in
 * a row (RFC 1952).
 */


#ifndef _REPLAY_GZIP_H_INCLUDED_
#define _REPLAY_GZIP_H_INCLUDED_


#include <sys/types.h>

#include "replay_file.h"


typedef struct replay_gzip_s  replay_gzip_t;


/* The file must outlive it.  Returns NULL after a message. */
replay_gzip_t *replay_gzip_create(replay_file_t *file);

void replay_gzip_free(replay_gzip_t *gzip);

/* As replay_file_read(). */
ssize_t replay_gzip_read(replay_gzip_t *gzip, unsigned char *buf, size_t size);


#endif /* _REPLAY_GZIP_H_INCLUDED_ */
