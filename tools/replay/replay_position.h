
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The position file says how far a replay has come.  It is one record of one
 * size, written in place by one pwrite() after each line that is done: such a
 * write, within one page of the file, is in the page cache as a whole or not at
 * all, whenever the process is killed.  The page cache survives the process; it
 * does not survive the machine, so the record, which is shorter than a sector,
 * may then be an older one, and the lines after it are sent again.
 *
 * A process that has the file open also has a lock on it, which ends with the
 * process.
 */


#ifndef _REPLAY_POSITION_H_INCLUDED_
#define _REPLAY_POSITION_H_INCLUDED_


#include <stdint.h>
#include <sys/types.h>

#include "replay_file.h"
#include "replay_input.h"
#include "replay_tally.h"


typedef struct {
    char                  *name;
    int                    fd;          /* -1 if there is none */
    int                    read_only;   /* --dry-run */
    int                    empty;       /* no record is there yet */

    /* FILE, and all that decides which of its lines are sent */
    const replay_file_t   *file;
    uint64_t               selection;

    /* the next line, and what was counted before it */
    off_t                  offset;
    int                    unended;
    replay_tally_t         tally;
} replay_position_t;


/* Of a position that is not open. */
void replay_position_init(replay_position_t *position);

/*
 * Opens the position file of this name, or INPUT.pos if it is NULL, and moves
 * the input to the position that it has; *tally is what was counted before.
 * The input must stay open as long as this.  A pipe has no position; a dry run
 * does not create the file.  Returns 0, or -1 after a message.
 */
int replay_position_open(replay_position_t *position, const char *name,
    int dry_run, replay_input_t *input, uint64_t selection,
    replay_tally_t *tally);

/* Remembers that all up to where the input is now is done. */
void replay_position_set(replay_position_t *position,
    const replay_input_t *input, const replay_tally_t *tally);

/* Writes what is remembered to the file; returns 0, or -1 after a message. */
int replay_position_write(replay_position_t *position);

/* The same, and it is on the disk. */
int replay_position_sync(replay_position_t *position);

void replay_position_close(replay_position_t *position);


#endif /* _REPLAY_POSITION_H_INCLUDED_ */
