
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * One line of a file: an envelope with an accepted event or with a refusal in
 * it.  Shown here with line breaks, which a line does not have:
 *
 *     {"received_at":"2026-11-23T03:44:01.123Z","request_id":"...",
 *      "remote_addr":"192.0.2.7",
 *      "test":true,"pass_status":502,"event":"message open",...}
 *
 *     {"received_at":"2026-11-23T03:44:01.123Z","request_id":"...",
 *      "remote_addr":"192.0.2.7",
 *      "status":422,"code":"wrong_type","field":"/message_id","body":"..."}
 *
 * "test" and "pass_status" are optional, and so is "field"; a body that is not
 * valid UTF-8 is in "body_base64".  The module writes lines, the tools read
 * them; members, order and spelling are defined here and nowhere else.  Here, a
 * line is without the line feed that ends it in a file.
 *
 * Nothing here allocates, has state or does I/O.
 */


#ifndef _ENKOD_LINE_H_INCLUDED_
#define _ENKOD_LINE_H_INCLUDED_


#include "enkod_event.h"

#pragma GCC visibility push(hidden)


/* the members in their order, each with the bytes between it and its value */

#define ENKOD_LINE_START        "{\"received_at\":\""
#define ENKOD_LINE_REQUEST_ID   "\",\"request_id\":\""
#define ENKOD_LINE_REMOTE_ADDR  "\",\"remote_addr\":\""
#define ENKOD_LINE_MEMBERS      "\","           /* after remote_addr */

/* of an event; its own members are written by enkod_event_write() */

#define ENKOD_LINE_TEST         "\"test\":true,"
#define ENKOD_LINE_PASS_STATUS  "\"pass_status\":"
#define ENKOD_LINE_EVENT        ENKOD_EVENT_NAME

/* of a refusal */

#define ENKOD_LINE_STATUS       "\"status\":"
#define ENKOD_LINE_CODE         ",\"code\":\""
#define ENKOD_LINE_FIELD        "\",\"field\":\""
#define ENKOD_LINE_BODY         "\",\"body\":\""
#define ENKOD_LINE_BODY_BASE64  "\",\"body_base64\":\""
#define ENKOD_LINE_REFUSAL_END  "\"}"

/* RFC 3339, UTC, with milliseconds; a 0 stands for any digit */
#define ENKOD_TIME_FORM         "0000-00-00T00:00:00.000Z"
#define ENKOD_TIME_LEN          (sizeof(ENKOD_TIME_FORM) - 1)

/* an HTTP status has three digits (RFC 9110, section 15) */
#define ENKOD_STATUS_LEN        (sizeof("502") - 1)


typedef struct {
    unsigned char          received_at[ENKOD_TIME_LEN];
    enkod_str_t            request_id;      /* both are JSON-escaped */
    enkod_str_t            remote_addr;
} enkod_envelope_t;


/*
 * Writing: a length, and a function that writes exactly that many bytes and
 * returns their end.  Neither can fail.
 */

/* The line of an accepted event; a "pass_status" of 0 is left out. */

size_t enkod_line_length(const enkod_envelope_t *envelope,
    const enkod_event_t *event, unsigned pass_status);
unsigned char *enkod_line_write(unsigned char *p,
    const enkod_envelope_t *envelope, const enkod_event_t *event,
    unsigned pass_status);

/*
 * The line of a refusal, up to the quote before the content of its body; "code"
 * is any error but ENKOD_OK, "field" may be empty, "base64" selects the name of
 * the member.  The caller adds the content and ENKOD_LINE_REFUSAL_END, which
 * are not in the length.
 */

size_t enkod_line_refusal_length(const enkod_envelope_t *envelope,
    enkod_error_e code, const enkod_str_t *field, int base64);
unsigned char *enkod_line_refusal_write(unsigned char *p,
    const enkod_envelope_t *envelope, enkod_error_e code,
    const enkod_str_t *field, int base64);

/* The envelope alone, with ENKOD_LINE_MEMBERS at its end. */

size_t enkod_line_envelope_length(const enkod_envelope_t *envelope);
unsigned char *enkod_line_envelope_write(unsigned char *p,
    const enkod_envelope_t *envelope);


/*
 * Reading: from the beginning of a line to its "event" or its "status".  Only
 * what enkod_line_write() and enkod_line_refusal_write() write is accepted,
 * with one exception: the content of "remote_addr" may be anything between two
 * quotes, and the caller should check it.  The rest of the line is not read.
 */

typedef enum {
    ENKOD_LINE_OK = 0,
    ENKOD_LINE_SHORT,           /* the line breaks off: so far it may be the
                                   beginning of a good one */
    ENKOD_LINE_UNEXPECTED,      /* "expected" is not there */
    ENKOD_LINE_TIME_SYNTAX,     /* received_at does not have the form */
    ENKOD_LINE_TIME_VALUE,      /* received_at is not a time that exists */
    ENKOD_LINE_BAD_REQUEST_ID,  /* empty, or a byte that cannot be in it */
    ENKOD_LINE_BAD_PASS_STATUS  /* not a number from 100 to 999 */
} enkod_line_error_e;


typedef struct {
    /* as in the line; what was not read before an error is empty */

    enkod_str_t            received_at;     /* ENKOD_TIME_LEN bytes */
    enkod_str_t            request_id;
    enkod_str_t            remote_addr;
    enkod_str_t            pass_status;     /* ENKOD_STATUS_LEN, or empty */

    unsigned               test:1;          /* "test":true is there */
    unsigned               refusal:1;       /* "status" is there, not "event" */

    size_t                 members;         /* offset of the first byte after
                                               the envelope, or 0 */
    size_t                 offset;          /* of "event" or "status"; after an
                                               error of the byte at fault, or of
                                               the end if the line is short */
    const char            *expected;        /* for a sentence: "a comma", the
                                               member's name in quotes, ...; or
                                               NULL */
} enkod_line_t;


/*
 * Reads the beginning of a line of "len" bytes and sets all of *line.  An error
 * is the first one in the line; if the caller does not accept the address that
 * was read into line->remote_addr, that error comes before the returned one.
 */
enkod_line_error_e enkod_line_read(enkod_line_t *line, const unsigned char *p,
    size_t len);

/*
 * How many of these bytes, ENKOD_TIME_LEN at most, have the form of a time: all
 * of them, or those before the first wrong one.
 */
size_t enkod_line_time_syntax(const unsigned char *p, size_t len);

/*
 * Whether a time of that form, or the first "len" bytes of one, exists: a month
 * from 1 to 12, a day of that month, and so on.  A number that is not
 * complete is not checked.  There are no leap seconds, as the system time has
 * none.
 */
int enkod_line_time_exists(const unsigned char *p, size_t len);

/* The quote that ends the string whose content begins at p, or NULL. */
const unsigned char *enkod_line_string_end(const unsigned char *p,
    const unsigned char *end);


#pragma GCC visibility pop

#endif /* _ENKOD_LINE_H_INCLUDED_ */
