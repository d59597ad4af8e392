
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * What a position file says.  It is a line of text, so that people can read it;
 * its last field is a hash of the others, by which a damaged one is detected.
 */


#ifndef _REPLAY_RECORD_H_INCLUDED_
#define _REPLAY_RECORD_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>


/* more than a record, less than a sector or a page */
#define REPLAY_RECORD_SIZE    512


/*
 * The device of FILE is not part of it: the same device may have another number
 * after a reboot.
 */

typedef struct {
    uint64_t               inode;
    uint64_t               head_len;    /* as much of FILE's beginning as is */
    uint64_t               head;        /* before the offset, and its hash */
    uint64_t               selection;   /* replay_selection_hash() */
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


/*
 * Writes the record to REPLAY_RECORD_SIZE bytes, as a line; all records have
 * the same length, which is returned.
 */
size_t replay_record_print(char *buf, const replay_record_t *record);

/* Whether the text is such a line, undamaged. */
int replay_record_scan(const char *buf, replay_record_t *record);


#endif /* _REPLAY_RECORD_H_INCLUDED_ */
