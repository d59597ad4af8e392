
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The command line.
 */


#include "replay.h"

#include <getopt.h>


static int replay_options_set(replay_t *replay, int c, const char *value);
static int replay_options_check(replay_t *replay, int argc, char **argv);
static const char *replay_options_conflict(const replay_t *replay);


static const char  replay_usage[] =
    "usage: enkod-replay [OPTIONS] FILE URL\n"
    "       enkod-replay --drain [--pid FILE] [OPTIONS] FILE URL\n";

static const char  replay_help[] =
    "\n"
    "Sends the lines that enkod_spool or enkod_log have written to URL, one\n"
    "POST for each; FILE \"-\" is standard input.  A command line can be read by\n"
    "everybody: what is secret in URL or a header is better in a file, given as\n"
    "@FILE in the place of URL and as --header @FILE, a header in each line.\n"
    "\n"
    "  --send line        the line, but without \"pass_status\" (default)\n"
    "  --send event       the event, as enKod has sent it\n"
    "  --type MIME        Content-Type (application/json)\n"
    "  --header 'N: V'    one more header; may be given several times\n"
    "  --expect REGEX     the answer is good if its body matches this (POSIX\n"
    "                     extended regular expression), several times: all of\n"
    "                     them; '^$' is an empty body\n"
    "  --refuse REGEX     ... and does not match this\n"
    "  --refuse-header N  ... and does not have this header\n"
    "  --timeout SECONDS  for each request (60)\n"
    "  --rate N           at most N lines per second\n"
    "  --event NAME       only this event; may be given several times\n"
    "  --since TIME       only what was received at this time (UTC) or later,\n"
    "  --until TIME       and before this one: 2026-11-23T03:44:01.123Z, or a\n"
    "                     beginning of it, such as 2026-11-23\n"
    "  --collect FILE     append lines that are not delivered to FILE and go\n"
    "                     on, instead of stopping at the first one\n"
    "  --position FILE    where to keep how far it has come (FILE.pos)\n"
    "  --drain            FILE is one that nginx writes to: send what earlier\n"
    "                     runs have left of it (FILE.replay.N), rename FILE to\n"
    "                     such a name, have nginx reopen it, send and remove it;\n"
    "                     can be stopped at any moment, and run again\n"
    "  --pid FILE         with --drain: nginx's pid file\n"
    "  --dry-run          only count what would be sent\n"
    "  --quiet            nothing but errors\n"
    "  --help, -h         this text\n"
    "\n"
    "Exit status: 0 if all is delivered to the very end of FILE, 1 if lines are\n"
    "not, or FILE has grown meanwhile, 2 after an error, 3 if all lines are\n"
    "delivered, but something in FILE is not a line.\n";


int
replay_options(replay_t *replay, int argc, char **argv)
{
    int  c;

    static char  program[] = "enkod-replay";

    static const struct option  options[] = {
        { "send", required_argument, NULL, 's' },
        { "type", required_argument, NULL, 't' },
        { "header", required_argument, NULL, 'H' },
        { "timeout", required_argument, NULL, 'T' },
        { "rate", required_argument, NULL, 'r' },
        { "expect", required_argument, NULL, 'x' },
        { "refuse", required_argument, NULL, 'X' },
        { "refuse-header", required_argument, NULL, 'R' },
        { "event", required_argument, NULL, 'e' },
        { "since", required_argument, NULL, 'S' },
        { "until", required_argument, NULL, 'U' },
        { "collect", required_argument, NULL, 'c' },
        { "position", required_argument, NULL, 'p' },
        { "drain", no_argument, NULL, 'd' },
        { "pid", required_argument, NULL, 'P' },
        { "dry-run", no_argument, NULL, 'n' },
        { "quiet", no_argument, NULL, 'q' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 }
    };

    /* whose name getopt_long() puts before what it says */
    argv[0] = program;

    replay->timeout = 60;
    replay->type = "application/json";

    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {

        if (replay_options_set(replay, c, optarg) != 0) {
            return -1;
        }
    }

    return replay_options_check(replay, argc, argv);
}


static int
replay_options_set(replay_t *replay, int c, const char *value)
{
    switch (c) {

    case 's':
        return replay_value_send(replay, value);

    case 't':
        return replay_value_type(replay, value);

    case 'H':
        return replay_secret_header(replay, value);

    case 'T':
        return replay_value_timeout(replay, value);

    case 'r':
        return replay_value_rate(replay, value);

    case 'x':
        return replay_answer_expect(replay, value);

    case 'X':
        return replay_answer_refuse(replay, value);

    case 'R':
        return replay_answer_refuse_header(replay, value);

    case 'e':
        return replay_value_event(replay, value);

    case 'S':
        return replay_value_time(replay, "--since", value,
                                 &replay->selection.since);

    case 'U':
        return replay_value_time(replay, "--until", value,
                                 &replay->selection.until);

    case 'c':
        replay->collect_name = value;
        return 0;

    case 'p':
        replay->position_name = value;
        return 0;

    case 'd':
        replay->drain = 1;
        return 0;

    case 'P':
        replay->pid_name = value;
        return 0;

    case 'n':
        replay->dry_run = 1;
        return 0;

    case 'q':
        replay->quiet = 1;
        return 0;

    case 'h':
        (void) printf("%s%s", replay_usage, replay_help);
        return -1;

    default:
        /* getopt_long() has said why */
        (void) fprintf(stderr, "%s", replay_usage);
        replay->status = REPLAY_ERROR;
        return -1;
    }
}


static int
replay_options_check(replay_t *replay, int argc, char **argv)
{
    const char  *error;

    if (argc - optind != 2) {
        replay_error(replay, 0, argc == optind ? "no FILE is given"
                                : argc - optind == 1 ? "no URL is given"
                                : "more than FILE and URL is given");
        (void) fprintf(stderr, "%s", replay_usage);
        return -1;
    }

    replay->name = argv[optind];

    if (replay_secret_url(replay, argv[optind + 1]) != 0) {
        return -1;
    }

    replay->file.pipe = (strcmp(replay->name, "-") == 0);

    error = replay_options_conflict(replay);

    if (error) {
        replay_error(replay, 0, "%s", error);
        return -1;
    }

    return 0;
}


static const char *
replay_options_conflict(const replay_t *replay)
{
    const replay_selection_t  *selection;

    selection = &replay->selection;

    if (replay->file.pipe && replay->position_name) {
        return "--position is not for standard input, which cannot be gone on"
               " with";
    }

    if (!replay->drain) {
        return replay->pid_name ? "--pid is for --drain" : NULL;
    }

    if (replay->file.pipe) {
        return "--drain is not for standard input";
    }

    if (replay->position_name || replay->dry_run) {
        return "--drain goes neither with --position nor with --dry-run";
    }

    if (selection->nnames || selection->since.len || selection->until.len) {
        return "--drain removes the file, so all of it has to be sent: it does"
               " not go with --event, --since or --until";
    }

    return NULL;
}
