
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The progress bar, if standard error is a terminal.
 */


#ifndef _REPLAY_PROGRESS_H_INCLUDED_
#define _REPLAY_PROGRESS_H_INCLUDED_


#include "replay_input.h"
#include "replay_tally.h"


/* zeroed, there is none */

typedef struct {
    const replay_input_t  *input;
    const replay_tally_t  *tally;       /* NULL if there is no bar */

    unsigned               drawn:1;
    double                 began;       /* see tool_clock() */
    double                 redraw;
    off_t                  from;
    unsigned long long     before;      /* lines that were done */
} replay_progress_t;


/*
 * A replay begins, of which this input and this tally say how far it has come;
 * both must outlive it.  Messages clear the bar.
 */
void replay_progress_start(replay_progress_t *progress,
    const replay_input_t *input, const replay_tally_t *tally);

/* Draws the bar, unless that was done just before. */
void replay_progress(replay_progress_t *progress);

void replay_progress_clear(replay_progress_t *progress);


#endif /* _REPLAY_PROGRESS_H_INCLUDED_ */
