
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * --rate: the time between two lines.
 */


#ifndef _REPLAY_PACE_H_INCLUDED_
#define _REPLAY_PACE_H_INCLUDED_


/* zeroed before the first line */

typedef struct {
    double                 due;         /* the next line; see tool_clock() */
} replay_pace_t;


/* How many seconds there are until the next line may be sent, or 0. */
double replay_pace_wait(const replay_pace_t *pace);

/*
 * A line is sent now, at this number of lines per second.  After a slow request
 * the next ones do not follow faster to make up for it: the receiver would not
 * have its rest.
 */
void replay_pace_next(replay_pace_t *pace, double rate);


#endif /* _REPLAY_PACE_H_INCLUDED_ */
