
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The lines of an input of any size.  Only the line at hand is in memory, and
 * a buffer that was needed for a long line is given back after it.
 */


#ifndef _TOOL_LINES_H_INCLUDED_
#define _TOOL_LINES_H_INCLUDED_


#include <sys/types.h>

#include "enkod_str.h"
#include "tool_buf.h"


/* sizes and offsets of lines stay far from the limits of their types */
#define TOOL_MAX_LINE         ((size_t) 1 << 30)


/* As read(2), but an error is reported before -1 is returned. */
typedef ssize_t (*tool_read_pt)(void *data, unsigned char *buf, size_t size);


typedef enum {
    TOOL_LINES_FAILED = -1,         /* read() has returned -1, or no memory */
    TOOL_LINES_END = 0,
    TOOL_LINES_LINE,
    TOOL_LINES_TOO_LONG             /* longer than TOOL_MAX_LINE */
} tool_lines_e;


typedef struct {
    tool_read_pt           read;
    void                  *data;
    off_t                  offset;      /* in the input, of the next line */

    tool_buf_t             buf;
    size_t                 start;       /* in the buffer: of the next line, */
    size_t                 scanned;     /* of what has no line feed in it, */
    size_t                 end;         /* of what was read */
    unsigned               skipping:1;  /* the rest of a line too long */
} tool_lines_t;


/* The input begins at "offset", where a line begins. */
void tool_lines_init(tool_lines_t *lines, tool_read_pt read, void *data,
    off_t offset);

/*
 * Returns the next line without its line feed, which lasts until the next call.
 * After a line that is too long, and of which nothing is returned, the next
 * call goes on after it.
 */
tool_lines_e tool_lines_next(tool_lines_t *lines, enkod_str_t *line);

/*
 * After TOOL_LINES_END: what follows the last line feed; its length is
 * returned.  tool_lines_take_rest() steps over it.
 */
size_t tool_lines_rest(const tool_lines_t *lines, enkod_str_t *rest);
void tool_lines_take_rest(tool_lines_t *lines);

void tool_lines_free(tool_lines_t *lines);


#endif /* _TOOL_LINES_H_INCLUDED_ */
