
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The report on standard output: defects as they are found, and at the end how
 * many there were of what.  Without a reader of the output the process exits.
 */


#ifndef _CHECK_REPORT_H_INCLUDED_
#define _CHECK_REPORT_H_INCLUDED_


#include <stddef.h>
#include <sys/types.h>

#include "check_verdict.h"


/* names that are counted one by one; the table is never full */
#define CHECK_MAX_NAMES       1000
#define CHECK_NAME_SLOTS      2048
#define CHECK_MAX_NAME        256


typedef struct {
    unsigned char         *data;
    size_t                 len;
    unsigned long long     count;
} check_name_t;


/* zeroed before its first use */

typedef struct {
    unsigned long long     lines;       /* or bodies */
    unsigned long long     tests;
    unsigned long long     refusals;
    unsigned long long     empty;
    unsigned long long     pieces;
    unsigned long long     cut;         /* by --repair, */
    unsigned long long     ended;       /* with a line feed */
    unsigned long long     defects;
    unsigned long long     others;      /* events beyond the names */
    unsigned long long     codes[ENKOD_NERRORS];
    unsigned               nnames;
    check_name_t           names[CHECK_NAME_SLOTS];
} check_report_t;


/* where in which file something is */

typedef struct {
    const char            *name;
    unsigned long long     line;
    off_t                  offset;      /* in the file */
} check_place_t;


/* Counts what is not reported one by one: all but pieces and defects. */
void check_report_count(check_report_t *report,
    const check_verdict_t *verdict);

/* Each prints the text. */
void check_report_defect(check_report_t *report, const check_place_t *place,
    const char *text);
void check_report_piece(check_report_t *report, const check_place_t *place,
    const char *text);
void check_report_cut(check_report_t *report, const check_place_t *place,
    const char *text);
void check_report_ended(check_report_t *report, const check_place_t *place,
    const char *text);

/* At the end, of files or of bodies; nothing can be counted afterwards. */
void check_report_summary(check_report_t *report, int bodies, int repair);


#endif /* _CHECK_REPORT_H_INCLUDED_ */
