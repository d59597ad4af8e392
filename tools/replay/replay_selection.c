
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#include "replay_selection.h"
#include "enkod_json.h"
#include "enkod_line.h"
#include "../lib/tool_hash.h"
#include "../lib/tool_message.h"

#include <stdlib.h>
#include <string.h>


static int replay_selection_time(const char *option, const char *value,
    enkod_str_t *time);
static int replay_selection_is_time(const unsigned char *p, size_t len);


/* In a line, the name is escaped as the module does it. */

int
replay_selection_event(replay_selection_t *selection, const char *value)
{
    size_t                len;
    enkod_str_t          *names;
    unsigned char        *name;
    const unsigned char  *src;

    src = (const unsigned char *) value;
    len = strlen(value);

    if (!enkod_json_is_utf8(src, len)) {
        tool_error(0, "invalid --event \"%s\": it must be valid UTF-8", value);
        return -1;
    }

    names = realloc(selection->names,
                    (selection->nnames + 1) * sizeof(enkod_str_t));
    name = malloc(6 * len + 1);

    if (names != NULL) {
        selection->names = names;
    }

    if (names == NULL || name == NULL) {
        tool_error(0, "no memory");
        free(name);
        return -1;
    }

    names[selection->nnames].data = name;
    names[selection->nnames].len = enkod_json_escape(name, src, len);

    selection->nnames++;

    return 0;
}


int
replay_selection_since(replay_selection_t *selection, const char *value)
{
    return replay_selection_time("--since", value, &selection->since);
}


int
replay_selection_until(replay_selection_t *selection, const char *value)
{
    return replay_selection_time("--until", value, &selection->until);
}


/*
 * Times are compared as text, as far as they are given, so the "Z" must not
 * take part in that.
 */

static int
replay_selection_time(const char *option, const char *value, enkod_str_t *time)
{
    size_t  i, len;

    /* where a time may end: after the year, the month, ... */
    static const size_t  ends[] = { 4, 7, 10, 13, 16, 19, 21, 22, 23 };

    len = strlen(value);

    if (len > sizeof("2026-11-23T") - 1 && value[len - 1] == 'Z') {
        len--;
    }

    for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {

        if (len == ends[i]
            && replay_selection_is_time((const unsigned char *) value, len))
        {
            time->data = (const unsigned char *) value;
            time->len = len;
            return 0;
        }
    }

    tool_error(0, "invalid %s \"%s\": it must be a time in UTC, such as"
               " 2026-11-23T03:44:01.123Z, or the beginning of one, such as"
               " 2026-11-23", option, value);

    return -1;
}


/*
 * A day that a month does not have is accepted, as in --until 2026-02-31: in
 * the order of text it follows all days of that month.
 */

static int
replay_selection_is_time(const unsigned char *p, size_t len)
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

    if (enkod_line_time_syntax(p, len) != len) {
        return 0;
    }

    for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {

        if (len < ranges[i].at + 2) {
            break;
        }

        value = 10 * (p[ranges[i].at] - '0') + (p[ranges[i].at + 1] - '0');

        if (value < ranges[i].min || value > ranges[i].max) {
            return 0;
        }
    }

    return 1;
}


int
replay_selection_has(const replay_selection_t *selection,
    const replay_line_t *line)
{
    size_t              i;
    const enkod_str_t  *since, *until;

    since = &selection->since;
    until = &selection->until;

    /*
     * Only as much of the time is compared as was given: a line of 03:44:01 is
     * neither before nor after "03:44".
     */

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


int
replay_selection_is_all(const replay_selection_t *selection)
{
    return selection->nnames == 0 && selection->since.len == 0
           && selection->until.len == 0;
}


/* Each text ends with a NUL. */

uint64_t
replay_selection_hash(const replay_selection_t *selection)
{
    size_t              i;
    uint64_t            hash;
    const enkod_str_t  *text;

    hash = TOOL_HASH;

    for (i = 0; i < selection->nnames + 2; i++) {

        text = (i == 0) ? &selection->since
                        : (i == 1) ? &selection->until
                                   : &selection->names[i - 2];

        hash = tool_hash(hash, text->data, text->len);
        hash = tool_hash(hash, "", 1);
    }

    return hash;
}
