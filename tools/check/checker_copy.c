
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * A line with a piece and a whole line in it, until the whole one is seen once
 * more, on a line of its own.
 */


#include "checker.h"


/* what is held at a time: one is the rule, where there is any at all */
#define CHECKER_MAX_COPIES    64


struct checker_copy_s {
    checker_copy_t        *next;
    unsigned long long     number;      /* of the line */
    off_t                  place;       /* of its defect */
    char                   text[CHECKER_TEXT_SIZE];
    size_t                 len;         /* of the whole line */
    unsigned char          line[];
};


static void checker_copy_drop(checker_t *checker, const char *name);


void
checker_copy_hold(checker_t *checker, const char *name,
    unsigned long long number, off_t offset, const unsigned char *line,
    size_t len, const checker_verdict_t *verdict)
{
    checker_copy_t  *copy, **last;

    copy = malloc(sizeof(checker_copy_t) + len - verdict->copy);

    if (copy == NULL) {
        checker_defect(checker, name, number, offset + verdict->offset,
                       verdict->text);
        return;
    }

    copy->next = NULL;
    copy->number = number;
    copy->place = offset + verdict->offset;
    copy->len = len - verdict->copy;
    memcpy(copy->text, verdict->text, CHECKER_TEXT_SIZE);
    memcpy(copy->line, line + verdict->copy, copy->len);

    if (checker->ncopies == CHECKER_MAX_COPIES) {
        checker_copy_drop(checker, name);
    }

    for (last = &checker->copies; *last; last = &(*last)->next) { /* void */ }

    *last = copy;
    checker->ncopies++;
}


void
checker_copy_seen(checker_t *checker, const char *name,
    unsigned long long number, const unsigned char *line, size_t len)
{
    char              text[CHECKER_TEXT_SIZE];
    checker_copy_t   *copy, **prev;

    prev = &checker->copies;

    while (*prev) {
        copy = *prev;

        if (copy->len != len || memcmp(copy->line, line, len) != 0) {
            prev = &copy->next;
            continue;
        }

        (void) snprintf(text, CHECKER_TEXT_SIZE, "a piece of a line, with a"
                        " copy of line %llu behind it", number);

        checker_piece(checker, name, copy->number, copy->place, text);

        *prev = copy->next;
        checker->ncopies--;

        free(copy);
    }
}


void
checker_copy_done(checker_t *checker, const char *name)
{
    while (checker->copies) {
        checker_copy_drop(checker, name);
    }
}


/* the oldest */

static void
checker_copy_drop(checker_t *checker, const char *name)
{
    checker_copy_t  *copy;

    copy = checker->copies;

    checker_defect(checker, name, copy->number, copy->place, copy->text);

    checker->copies = copy->next;
    checker->ncopies--;

    free(copy);
}
