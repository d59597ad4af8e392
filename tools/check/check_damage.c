
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#include "check_damage.h"
#include "check_find.h"
#include "check_parse.h"
#include "check_verdict.h"

#include <stdio.h>
#include <string.h>


/* the lines in one line */

typedef struct {
    size_t                 n;
    const unsigned char   *second;      /* where they begin, or NULL */
    const unsigned char   *last;
    int                    first_whole;
    int                    last_whole;
    int                    pieces;      /* none but the last one is whole */
} check_damage_t;


static void check_damage_count(check_damage_t *lines,
    const check_reader_t *reader, check_core_t *core);
static int check_damage_is_whole(check_core_t *core, const unsigned char *p,
    const unsigned char *end);
static void check_damage_nuls(check_reader_t *reader,
    const check_damage_t *lines, const unsigned char *nul, off_t base);
static const char *check_damage_word(int whole);


void
check_damage(check_reader_t *reader, check_core_t *core, off_t base)
{
    size_t                len;
    const char           *first, *last;
    check_damage_t        lines;
    const unsigned char  *nul;

    check_damage_count(&lines, reader, core);

    nul = memchr(reader->start, '\0', reader->end - reader->start);

    if (nul) {
        check_damage_nuls(reader, &lines, nul, base);
        return;
    }

    if (lines.second == NULL) {
        return;
    }

    len = lines.second - reader->start;

    if (lines.pieces && lines.last_whole
        && check_find_is_line(reader->start, len))
    {
        reader->verdict->whole = lines.last - reader->start;
    }

    first = check_damage_word(lines.first_whole);
    last = check_damage_word(lines.last_whole);

    if (lines.n == 2) {
        (void) check_reader_wrong(reader, lines.second, "two lines in one: the"
                                  " first is %s, the other begins here and is"
                                  " %s", first, last);
        return;
    }

    (void) check_reader_wrong(reader, lines.second, "%zu lines in one: the"
                              " first is %s, the next begins here, the last at"
                              " offset %lld and is %s", lines.n, first,
                              (long long) base + (lines.last - reader->start),
                              last);
}


static void
check_damage_count(check_damage_t *lines, const check_reader_t *reader,
    check_core_t *core)
{
    int                   whole;
    const unsigned char  *next;

    lines->n = 1;
    lines->second = check_find_line(reader->start + 1, reader->end);
    lines->last = reader->start;
    lines->first_whole = 0;
    lines->pieces = 1;

    for (next = lines->second;
         next;
         next = check_find_line(next + 1, reader->end))
    {
        whole = check_damage_is_whole(core, lines->last, next);

        if (lines->n == 1) {
            lines->first_whole = whole;
        }

        lines->pieces &= !whole;
        lines->last = next;
        lines->n++;
    }

    lines->last_whole = lines->second
                        && check_damage_is_whole(core, lines->last,
                                                  reader->end);
}


static int
check_damage_is_whole(check_core_t *core, const unsigned char *p,
    const unsigned char *end)
{
    check_reader_t   reader;
    check_verdict_t  verdict;

    check_reader_init(&reader, p, end - p, &verdict);

    return check_parse(&reader, core);
}


static void
check_damage_nuls(check_reader_t *reader, const check_damage_t *lines,
    const unsigned char *nul, off_t base)
{
    char                  after[160];
    size_t                n;
    const unsigned char  *p;

    n = 0;

    for (p = nul; p < reader->end; p++) {
        n += (*p == '\0');
    }

    after[0] = '\0';

    if (lines->last > nul) {
        (void) snprintf(after, sizeof(after), "; the line that begins at"
                        " offset %lld is %s",
                        (long long) base + (lines->last - reader->start),
                        check_damage_word(lines->last_whole));
    }

    (void) check_reader_wrong(reader, nul, "NUL bytes, %zu of them%s", n,
                              after);
}


static const char *
check_damage_word(int whole)
{
    return whole ? "whole" : "not whole";
}
