
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * --drain: sends what is in a file that nginx writes to, and loses nothing if
 * it is killed at any point.  The file is renamed, nginx opens another one and
 * nobody writes to the first one any more; it is sent and removed.  Which of
 * these steps were taken is visible in the folder, and files that an earlier
 * run left are sent first, in their order.
 */


#ifndef _REPLAY_DRAIN_H_INCLUDED_
#define _REPLAY_DRAIN_H_INCLUDED_


#include "replay_run.h"


/* Returns the exit status. */
int replay_drain(replay_run_t *run);


#endif /* _REPLAY_DRAIN_H_INCLUDED_ */
