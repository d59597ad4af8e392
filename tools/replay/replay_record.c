
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The record is a line of text, so that people can read it.  Its last field is
 * a hash of the others, by which a damaged one is known.
 */


#include "replay_record.h"

#include <inttypes.h>


#define REPLAY_RECORD_FORM                                                    \
    "enkod-replay 2 inode=%020" PRIu64 " head=%04" PRIu64 ":%016" PRIx64      \
    " selection=%016" PRIx64 " offset=%020" PRIu64 " unended=%01" PRIu64      \
    " lines=%020" PRIu64 " read=%020" PRIu64 " skipped=%020" PRIu64           \
    " kept=%020" PRIu64 " selected=%020" PRIu64 " delivered=%020" PRIu64 " failed=%020" PRIu64

#define REPLAY_RECORD_SCAN                                                    \
    "enkod-replay 2 inode=%" SCNu64 " head=%" SCNu64 ":%" SCNx64              \
    " selection=%" SCNx64 " offset=%" SCNu64 " unended=%" SCNu64              \
    " lines=%" SCNu64 " read=%" SCNu64 " skipped=%" SCNu64                    \
    " kept=%" SCNu64 " selected=%" SCNu64 " delivered=%" SCNu64 " failed=%" SCNu64

#define REPLAY_RECORD_CHECK   " check=%016" PRIx64 "\n"


size_t
replay_record_print(char *buf, const replay_record_t *record)
{
    size_t    len;
    uint64_t  hash;

    len = snprintf(buf, REPLAY_RECORD_SIZE, REPLAY_RECORD_FORM, record->inode,
                   record->head_len, record->head, record->selection,
                   record->offset, record->unended, record->lines,
                   record->read, record->skipped, record->kept, record->selected,
                   record->delivered, record->failed);

    hash = replay_record_hash(REPLAY_HASH, buf, len);

    return len + snprintf(buf + len, REPLAY_RECORD_SIZE - len,
                          REPLAY_RECORD_CHECK, hash);
}


/* What would be written for the record has to be what is there. */

int
replay_record_scan(const char *buf, replay_record_t *record)
{
    char  copy[REPLAY_RECORD_SIZE];
    int   n;

    n = sscanf(buf, REPLAY_RECORD_SCAN, &record->inode, &record->head_len,
               &record->head, &record->selection, &record->offset,
               &record->unended, &record->lines, &record->read, &record->skipped,
               &record->kept,
               &record->selected, &record->delivered, &record->failed);

    if (n != 13) {
        return 0;
    }

    (void) replay_record_print(copy, record);

    return strcmp(copy, buf) == 0;
}


/* FNV-1a */

uint64_t
replay_record_hash(uint64_t hash, const void *data, size_t len)
{
    size_t                i;
    const unsigned char  *p = data;

    for (i = 0; i < len; i++) {
        hash = (hash ^ p[i]) * UINT64_C(1099511628211);
    }

    return hash;
}


/* Each text ends with a NUL. */

uint64_t
replay_record_selection(const replay_selection_t *selection)
{
    size_t               i;
    uint64_t             hash;
    const enkod_str_t   *text;

    hash = REPLAY_HASH;

    for (i = 0; i < selection->nnames + 2; i++) {

        text = (i == 0) ? &selection->since
                        : (i == 1) ? &selection->until
                                   : &selection->names[i - 2];

        hash = replay_record_hash(hash, text->data, text->len);
        hash = replay_record_hash(hash, "", 1);
    }

    return hash;
}
