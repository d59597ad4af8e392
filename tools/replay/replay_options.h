
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The command line; see docs/enkod-replay.md.
 */


#ifndef _REPLAY_OPTIONS_H_INCLUDED_
#define _REPLAY_OPTIONS_H_INCLUDED_


#include "replay_selection.h"
#include "replay_send.h"


typedef struct {
    const char            *name;            /* FILE */
    const char            *position_name;   /* or NULL for FILE.pos */
    const char            *collect_name;    /* or NULL */
    const char            *pid_name;        /* or NULL */
    double                 rate;            /* lines per second, or 0 */
    int                    event;           /* --send event */
    replay_selection_t     selection;
    replay_target_t        target;

    unsigned               drain:1;
    unsigned               dry_run:1;
    unsigned               quiet:1;
} replay_options_t;


typedef enum {
    REPLAY_OPTIONS_OK = 0,
    REPLAY_OPTIONS_HELP,                    /* which has been printed */
    REPLAY_OPTIONS_INVALID                  /* after a message */
} replay_options_e;


/* Sets all of *options, which point into the arguments. */
replay_options_e replay_options(replay_options_t *options, int argc,
    char **argv);


#endif /* _REPLAY_OPTIONS_H_INCLUDED_ */
