
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The position file says how far a replay has come.  It is one record of one
 * size, written in place by one pwrite() after each line that is done: such a
 * write, within one page of the file, is in the page cache as a whole or not at
 * all, whenever the process is killed.  The page cache survives the process; it
 * does not survive the machine, so the record, which is shorter than a sector,
 * may then be an older one, and lines behind it are sent again.
 *
 * Whoever has the file open also has a lock on it, which goes with the process.
 */


#include "replay_record.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>


static int replay_position_file(replay_t *replay);
static int replay_position_load(replay_t *replay, replay_record_t *record);
static int replay_position_check(replay_t *replay,
    const replay_record_t *record);
static int replay_position_refuse(replay_t *replay, const char *why);


int
replay_position_open(replay_t *replay)
{
    int              rc;
    replay_record_t  record;

    if (replay->file.pipe) {
        return 0;
    }

    if (replay_position_file(replay) != 0) {
        return -1;
    }

    if (replay->position.fd == -1) {
        /* a dry run, and nothing was sent yet */
        return 0;
    }

    rc = replay_position_load(replay, &record);

    if (rc == -1) {
        return -1;
    }

    replay->position.empty = (rc == 0);

    if (rc == 1 && record.offset) {

        if (replay_position_check(replay, &record) != 0) {
            return -1;
        }

        replay->file.offset = record.offset;
        replay->file.unended = record.unended;

        replay->earlier.lines = record.lines;
        replay->earlier.read = record.read;
        replay->earlier.skipped = record.skipped;
        replay->earlier.kept = record.kept;
        replay->earlier.selected = record.selected;
        replay->earlier.delivered = record.delivered;
        replay->earlier.failed = record.failed;

        replay->tally = replay->earlier;
    }

    /* that it can be written is known before anything is sent */

    replay_position_pass(replay);

    return replay_position_advance(replay);
}


/* Opens it, and creates it; a dry run leaves no trace. */

static int
replay_position_file(replay_t *replay)
{
    int          fd, flags;
    char        *name;
    const char  *error;
    struct stat  st;

    if (replay->position_name == NULL) {

        name = malloc(strlen(replay->name) + sizeof(".pos"));

        if (name == NULL) {
            replay_error(replay, 0, "no memory");
            return -1;
        }

        (void) sprintf(name, "%s.pos", replay->name);

        replay->position_name = name;
    }

    flags = replay->dry_run ? O_RDONLY : O_RDWR|O_CREAT;

    fd = replay_own_open(replay->position_name, flags, &error);

    if (error) {
        replay_error(replay, 0, "\"%s\" is no position file: %s",
                     replay->position_name, error);
        return -1;
    }

    if (fd == -1) {

        if (replay->dry_run && errno == ENOENT) {
            return 0;
        }

        replay_error(replay, errno, "cannot open the position file \"%s\"",
                     replay->position_name);
        return -1;
    }

    replay->position.fd = fd;

    if (!replay->dry_run && flock(fd, LOCK_EX|LOCK_NB) == -1) {

        if (errno == EWOULDBLOCK) {
            return replay_position_refuse(replay, "is in use by another"
                                          " enkod-replay");
        }

        replay_error(replay, errno, "cannot lock the position file \"%s\"",
                     replay->position_name);
        return -1;
    }

    if (fstat(fd, &st) == -1 || st.st_nlink == 0) {
        return replay_position_refuse(replay, "was just removed by another"
                                      " enkod-replay");
    }

    return 0;
}


/* Returns 1 with the record, 0 if the file is empty, or -1. */

static int
replay_position_load(replay_t *replay, replay_record_t *record)
{
    char     buf[REPLAY_RECORD_SIZE + 1];
    ssize_t  n;

    n = pread(replay->position.fd, buf, REPLAY_RECORD_SIZE, 0);

    if (n == -1) {
        replay_error(replay, errno, "cannot read the position file \"%s\"",
                     replay->position_name);
        return -1;
    }

    if (n == 0) {
        return 0;
    }

    buf[n] = '\0';

    if (strlen(buf) != (size_t) n || !replay_record_scan(buf, record)) {
        return replay_position_refuse(replay, "is no position file");
    }

    return 1;
}


/* Whether this is a position in the file that is to be sent; then it is there. */

static int
replay_position_check(replay_t *replay, const replay_record_t *record)
{
    int             rc;
    unsigned char   last;
    replay_file_t  *file;

    file = &replay->file;

    rc = record->inode == (uint64_t) file->ino
         && record->head_len <= REPLAY_HEAD_SIZE
         && record->head == replay_record_hash(REPLAY_HASH, file->head,
                                               record->head_len);

    if (rc) {
        rc = replay_input_seek(replay, record->offset, &last);
    }

    if (rc == -1) {
        return -1;
    }

    if (rc == 0 || (last != '\n' && !record->unended)) {
        return replay_position_refuse(replay, "is the position in another file"
                                      " of that name, which was perhaps"
                                      " rotated, copied or edited; delete it to"
                                      " send all of this one");
    }

    if (record->selection != replay_record_selection(&replay->selection)) {
        return replay_position_refuse(replay, "was made with other values of"
                                      " --event, --since or --until and would"
                                      " leave lines out; use another one with"
                                      " --position, or delete it");
    }

    return 0;
}


static int
replay_position_refuse(replay_t *replay, const char *why)
{
    replay_error(replay, 0, "\"%s\" %s", replay->position_name, why);

    return -1;
}


void
replay_position_pass(replay_t *replay)
{
    replay->position.offset = replay->file.offset;
    replay->position.unended = replay->file.unended;
    replay->position.tally = replay->tally;
}


int
replay_position_advance(replay_t *replay)
{
    char               buf[REPLAY_RECORD_SIZE];
    size_t             len;
    ssize_t            n;
    replay_record_t    record;
    replay_tally_t    *tally;

    if (replay->position.fd == -1 || replay->dry_run) {
        return 0;
    }

    tally = &replay->position.tally;

    record.inode = replay->file.ino;
    record.offset = replay->position.offset;
    record.head_len = (record.offset < REPLAY_HEAD_SIZE) ? record.offset
                                                         : REPLAY_HEAD_SIZE;
    record.head = replay_record_hash(REPLAY_HASH, replay->file.head,
                                     record.head_len);
    record.selection = replay_record_selection(&replay->selection);
    record.unended = replay->position.unended;
    record.lines = tally->lines;
    record.read = tally->read;
    record.skipped = tally->skipped;
    record.kept = tally->kept;
    record.selected = tally->selected;
    record.delivered = tally->delivered;
    record.failed = tally->failed;

    len = replay_record_print(buf, &record);

    n = pwrite(replay->position.fd, buf, len, 0);

    if (n != (ssize_t) len) {
        replay_error(replay, n == -1 ? errno : 0, "cannot write the position"
                     " file \"%s\"", replay->position_name);

        /*
         * What was written of a first one is none.  Of a later one as much as
         * fits is what was there before: that it does not fit is seen when it
         * is opened, and written once more.
         */

        if (replay->position.empty && ftruncate(replay->position.fd, 0) == -1) {
            replay_error(replay, errno, "cannot cut the position file \"%s\"",
                         replay->position_name);
        }

        /* not to be tried again */
        (void) close(replay->position.fd);
        replay->position.fd = -1;

        return -1;
    }

    replay->position.empty = 0;

    return 0;
}


int
replay_position_sync(replay_t *replay)
{
    if (replay->position.fd == -1 || replay->dry_run) {
        return 0;
    }

    if (replay_position_advance(replay) != 0) {
        return -1;
    }

    if (fsync(replay->position.fd) == -1) {
        replay_error(replay, errno, "cannot sync the position file \"%s\"",
                     replay->position_name);
        return -1;
    }

    return 0;
}


void
replay_position_close(replay_t *replay)
{
    if (replay->position.fd != -1) {
        (void) close(replay->position.fd);
        replay->position.fd = -1;
    }
}
