
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#include "check_repeats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


/* lines that are held at a time; normally there is one, if any */
#define CHECK_MAX_REPEATS     64


struct check_repeat_s {
    check_repeat_t        *next;
    check_place_t          place;       /* of the defect */
    char                   text[CHECK_TEXT_SIZE];
    size_t                 len;         /* of the whole line */
    unsigned char          line[];
};


static void check_repeats_drop(check_repeats_t *repeats,
    check_report_t *report);


void
check_repeats_hold(check_repeats_t *repeats, check_report_t *report,
    const check_place_t *place, const enkod_str_t *line,
    const check_verdict_t *verdict)
{
    size_t            len;
    check_repeat_t   *repeat, **last;

    len = line->len - verdict->whole;

    repeat = malloc(sizeof(check_repeat_t) + len);

    if (repeat == NULL) {
        check_report_defect(report, place, verdict->text);
        return;
    }

    repeat->next = NULL;
    repeat->place = *place;
    repeat->len = len;
    memcpy(repeat->text, verdict->text, CHECK_TEXT_SIZE);
    memcpy(repeat->line, line->data + verdict->whole, len);

    if (repeats->n == CHECK_MAX_REPEATS) {
        check_repeats_drop(repeats, report);
    }

    for (last = &repeats->first; *last; last = &(*last)->next) { /* void */ }

    *last = repeat;
    repeats->n++;
}


void
check_repeats_match(check_repeats_t *repeats, check_report_t *report,
    unsigned long long number, const enkod_str_t *line)
{
    char              text[CHECK_TEXT_SIZE];
    check_repeat_t   *repeat, **prev;

    prev = &repeats->first;

    while (*prev) {
        repeat = *prev;

        if (repeat->len != line->len
            || memcmp(repeat->line, line->data, line->len) != 0)
        {
            prev = &repeat->next;
            continue;
        }

        (void) snprintf(text, CHECK_TEXT_SIZE, "a piece of a line, with a copy"
                        " of line %llu after it", number);

        check_report_piece(report, &repeat->place, text);

        *prev = repeat->next;
        repeats->n--;

        free(repeat);
    }
}


void
check_repeats_end(check_repeats_t *repeats, check_report_t *report)
{
    while (repeats->first) {
        check_repeats_drop(repeats, report);
    }
}


/* The oldest one was not repeated. */

static void
check_repeats_drop(check_repeats_t *repeats, check_report_t *report)
{
    check_repeat_t  *repeat;

    repeat = repeats->first;

    check_report_defect(report, &repeat->place, repeat->text);

    repeats->first = repeat->next;
    repeats->n--;

    free(repeat);
}
