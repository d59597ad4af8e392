
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Files that --drain has renamed: FILE.replay.N, with their positions
 * FILE.replay.N.pos.  No other program creates such names.
 */


#ifndef _REPLAY_ROTATED_H_INCLUDED_
#define _REPLAY_ROTATED_H_INCLUDED_


#include <stddef.h>


typedef struct {
    const char            *name;        /* FILE */
    unsigned long         *numbers;     /* of the files, in their order */
    size_t                 n;
    unsigned long          last;        /* the highest that is in use */
} replay_rotated_t;


/*
 * Finds them, and removes positions of files that are gone.  The name must
 * outlive the struct.  Returns 0, or -1 after a message.
 */
int replay_rotated_find(replay_rotated_t *rotated, const char *name);

/* FILE.replay.N and a suffix, from malloc(), or NULL after a message. */
char *replay_rotated_name(const replay_rotated_t *rotated,
    unsigned long number, const char *suffix);

void replay_rotated_free(replay_rotated_t *rotated);


#endif /* _REPLAY_ROTATED_H_INCLUDED_ */
