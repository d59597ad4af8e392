
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The file of --collect: lines that were not delivered are appended to it, as
 * they are, before the position moves past them.
 */


#ifndef _REPLAY_COLLECT_H_INCLUDED_
#define _REPLAY_COLLECT_H_INCLUDED_


#include <sys/types.h>

#include "enkod_str.h"


typedef struct {
    const char            *name;        /* NULL without --collect */
    int                    fd;
} replay_collect_t;


/* The name, which may be NULL, must outlive the struct. */
void replay_collect_init(replay_collect_t *collect, const char *name);

/*
 * Opens and locks the file, if there is a name, and checks that it is not FILE,
 * of this device and inode; if it is open already, the latter alone.  Returns
 * 0, or -1 after a message.
 */
int replay_collect_open(replay_collect_t *collect, dev_t dev, ino_t ino);

int replay_collect_is_open(const replay_collect_t *collect);

/*
 * Returns 0 when the line is on the disk, as the position may be there at any
 * time afterwards; or -1 after a message, then nothing of the line is left.
 */
int replay_collect_add(replay_collect_t *collect, const enkod_str_t *line);


#endif /* _REPLAY_COLLECT_H_INCLUDED_ */
