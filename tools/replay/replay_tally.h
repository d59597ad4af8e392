
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * How many lines of a file there were so far.
 */


#ifndef _REPLAY_TALLY_H_INCLUDED_
#define _REPLAY_TALLY_H_INCLUDED_


typedef struct {
    unsigned long long     lines;       /* including empty ones */
    unsigned long long     read;
    unsigned long long     skipped;     /* what is not a line, */
    unsigned long long     kept;        /* and is in the file of --collect */
    unsigned long long     selected;
    unsigned long long     delivered;
    unsigned long long     failed;
} replay_tally_t;


#endif /* _REPLAY_TALLY_H_INCLUDED_ */
