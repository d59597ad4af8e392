
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * What is no line often is what a crash leaves behind: NUL bytes where a file
 * system had no data yet, or a piece of a line with another line behind it.
 * That says more than the byte at which it was noticed.
 */


#include "checker_line.h"


static const unsigned char *checker_explain_next(const unsigned char *p,
    const unsigned char *end);
static int checker_explain_whole(checker_t *checker, const unsigned char *p,
    const unsigned char *end);
static int checker_explain_closed(const unsigned char *p,
    const unsigned char *end);


void
checker_explain(checker_t *checker, checker_line_t *line)
{
    int                   pieces, whole;
    char                  behind[160];
    size_t                nuls, lines;
    const char           *first, *other;
    const unsigned char  *p, *next, *nul, *start, *last, *end;

    end = line->end;

    start = checker_explain_next(line->start + 1, end);
    last = line->start;
    lines = 1;
    pieces = 1;

    for (next = start; next; next = checker_explain_next(next + 1, end)) {
        pieces &= !checker_explain_whole(checker, last, next);
        last = next;
        lines++;
    }

    whole = start && checker_explain_whole(checker, last, end);
    other = whole ? "whole" : "not whole";

    nul = memchr(line->start, '\0', end - line->start);

    if (nul) {
        nuls = 0;

        for (p = nul; p < end; p++) {
            nuls += (*p == '\0');
        }

        behind[0] = '\0';

        if (last > nul) {
            (void) snprintf(behind, sizeof(behind), "; the line that begins at"
                            " offset %lld is %s",
                            (long long) line->base + (last - line->start),
                            other);
        }

        (void) checker_scan_bad(line, nul, "NUL bytes, %zu of them%s", nuls,
                                behind);
        return;
    }

    if (start == NULL) {
        return;
    }

    first = checker_explain_whole(checker, line->start, start) ? "whole"
                                                               : "not whole";

    if (pieces && whole
        && checker_line_is_ours(line->start, start - line->start))
    {
        line->verdict->copy = last - line->start;
    }

    if (lines == 2) {
        (void) checker_scan_bad(line, start, "two lines in one: the first is"
                                " %s, the other begins here and is %s",
                                first, other);
        return;
    }

    (void) checker_scan_bad(line, start, "%zu lines in one: the first is %s,"
                            " the next begins here, the last at offset %lld"
                            " and is %s", lines, first,
                            (long long) line->base + (last - line->start),
                            other);
}


/* The next place from p on where a line begins, or NULL. */

static const unsigned char *
checker_explain_next(const unsigned char *p, const unsigned char *end)
{
    size_t             len;
    checker_line_t     line;
    checker_verdict_t  verdict;

    len = sizeof(CHECKER_LINE_START) - 1;

    for ( /* void */ ; p < end; p++) {

        p = memmem(p, end - p, CHECKER_LINE_START, len);
        if (p == NULL) {
            return NULL;
        }

        line.start = p;
        line.p = p + len;
        line.end = end;
        line.verdict = &verdict;

        /* not a member of that name */

        if (checker_line_time(&line) || verdict.offset == (size_t) (end - p)) {
            return p;
        }
    }

    return NULL;
}


static int
checker_explain_whole(checker_t *checker, const unsigned char *p,
    const unsigned char *end)
{
    checker_line_t     line;
    checker_verdict_t  verdict;

    line.start = p;
    line.p = p;
    line.end = end;
    line.base = 0;
    line.verdict = &verdict;

    return checker_line_read(checker, &line);
}


/*
 * What is not as the module writes it may be an event nevertheless, if it was
 * declared in nginx.conf and is not here.  So braces are all that counts.
 */

int
checker_line_has_whole(const unsigned char *p, size_t len)
{
    const unsigned char  *end;

    end = p + len;

    for ( /* void */ ; p; p = checker_explain_next(p + 1, end)) {

        if (checker_explain_closed(p, end)) {
            return 1;
        }
    }

    return 0;
}


/* Whether the object that begins here is closed. */

static int
checker_explain_closed(const unsigned char *p, const unsigned char *end)
{
    unsigned long long  depth;

    for (depth = 0; p < end; p++) {

        switch (*p) {

        case '"':
            p = checker_scan_string(p + 1, end);

            if (p == NULL) {
                return 0;
            }

            break;

        case '{':
            depth++;
            break;

        case '}':
            if (depth <= 1) {
                return depth;
            }

            depth--;
            break;
        }
    }

    return 0;
}
