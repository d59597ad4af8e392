
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * One line after the other: selected, sent, and then the position moves.  Once
 * it has to stop, the rest is only counted.
 */


#include "replay.h"

#include <errno.h>
#include <signal.h>
#include <time.h>


/* of a pause, in seconds, between two looks at signals and the progress bar */
#define REPLAY_NAP            0.1

/* as many of what is no line are named: there may be nothing else */
#define REPLAY_NAMED          10


static void replay_run_on_signal(int signo);
static int replay_run_line(replay_t *replay, const enkod_str_t *text);
static int replay_run_last(replay_t *replay);
static int replay_run_skip(replay_t *replay, const enkod_str_t *text);
static const char *replay_run_cr(const enkod_str_t *text);
static int replay_run_selected(replay_t *replay, const replay_line_t *line,
    const char *error);
static int replay_run_send(replay_t *replay, const replay_line_t *line,
    char *reason);
static int replay_run_failed(replay_t *replay, const enkod_str_t *text,
    const char *reason);
static int replay_run_collect(replay_t *replay, const enkod_str_t *text);
static void replay_run_stop(replay_t *replay);
static void replay_run_pace(replay_t *replay);
static void replay_run_end(replay_t *replay);


static volatile sig_atomic_t  replay_signal;


/* A second signal ends the program at once, as its default is. */

void
replay_signals(void)
{
    struct sigaction  sa;

    memset(&sa, 0, sizeof(struct sigaction));

    sa.sa_handler = replay_run_on_signal;
    sa.sa_flags = SA_RESETHAND;

    (void) sigaction(SIGINT, &sa, NULL);
    (void) sigaction(SIGTERM, &sa, NULL);

    /* a connection, or the reader of our output, that is gone */
    sa.sa_handler = SIG_IGN;
    (void) sigaction(SIGPIPE, &sa, NULL);
}


static void
replay_run_on_signal(int signo)
{
    replay_signal = signo;
}


int
replay_interrupted(void)
{
    return replay_signal != 0;
}


int
replay_run(replay_t *replay)
{
    int          rc;
    enkod_str_t  text;

    for ( ;; ) {

        if (replay_interrupted() && !replay->stopped) {
            replay_complain(replay, "interrupted");
            replay_run_stop(replay);
        }

        if (replay->unknown) {
            break;
        }

        rc = replay_file_next(replay, &text);

        if (rc == -1 && replay_interrupted() && !replay->stopped) {
            continue;
        }

        if (rc == 0) {
            (void) replay_run_last(replay);
        }

        if (rc <= 0) {
            break;
        }

        rc = replay_run_line(replay, &text);

        if (rc != 0) {
            break;
        }

        replay_progress(replay);
    }

    if (replay->status == REPLAY_ERROR) {
        replay->unknown = 1;
        return -1;
    }

    replay_run_end(replay);

    return 0;
}


static int
replay_run_line(replay_t *replay, const enkod_str_t *text)
{
    const char     *error;
    replay_line_t   line;

    replay->tally.lines++;

    if (text->len) {
        replay->tally.read++;

        if (!replay_line_is_object(text)) {
            return replay_run_skip(replay, text);
        }

        error = replay_line_read(&line, text);

        /* what cannot be read cannot be left out */

        if (error || replay_line_selected(&replay->selection, &line)) {
            replay->tally.selected++;
            return replay_run_selected(replay, &line, error);
        }
    }

    if (!replay->stopped) {
        replay_position_pass(replay);
    }

    return 0;
}


/*
 * What is behind the last line feed is a line as well if it is a whole object:
 * it cannot become a longer one.
 */

static int
replay_run_last(replay_t *replay)
{
    enkod_str_t  text;

    if (replay_file_rest(&replay->file, &text) == 0) {
        return 0;
    }

    if (replay->file.final || replay_line_is_object(&text)) {
        replay_file_last(&replay->file);
        return replay_run_line(replay, &text);
    }

    replay->unfinished = 1;

    if (!replay->stopped) {
        replay_complain(replay, "the last line of \"%s\" is incomplete: %zu"
                        " bytes without a line feed are left for the next run"
                        "%s", replay->name, text.len, replay_run_cr(&text));
    }

    return 0;
}


/*
 * It is a piece of a line, or was put there by somebody else.  Where it is not
 * kept, that has to be said.
 */

static int
replay_run_skip(replay_t *replay, const enkod_str_t *text)
{
    replay->tally.skipped++;

    if (replay->stopped) {
        return 0;
    }

    if (replay->collect == -1) {

        if (++replay->named <= REPLAY_NAMED) {
            replay_complain(replay, "\"%s\" line %llu is skipped: it is no"
                            " JSON object%s", replay->name,
                            replay->tally.lines, replay_run_cr(text));
        }

        replay_position_pass(replay);
        return 0;
    }

    replay_say(replay, "\"%s\" line %llu is collected: it is no JSON object%s",
               replay->name, replay->tally.lines, replay_run_cr(text));

    replay->tally.kept++;

    return replay_run_collect(replay, text);
}


static const char *
replay_run_cr(const enkod_str_t *text)
{
    return memchr(text->data, '\r', text->len)
           ? "; CR, which is in it, ends no line" : "";
}


static int
replay_run_selected(replay_t *replay, const replay_line_t *line,
    const char *error)
{
    char  reason[REPLAY_REASON_SIZE];

    if (replay->stopped) {
        replay->left++;
        return 0;
    }

    if (error) {
        return replay_run_failed(replay, &line->text, error);
    }

    if (replay->dry_run) {
        replay->left++;
        return 0;
    }

    replay_run_pace(replay);

    if (replay_interrupted()) {
        replay->left++;
        return 0;
    }

    if (replay_run_send(replay, line, reason) != 0) {
        return replay_run_failed(replay, &line->text, reason);
    }

    replay->tally.delivered++;

    replay_position_pass(replay);

    return replay_position_advance(replay);
}


static int
replay_run_send(replay_t *replay, const replay_line_t *line, char *reason)
{
    replay_body_t  body;

    if (replay->event) {
        replay_body_event(&body, line);

    } else {
        replay_body_line(&body, line);
    }

    return replay_send(replay, &body, reason);
}


static int
replay_run_failed(replay_t *replay, const enkod_str_t *text,
    const char *reason)
{
    replay->tally.failed++;

    if (replay->collect == -1) {
        replay_complain(replay, "\"%s\" line %llu: %s", replay->name,
                        replay->tally.lines, reason);
        replay->left++;

        if (!replay->dry_run) {
            replay_run_stop(replay);
        }

        return 0;
    }

    replay_say(replay, "\"%s\" line %llu is collected: %s", replay->name,
               replay->tally.lines, reason);

    if (replay_run_collect(replay, text) != 0) {
        replay->left++;
        return -1;
    }

    return 0;
}


static int
replay_run_collect(replay_t *replay, const enkod_str_t *text)
{
    if (replay_collect(replay, text) != 0) {
        return -1;
    }

    replay_position_pass(replay);

    return replay_position_advance(replay);
}


static void
replay_run_stop(replay_t *replay)
{
    replay->stopped = 1;

    /* what comes out of a pipe, and when, is not worth waiting for */
    replay->unknown = replay->file.pipe;
}


/*
 * Waits until the next line is due.  What one request was late is not made up
 * for by others that come closer: the receiver has to have its rest.
 */

static void
replay_run_pace(replay_t *replay)
{
    double           now, nap;
    struct timespec  ts;

    if (replay->rate == 0) {
        return;
    }

    now = replay_clock();

    while (now < replay->due && !replay_interrupted()) {

        nap = replay->due - now;
        nap = (nap > REPLAY_NAP) ? REPLAY_NAP : nap;

        ts.tv_sec = 0;
        ts.tv_nsec = (long) (nap * 1e9);

        (void) nanosleep(&ts, NULL);

        now = replay_clock();
        replay_progress(replay);
    }

    if (replay->due + 1 / replay->rate > now) {
        replay->due += 1 / replay->rate;

    } else {
        replay->due = now + 1 / replay->rate;
    }
}


static void
replay_run_end(replay_t *replay)
{
    off_t  grown;

    if (replay->named > REPLAY_NAMED) {
        replay_complain(replay, "%llu more are skipped as well",
                        replay->named - REPLAY_NAMED);
    }

    if (replay->stopped) {

        if (!replay->unknown) {
            replay_complain(replay, "lines that are left: %llu", replay->left);
        }

        return;
    }

    grown = replay_input_grown(replay);

    if (grown > 0) {
        replay->grown = 1;
        replay_complain(replay, "\"%s\" has grown by %lld bytes meanwhile,"
                        " which are left for the next run", replay->name,
                        (long long) grown);
    }
}
