
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * A line is taken apart without being decoded: strings and nesting are stepped
 * over, so that numbers of any length and all escapes go out as they stand.
 *
 * What is no line of the module must not reach a receiver, so all of it has to
 * be JSON and to be written as the module writes: one object, an envelope, no
 * white space, "extra" at the end.  Which fields an event has is not looked
 * at: nginx.conf declares them.
 */


#include "replay.h"
#include "enkod_json.h"

#include <yajl/yajl_parse.h>


#define REPLAY_EXTRA          ",\"extra\":"


typedef struct {
    const unsigned char   *p;       /* what was read so far */
    const unsigned char   *end;
} replay_scan_t;


static const char *replay_line_envelope(replay_line_t *line,
    replay_scan_t *scan);
static const char *replay_line_members(replay_line_t *line,
    replay_scan_t *scan);
static int replay_line_extra(replay_line_t *line, const unsigned char *extra,
    const unsigned char *end);
static int replay_line_is_json(const enkod_str_t *text);
static int replay_scan_has(replay_scan_t *scan, const char *text);
static int replay_scan_string(replay_scan_t *scan, enkod_str_t *value);
static int replay_line_two(const unsigned char *p);


/*
 * What is none is a piece of a line, or something else that cannot be an event
 * that was answered with 200.
 */

int
replay_line_is_object(const enkod_str_t *text)
{
    size_t  i;

    for (i = 0; i < text->len && memchr(" \t\r", text->data[i], 3); i++) {
        /* void */
    }

    return i < text->len && text->data[i] == '{' && replay_line_is_json(text);
}


const char *
replay_line_read(replay_line_t *line, const enkod_str_t *text)
{
    const char     *error;
    replay_scan_t   scan;

    memset(line, 0, sizeof(replay_line_t));

    line->text = *text;

    scan.p = text->data;
    scan.end = text->data + text->len;

    error = replay_line_envelope(line, &scan);

    return error ? error : replay_line_members(line, &scan);
}


static const char *
replay_line_envelope(replay_line_t *line, replay_scan_t *scan)
{
    enkod_str_t           value;
    const unsigned char  *p;

    if (!replay_scan_has(scan, "{\"received_at\":")
        || !replay_scan_string(scan, &line->time)
        || line->time.len != REPLAY_TIME_LEN + 1
        || line->time.data[REPLAY_TIME_LEN] != 'Z'
        || !replay_line_is_time(line->time.data, REPLAY_TIME_LEN)
        || !replay_scan_has(scan, ",\"request_id\":")
        || !replay_scan_string(scan, &value)
        || !replay_scan_has(scan, ",\"remote_addr\":")
        || !replay_scan_string(scan, &value)
        || !replay_scan_has(scan, ","))
    {
        return "it is no line of enkod_spool or enkod_log";
    }

    if (replay_scan_has(scan, "\"status\":")) {
        return "it is a line of enkod_reject_log";
    }

    (void) replay_scan_has(scan, "\"test\":true,");

    p = scan->p;

    if (replay_scan_has(scan, "\"pass_status\":")) {

        while (scan->p < scan->end && *scan->p >= '0' && *scan->p <= '9') {
            scan->p++;
        }

        if (!replay_scan_has(scan, ",")) {
            return "its \"pass_status\" is no number";
        }

        line->status.data = p;
        line->status.len = scan->p - p;
    }

    line->event.data = scan->p;

    if (!replay_scan_has(scan, "\"event\":")
        || !replay_scan_string(scan, &line->name))
    {
        return "it has no \"event\"";
    }

    return NULL;
}


/* the form of a time, and numbers that there are */

int
replay_line_is_time(const unsigned char *p, size_t len)
{
    int     value;
    size_t  i;

    static const struct {
        size_t  at;
        int     min;
        int     max;
    } ranges[] = {
        { 5, 1, 12 }, { 8, 1, 31 }, { 11, 0, 23 }, { 14, 0, 59 }, { 17, 0, 60 }
    };

    for (i = 0; i < len; i++) {

        if (REPLAY_TIME[i] == '0' ? p[i] < '0' || p[i] > '9'
                                  : p[i] != REPLAY_TIME[i])
        {
            return 0;
        }
    }

    for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {

        if (len < ranges[i].at + 2) {
            break;
        }

        value = replay_line_two(p + ranges[i].at);

        if (value < ranges[i].min || value > ranges[i].max) {
            return 0;
        }
    }

    return 1;
}


static int
replay_line_two(const unsigned char *p)
{
    return 10 * (p[0] - '0') + (p[1] - '0');
}


/* RFC 8259 with the module's own strictness about UTF-8 and surrogates */

static int
replay_line_is_json(const enkod_str_t *text)
{
    int                 ok;
    yajl_handle         yajl;
    enkod_error_e       error;
    enkod_json_guard_t  guard;

    memset(&guard, 0, sizeof(enkod_json_guard_t));

    if (enkod_json_guard(&guard, text->data, text->len, &error) != text->len) {
        return 0;
    }

    yajl = yajl_alloc(NULL, NULL, NULL);

    if (yajl == NULL) {
        return 0;
    }

    ok = yajl_parse(yajl, text->data, text->len) == yajl_status_ok
         && yajl_complete_parse(yajl) == yajl_status_ok;

    yajl_free(yajl);

    return ok;
}


/* from behind the event's name on */

static const char *
replay_line_members(replay_line_t *line, replay_scan_t *scan)
{
    size_t                depth, len;
    enkod_str_t           value;
    const unsigned char  *extra;

    len = sizeof(REPLAY_EXTRA) - 1;
    extra = NULL;
    depth = 1;

    while (scan->p < scan->end) {

        switch (*scan->p) {

        case '"':
            (void) replay_scan_string(scan, &value);
            continue;

        case '{':
        case '[':
            depth++;
            break;

        case '}':
        case ']':
            depth--;
            break;

        case ',':
            if (depth != 1) {
                break;
            }

            if (extra) {
                return "something stands behind its \"extra\"";
            }

            if ((size_t) (scan->end - scan->p) > len
                && memcmp(scan->p, REPLAY_EXTRA, len) == 0)
            {
                extra = scan->p;
            }

            break;

        case ' ':
        case '\t':
        case '\r':
            return "it has white space in it";
        }

        scan->p++;
    }

    line->event.len = (extra ? extra : scan->end - 1) - line->event.data;

    if (extra && !replay_line_extra(line, extra, scan->end)) {
        return "its \"extra\" is no object";
    }

    return NULL;
}


/* between the braces of "extra", which is the last member */

static int
replay_line_extra(replay_line_t *line, const unsigned char *extra,
    const unsigned char *end)
{
    extra += sizeof(REPLAY_EXTRA) - 1;

    if (*extra != '{') {
        return 0;
    }

    line->extra.data = extra + 1;
    line->extra.len = (end - sizeof("}}") + 1) - line->extra.data;

    return 1;
}


static int
replay_scan_has(replay_scan_t *scan, const char *text)
{
    size_t  len;

    len = strlen(text);

    if ((size_t) (scan->end - scan->p) < len
        || memcmp(scan->p, text, len) != 0)
    {
        return 0;
    }

    scan->p += len;

    return 1;
}


/* Steps over a string; the value is what is between its quotes. */

static int
replay_scan_string(replay_scan_t *scan, enkod_str_t *value)
{
    const unsigned char  *p;

    if (!replay_scan_has(scan, "\"")) {
        return 0;
    }

    for (p = scan->p; p < scan->end; p++) {

        if (*p == '"') {
            value->data = scan->p;
            value->len = p - scan->p;
            scan->p = p + 1;
            return 1;
        }

        if (*p == '\\') {
            p++;
        }
    }

    return 0;
}


int
replay_line_selected(const replay_selection_t *selection,
    const replay_line_t *line)
{
    size_t              i;
    const enkod_str_t  *since, *until;

    since = &selection->since;
    until = &selection->until;

    /* what begins with the time that was given is at it, or later */

    if (since->len && memcmp(line->time.data, since->data, since->len) < 0) {
        return 0;
    }

    if (until->len && memcmp(line->time.data, until->data, until->len) >= 0) {
        return 0;
    }

    for (i = 0; i < selection->nnames; i++) {
        if (enkod_str_equal(&selection->names[i], &line->name)) {
            return 1;
        }
    }

    return selection->nnames == 0;
}
