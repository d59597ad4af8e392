
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#include "replay_run.h"
#include "replay_body.h"
#include "replay_file.h"
#include "replay_interrupt.h"
#include "replay_line.h"
#include "replay_selection.h"
#include "replay_status.h"
#include "replay_summary.h"
#include "enkod_str.h"
#include "../lib/tool_clock.h"
#include "../lib/tool_message.h"

#include <string.h>
#include <sys/stat.h>


/* seconds between two looks at signals and the progress bar in a pause */
#define REPLAY_NAP            0.1

/* messages about lines that are dropped: a file may contain nothing else */
#define REPLAY_MAX_DROPPED    10


static int replay_run_open(replay_run_t *run, const char *position_name);
static void replay_run_lines(replay_run_t *run);
static int replay_run_line(replay_run_t *run, const enkod_str_t *text);
static int replay_run_rest(replay_run_t *run);
static int replay_run_skip(replay_run_t *run, const enkod_str_t *text);
static int replay_run_selected(replay_run_t *run, const replay_line_t *line,
    const char *error);
static int replay_run_send(replay_run_t *run, const replay_line_t *line,
    char *reason);
static int replay_run_failed(replay_run_t *run, const enkod_str_t *text,
    const char *reason);
static int replay_run_collect(replay_run_t *run, const enkod_str_t *text);
static void replay_run_done(replay_run_t *run);
static void replay_run_stop(replay_run_t *run);
static void replay_run_pause(replay_run_t *run);
static void replay_run_end(replay_run_t *run);
static void replay_run_summary(const replay_run_t *run);
static int replay_run_status(const replay_run_t *run);
static const char *replay_run_hint(const enkod_str_t *text);


void
replay_run_init(replay_run_t *run, const replay_options_t *options)
{
    memset(run, 0, sizeof(replay_run_t));

    run->options = options;

    replay_collect_init(&run->collect, options->collect_name);
    replay_input_init(&run->input);
    replay_position_init(&run->position);
}


int
replay_run(replay_run_t *run, const char *name, const char *position_name)
{
    run->name = name;

    if (replay_run_open(run, position_name) != 0) {
        return REPLAY_ERROR;
    }

    replay_run_lines(run);

    (void) replay_position_sync(&run->position);

    replay_progress_clear(&run->progress);

    if (!run->options->quiet) {
        replay_run_summary(run);
    }

    tool_flush_output();

    return replay_run_status(run);
}


int
replay_run_is_complete(const replay_run_t *run)
{
    return run->left == 0 && !run->unknown && !run->grown
           && run->tally.skipped == run->tally.kept;
}


void
replay_run_reset(replay_run_t *run)
{
    replay_input_close(&run->input);
    replay_position_close(&run->position);

    memset(&run->tally, 0, sizeof(replay_tally_t));
    memset(&run->earlier, 0, sizeof(replay_tally_t));

    run->left = 0;
    run->dropped = 0;
    run->stopped = 0;
    run->unknown = 0;
    run->grown = 0;
    run->unfinished = 0;
}


/* Opens everything before the first line is sent. */

static int
replay_run_open(replay_run_t *run, const char *position_name)
{
    struct stat              st;
    const replay_file_t     *file;
    const replay_options_t  *options;

    options = run->options;
    file = &run->input.file;

    if (replay_input_open(&run->input, run->name, options->drain) != 0
        || replay_position_open(&run->position, position_name,
                                options->dry_run, &run->input,
                                replay_selection_hash(&options->selection),
                                &run->earlier)
           != 0)
    {
        return -1;
    }

    run->tally = run->earlier;

    if (options->drain && (fstat(file->fd, &st) == -1 || st.st_nlink == 0)) {
        tool_error(0, "\"%s\" was just removed by another enkod-replay",
                   run->name);
        return -1;
    }

    if (!options->dry_run
        && (replay_collect_open(&run->collect, file->dev, file->ino) != 0
            || replay_send_init(&run->sender, &options->target) != 0))
    {
        return -1;
    }

    if (!options->quiet) {
        replay_progress_start(&run->progress, &run->input, &run->tally);
    }

    return 0;
}


static void
replay_run_lines(replay_run_t *run)
{
    int          rc;
    enkod_str_t  text;

    for ( ;; ) {

        if (replay_interrupted() && !run->stopped) {
            tool_warn("interrupted");
            replay_run_stop(run);
        }

        if (run->unknown) {
            break;
        }

        rc = replay_input_next(&run->input, &text);

        if (rc == -1 && replay_interrupted() && !run->stopped) {
            continue;
        }

        if (rc == 0) {
            (void) replay_run_rest(run);
        }

        if (rc <= 0 || replay_run_line(run, &text) != 0) {
            break;
        }

        if (!run->stopped) {
            replay_progress(&run->progress);
        }
    }

    if (tool_errors()) {
        run->unknown = 1;
        return;
    }

    replay_run_end(run);
}


static int
replay_run_line(replay_run_t *run, const enkod_str_t *text)
{
    const char     *error;
    replay_line_t   line;

    run->tally.lines++;

    if (text->len) {
        run->tally.read++;

        if (!replay_line_is_object(text)) {
            return replay_run_skip(run, text);
        }

        error = replay_line_read(&line, text);

        /* a line that cannot be read must not be left out */

        if (error || replay_selection_has(&run->options->selection, &line)) {
            run->tally.selected++;
            return replay_run_selected(run, &line, error);
        }
    }

    if (!run->stopped) {
        replay_run_done(run);
    }

    return 0;
}


/*
 * What follows the last line feed is a line as well if it is a whole object: it
 * cannot become a longer one.
 */

static int
replay_run_rest(replay_run_t *run)
{
    enkod_str_t  text;

    if (replay_input_rest(&run->input, &text) == 0) {
        return 0;
    }

    if (run->input.final || replay_line_is_object(&text)) {
        replay_input_take_rest(&run->input);
        return replay_run_line(run, &text);
    }

    run->unfinished = 1;

    if (!run->stopped) {
        tool_warn("the last line of \"%s\" is incomplete: %zu bytes without a"
                  " line feed are left for the next run%s", run->name,
                  text.len, replay_run_hint(&text));
    }

    return 0;
}


/* The text is a piece of a line, or was written by another program. */

static int
replay_run_skip(replay_run_t *run, const enkod_str_t *text)
{
    run->tally.skipped++;

    if (run->stopped) {
        return 0;
    }

    if (!replay_collect_is_open(&run->collect)) {

        if (++run->dropped <= REPLAY_MAX_DROPPED) {
            tool_warn("\"%s\" line %llu is skipped: it is not a JSON object%s",
                      run->name, run->tally.lines, replay_run_hint(text));
        }

        replay_run_done(run);
        return 0;
    }

    tool_note("\"%s\" line %llu is collected: it is not a JSON object%s",
              run->name, run->tally.lines, replay_run_hint(text));

    run->tally.kept++;

    return replay_run_collect(run, text);
}


static int
replay_run_selected(replay_run_t *run, const replay_line_t *line,
    const char *error)
{
    char  reason[REPLAY_REASON_SIZE];

    if (run->stopped) {
        run->left++;
        return 0;
    }

    if (error) {
        return replay_run_failed(run, &line->text, error);
    }

    if (run->options->dry_run) {
        run->left++;
        return 0;
    }

    if (run->options->rate != 0) {
        replay_run_pause(run);
    }

    if (replay_interrupted()) {
        run->left++;
        return 0;
    }

    if (replay_run_send(run, line, reason) != 0) {
        return replay_run_failed(run, &line->text, reason);
    }

    run->tally.delivered++;

    replay_run_done(run);

    return replay_position_write(&run->position);
}


static int
replay_run_send(replay_run_t *run, const replay_line_t *line, char *reason)
{
    replay_body_t  body;

    if (run->options->event) {
        replay_body_event(&body, line);

    } else {
        replay_body_line(&body, line);
    }

    return replay_send(&run->sender, &body, reason);
}


static int
replay_run_failed(replay_run_t *run, const enkod_str_t *text,
    const char *reason)
{
    run->tally.failed++;

    if (!replay_collect_is_open(&run->collect)) {
        tool_warn("\"%s\" line %llu: %s", run->name, run->tally.lines, reason);
        run->left++;

        if (!run->options->dry_run) {
            replay_run_stop(run);
        }

        return 0;
    }

    tool_note("\"%s\" line %llu is collected: %s", run->name,
              run->tally.lines, reason);

    if (replay_run_collect(run, text) != 0) {
        run->left++;
        return -1;
    }

    return 0;
}


static int
replay_run_collect(replay_run_t *run, const enkod_str_t *text)
{
    if (replay_collect_add(&run->collect, text) != 0) {
        return -1;
    }

    replay_run_done(run);

    return replay_position_write(&run->position);
}


/* The next run begins after the line at hand. */

static void
replay_run_done(replay_run_t *run)
{
    replay_position_set(&run->position, &run->input, &run->tally);
}


static void
replay_run_stop(replay_run_t *run)
{
    run->stopped = 1;

    /* the rest of a pipe may come late, or never */
    run->unknown = run->input.file.pipe;
}


/* Waits until the next line may be sent. */

static void
replay_run_pause(replay_run_t *run)
{
    double  seconds;

    while (!replay_interrupted()) {

        seconds = replay_pace_wait(&run->pace);

        if (seconds == 0) {
            break;
        }

        tool_sleep(seconds > REPLAY_NAP ? REPLAY_NAP : seconds);

        replay_progress(&run->progress);
    }

    replay_pace_next(&run->pace, run->options->rate);
}


static void
replay_run_end(replay_run_t *run)
{
    off_t  grown;

    if (run->dropped > REPLAY_MAX_DROPPED) {
        tool_warn("%llu more lines are skipped",
                  run->dropped - REPLAY_MAX_DROPPED);
    }

    if (run->stopped) {

        if (!run->unknown) {
            tool_warn("lines that are left: %llu", run->left);
        }

        return;
    }

    grown = replay_input_grown(&run->input);

    if (grown > 0) {
        run->grown = 1;
        tool_warn("\"%s\" has grown by %lld bytes meanwhile, which are left"
                  " for the next run", run->name, (long long) grown);
    }
}


static void
replay_run_summary(const replay_run_t *run)
{
    replay_summary(run->options->drain ? run->name : NULL, &run->tally,
                   &run->earlier, run->unknown ? NULL : &run->left);
}


/* A line that is not delivered counts more than one that cannot be. */

static int
replay_run_status(const replay_run_t *run)
{
    if (tool_errors()) {
        return REPLAY_ERROR;
    }

    if (run->tally.failed || run->unknown || run->grown
        || (run->left && !run->options->dry_run))
    {
        return REPLAY_LEFT;
    }

    if (run->tally.skipped || run->unfinished) {
        return REPLAY_SKIPPED;
    }

    return REPLAY_OK;
}


static const char *
replay_run_hint(const enkod_str_t *text)
{
    return memchr(text->data, '\r', text->len)
           ? "; it contains CR, which does not end a line" : "";
}
