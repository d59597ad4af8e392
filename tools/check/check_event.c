
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#include "check_event.h"
#include "check_content.h"
#include "check_verdict.h"
#include "enkod_event.h"
#include "enkod_str.h"
#include "../lib/tool_json.h"

#include <string.h>


static int check_event_content(check_content_t *content,
    check_reader_t *reader, check_core_t *core, const unsigned char *extra,
    const unsigned char *close);
static int check_event_end(check_reader_t *reader, const unsigned char *close);
static int check_event_test(check_reader_t *reader, check_core_t *core,
    int test, const unsigned char *test_at, int flat);
static const unsigned char *check_event_extra(const check_reader_t *reader,
    const unsigned char **close);


int
check_event(check_reader_t *reader, check_core_t *core, int test,
    const unsigned char *test_at)
{
    int                   flat;
    size_t                len;
    enkod_str_t           name;
    check_content_t       content;
    const unsigned char  *extra, *close;

    extra = check_event_extra(reader, &close);

    if (!check_event_content(&content, reader, core, extra, close)
        || !check_content_read(&content, reader, core)
        || (close && !check_event_end(reader, close)))
    {
        return 0;
    }

    /*
     * An event that is in no row of our table may be in one of nginx.conf: its
     * fields then are members of the line, and tell whether it is a test.
     */

    if (!check_content_compare(enkod_event_shape(core->event) ? NULL : &content,
                               reader, core))
    {
        return 0;
    }

    name = enkod_event_name(core->event);

    /* without the closing brace, or the comma before "extra" */
    len = (extra ? extra : reader->end - 1) - reader->p;

    flat = len > sizeof("\"event\":\"\"") - 1 + name.len;

    if (!check_event_test(reader, core, test, test_at, flat)) {
        return 0;
    }

    reader->verdict->kind = CHECK_EVENT;
    reader->verdict->name = name;
    reader->verdict->test = test;

    return 1;
}


/* The members of the line, and those of "extra" after them. */

static int
check_event_content(check_content_t *content, check_reader_t *reader,
    check_core_t *core, const unsigned char *extra, const unsigned char *close)
{
    size_t                head, tail;
    const unsigned char  *members;

    members = extra ? extra + sizeof(ENKOD_EVENT_EXTRA) - 1 : NULL;

    if (close && close == members) {
        return check_reader_wrong(reader, extra, "an empty \"extra\", which the"
                                  " module does not write");
    }

    head = (extra ? extra : reader->end) - reader->p;

    /* the brace that closes "extra" closes the body */

    tail = extra ? (close ? close + 1 : reader->end) - members : 0;

    content->first = reader->p - reader->start;
    content->skip = 1;
    content->cut = 1 + head;
    content->gap = extra ? sizeof(ENKOD_EVENT_EXTRA) - 1 - 1 : 0;

    content->len = 1 + head + (extra ? 1 + tail : 0);
    content->data = check_core_body(core, content->len);

    content->data[0] = '{';
    memcpy(content->data + 1, reader->p, head);

    if (extra) {
        content->data[1 + head] = ',';
        memcpy(content->data + 1 + head + 1, members, tail);
    }

    return 1;
}


/* Whether the line ends after the brace that closes "extra". */

static int
check_event_end(check_reader_t *reader, const unsigned char *close)
{
    const unsigned char  *p;

    p = close + 1;

    if (p == reader->end) {
        return check_reader_short(reader);
    }

    if (*p == '}') {
        p++;

        if (p == reader->end) {
            return 1;
        }
    }

    return check_reader_malformed(reader, p, "there is something after"
                                  " \"extra\", which ends a line");
}


/*
 * "flat" is whether the event has fields; in an event of the table, they are
 * known.
 */

static int
check_event_test(check_reader_t *reader, check_core_t *core, int test,
    const unsigned char *test_at, int flat)
{
    int  is_test;

    is_test = enkod_event_test(core->event);

    if (test && !is_test && (enkod_event_shape(core->event) || !flat)) {
        return check_reader_wrong(reader, test_at, "marked as a test delivery,"
                                  " which it is not");
    }

    if (!test && is_test) {
        return check_reader_wrong(reader, test_at,
                                  "a test delivery without \"test\":true");
    }

    return 1;
}


/*
 * The comma before member "extra" of the line, if it is an object, and the
 * brace that closes it, or NULL.  If the line is not JSON, the result may be
 * wrong; the core finds that out.
 */

static const unsigned char *
check_event_extra(const check_reader_t *reader, const unsigned char **close)
{
    int                   c;
    size_t                len;
    tool_json_t           json;
    const unsigned char  *extra;

    extra = NULL;
    *close = NULL;

    len = sizeof(ENKOD_EVENT_EXTRA) - 1;

    /* a member of a member may have that name too */

    tool_json_init(&json, reader->p, reader->end, 1);

    while ((c = tool_json_next(&json)) != -1 && json.depth) {

        if (extra && json.depth == 1 && (c == '}' || c == ']')) {
            *close = json.token;
            break;
        }

        if (extra == NULL && json.depth == 1 && c == ','
            && (size_t) (json.end - json.token) >= len
            && memcmp(json.token, ENKOD_EVENT_EXTRA, len) == 0)
        {
            extra = json.token;
        }
    }

    return extra;
}
