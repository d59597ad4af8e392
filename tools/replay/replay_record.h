
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * What a position file says, as numbers and as text.
 */


#ifndef _REPLAY_RECORD_H_INCLUDED_
#define _REPLAY_RECORD_H_INCLUDED_


#include <stdint.h>

#include "replay.h"


/* more than a record, less than a sector or a page */
#define REPLAY_RECORD_SIZE    512

/* of nothing */
#define REPLAY_HASH           UINT64_C(14695981039346656037)


/*
 * The device of FILE is not looked at: the same one may have another number
 * after the machine was started again.
 */

typedef struct {
    uint64_t               inode;
    uint64_t               head_len;    /* as much of FILE's beginning as is */
    uint64_t               head;        /* before the offset, and its hash */
    uint64_t               selection;
    uint64_t               offset;
    uint64_t               unended;     /* no line feed is in front of that */
    uint64_t               lines;
    uint64_t               read;
    uint64_t               skipped;
    uint64_t               kept;
    uint64_t               selected;
    uint64_t               delivered;
    uint64_t               failed;
} replay_record_t;


/* Writes the record as a line; all have one length, which is returned. */
size_t replay_record_print(char *buf, const replay_record_t *record);

/* Whether the text is such a line, undamaged. */
int replay_record_scan(const char *buf, replay_record_t *record);

/* Goes on with a hash, or begins with REPLAY_HASH. */
uint64_t replay_record_hash(uint64_t hash, const void *data, size_t len);

/* Of all that decides which lines are sent. */
uint64_t replay_record_selection(const replay_selection_t *selection);


#endif /* _REPLAY_RECORD_H_INCLUDED_ */
