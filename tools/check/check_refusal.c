
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#include "check_refusal.h"
#include "check_content.h"
#include "check_verdict.h"
#include "enkod_error.h"
#include "enkod_line.h"
#include "enkod_str.h"

#include <string.h>


static unsigned check_refusal_status(check_reader_t *reader);
static int check_refusal_code(check_reader_t *reader, unsigned status,
    const unsigned char *status_at);
static int check_refusal_field(check_reader_t *reader);
static int check_refusal_body(check_reader_t *reader);
static int check_refusal_base64(check_reader_t *reader,
    const enkod_str_t *body);


int
check_refusal(check_reader_t *reader, check_core_t *core)
{
    unsigned              status;
    const unsigned char  *start, *status_at;

    start = reader->p;

    if (!check_reader_expect(reader, ENKOD_LINE_STATUS, "\"status\"")) {
        return 0;
    }

    status_at = reader->p;
    status = check_refusal_status(reader);

    if (status == 0
        || !check_reader_expect(reader, ENKOD_LINE_CODE, "\"code\"")
        || !check_refusal_code(reader, status, status_at)
        || !check_refusal_field(reader)
        || !check_refusal_body(reader)
        || !check_reader_expect(reader, ENKOD_LINE_REFUSAL_END,
                                "the end of the line"))
    {
        return 0;
    }

    if (reader->p != reader->end) {
        return check_reader_malformed(reader, reader->p, "there is something"
                                      " after the body, which ends a line");
    }

    /* is it JSON, and written as the module does? */

    if (!check_content_members(reader, core, start, reader->end - 1)) {
        return 0;
    }

    reader->verdict->kind = CHECK_REFUSAL;

    return 1;
}


/* Returns 0 with a verdict. */

static unsigned
check_refusal_status(check_reader_t *reader)
{
    unsigned  status;

    if ((size_t) (reader->end - reader->p) < ENKOD_STATUS_LEN) {
        return check_reader_short(reader);
    }

    if (memcmp(reader->p, "400", ENKOD_STATUS_LEN) == 0) {
        status = 400;

    } else if (memcmp(reader->p, "422", ENKOD_STATUS_LEN) == 0) {
        status = 422;

    } else {
        return check_reader_malformed(reader, reader->p,
                                      "\"status\" is neither 400 nor 422");
    }

    reader->p += ENKOD_STATUS_LEN;

    return status;
}


static int
check_refusal_code(check_reader_t *reader, unsigned status,
    const unsigned char *status_at)
{
    unsigned              i;
    enkod_str_t           code;
    const enkod_error_t  *error;

    if (!check_reader_string(reader, &code)) {
        return 0;
    }

    for (i = ENKOD_OK + 1; i < ENKOD_NERRORS; i++) {

        error = enkod_error_get(i);

        if (strlen(error->code) != code.len
            || memcmp(error->code, code.data, code.len) != 0)
        {
            continue;
        }

        if (error->status != status) {
            return check_reader_wrong(reader, status_at, "\"status\" is %u,"
                                      " but that of \"%s\" is %u", status,
                                      error->code, error->status);
        }

        reader->verdict->code = i;

        return 1;
    }

    return check_reader_malformed(reader, code.data, "\"code\" is not one of"
                                  " the module's codes");
}


/* it is optional */

static int
check_refusal_field(check_reader_t *reader)
{
    enkod_str_t  field;

    if (!check_reader_skip(reader, ENKOD_LINE_FIELD)) {
        return check_reader_within(reader, ENKOD_LINE_FIELD)
               ? check_reader_short(reader) : 1;
    }

    if (!check_reader_string(reader, &field)) {
        return 0;
    }

    if (*field.data != '/') {
        return check_reader_malformed(reader, field.data, "\"field\" is not a"
                                      " JSON Pointer to a member");
    }

    return 1;
}


static int
check_refusal_body(check_reader_t *reader)
{
    int          base64;
    enkod_str_t  body;

    base64 = check_reader_skip(reader, ENKOD_LINE_BODY_BASE64);

    if (check_reader_within(reader, ENKOD_LINE_BODY_BASE64)) {
        return check_reader_short(reader);
    }

    if (!base64
        && !check_reader_expect(reader, ENKOD_LINE_BODY,
                                "\"field\", \"body\" or \"body_base64\""))
    {
        return 0;
    }

    return check_reader_string(reader, &body)
           && (!base64 || check_refusal_base64(reader, &body));
}


/* RFC 4648, section 4; a body that is not valid UTF-8 is not empty */

static int
check_refusal_base64(check_reader_t *reader, const enkod_str_t *body)
{
    const unsigned char  *p, *last;

    last = body->data + body->len;

    for (p = body->data; p < last; p++) {

        if (!((*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z')
              || (*p >= '0' && *p <= '9') || *p == '+' || *p == '/'))
        {
            break;
        }
    }

    if (p == body->data
        || body->len % 4 != 0
        || last - p > 2
        || (p < last && *p != '=')
        || (last - p == 2 && p[1] != '='))
    {
        return check_reader_malformed(reader, p, "\"body_base64\" is not"
                                      " base64");
    }

    return 1;
}
