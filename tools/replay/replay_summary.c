
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#include "replay_summary.h"

#include <stdio.h>


static void replay_summary_row(const char *name, unsigned long long n,
    unsigned long long earlier);


void
replay_summary(const char *name, const replay_tally_t *tally,
    const replay_tally_t *earlier, const unsigned long long *left)
{
    if (name) {
        (void) printf("%s:\n", name);
    }

    replay_summary_row("read", tally->read, earlier->read);
    replay_summary_row("skipped", tally->skipped, earlier->skipped);
    replay_summary_row("selected", tally->selected, earlier->selected);
    replay_summary_row("delivered", tally->delivered, earlier->delivered);
    replay_summary_row("failed", tally->failed, earlier->failed);

    if (left) {
        replay_summary_row("left", *left, 0);

    } else {
        (void) printf("left: unknown\n");
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
