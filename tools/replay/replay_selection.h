
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Which lines are sent: --event, --since, --until.
 */


#ifndef _REPLAY_SELECTION_H_INCLUDED_
#define _REPLAY_SELECTION_H_INCLUDED_


#include <stdint.h>

#include "enkod_str.h"
#include "replay_line.h"


/* zeroed, it selects every line */

typedef struct {
    enkod_str_t           *names;       /* of events, as in JSON */
    size_t                 nnames;
    enkod_str_t            since;       /* a time, or the beginning of one */
    enkod_str_t            until;
} replay_selection_t;


/* Values of options, which must outlive it: 0, or -1 after a message. */

int replay_selection_event(replay_selection_t *selection, const char *value);
int replay_selection_since(replay_selection_t *selection, const char *value);
int replay_selection_until(replay_selection_t *selection, const char *value);

/* Whether the line is to be sent. */
int replay_selection_has(const replay_selection_t *selection,
    const replay_line_t *line);

/* Whether all lines are. */
int replay_selection_is_all(const replay_selection_t *selection);

/* Of all that decides which lines are sent. */
uint64_t replay_selection_hash(const replay_selection_t *selection);


#endif /* _REPLAY_SELECTION_H_INCLUDED_ */
