
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#include "check_report.h"
#include "enkod_error.h"
#include "enkod_str.h"
#include "../lib/tool_hash.h"
#include "../lib/tool_start.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


static void check_report_name(check_report_t *report,
    const enkod_str_t *name);
static void check_report_print(const check_place_t *place, const char *text);
static void check_report_names(check_report_t *report);
static int check_report_compare(const void *one, const void *two);


void
check_report_count(check_report_t *report, const check_verdict_t *verdict)
{
    switch (verdict->kind) {

    case CHECK_EVENT:
        report->tests += verdict->test;
        check_report_name(report, &verdict->name);
        break;

    case CHECK_REFUSAL:
        report->refusals++;
        report->codes[verdict->code]++;
        break;

    case CHECK_EMPTY:
        report->empty++;
        break;

    case CHECK_PIECE:
    case CHECK_DEFECT:
        /* counted where it is reported */
        break;
    }
}


/*
 * The sender chooses the names of unknown events: there may be as many as there
 * are lines, so not all of them are kept.
 */

static void
check_report_name(check_report_t *report, const enkod_str_t *name)
{
    uint64_t       i;
    check_name_t  *slot;

    for (i = tool_hash(TOOL_HASH, name->data, name->len); /* void */ ; i++) {

        slot = &report->names[i % CHECK_NAME_SLOTS];

        if (slot->count == 0) {
            break;
        }

        if (slot->len == name->len
            && memcmp(slot->data, name->data, name->len) == 0)
        {
            slot->count++;
            return;
        }
    }

    if (report->nnames == CHECK_MAX_NAMES || name->len > CHECK_MAX_NAME) {
        report->others++;
        return;
    }

    slot->data = malloc(name->len + 1);

    if (slot->data == NULL) {
        report->others++;
        return;
    }

    memcpy(slot->data, name->data, name->len);
    slot->len = name->len;
    slot->count = 1;

    report->nnames++;
}


void
check_report_defect(check_report_t *report, const check_place_t *place,
    const char *text)
{
    report->defects++;

    check_report_print(place, text);
}


/* not a defect: the module may leave one behind */

void
check_report_piece(check_report_t *report, const check_place_t *place,
    const char *text)
{
    report->pieces++;

    check_report_print(place, text);
}


void
check_report_cut(check_report_t *report, const check_place_t *place,
    const char *text)
{
    report->cut++;

    check_report_print(place, text);
}


void
check_report_ended(check_report_t *report, const check_place_t *place,
    const char *text)
{
    report->ended++;

    check_report_print(place, text);
}


static void
check_report_print(const check_place_t *place, const char *text)
{
    (void) printf("%s:%llu: offset %lld: %s\n", place->name, place->line,
                  (long long) place->offset, text);

    if (ferror(stdout)) {
        /* nobody reads it, and SIGPIPE is ignored */
        exit(TOOL_ERROR);
    }
}


void
check_report_summary(check_report_t *report, int bodies, int repair)
{
    unsigned  i;

    (void) printf("%s: %llu\n", bodies ? "bodies" : "lines", report->lines);

    check_report_names(report);

    (void) printf("tests: %llu\n", report->tests);

    if (!bodies) {
        (void) printf("rejected: %llu\n", report->refusals);

        for (i = 0; i < ENKOD_NERRORS; i++) {
            if (report->codes[i]) {
                (void) printf("  %s: %llu\n", enkod_error_get(i)->code,
                              report->codes[i]);
            }
        }

        (void) printf("empty lines: %llu\n", report->empty);
        (void) printf("pieces: %llu\n", report->pieces);
    }

    if (repair) {
        (void) printf("line feeds added: %llu\n", report->ended);
        (void) printf("cut off: %llu\n", report->cut);
    }

    (void) printf("defects: %llu\n", report->defects);
}


static void
check_report_names(check_report_t *report)
{
    unsigned       i, n;
    check_name_t  *name;

    /* the table is not used as such any more */

    n = 0;

    for (i = 0; i < CHECK_NAME_SLOTS; i++) {
        if (report->names[i].count) {
            report->names[n++] = report->names[i];
        }
    }

    qsort(report->names, n, sizeof(check_name_t), check_report_compare);

    for (i = 0; i < n; i++) {
        name = &report->names[i];

        /* as in JSON, so without control characters */
        (void) printf("  \"%.*s\": %llu\n", (int) name->len, name->data,
                      name->count);
    }

    if (report->others) {
        (void) printf("  others: %llu\n", report->others);
    }
}


static int
check_report_compare(const void *one, const void *two)
{
    int                  rc;
    size_t               len;
    const check_name_t  *a = one;
    const check_name_t  *b = two;

    len = (a->len < b->len) ? a->len : b->len;
    rc = memcmp(a->data, b->data, len);

    if (rc == 0 && a->len != b->len) {
        rc = (a->len < b->len) ? -1 : 1;
    }

    return rc;
}
