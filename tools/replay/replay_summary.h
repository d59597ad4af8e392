
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The summary on standard output.
 */


#ifndef _REPLAY_SUMMARY_H_INCLUDED_
#define _REPLAY_SUMMARY_H_INCLUDED_


#include "replay_tally.h"


/*
 * Prints what was counted, and how much of that in earlier runs, below the name
 * of the file if that is not NULL; the number of lines that are left may be
 * NULL if it is not known.
 */
void replay_summary(const char *name, const replay_tally_t *tally,
    const replay_tally_t *earlier, const unsigned long long *left);


#endif /* _REPLAY_SUMMARY_H_INCLUDED_ */
