
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * A line that is read from its beginning to its end, and the verdicts when that
 * cannot be done.  Functions that read return 1, or 0 once there is a verdict
 * that the line is a defect.
 */


#ifndef _CHECK_READER_H_INCLUDED_
#define _CHECK_READER_H_INCLUDED_


#include "check_verdict.h"
#include "enkod_str.h"


typedef struct {
    const unsigned char   *start;
    const unsigned char   *p;       /* what is read next */
    const unsigned char   *end;
    check_verdict_t       *verdict;
} check_reader_t;


/* A line of "len" bytes without its line feed; the verdict must outlive it. */
void check_reader_init(check_reader_t *reader, const unsigned char *p,
    size_t len, check_verdict_t *verdict);

/* Steps over the text and returns 1, or returns 0 if it is not there. */
int check_reader_skip(check_reader_t *reader, const char *text);

/* Whether the line breaks off in this text. */
int check_reader_within(const check_reader_t *reader, const char *text);

/* Steps over the text, or says that "what" was expected. */
int check_reader_expect(check_reader_t *reader, const char *text,
    const char *what);

/* The content of a string up to its quote, which is not stepped over. */
int check_reader_string(check_reader_t *reader, enkod_str_t *value);

/*
 * The verdicts: the line breaks off; it is a line, but not one that the module
 * writes; it may not be a line, or several.  All return 0.
 */

int check_reader_short(check_reader_t *reader);
int check_reader_wrong(check_reader_t *reader, const unsigned char *p,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int check_reader_malformed(check_reader_t *reader, const unsigned char *p,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));


#endif /* _CHECK_READER_H_INCLUDED_ */
