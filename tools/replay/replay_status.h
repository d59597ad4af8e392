
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The exit status of enkod-replay; see docs/enkod-replay.md.
 */


#ifndef _REPLAY_STATUS_H_INCLUDED_
#define _REPLAY_STATUS_H_INCLUDED_


#include "../lib/tool_start.h"


#define REPLAY_OK             TOOL_OK
#define REPLAY_LEFT           1         /* lines are not delivered */
#define REPLAY_ERROR          TOOL_ERROR
#define REPLAY_SKIPPED        3         /* something is not a line */


#endif /* _REPLAY_STATUS_H_INCLUDED_ */
