
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * One file is replayed: one line after the other is selected and sent, and then
 * the position moves.  After a failure, or an interruption, the lines that are
 * left are only counted.
 */


#ifndef _REPLAY_RUN_H_INCLUDED_
#define _REPLAY_RUN_H_INCLUDED_


#include "replay_collect.h"
#include "replay_input.h"
#include "replay_options.h"
#include "replay_pace.h"
#include "replay_position.h"
#include "replay_progress.h"
#include "replay_send.h"
#include "replay_tally.h"


typedef struct {
    /* of all files that are replayed, one after the other */

    const replay_options_t  *options;
    replay_collect_t         collect;
    replay_sender_t          sender;
    replay_pace_t            pace;
    replay_progress_t        progress;

    /* of the file at hand */

    const char              *name;
    replay_input_t           input;
    replay_position_t        position;
    replay_tally_t           tally;
    replay_tally_t           earlier;       /* of the runs before */
    unsigned long long       left;          /* selected and not delivered */
    unsigned long long       dropped;       /* skipped and not collected, in
                                               this run */

    unsigned                 stopped:1;     /* the rest is only counted */
    unsigned                 unknown:1;     /* ... or not even that */
    unsigned                 grown:1;       /* there is more in FILE now */
    unsigned                 unfinished:1;  /* FILE ends within a line */
} replay_run_t;


/* The options must outlive the struct. */
void replay_run_init(replay_run_t *run, const replay_options_t *options);

/*
 * Replays a file and prints the summary; a position name of NULL stands for
 * NAME.pos.  Both names are used until replay_run_reset().  Returns the exit
 * status.
 */
int replay_run(replay_run_t *run, const char *name, const char *position_name);

/*
 * After it: whether all that is in the file was delivered, or collected, so
 * that the file may be removed.
 */
int replay_run_is_complete(const replay_run_t *run);

/* Closes the file and its position, for the next one. */
void replay_run_reset(replay_run_t *run);


#endif /* _REPLAY_RUN_H_INCLUDED_ */
