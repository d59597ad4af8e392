
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#include "replay_progress.h"
#include "../lib/tool_clock.h"
#include "../lib/tool_message.h"

#include <stdio.h>
#include <unistd.h>


#define REPLAY_REDRAW         0.2       /* seconds */
#define REPLAY_BAR_WIDTH      20


static void replay_progress_draw(replay_progress_t *progress, double seconds);
static int replay_progress_bar(const replay_progress_t *progress, off_t size,
    double seconds, char *bar, char *left, size_t left_size);
static void replay_progress_message(void *data);


void
replay_progress_start(replay_progress_t *progress,
    const replay_input_t *input, const replay_tally_t *tally)
{
    if (!isatty(STDERR_FILENO)) {
        return;
    }

    progress->input = input;
    progress->tally = tally;
    progress->began = tool_clock();
    progress->from = replay_input_offset(input);
    progress->before = tally->delivered + tally->failed;

    tool_message_before(replay_progress_message, progress);
}


void
replay_progress(replay_progress_t *progress)
{
    double  now;

    if (progress->tally == NULL) {
        return;
    }

    now = tool_clock();

    if (now >= progress->redraw) {
        replay_progress_draw(progress, now - progress->began);
        progress->redraw = now + REPLAY_REDRAW;
    }
}


static void
replay_progress_draw(replay_progress_t *progress, double seconds)
{
    int                    percent;
    char                   bar[REPLAY_BAR_WIDTH + 1], left[32];
    off_t                  size;
    unsigned long long     done;
    const replay_tally_t  *tally;

    tally = progress->tally;

    done = tally->delivered + tally->failed - progress->before;

    (void) fprintf(stderr, "\r");

    size = replay_input_size(progress->input);

    if (size != -1) {
        percent = replay_progress_bar(progress, size, seconds, bar, left,
                                      sizeof(left));
        (void) fprintf(stderr, "[%s] %3d %%, ", bar, percent);
    }

    (void) fprintf(stderr, "%llu delivered, %llu failed, %.0f/s",
                   tally->delivered, tally->failed,
                   seconds > 0 ? done / seconds : 0);

    if (size != -1) {
        (void) fprintf(stderr, ", %s left", left);
    }

    /* clear the rest of the line */
    (void) fprintf(stderr, "\033[K");
    (void) fflush(stderr);

    progress->drawn = 1;
}


/* The share that is done, by bytes, and how long the rest will take. */

static int
replay_progress_bar(const replay_progress_t *progress, off_t size,
    double seconds, char *bar, char *left, size_t left_size)
{
    int     i;
    off_t   offset;
    double  rest, share;

    offset = replay_input_offset(progress->input);

    share = size ? (double) offset / size : 1;

    for (i = 0; i < REPLAY_BAR_WIDTH; i++) {
        bar[i] = (i < share * REPLAY_BAR_WIDTH) ? '#' : '.';
    }

    bar[i] = '\0';

    if (offset > progress->from) {
        rest = seconds / (offset - progress->from) * (size - offset);
        rest = (rest < 359999) ? rest : 359999;

        (void) snprintf(left, left_size, "%d:%02d:%02d", (int) rest / 3600,
                        (int) rest / 60 % 60, (int) rest % 60);

    } else {
        (void) snprintf(left, left_size, "?");
    }

    return (int) (share * 100);
}


void
replay_progress_clear(replay_progress_t *progress)
{
    if (progress->drawn) {
        (void) fprintf(stderr, "\r\033[K");
        (void) fflush(stderr);

        progress->drawn = 0;
    }
}


static void
replay_progress_message(void *data)
{
    replay_progress_clear(data);
}
