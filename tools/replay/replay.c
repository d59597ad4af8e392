
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The program: opens what it needs before the first line is sent.  See
 * docs/enkod-replay.md.
 */


#include "replay.h"
#include "../lib/tool.h"

#include <errno.h>


static int replay_prepare(replay_t *replay);


int
main(int argc, char **argv)
{
    static replay_t  replay;

    replay.file.fd = -1;
    replay.position.fd = -1;
    replay.collect = -1;

    if (tool_start() != 0) {
        return REPLAY_ERROR;
    }

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        replay_error(&replay, 0, "cannot initialize libcurl");
        return REPLAY_ERROR;
    }

    if (replay_options(&replay, argc, argv) != 0) {
        return replay.status;
    }

    replay_signals();

    return replay.drain ? replay_drain(&replay) : replay_file(&replay);
}


int
replay_file(replay_t *replay)
{
    if (replay_prepare(replay) != 0) {
        return REPLAY_ERROR;
    }

    (void) replay_run(replay);

    if (replay_position_sync(replay) != 0) {
        replay->status = REPLAY_ERROR;
    }

    replay_progress_clear(replay);

    if (!replay->quiet) {

        if (replay->drain) {
            (void) printf("%s:\n", replay->name);
        }

        replay_summary(replay);
    }

    if (fflush(stdout) == EOF || ferror(stdout)) {
        replay_error(replay, errno, "cannot write to standard output");
    }

    return replay_status(replay);
}


/* What there is of a file, but not what the options are. */

void
replay_reset(replay_t *replay)
{
    replay_file_close(&replay->file);
    replay_position_close(replay);

    memset(&replay->tally, 0, sizeof(replay_tally_t));
    memset(&replay->earlier, 0, sizeof(replay_tally_t));

    replay->left = 0;
    replay->named = 0;
    replay->stopped = 0;
    replay->unknown = 0;
    replay->grown = 0;
    replay->unfinished = 0;
}


/* What is not delivered outweighs what cannot be. */

int
replay_status(const replay_t *replay)
{
    if (replay->status != REPLAY_OK) {
        return replay->status;
    }

    if (replay->tally.failed || replay->unknown || replay->grown
        || (replay->left && !replay->dry_run))
    {
        return REPLAY_LEFT;
    }

    if (replay->tally.skipped || replay->unfinished) {
        return REPLAY_SKIPPED;
    }

    return REPLAY_OK;
}


static int
replay_prepare(replay_t *replay)
{
    struct stat  st;

    if (replay_input_open(replay) != 0
        || replay_position_open(replay) != 0)
    {
        return -1;
    }

    if (replay->drain
        && (fstat(replay->file.fd, &st) == -1 || st.st_nlink == 0))
    {
        replay_error(replay, 0, "\"%s\" was just removed by another"
                     " enkod-replay", replay->name);
        return -1;
    }

    if (!replay->dry_run
        && (replay_collect_open(replay) != 0 || replay_send_init(replay) != 0))
    {
        return -1;
    }

    replay_progress_init(replay);

    return 0;
}
