
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#include "replay_input.h"
#include "replay_format.h"
#include "../lib/tool_message.h"

#include <string.h>


static ssize_t replay_input_read(void *data, unsigned char *buf, size_t size);
static int replay_input_skip(replay_input_t *input, off_t offset,
    unsigned char *last);


void
replay_input_init(replay_input_t *input)
{
    memset(input, 0, sizeof(replay_input_t));

    input->file.fd = -1;
}


int
replay_input_open(replay_input_t *input, const char *name, int drain)
{
    int          gzip;
    const char  *error;

    if (replay_file_open(&input->file, name, drain) != 0) {
        return -1;
    }

    error = replay_format(input->file.head, input->file.head_len, &gzip);

    if (error) {
        tool_error(0, "\"%s\" %s", name, error);
        return -1;
    }

    if (gzip) {
        input->gzip = replay_gzip_create(&input->file);

        if (input->gzip == NULL) {
            return -1;
        }
    }

    input->final = drain || gzip || input->file.pipe;

    tool_lines_init(&input->lines, replay_input_read, input, 0);

    return 0;
}


void
replay_input_close(replay_input_t *input)
{
    replay_gzip_free(input->gzip);
    tool_lines_free(&input->lines);
    replay_file_close(&input->file);

    replay_input_init(input);
}


static ssize_t
replay_input_read(void *data, unsigned char *buf, size_t size)
{
    off_t            left;
    ssize_t          n;
    replay_file_t   *file;
    replay_input_t  *input = data;

    file = &input->file;

    if (input->gzip) {
        return replay_gzip_read(input->gzip, buf, size);
    }

    if (file->pipe) {
        return replay_file_read(file, buf, size);
    }

    left = file->limit - file->offset;

    if (left == 0) {
        return 0;
    }

    n = replay_file_read(file, buf,
                         left < (off_t) size ? (size_t) left : size);

    if (n == 0) {
        tool_error(0, "\"%s\" has become shorter", file->name);
        return -1;
    }

    return n;
}


int
replay_input_seek(replay_input_t *input, off_t offset, int unended)
{
    int            rc;
    unsigned char  last;

    last = '\n';

    rc = input->gzip ? replay_input_skip(input, offset, &last)
                     : replay_file_seek(&input->file, offset, &last);

    if (rc != 1) {
        return rc;
    }

    if (last != '\n' && !unended) {
        return 0;
    }

    tool_lines_init(&input->lines, replay_input_read, input, offset);

    input->unended = unended;

    return 1;
}


static int
replay_input_skip(replay_input_t *input, off_t offset, unsigned char *last)
{
    size_t         size;
    ssize_t        n;
    unsigned char  buf[4096];

    while (offset) {
        size = (offset < (off_t) sizeof(buf)) ? (size_t) offset : sizeof(buf);

        n = replay_gzip_read(input->gzip, buf, size);

        if (n <= 0) {
            return n;
        }

        *last = buf[n - 1];
        offset -= n;
    }

    return 1;
}


int
replay_input_next(replay_input_t *input, enkod_str_t *line)
{
    for ( ;; ) {

        switch (tool_lines_next(&input->lines, line)) {

        case TOOL_LINES_LINE:
            break;

        case TOOL_LINES_END:
            return 0;

        case TOOL_LINES_TOO_LONG:
            tool_error(0, "\"%s\" has a line of more than 1 GiB at offset"
                       " %lld", input->file.name,
                       (long long) input->lines.offset);
            return -1;

        case TOOL_LINES_FAILED:
            return -1;
        }

        if (!input->unended) {
            return 1;
        }

        input->unended = 0;

        if (line->len) {
            return 1;
        }

        /* this was the line feed of the last line of an earlier run */
    }
}


size_t
replay_input_rest(const replay_input_t *input, enkod_str_t *rest)
{
    return tool_lines_rest(&input->lines, rest);
}


void
replay_input_take_rest(replay_input_t *input)
{
    tool_lines_take_rest(&input->lines);

    input->unended = 1;
}


off_t
replay_input_offset(const replay_input_t *input)
{
    return input->lines.offset;
}


off_t
replay_input_size(const replay_input_t *input)
{
    return (input->file.pipe || input->gzip) ? -1 : input->file.limit;
}


off_t
replay_input_grown(const replay_input_t *input)
{
    if (input->file.pipe || input->gzip) {
        /* these were read to their very end */
        return 0;
    }

    return replay_file_grown(&input->file);
}
