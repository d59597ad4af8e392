
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Steps through a line, and what is said when one cannot be done.
 */


#include "checker_line.h"


static void checker_scan_say(checker_verdict_t *verdict, size_t offset,
    const char *fmt, va_list args);


int
checker_scan_has(checker_line_t *line, const char *text)
{
    size_t  len;

    len = strlen(text);

    if ((size_t) (line->end - line->p) < len
        || memcmp(line->p, text, len) != 0)
    {
        return 0;
    }

    line->p += len;

    return 1;
}


int
checker_scan_within(const checker_line_t *line, const char *text)
{
    size_t  len;

    len = line->end - line->p;

    return len < strlen(text) && memcmp(line->p, text, len) == 0;
}


int
checker_scan_expect(checker_line_t *line, const char *text, const char *what)
{
    for ( /* void */ ; *text; text++) {

        if (line->p == line->end) {
            return checker_scan_short(line);
        }

        if (*line->p != (unsigned char) *text) {
            return checker_scan_broken(line, line->p, "this is not what the"
                                       " module writes here: %s", what);
        }

        line->p++;
    }

    return 1;
}


const unsigned char *
checker_scan_string(const unsigned char *p, const unsigned char *end)
{
    for ( /* void */ ; p < end; p++) {

        if (*p == '"') {
            return p;
        }

        if (*p == '\\') {
            p++;
        }
    }

    return NULL;
}


int
checker_scan_short(checker_line_t *line)
{
    size_t  len;

    len = line->end - line->start;

    (void) checker_scan_broken(line, line->end, "a piece of a line, which"
                               " breaks off after %zu bytes", len);

    line->verdict->piece = 1;

    return 0;
}


int
checker_scan_bad(checker_line_t *line, const unsigned char *p,
    const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    checker_scan_say(line->verdict, p - line->start, fmt, args);
    va_end(args);

    return 0;
}


int
checker_scan_broken(checker_line_t *line, const unsigned char *p,
    const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    checker_scan_say(line->verdict, p - line->start, fmt, args);
    va_end(args);

    line->verdict->broken = 1;

    return 0;
}


static void
checker_scan_say(checker_verdict_t *verdict, size_t offset, const char *fmt,
    va_list args)
{
    verdict->offset = offset;
    verdict->broken = 0;
    verdict->piece = 0;

    (void) vsnprintf(verdict->text, CHECKER_TEXT_SIZE, fmt, args);
}
