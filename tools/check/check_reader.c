
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#include "check_reader.h"
#include "enkod_line.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>


static void check_reader_verdict(check_verdict_t *verdict, size_t offset,
    const char *fmt, va_list args);


void
check_reader_init(check_reader_t *reader, const unsigned char *p, size_t len,
    check_verdict_t *verdict)
{
    reader->start = p;
    reader->p = p;
    reader->end = p + len;
    reader->verdict = verdict;

    verdict->test = 0;
    verdict->malformed = 0;
    verdict->piece = 0;
    verdict->whole = 0;
}


int
check_reader_skip(check_reader_t *reader, const char *text)
{
    size_t  len;

    len = strlen(text);

    if ((size_t) (reader->end - reader->p) < len
        || memcmp(reader->p, text, len) != 0)
    {
        return 0;
    }

    reader->p += len;

    return 1;
}


int
check_reader_within(const check_reader_t *reader, const char *text)
{
    size_t  len;

    len = reader->end - reader->p;

    return len < strlen(text) && memcmp(reader->p, text, len) == 0;
}


int
check_reader_expect(check_reader_t *reader, const char *text, const char *what)
{
    for ( /* void */ ; *text; text++) {

        if (reader->p == reader->end) {
            return check_reader_short(reader);
        }

        if (*reader->p != (unsigned char) *text) {
            return check_reader_malformed(reader, reader->p, "this is not what"
                                          " the module writes here: %s", what);
        }

        reader->p++;
    }

    return 1;
}


int
check_reader_string(check_reader_t *reader, enkod_str_t *value)
{
    const unsigned char  *end;

    end = enkod_line_string_end(reader->p, reader->end);

    if (end == NULL) {
        return check_reader_short(reader);
    }

    value->data = reader->p;
    value->len = end - reader->p;

    reader->p = end;

    return 1;
}


int
check_reader_short(check_reader_t *reader)
{
    size_t  len;

    len = reader->end - reader->start;

    (void) check_reader_malformed(reader, reader->end, "a piece of a line,"
                                  " which breaks off after %zu bytes", len);

    reader->verdict->piece = 1;

    return 0;
}


int
check_reader_wrong(check_reader_t *reader, const unsigned char *p,
    const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    check_reader_verdict(reader->verdict, p - reader->start, fmt, args);
    va_end(args);

    return 0;
}


int
check_reader_malformed(check_reader_t *reader, const unsigned char *p,
    const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    check_reader_verdict(reader->verdict, p - reader->start, fmt, args);
    va_end(args);

    reader->verdict->malformed = 1;

    return 0;
}


static void
check_reader_verdict(check_verdict_t *verdict, size_t offset, const char *fmt,
    va_list args)
{
    verdict->offset = offset;
    verdict->malformed = 0;
    verdict->piece = 0;

    (void) vsnprintf(verdict->text, CHECK_TEXT_SIZE, fmt, args);
}
