
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#include "check_parse.h"
#include "check_content.h"
#include "check_event.h"
#include "check_refusal.h"
#include "enkod_line.h"
#include "enkod_str.h"

#include <arpa/inet.h>
#include <string.h>


static int check_parse_error(check_reader_t *reader,
    const enkod_line_t *line, enkod_line_error_e error);
static int check_parse_addr(check_reader_t *reader, check_core_t *core,
    const enkod_str_t *addr);


int
check_parse(check_reader_t *reader, check_core_t *core)
{
    enkod_line_t        line;
    enkod_line_error_e  rc;

    rc = enkod_line_read(&line, reader->start, reader->end - reader->start);

    if (line.remote_addr.data
        && !check_parse_addr(reader, core, &line.remote_addr))
    {
        return 0;
    }

    if (rc != ENKOD_LINE_OK) {
        return check_parse_error(reader, &line, rc);
    }

    reader->p = reader->start + line.offset;

    if (line.refusal) {
        return check_refusal(reader, core);
    }

    return check_event(reader, core, line.test, reader->start + line.members);
}


static int
check_parse_error(check_reader_t *reader, const enkod_line_t *line,
    enkod_line_error_e error)
{
    const unsigned char  *p;

    p = reader->start + line->offset;

    switch (error) {

    case ENKOD_LINE_TIME_SYNTAX:
        return check_reader_malformed(reader, p, "\"received_at\" is not a time"
                                      " in UTC, such as"
                                      " 2026-11-23T03:44:01.123Z");

    case ENKOD_LINE_TIME_VALUE:
        return check_reader_malformed(reader, p, "\"received_at\" is a time"
                                      " that does not exist");

    case ENKOD_LINE_BAD_REQUEST_ID:
        return check_reader_malformed(reader, p,
                                      "this cannot be in \"request_id\"");

    case ENKOD_LINE_BAD_PASS_STATUS:
        return check_reader_malformed(reader, p,
                                      "\"pass_status\" is not an HTTP status");

    case ENKOD_LINE_UNEXPECTED:
        return check_reader_malformed(reader, p, "this is not what the module"
                                      " writes here: %s", line->expected);

    default: /* ENKOD_LINE_SHORT */
        return check_reader_short(reader);
    }
}


/* an IP address, or the path of a client's socket, which may be any text */

static int
check_parse_addr(check_reader_t *reader, check_core_t *core,
    const enkod_str_t *addr)
{
    char                  text[INET6_ADDRSTRLEN];
    unsigned char         binary[sizeof(struct in6_addr)];
    const unsigned char  *p;

    p = addr->data;

    if (addr->len >= sizeof("unix:") - 1
        && memcmp(p, "unix:", sizeof("unix:") - 1) == 0)
    {
        /* the member, with its name and both quotes */

        return check_content_members(reader, core,
                                     p - (sizeof("\"remote_addr\":\"") - 1),
                                     p + addr->len + 1);
    }

    if (addr->len < sizeof(text)) {
        memcpy(text, p, addr->len);
        text[addr->len] = '\0';

        if (strlen(text) == addr->len
            && (inet_pton(AF_INET, text, binary) == 1
                || inet_pton(AF_INET6, text, binary) == 1))
        {
            return 1;
        }
    }

    return check_reader_malformed(reader, p,
                                  "\"remote_addr\" is not an address");
}
