
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#include "tool_lines.h"

#include <string.h>


#define TOOL_LINES_READ       ((size_t) 256 * 1024)


static ssize_t tool_lines_read(tool_lines_t *lines);
static int tool_lines_room(tool_lines_t *lines);
static void tool_lines_drop(tool_lines_t *lines, size_t len);


void
tool_lines_init(tool_lines_t *lines, tool_read_pt read, void *data,
    off_t offset)
{
    memset(lines, 0, sizeof(tool_lines_t));

    lines->read = read;
    lines->data = data;
    lines->offset = offset;
}


tool_lines_e
tool_lines_next(tool_lines_t *lines, enkod_str_t *line)
{
    size_t          len;
    ssize_t         n;
    unsigned char  *lf;

    for ( ;; ) {
        lf = NULL;

        if (lines->scanned < lines->end) {
            lf = memchr(lines->buf.data + lines->scanned, '\n',
                        lines->end - lines->scanned);
        }

        lines->scanned = lf ? (size_t) (lf - lines->buf.data) : lines->end;

        len = lines->scanned - lines->start;

        if (lines->skipping) {
            tool_lines_drop(lines, lf ? len + 1 : len);
            lines->skipping = (lf == NULL);

            if (lf) {
                continue;
            }

        } else if (len > TOOL_MAX_LINE) {
            lines->skipping = 1;
            return TOOL_LINES_TOO_LONG;

        } else if (lf) {
            line->data = lf - len;
            line->len = len;

            tool_lines_drop(lines, len + 1);

            return TOOL_LINES_LINE;
        }

        n = tool_lines_read(lines);

        if (n <= 0) {
            return (n == 0) ? TOOL_LINES_END : TOOL_LINES_FAILED;
        }
    }
}


size_t
tool_lines_rest(const tool_lines_t *lines, enkod_str_t *rest)
{
    rest->data = lines->buf.data + lines->start;
    rest->len = lines->end - lines->start;

    return rest->len;
}


void
tool_lines_take_rest(tool_lines_t *lines)
{
    tool_lines_drop(lines, lines->end - lines->start);
}


void
tool_lines_free(tool_lines_t *lines)
{
    tool_buf_free(&lines->buf);

    lines->start = 0;
    lines->scanned = 0;
    lines->end = 0;
}


static ssize_t
tool_lines_read(tool_lines_t *lines)
{
    size_t   room;
    ssize_t  n;

    if (tool_lines_room(lines) != 0) {
        return -1;
    }

    /* not much after a long line, so that its buffer is given back soon */

    room = lines->buf.size - lines->end;
    room = (room < TOOL_LINES_READ) ? room : TOOL_LINES_READ;

    n = lines->read(lines->data, lines->buf.data + lines->end, room);

    if (n > 0) {
        lines->end += n;
    }

    return n;
}


/* Moves what is left to the beginning of the buffer and makes room after it. */

static int
tool_lines_room(tool_lines_t *lines)
{
    size_t  len, size;

    len = lines->end - lines->start;

    if (lines->start) {
        memmove(lines->buf.data, lines->buf.data + lines->start, len);

        lines->scanned -= lines->start;
        lines->end = len;
        lines->start = 0;
    }

    size = (len < TOOL_LINES_READ / 2) ? TOOL_LINES_READ : 2 * len;

    if (lines->buf.size - len >= TOOL_LINES_READ / 2
        && lines->buf.size <= 4 * size)
    {
        return 0;
    }

    return tool_buf_resize(&lines->buf, size, len) ? 0 : -1;
}


/* Steps over bytes at the beginning of the next line. */

static void
tool_lines_drop(tool_lines_t *lines, size_t len)
{
    lines->offset += len;
    lines->start += len;
    lines->scanned = lines->start;
}
