
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Lines that have to be repeated.  Where the module finds that its line follows
 * a piece of another one, it writes the line once more.  So a line with a piece
 * and a whole line in it is held until the whole one is seen again, on a line
 * of its own: then it is a piece, otherwise a defect.
 */


#ifndef _CHECK_REPEATS_H_INCLUDED_
#define _CHECK_REPEATS_H_INCLUDED_


#include "check_report.h"
#include "check_verdict.h"
#include "enkod_str.h"


typedef struct check_repeat_s  check_repeat_t;


/* zeroed before the first line of a file */

typedef struct {
    check_repeat_t        *first;       /* the oldest one */
    unsigned               n;
} check_repeats_t;


/*
 * Holds a line with a whole one in it, as the verdict says, and with a defect
 * at this place.  If too many are held, the oldest one is reported.  The name
 * in the place must outlive it.
 */
void check_repeats_hold(check_repeats_t *repeats, check_report_t *report,
    const check_place_t *place, const enkod_str_t *line,
    const check_verdict_t *verdict);

/* A good line; those that it repeats are reported as pieces. */
void check_repeats_match(check_repeats_t *repeats, check_report_t *report,
    unsigned long long number, const enkod_str_t *line);

/* The end of the file: what is held is reported as a defect. */
void check_repeats_end(check_repeats_t *repeats, check_report_t *report);


#endif /* _CHECK_REPEATS_H_INCLUDED_ */
