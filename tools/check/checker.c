
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The command line of enkod-check.  See docs/enkod-check.md.
 */


#include "checker.h"
#include "../lib/tool_start.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>


static int checker_options(checker_t *checker, int argc, char **argv);


static const char  checker_usage[] =
    "usage: enkod-check [--repair] [--event 'NAME FIELD=TYPE ...']... FILE...\n"
    "       enkod-check --body [--event 'NAME FIELD=TYPE ...']... FILE...\n";

static const char  checker_help[] =
    "\n"
    "Checks files that enkod_log, enkod_spool and enkod_reject_log have\n"
    "written, line by line, or bodies of webhooks; \"-\" is standard input.\n"
    "\n"
    "  --repair     add the line feed that the last line lacks, or cut it off\n"
    "               if it is incomplete, and nothing else; before a line is\n"
    "               cut off, the file is copied to FILE.bak\n"
    "  --event DEF  an event as enkod_event in nginx.conf declares it:\n"
    "               --event '\"whatsapp read\" id=integer to=string?'\n"
    "  --body       each FILE is one body, as enKod sends it\n"
    "  --help, -h   this text\n"
    "\n"
    "Exit status: 0 without defects, 1 with some, 2 after an error.\n";


int
main(int argc, char **argv)
{
    int               i;
    static checker_t  checker;

    if (tool_start("enkod-check") != 0) {
        return CHECKER_ERROR;
    }

    /* that somebody waits for our lease */
    (void) signal(SIGIO, SIG_IGN);

    if (checker_event_init(&checker) != 0) {
        checker_error(&checker, 0, "no memory");
        return CHECKER_ERROR;
    }

    if (checker_options(&checker, argc, argv) != 0) {
        return checker.status;
    }

    checker.settings.accept_unknown = !checker.bodies;

    for (i = optind; i < argc; i++) {

        if (checker.bodies) {
            checker_body(&checker, argv[i]);

        } else {
            checker_file(&checker, argv[i]);
        }
    }

    checker_event_done(&checker);
    checker_summary(&checker);

    if (fflush(stdout) == EOF || ferror(stdout)) {
        checker_error(&checker, errno, "cannot write to standard output");
    }

    return checker.status;
}


/* Returns 0, or -1 if there is nothing more to do. */

static int
checker_options(checker_t *checker, int argc, char **argv)
{
    int  c;

    static char  program[] = "enkod-check";

    static const struct option  options[] = {
        { "repair", no_argument, NULL, 'r' },
        { "event", required_argument, NULL, 'e' },
        { "body", no_argument, NULL, 'b' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 }
    };

    /* whose name getopt_long() puts before what it says */
    argv[0] = program;

    for ( ;; ) {
        c = getopt_long(argc, argv, "h", options, NULL);

        switch (c) {

        case -1:
            break;

        case 'r':
            checker->repair = 1;
            continue;

        case 'b':
            checker->bodies = 1;
            continue;

        case 'e':
            if (checker_event_declare(checker, optarg) != 0) {
                return -1;
            }

            continue;

        case 'h':
            (void) printf("%s%s", checker_usage, checker_help);
            return -1;

        default:
            /* getopt_long() has said why */
            (void) fprintf(stderr, "%s", checker_usage);
            checker->status = CHECKER_ERROR;
            return -1;
        }

        break;
    }

    if (optind == argc) {
        checker_error(checker, 0, "no FILE is given");

    } else if (checker->repair && checker->bodies) {
        checker_error(checker, 0, "--repair is for files of lines, not with"
                      " --body");

    } else {
        return 0;
    }

    (void) fprintf(stderr, "%s", checker_usage);

    return -1;
}
