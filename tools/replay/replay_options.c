
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#include "replay_options.h"
#include "replay_answer.h"
#include "replay_header.h"
#include "replay_values.h"
#include "../lib/tool_message.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>


static replay_options_e replay_options_set(replay_options_t *options, int c,
    const char *value);
static int replay_options_value(replay_options_t *options, int c,
    const char *value);
static replay_options_e replay_options_check(replay_options_t *options,
    int argc, char **argv);
static const char *replay_options_conflict(const replay_options_t *options);


static const char  replay_usage[] =
    "usage: enkod-replay [OPTIONS] FILE URL\n"
    "       enkod-replay --drain [--pid FILE] [OPTIONS] FILE URL\n";

static const char  replay_help[] =
    "\n"
    "Sends the lines of FILE, written by enkod_spool or enkod_log, to URL,\n"
    "one POST for each line.  FILE \"-\" is standard input.  Other users can\n"
    "read the command line: to keep a URL or a header secret, store it in a\n"
    "file and give @FILE instead of URL, or --header @FILE, a header in each\n"
    "line.\n"
    "\n"
    "  --send line        send the line without \"pass_status\" (default)\n"
    "  --send event       send the event as enKod sent it\n"
    "  --type MIME        Content-Type (application/json)\n"
    "  --header 'N: V'    add a header; may be given several times\n"
    "  --expect REGEX     require that the body of the answer matches this\n"
    "                     POSIX extended regular expression, or all of them\n"
    "                     if several are given; '^$' is an empty body\n"
    "  --refuse REGEX     require that it does not match this one\n"
    "  --refuse-header N  require that the answer does not have this header\n"
    "  --timeout SECONDS  timeout of a request (60)\n"
    "  --rate N           send at most N lines per second\n"
    "  --event NAME       send only this event; may be given several times\n"
    "  --since TIME       send only lines received at this time (UTC) or\n"
    "                     later: 2026-11-23T03:44:01.123Z, or the beginning\n"
    "                     of a time, such as 2026-11-23\n"
    "  --until TIME       send only lines received before this time\n"
    "  --collect FILE     append lines that are not delivered to FILE and go\n"
    "                     on, instead of stopping at the first one\n"
    "  --position FILE    keep in FILE how far the replay has come (FILE.pos)\n"
    "  --drain            for a FILE that nginx writes to: send what earlier\n"
    "                     runs left (FILE.replay.N), rename FILE to the next\n"
    "                     such name, have nginx reopen it, send and remove\n"
    "                     it; can be interrupted and repeated at any time\n"
    "  --pid FILE         with --drain: the pid file of nginx\n"
    "  --dry-run          only count what would be sent\n"
    "  --quiet            print nothing but errors\n"
    "  --help, -h         print this text\n"
    "\n"
    "Exit status: 0 if everything up to the end of FILE is delivered, 1 if\n"
    "lines are not delivered or FILE has grown meanwhile, 2 after an error, 3\n"
    "if all lines are delivered, but something in FILE is not a line.\n";


replay_options_e
replay_options(replay_options_t *options, int argc, char **argv)
{
    int               c;
    replay_options_e  rc;

    static char  program[] = "enkod-replay";

    static const struct option  table[] = {
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

    /* getopt_long() begins its messages with this name */
    argv[0] = program;

    memset(options, 0, sizeof(replay_options_t));

    options->target.timeout = 60;
    options->target.type = "application/json";

    while ((c = getopt_long(argc, argv, "h", table, NULL)) != -1) {

        rc = replay_options_set(options, c, optarg);

        if (rc != REPLAY_OPTIONS_OK) {
            return rc;
        }
    }

    return replay_options_check(options, argc, argv);
}


static replay_options_e
replay_options_set(replay_options_t *options, int c, const char *value)
{
    switch (c) {

    case 'c':
        options->collect_name = value;
        break;

    case 'p':
        options->position_name = value;
        break;

    case 'd':
        options->drain = 1;
        break;

    case 'P':
        options->pid_name = value;
        break;

    case 'n':
        options->dry_run = 1;
        break;

    case 'q':
        options->quiet = 1;
        tool_message_quiet();
        break;

    case 'h':
        (void) printf("%s%s", replay_usage, replay_help);
        return REPLAY_OPTIONS_HELP;

    case '?':
        /* after a message of getopt_long() */
        (void) fprintf(stderr, "%s", replay_usage);
        return REPLAY_OPTIONS_INVALID;

    default:
        if (replay_options_value(options, c, value) != 0) {
            return REPLAY_OPTIONS_INVALID;
        }
    }

    return REPLAY_OPTIONS_OK;
}


/* the options with values that may be invalid */

static int
replay_options_value(replay_options_t *options, int c, const char *value)
{
    switch (c) {

    case 's':
        return replay_value_send(value, &options->event);

    case 't':
        return replay_value_type(value, &options->target.type);

    case 'H':
        return replay_header_option(&options->target.headers, value);

    case 'T':
        return replay_value_timeout(value, &options->target.timeout);

    case 'r':
        return replay_value_rate(value, &options->rate);

    case 'x':
        return replay_rules_expect(&options->target.rules, value);

    case 'X':
        return replay_rules_refuse(&options->target.rules, value);

    case 'R':
        return replay_rules_refuse_header(&options->target.rules, value);

    case 'e':
        return replay_selection_event(&options->selection, value);

    case 'S':
        return replay_selection_since(&options->selection, value);

    default: /* 'U' */
        return replay_selection_until(&options->selection, value);
    }
}


static replay_options_e
replay_options_check(replay_options_t *options, int argc, char **argv)
{
    const char  *error;

    if (argc - optind != 2) {
        tool_error(0, argc == optind ? "no FILE is given"
                      : argc - optind == 1 ? "no URL is given"
                      : "more than FILE and URL is given");
        (void) fprintf(stderr, "%s", replay_usage);
        return REPLAY_OPTIONS_INVALID;
    }

    options->name = argv[optind];

    if (replay_value_url(argv[optind + 1], &options->target.url) != 0) {
        return REPLAY_OPTIONS_INVALID;
    }

    error = replay_options_conflict(options);

    if (error) {
        tool_error(0, "%s", error);
        return REPLAY_OPTIONS_INVALID;
    }

    return REPLAY_OPTIONS_OK;
}


static const char *
replay_options_conflict(const replay_options_t *options)
{
    int  pipe;

    pipe = (strcmp(options->name, "-") == 0);

    if (pipe && options->position_name) {
        return "--position cannot be used with standard input, which cannot be"
               " resumed";
    }

    if (!options->drain) {
        return options->pid_name ? "--pid can only be used with --drain" : NULL;
    }

    if (pipe) {
        return "--drain cannot be used with standard input";
    }

    if (options->position_name || options->dry_run) {
        return "--drain cannot be used with --position or --dry-run";
    }

    if (!replay_selection_is_all(&options->selection)) {
        return "--drain removes the file, so all of it has to be sent: it"
               " cannot be used with --event, --since or --until";
    }

    return NULL;
}
