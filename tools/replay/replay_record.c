
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#include "replay_record.h"
#include "../lib/tool_hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>


#define REPLAY_RECORD_FORM                                                    \
    "enkod-replay 2 inode=%020" PRIu64 " head=%04" PRIu64 ":%016" PRIx64      \
    " selection=%016" PRIx64 " offset=%020" PRIu64 " unended=%01" PRIu64      \
    " lines=%020" PRIu64 " read=%020" PRIu64 " skipped=%020" PRIu64           \
    " kept=%020" PRIu64 " selected=%020" PRIu64 " delivered=%020" PRIu64      \
    " failed=%020" PRIu64

#define REPLAY_RECORD_SCAN                                                    \
    "enkod-replay 2 inode=%" SCNu64 " head=%" SCNu64 ":%" SCNx64              \
    " selection=%" SCNx64 " offset=%" SCNu64 " unended=%" SCNu64              \
    " lines=%" SCNu64 " read=%" SCNu64 " skipped=%" SCNu64                    \
    " kept=%" SCNu64 " selected=%" SCNu64 " delivered=%" SCNu64               \
    " failed=%" SCNu64

/* of all that is before it */
#define REPLAY_RECORD_CHECK   " check=%016" PRIx64 "\n"


size_t
replay_record_print(char *buf, const replay_record_t *record)
{
    size_t    len;
    uint64_t  hash;

    len = snprintf(buf, REPLAY_RECORD_SIZE, REPLAY_RECORD_FORM, record->inode,
                   record->head_len, record->head, record->selection,
                   record->offset, record->unended, record->lines,
                   record->read, record->skipped, record->kept,
                   record->selected, record->delivered, record->failed);

    hash = tool_hash(TOOL_HASH, buf, len);

    return len + snprintf(buf + len, REPLAY_RECORD_SIZE - len,
                          REPLAY_RECORD_CHECK, hash);
}


/* The text has to be what would be written for the record. */

int
replay_record_scan(const char *buf, replay_record_t *record)
{
    int   n;
    char  copy[REPLAY_RECORD_SIZE];

    n = sscanf(buf, REPLAY_RECORD_SCAN, &record->inode, &record->head_len,
               &record->head, &record->selection, &record->offset,
               &record->unended, &record->lines, &record->read,
               &record->skipped, &record->kept, &record->selected,
               &record->delivered, &record->failed);

    if (n != 13) {
        return 0;
    }

    (void) replay_record_print(copy, record);

    return strcmp(copy, buf) == 0;
}
