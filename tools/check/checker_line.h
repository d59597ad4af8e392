
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * What the rooms that read a line share.  All functions that read return 1, or
 * 0 once there is a verdict that the line is a defect.
 */


#ifndef _CHECKER_LINE_H_INCLUDED_
#define _CHECKER_LINE_H_INCLUDED_


#include "checker.h"


typedef struct {
    const unsigned char   *start;
    const unsigned char   *p;       /* what was read so far */
    const unsigned char   *end;
    off_t                  base;
    checker_verdict_t     *verdict;
} checker_line_t;


/* a body made of pieces of a line, and where these pieces come from */

typedef struct {
    size_t                 first;   /* place in the line of the body's byte
                                       "skip" */
    size_t                 skip;
    size_t                 cut;     /* bytes of the body before the gap */
    size_t                 gap;
} checker_map_t;


/* checker_line.c */

int checker_line_read(checker_t *checker, checker_line_t *line);
int checker_line_time(checker_line_t *line);
int checker_line_number(const unsigned char *p, unsigned n);

/* Whether these members of a line are JSON, and written as the module does. */

int checker_line_members(checker_t *checker, checker_line_t *line,
    const unsigned char *p, size_t len);


/* checker_refusal.c: a line of enkod_reject_log, from the status on */

int checker_refusal_read(checker_t *checker, checker_line_t *line);


/*
 * checker_explain.c: a better verdict on what is no line, or not only one.
 */

void checker_explain(checker_t *checker, checker_line_t *line);


/* checker_scan.c: steps over the text, if it stands here */

int checker_scan_has(checker_line_t *line, const char *text);

/* whether the line breaks off in this text */

int checker_scan_within(const checker_line_t *line, const char *text);

/* Steps over the text, or says that "what" was expected. */

int checker_scan_expect(checker_line_t *line, const char *text,
    const char *what);

/* The quote that ends a string, or NULL. */

const unsigned char *checker_scan_string(const unsigned char *p,
    const unsigned char *end);

/*
 * The verdicts: the line breaks off; it is a line, but not a good one; it may
 * be no line, or several.  All return 0.
 */

int checker_scan_short(checker_line_t *line);
int checker_scan_bad(checker_line_t *line, const unsigned char *p,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int checker_scan_broken(checker_line_t *line, const unsigned char *p,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));


#endif /* _CHECKER_LINE_H_INCLUDED_ */
