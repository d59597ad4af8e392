
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#ifndef _GNU_SOURCE
#define _GNU_SOURCE                 /* asprintf() */
#endif

#include "replay_position.h"
#include "replay_file.h"
#include "replay_record.h"
#include "../lib/tool_file.h"
#include "../lib/tool_hash.h"
#include "../lib/tool_message.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>


static int replay_position_file(replay_position_t *position);
static int replay_position_load(replay_position_t *position,
    replay_record_t *record);
static int replay_position_check(replay_position_t *position,
    const replay_record_t *record, replay_input_t *input);
static int replay_position_refuse(replay_position_t *position,
    const char *why);


void
replay_position_init(replay_position_t *position)
{
    memset(position, 0, sizeof(replay_position_t));

    position->fd = -1;
}


int
replay_position_open(replay_position_t *position, const char *name,
    int dry_run, replay_input_t *input, uint64_t selection,
    replay_tally_t *tally)
{
    int              rc;
    replay_record_t  record;

    memset(tally, 0, sizeof(replay_tally_t));

    if (input->file.pipe) {
        return 0;
    }

    position->file = &input->file;
    position->selection = selection;
    position->read_only = dry_run;

    if (asprintf(&position->name, "%s%s", name ? name : input->file.name,
                 name ? "" : ".pos")
        == -1)
    {
        position->name = NULL;
        tool_error(0, "no memory");
        return -1;
    }

    if (replay_position_file(position) != 0) {
        return -1;
    }

    if (position->fd == -1) {
        /* a dry run, and nothing was sent yet */
        return 0;
    }

    rc = replay_position_load(position, &record);

    if (rc == -1) {
        return -1;
    }

    position->empty = (rc == 0);

    if (rc == 1 && record.offset) {

        if (replay_position_check(position, &record, input) != 0) {
            return -1;
        }

        tally->lines = record.lines;
        tally->read = record.read;
        tally->skipped = record.skipped;
        tally->kept = record.kept;
        tally->selected = record.selected;
        tally->delivered = record.delivered;
        tally->failed = record.failed;
    }

    /* an error of writing is found before anything is sent */

    replay_position_set(position, input, tally);

    return replay_position_write(position);
}


/* Opens it, and creates it if this is not a dry run. */

static int
replay_position_file(replay_position_t *position)
{
    const char   *error;
    struct stat   st;

    position->fd = tool_file_open_own(position->name,
                                      position->read_only ? O_RDONLY
                                                          : O_RDWR|O_CREAT,
                                      &error);

    if (error) {
        tool_error(0, "\"%s\" is not a position file: %s", position->name,
                   error);
        return -1;
    }

    if (position->fd == -1) {

        if (position->read_only && errno == ENOENT) {
            return 0;
        }

        tool_error(errno, "cannot open the position file \"%s\"",
                   position->name);
        return -1;
    }

    if (!position->read_only && flock(position->fd, LOCK_EX|LOCK_NB) == -1) {

        if (errno == EWOULDBLOCK) {
            return replay_position_refuse(position, "is in use by another"
                                          " enkod-replay");
        }

        tool_error(errno, "cannot lock the position file \"%s\"",
                   position->name);
        return -1;
    }

    if (fstat(position->fd, &st) == -1 || st.st_nlink == 0) {
        return replay_position_refuse(position, "was just removed by another"
                                      " enkod-replay");
    }

    return 0;
}


/* Returns 1 with the record, 0 if the file is empty, or -1. */

static int
replay_position_load(replay_position_t *position, replay_record_t *record)
{
    char     buf[REPLAY_RECORD_SIZE + 1];
    ssize_t  n;

    n = pread(position->fd, buf, REPLAY_RECORD_SIZE, 0);

    if (n == -1) {
        tool_error(errno, "cannot read the position file \"%s\"",
                   position->name);
        return -1;
    }

    if (n == 0) {
        return 0;
    }

    buf[n] = '\0';

    if (strlen(buf) != (size_t) n || !replay_record_scan(buf, record)) {
        return replay_position_refuse(position, "is not a position file");
    }

    return 1;
}


/* Whether the record is of this input, which then is moved to it. */

static int
replay_position_check(replay_position_t *position,
    const replay_record_t *record, replay_input_t *input)
{
    int                   rc;
    const replay_file_t  *file;

    file = position->file;

    rc = record->inode == (uint64_t) file->ino
         && record->head_len <= REPLAY_HEAD_SIZE
         && record->head == tool_hash(TOOL_HASH, file->head, record->head_len);

    if (rc) {
        rc = replay_input_seek(input, record->offset, record->unended);
    }

    if (rc == -1) {
        return -1;
    }

    if (rc == 0) {
        return replay_position_refuse(position, "is the position in another"
                                      " file of that name, which was perhaps"
                                      " rotated, copied or edited; delete it to"
                                      " send all of this one");
    }

    if (record->selection != position->selection) {
        return replay_position_refuse(position, "was made with other values of"
                                      " --event, --since or --until and would"
                                      " leave lines out; use another one with"
                                      " --position, or delete it");
    }

    return 0;
}


static int
replay_position_refuse(replay_position_t *position, const char *why)
{
    tool_error(0, "\"%s\" %s", position->name, why);

    return -1;
}


void
replay_position_set(replay_position_t *position, const replay_input_t *input,
    const replay_tally_t *tally)
{
    position->offset = replay_input_offset(input);
    position->unended = input->unended;
    position->tally = *tally;
}


int
replay_position_write(replay_position_t *position)
{
    char                   buf[REPLAY_RECORD_SIZE];
    size_t                 len;
    ssize_t                n;
    replay_record_t        record;
    const replay_tally_t  *tally;

    if (position->fd == -1 || position->read_only) {
        return 0;
    }

    tally = &position->tally;

    record.inode = position->file->ino;
    record.offset = position->offset;
    record.head_len = (record.offset < REPLAY_HEAD_SIZE) ? record.offset
                                                         : REPLAY_HEAD_SIZE;
    record.head = tool_hash(TOOL_HASH, position->file->head, record.head_len);
    record.selection = position->selection;
    record.unended = position->unended;
    record.lines = tally->lines;
    record.read = tally->read;
    record.skipped = tally->skipped;
    record.kept = tally->kept;
    record.selected = tally->selected;
    record.delivered = tally->delivered;
    record.failed = tally->failed;

    len = replay_record_print(buf, &record);

    n = pwrite(position->fd, buf, len, 0);

    if (n == (ssize_t) len) {
        position->empty = 0;
        return 0;
    }

    tool_error(n == -1 ? errno : 0, "cannot write the position file \"%s\"",
               position->name);

    /*
     * A part of a first record is not a record.  A part of a later one leaves
     * the file as long as it was, and is detected by the hash.
     */

    if (position->empty && ftruncate(position->fd, 0) == -1) {
        tool_error(errno, "cannot cut the position file \"%s\"",
                   position->name);
    }

    /* not to be tried again */
    (void) close(position->fd);
    position->fd = -1;

    return -1;
}


int
replay_position_sync(replay_position_t *position)
{
    if (position->fd == -1 || position->read_only) {
        return 0;
    }

    if (replay_position_write(position) != 0) {
        return -1;
    }

    if (fsync(position->fd) == -1) {
        tool_error(errno, "cannot sync the position file \"%s\"",
                   position->name);
        return -1;
    }

    return 0;
}


void
replay_position_close(replay_position_t *position)
{
    if (position->fd != -1) {
        (void) close(position->fd);
    }

    free(position->name);

    replay_position_init(position);
}
