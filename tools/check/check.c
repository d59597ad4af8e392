
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * enkod-check: reads files that the module has written, reports what in them is
 * not as the module writes it, and repairs a last line without a line feed; or
 * reports what the module would answer to a body.  See docs/enkod-check.md.
 *
 * check_file reads lines and reports the verdicts of check_line on them:
 * check_parse reads the envelope, check_event or check_refusal what is in it,
 * check_content has the event core write the same again, and check_damage
 * examines what is malformed.
 */


#include "check_body.h"
#include "check_core.h"
#include "check_declare.h"
#include "check_file.h"
#include "check_report.h"
#include "../lib/tool_lease.h"
#include "../lib/tool_message.h"
#include "../lib/tool_start.h"

#include <getopt.h>
#include <stdio.h>


/* exit status, besides TOOL_OK and TOOL_ERROR */
#define CHECK_DEFECTS         1


typedef struct {
    int                    bodies;      /* --body */
    int                    repair;      /* --repair */
} check_options_t;


typedef enum {
    CHECK_OPTIONS_OK = 0,
    CHECK_OPTIONS_HELP,
    CHECK_OPTIONS_INVALID
} check_options_e;


static check_options_e check_options(check_options_t *options,
    check_core_t *core, int argc, char **argv);


static const char  check_usage[] =
    "usage: enkod-check [--repair] [--event 'NAME FIELD=TYPE ...']... FILE...\n"
    "       enkod-check --body [--event 'NAME FIELD=TYPE ...']... FILE...\n";

static const char  check_help[] =
    "\n"
    "Checks files that enkod_log, enkod_spool and enkod_reject_log have\n"
    "written, line by line, or bodies of webhooks.  \"-\" is standard input.\n"
    "\n"
    "  --repair     add the line feed that the last line lacks, or cut off\n"
    "               the last line if it is incomplete, and change nothing\n"
    "               else; before a line is cut off, FILE is copied to\n"
    "               FILE.bak\n"
    "  --event DEF  declare an event as enkod_event in nginx.conf does:\n"
    "               --event '\"whatsapp read\" id=integer to=string?'\n"
    "  --body       each FILE is one body, as enKod sends it\n"
    "  --help, -h   print this text\n"
    "\n"
    "Exit status: 0 without defects, 1 with defects, 2 after an error.\n";


int
main(int argc, char **argv)
{
    int              i;
    check_options_t  options;

    static check_core_t    core;
    static check_report_t  report;

    if (tool_start("enkod-check") != 0) {
        return TOOL_ERROR;
    }

    tool_lease_init();

    check_core_init(&core);

    switch (check_options(&options, &core, argc, argv)) {

    case CHECK_OPTIONS_HELP:
        return TOOL_OK;

    case CHECK_OPTIONS_INVALID:
        return TOOL_ERROR;

    case CHECK_OPTIONS_OK:
        break;
    }

    core.settings.accept_unknown = !options.bodies;

    for (i = optind; i < argc; i++) {

        if (options.bodies) {
            check_body(&core, &report, argv[i]);

        } else {
            check_file(&core, &report, argv[i], options.repair);
        }
    }

    check_core_done(&core);

    check_report_summary(&report, options.bodies, options.repair);

    tool_flush_output();

    if (tool_errors()) {
        return TOOL_ERROR;
    }

    return report.defects ? CHECK_DEFECTS : TOOL_OK;
}


static check_options_e
check_options(check_options_t *options, check_core_t *core, int argc,
    char **argv)
{
    int  c;

    static char  program[] = "enkod-check";

    static const struct option  table[] = {
        { "repair", no_argument, NULL, 'r' },
        { "event", required_argument, NULL, 'e' },
        { "body", no_argument, NULL, 'b' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 }
    };

    /* getopt_long() begins its messages with this name */
    argv[0] = program;

    options->bodies = 0;
    options->repair = 0;

    while ((c = getopt_long(argc, argv, "h", table, NULL)) != -1) {

        switch (c) {

        case 'r':
            options->repair = 1;
            break;

        case 'b':
            options->bodies = 1;
            break;

        case 'e':
            if (check_declare(&core->schema, optarg) != 0) {
                return CHECK_OPTIONS_INVALID;
            }

            break;

        case 'h':
            (void) printf("%s%s", check_usage, check_help);
            return CHECK_OPTIONS_HELP;

        default:
            /* after a message of getopt_long() */
            (void) fprintf(stderr, "%s", check_usage);
            return CHECK_OPTIONS_INVALID;
        }
    }

    if (optind == argc) {
        tool_error(0, "no FILE is given");

    } else if (options->repair && options->bodies) {
        tool_error(0, "--repair cannot be used with --body");

    } else {
        return CHECK_OPTIONS_OK;
    }

    (void) fprintf(stderr, "%s", check_usage);

    return CHECK_OPTIONS_INVALID;
}
