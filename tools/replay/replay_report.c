
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * What the program says: a progress bar on a terminal, messages on standard
 * error, and the summary on standard output.
 */


#include "replay.h"

#include <time.h>
#include <unistd.h>


#define REPLAY_REDRAW         0.2       /* seconds */
#define REPLAY_BAR_WIDTH      20


static void replay_progress_draw(replay_t *replay, double now);
static int replay_progress_bar(const replay_t *replay, double seconds,
    char *bar, char *left, size_t size);
static void replay_message(replay_t *replay, int err, const char *fmt,
    va_list args);
static void replay_summary_row(const char *name, unsigned long long n,
    unsigned long long earlier);


/* seconds of a clock that nobody sets */

double
replay_clock(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return ts.tv_sec + ts.tv_nsec / 1e9;
}


void
replay_progress_init(replay_t *replay)
{
    replay->bar = !replay->quiet && isatty(STDERR_FILENO);
    replay->began = replay_clock();
    replay->from = replay->file.offset;
}


void
replay_progress(replay_t *replay)
{
    double  now;

    if (!replay->bar || replay->stopped) {
        return;
    }

    now = replay_clock();

    if (now >= replay->redraw) {
        replay_progress_draw(replay, now);
        replay->redraw = now + REPLAY_REDRAW;
    }
}


static void
replay_progress_draw(replay_t *replay, double now)
{
    int                    percent;
    char                   bar[REPLAY_BAR_WIDTH + 1], left[32];
    double                 seconds;
    unsigned long long     done;
    const replay_tally_t  *tally;

    tally = &replay->tally;

    seconds = now - replay->began;

    done = tally->delivered - replay->earlier.delivered
           + tally->failed - replay->earlier.failed;

    (void) fprintf(stderr, "\r");

    /* of a pipe, nobody knows the end, and gzip does not say it */

    if (!replay->file.pipe && !replay->file.gzip) {
        percent = replay_progress_bar(replay, seconds, bar, left,
                                      sizeof(left));
        (void) fprintf(stderr, "[%s] %3d %%, ", bar, percent);
    }

    (void) fprintf(stderr, "%llu delivered, %llu failed, %.0f/s",
                   tally->delivered, tally->failed,
                   seconds > 0 ? done / seconds : 0);

    if (!replay->file.pipe && !replay->file.gzip) {
        (void) fprintf(stderr, ", %s left", left);
    }

    /* to the end of the line */
    (void) fprintf(stderr, "\033[K");
    (void) fflush(stderr);

    replay->drawn = 1;
}


/* The share that is done, by bytes, and how long the rest will take. */

static int
replay_progress_bar(const replay_t *replay, double seconds, char *bar,
    char *left, size_t size)
{
    int     i;
    off_t   offset, limit;
    double  rest, share;

    offset = replay->file.offset;
    limit = replay->file.limit;

    share = limit ? (double) offset / limit : 1;

    for (i = 0; i < REPLAY_BAR_WIDTH; i++) {
        bar[i] = (i < share * REPLAY_BAR_WIDTH) ? '#' : '.';
    }

    bar[i] = '\0';

    if (offset > replay->from) {
        rest = seconds / (offset - replay->from) * (limit - offset);
        rest = (rest < 359999) ? rest : 359999;

        (void) snprintf(left, size, "%d:%02d:%02d", (int) rest / 3600,
                        (int) rest / 60 % 60, (int) rest % 60);

    } else {
        (void) snprintf(left, size, "?");
    }

    return (int) (share * 100);
}


void
replay_progress_clear(replay_t *replay)
{
    if (replay->drawn) {
        (void) fprintf(stderr, "\r\033[K");
        (void) fflush(stderr);

        replay->drawn = 0;
    }
}


void
replay_summary(const replay_t *replay)
{
    const replay_tally_t  *tally, *earlier;

    tally = &replay->tally;
    earlier = &replay->earlier;

    replay_summary_row("read", tally->read, earlier->read);
    replay_summary_row("skipped", tally->skipped, earlier->skipped);
    replay_summary_row("selected", tally->selected, earlier->selected);
    replay_summary_row("delivered", tally->delivered, earlier->delivered);
    replay_summary_row("failed", tally->failed, earlier->failed);

    if (replay->unknown) {
        (void) printf("left: unknown\n");

    } else {
        replay_summary_row("left", replay->left, 0);
    }
}


static void
replay_summary_row(const char *name, unsigned long long n,
    unsigned long long earlier)
{
    (void) printf("%s: %llu", name, n);

    if (earlier) {
        (void) printf(", of these %llu in earlier runs", earlier);
    }

    (void) printf("\n");
}


void
replay_say(replay_t *replay, const char *fmt, ...)
{
    va_list  args;

    if (replay->quiet) {
        return;
    }

    va_start(args, fmt);
    replay_message(replay, 0, fmt, args);
    va_end(args);
}


void
replay_complain(replay_t *replay, const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    replay_message(replay, 0, fmt, args);
    va_end(args);
}


void
replay_error(replay_t *replay, int err, const char *fmt, ...)
{
    va_list  args;

    replay->status = REPLAY_ERROR;

    va_start(args, fmt);
    replay_message(replay, err, fmt, args);
    va_end(args);
}


static void
replay_message(replay_t *replay, int err, const char *fmt, va_list args)
{
    replay_progress_clear(replay);

    (void) fprintf(stderr, "enkod-replay: ");
    (void) vfprintf(stderr, fmt, args);
    (void) fprintf(stderr, err ? ": %s\n" : "\n", strerror(err));
}
