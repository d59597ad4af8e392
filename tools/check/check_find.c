
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#ifndef _GNU_SOURCE
#define _GNU_SOURCE                 /* memmem() */
#endif

#include "check_find.h"
#include "enkod_line.h"
#include "../lib/tool_json.h"

#include <string.h>


static int check_find_is_time(const unsigned char *p, size_t len);
static int check_find_closed(const unsigned char *p,
    const unsigned char *end);


int
check_find_is_line(const unsigned char *p, size_t len)
{
    if (len > sizeof(ENKOD_LINE_START) - 1) {
        len = sizeof(ENKOD_LINE_START) - 1;
    }

    return memcmp(p, ENKOD_LINE_START, len) == 0;
}


const unsigned char *
check_find_line(const unsigned char *p, const unsigned char *end)
{
    size_t  len;

    len = sizeof(ENKOD_LINE_START) - 1;

    for ( /* void */ ; p < end; p++) {

        p = memmem(p, end - p, ENKOD_LINE_START, len);

        if (p == NULL) {
            return NULL;
        }

        /* or else it is a member of that name within an event */

        if (check_find_is_time(p + len, end - (p + len))) {
            return p;
        }
    }

    return NULL;
}


/* Whether these bytes begin with a time, as far as they go. */

static int
check_find_is_time(const unsigned char *p, size_t len)
{
    size_t  n;

    n = enkod_line_time_syntax(p, len);

    return (n == ENKOD_TIME_LEN) ? enkod_line_time_exists(p, n) : n == len;
}


int
check_find_whole(const unsigned char *p, size_t len)
{
    const unsigned char  *end;

    end = p + len;

    for ( /* void */ ; p; p = check_find_line(p + 1, end)) {

        if (check_find_closed(p, end)) {
            return 1;
        }
    }

    return 0;
}


/* Whether the object that begins here is closed. */

static int
check_find_closed(const unsigned char *p, const unsigned char *end)
{
    int          c;
    size_t       depth;
    tool_json_t  json;

    depth = 0;

    tool_json_init(&json, p, end, 0);

    while ((c = tool_json_next(&json)) != -1) {

        if (c == '{') {
            depth++;

        } else if (c == '}') {

            if (depth <= 1) {
                return depth;
            }

            depth--;
        }
    }

    return 0;
}
