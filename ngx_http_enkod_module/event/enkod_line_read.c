
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Lines are read: the envelope, and which kind of line it is in.
 */


#include "enkod_line.h"


/* what is read so far, and where the line ends */

typedef struct {
    const unsigned char   *p;
    const unsigned char   *end;
    const char            *expected;
} enkod_line_reader_t;


#define enkod_line_skip(reader, str)                                          \
    enkod_line_skip_text(reader, str, sizeof(str) - 1)

#define enkod_line_within(reader, str)                                        \
    enkod_line_is_start(reader, str, sizeof(str) - 1)

#define enkod_line_expect(reader, str, what)                                  \
    enkod_line_expect_text(reader, str, sizeof(str) - 1, what)


static enkod_line_error_e enkod_line_read_envelope(enkod_line_t *line,
    enkod_line_reader_t *reader);
static enkod_line_error_e enkod_line_read_members(enkod_line_t *line,
    enkod_line_reader_t *reader);
static enkod_line_error_e enkod_line_read_time(enkod_line_t *line,
    enkod_line_reader_t *reader);
static enkod_line_error_e enkod_line_read_request_id(enkod_line_t *line,
    enkod_line_reader_t *reader);
static enkod_line_error_e enkod_line_read_remote_addr(enkod_line_t *line,
    enkod_line_reader_t *reader);
static enkod_line_error_e enkod_line_read_pass_status(enkod_line_t *line,
    enkod_line_reader_t *reader);
static int enkod_line_skip_text(enkod_line_reader_t *reader, const char *text,
    size_t len);
static int enkod_line_is_start(const enkod_line_reader_t *reader,
    const char *text, size_t len);
static enkod_line_error_e enkod_line_expect_text(enkod_line_reader_t *reader,
    const char *text, size_t len, const char *what);
static unsigned enkod_line_number(const unsigned char *p, size_t len);


enkod_line_error_e
enkod_line_read(enkod_line_t *line, const unsigned char *p, size_t len)
{
    enkod_line_error_e   rc;
    enkod_line_reader_t  reader;

    memset(line, 0, sizeof(enkod_line_t));

    reader.p = p;
    reader.end = p + len;
    reader.expected = NULL;

    rc = enkod_line_read_envelope(line, &reader);

    if (rc == ENKOD_LINE_OK) {
        line->members = reader.p - p;
        rc = enkod_line_read_members(line, &reader);
    }

    line->offset = reader.p - p;
    line->expected = reader.expected;

    return rc;
}


static enkod_line_error_e
enkod_line_read_envelope(enkod_line_t *line, enkod_line_reader_t *reader)
{
    enkod_line_error_e  rc;

    rc = enkod_line_expect(reader, ENKOD_LINE_START,
                           ENKOD_LINE_START " at the beginning of a line");

    if (rc == ENKOD_LINE_OK) {
        rc = enkod_line_read_time(line, reader);
    }

    if (rc == ENKOD_LINE_OK) {
        rc = enkod_line_expect(reader, ENKOD_LINE_REQUEST_ID,
                               "\"request_id\"");
    }

    if (rc == ENKOD_LINE_OK) {
        rc = enkod_line_read_request_id(line, reader);
    }

    if (rc == ENKOD_LINE_OK) {
        rc = enkod_line_expect(reader, ENKOD_LINE_REMOTE_ADDR,
                               "\"remote_addr\"");
    }

    if (rc == ENKOD_LINE_OK) {
        rc = enkod_line_read_remote_addr(line, reader);
    }

    if (rc == ENKOD_LINE_OK) {
        rc = enkod_line_expect(reader, ENKOD_LINE_MEMBERS, "a comma");
    }

    return rc;
}


/* the members between the envelope and those of the event or the refusal */

static enkod_line_error_e
enkod_line_read_members(enkod_line_t *line, enkod_line_reader_t *reader)
{
    size_t              len;
    enkod_line_error_e  rc;

    line->test = enkod_line_skip(reader, ENKOD_LINE_TEST);

    if (enkod_line_skip(reader, ENKOD_LINE_PASS_STATUS)) {

        rc = enkod_line_read_pass_status(line, reader);

        if (rc != ENKOD_LINE_OK) {
            return rc;
        }
    }

    if (!line->test && line->pass_status.len == 0) {

        if (enkod_line_within(reader, ENKOD_LINE_TEST)
            || enkod_line_within(reader, ENKOD_LINE_STATUS))
        {
            reader->p = reader->end;
            return ENKOD_LINE_SHORT;
        }

        len = sizeof(ENKOD_LINE_STATUS) - 1;

        if (enkod_line_skip(reader, ENKOD_LINE_STATUS)) {
            reader->p -= len;
            line->refusal = 1;
            return ENKOD_LINE_OK;
        }
    }

    if (line->pass_status.len == 0
        && enkod_line_within(reader, ENKOD_LINE_PASS_STATUS))
    {
        reader->p = reader->end;
        return ENKOD_LINE_SHORT;
    }

    rc = enkod_line_expect(reader, ENKOD_LINE_EVENT, "\"event\" or \"status\"");

    if (rc == ENKOD_LINE_OK) {
        reader->p -= sizeof(ENKOD_LINE_EVENT) - 1;
    }

    return rc;
}


static enkod_line_error_e
enkod_line_read_time(enkod_line_t *line, enkod_line_reader_t *reader)
{
    size_t                len;
    const unsigned char  *p;

    p = reader->p;
    len = enkod_line_time_syntax(p, reader->end - p);

    if (len < ENKOD_TIME_LEN) {
        reader->p += len;
        return (reader->p == reader->end) ? ENKOD_LINE_SHORT
                                          : ENKOD_LINE_TIME_SYNTAX;
    }

    if (!enkod_line_time_exists(p, ENKOD_TIME_LEN)) {
        return ENKOD_LINE_TIME_VALUE;
    }

    line->received_at.data = p;
    line->received_at.len = ENKOD_TIME_LEN;

    reader->p += ENKOD_TIME_LEN;

    return ENKOD_LINE_OK;
}


/* visible ASCII that needs no escape */

static enkod_line_error_e
enkod_line_read_request_id(enkod_line_t *line, enkod_line_reader_t *reader)
{
    const unsigned char  *p;

    p = reader->p;

    while (p < reader->end && *p > ' ' && *p < 0x7f && *p != '"'
           && *p != '\\')
    {
        p++;
    }

    if (p == reader->end) {
        reader->p = p;
        return ENKOD_LINE_SHORT;
    }

    if (*p != '"' || p == reader->p) {
        reader->p = p;
        return ENKOD_LINE_BAD_REQUEST_ID;
    }

    line->request_id.data = reader->p;
    line->request_id.len = p - reader->p;

    reader->p = p;

    return ENKOD_LINE_OK;
}


static enkod_line_error_e
enkod_line_read_remote_addr(enkod_line_t *line, enkod_line_reader_t *reader)
{
    const unsigned char  *p;

    p = enkod_line_string_end(reader->p, reader->end);

    if (p == NULL) {
        reader->p = reader->end;
        return ENKOD_LINE_SHORT;
    }

    line->remote_addr.data = reader->p;
    line->remote_addr.len = p - reader->p;

    reader->p = p;

    return ENKOD_LINE_OK;
}


/* with its comma */

static enkod_line_error_e
enkod_line_read_pass_status(enkod_line_t *line, enkod_line_reader_t *reader)
{
    size_t                i;
    const unsigned char  *p;

    p = reader->p;

    for (i = 0; i < ENKOD_STATUS_LEN; i++) {

        if (p + i == reader->end) {
            reader->p = reader->end;
            return ENKOD_LINE_SHORT;
        }

        if (p[i] < (i ? '0' : '1') || p[i] > '9') {
            return ENKOD_LINE_BAD_PASS_STATUS;
        }
    }

    line->pass_status.data = p;
    line->pass_status.len = ENKOD_STATUS_LEN;

    reader->p += ENKOD_STATUS_LEN;

    return enkod_line_expect(reader, ",", "a comma");
}


/* Steps over the text if it is there. */

static int
enkod_line_skip_text(enkod_line_reader_t *reader, const char *text, size_t len)
{
    if ((size_t) (reader->end - reader->p) < len
        || memcmp(reader->p, text, len) != 0)
    {
        return 0;
    }

    reader->p += len;

    return 1;
}


/* Whether the line breaks off in this text. */

static int
enkod_line_is_start(const enkod_line_reader_t *reader, const char *text,
    size_t len)
{
    size_t  left;

    left = reader->end - reader->p;

    return left < len && memcmp(reader->p, text, left) == 0;
}


/* Steps over the text, as far as it is there. */

static enkod_line_error_e
enkod_line_expect_text(enkod_line_reader_t *reader, const char *text,
    size_t len, const char *what)
{
    size_t  i;

    for (i = 0; i < len; i++) {

        if (reader->p == reader->end) {
            return ENKOD_LINE_SHORT;
        }

        if (*reader->p != (unsigned char) text[i]) {
            reader->expected = what;
            return ENKOD_LINE_UNEXPECTED;
        }

        reader->p++;
    }

    return ENKOD_LINE_OK;
}


size_t
enkod_line_time_syntax(const unsigned char *p, size_t len)
{
    size_t  i;

    static const char  form[] = ENKOD_TIME_FORM;

    if (len > ENKOD_TIME_LEN) {
        len = ENKOD_TIME_LEN;
    }

    for (i = 0; i < len; i++) {

        if (form[i] == '0' ? p[i] < '0' || p[i] > '9'
                           : p[i] != (unsigned char) form[i])
        {
            break;
        }
    }

    return i;
}


int
enkod_line_time_exists(const unsigned char *p, size_t len)
{
    size_t    i;
    unsigned  value, year, month, days;

    static const struct {
        size_t    at;
        unsigned  max;
    } clock[] = {
        { sizeof("2026-11-23T") - 1, 23 },
        { sizeof("2026-11-23T03:") - 1, 59 },
        { sizeof("2026-11-23T03:44:") - 1, 59 }
    };

    static const unsigned char  days_of[] = { 31, 28, 31, 30, 31, 30,
                                              31, 31, 30, 31, 30, 31 };

    if (len < sizeof("2026-11") - 1) {
        return 1;
    }

    month = enkod_line_number(p + sizeof("2026-") - 1, 2);

    if (month < 1 || month > 12) {
        return 0;
    }

    if (len >= sizeof("2026-11-23") - 1) {

        year = enkod_line_number(p, 4);
        days = days_of[month - 1];

        if (month == 2 && year % 4 == 0
            && (year % 100 != 0 || year % 400 == 0))
        {
            days = 29;
        }

        value = enkod_line_number(p + sizeof("2026-11-") - 1, 2);

        if (value < 1 || value > days) {
            return 0;
        }
    }

    for (i = 0; i < sizeof(clock) / sizeof(clock[0]); i++) {

        if (len >= clock[i].at + 2
            && enkod_line_number(p + clock[i].at, 2) > clock[i].max)
        {
            return 0;
        }
    }

    return 1;
}


static unsigned
enkod_line_number(const unsigned char *p, size_t len)
{
    unsigned  value;

    for (value = 0; len; len--, p++) {
        value = 10 * value + (*p - '0');
    }

    return value;
}


const unsigned char *
enkod_line_string_end(const unsigned char *p, const unsigned char *end)
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
