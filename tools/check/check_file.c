
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#include "check_file.h"
#include "check_find.h"
#include "check_line.h"
#include "check_open.h"
#include "check_repair.h"
#include "check_repeats.h"
#include "check_verdict.h"
#include "enkod_str.h"
#include "../lib/tool_file.h"
#include "../lib/tool_lines.h"
#include "../lib/tool_message.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>


typedef struct {
    check_core_t          *core;
    check_report_t        *report;
    check_place_t          place;       /* of the line at hand */
    int                    fd;
    int                    repair;
    tool_lines_t           lines;
    check_repeats_t        repeats;
} check_file_t;


static ssize_t check_file_read(void *data, unsigned char *buf, size_t size);
static tool_lines_e check_file_lines(check_file_t *file);
static void check_file_line(check_file_t *file, const enkod_str_t *line);
static void check_file_last(check_file_t *file, const struct stat *st,
    const enkod_str_t *line);
static int check_file_repair(check_file_t *file, const struct stat *st,
    const enkod_str_t *line, int whole);
static void check_file_defect(check_file_t *file, const char *text);


void
check_file(check_core_t *core, check_report_t *report, const char *name,
    int repair)
{
    enkod_str_t    line;
    struct stat    st;
    check_file_t   file;
    tool_lines_e   rc;

    memset(&file, 0, sizeof(check_file_t));

    file.fd = check_open(name);

    if (file.fd == -1) {
        return;
    }

    file.core = core;
    file.report = report;
    file.repair = repair;
    file.place.name = name;
    file.place.line = 1;

    tool_lines_init(&file.lines, check_file_read, &file, 0);

    rc = check_file_lines(&file);

    if (rc == TOOL_LINES_END && fstat(file.fd, &st) == -1) {
        tool_error(errno, "cannot stat \"%s\"", name);
        rc = TOOL_LINES_FAILED;
    }

    /* it must not be open while it is repaired */
    check_close(file.fd);

    if (rc == TOOL_LINES_END && tool_lines_rest(&file.lines, &line)) {
        report->lines++;
        check_file_last(&file, &st, &line);
    }

    check_repeats_end(&file.repeats, report);

    tool_lines_free(&file.lines);
}


static ssize_t
check_file_read(void *data, unsigned char *buf, size_t size)
{
    ssize_t        n;
    check_file_t  *file = data;

    n = tool_file_read(file->fd, buf, size);

    if (n == -1) {
        tool_error(errno, "cannot read \"%s\"", file->place.name);
    }

    return n;
}


/* all lines with a line feed; returns how that ended */

static tool_lines_e
check_file_lines(check_file_t *file)
{
    enkod_str_t   line;
    tool_lines_e  rc;

    for ( ;; ) {
        rc = tool_lines_next(&file->lines, &line);

        switch (rc) {

        case TOOL_LINES_LINE:
            file->place.offset = file->lines.offset - (line.len + 1);
            check_file_line(file, &line);
            break;

        case TOOL_LINES_TOO_LONG:
            file->place.offset = file->lines.offset;
            check_file_defect(file, "a line of more than 1 GiB, which is not"
                              " checked");
            break;

        default:
            file->place.offset = file->lines.offset;
            return rc;
        }

        file->report->lines++;
        file->place.line++;
    }
}


static void
check_file_line(check_file_t *file, const enkod_str_t *line)
{
    check_place_t    place;
    check_verdict_t  verdict;

    check_line(file->core, line->data, line->len, file->place.offset,
               &verdict);

    check_report_count(file->report, &verdict);

    place = file->place;
    place.offset += verdict.offset;

    switch (verdict.kind) {

    case CHECK_EMPTY:
        break;

    case CHECK_EVENT:
    case CHECK_REFUSAL:
        check_repeats_match(&file->repeats, file->report, place.line, line);
        break;

    case CHECK_PIECE:
        check_report_piece(file->report, &place, verdict.text);
        break;

    case CHECK_DEFECT:

        if (verdict.whole) {
            check_repeats_hold(&file->repeats, file->report, &place, line,
                               &verdict);

        } else {
            check_report_defect(file->report, &place, verdict.text);
        }

        break;
    }
}


/*
 * The last line has no line feed.  A line that is whole may be an event that
 * was answered with 200: it is never cut off.
 */

static void
check_file_last(check_file_t *file, const struct stat *st,
    const enkod_str_t *line)
{
    int   ours, whole;
    char  text[CHECK_TEXT_SIZE];

    ours = check_find_is_line(line->data, line->len);
    whole = check_find_whole(line->data, line->len);

    if (file->repair && ours
        && check_file_repair(file, st, line, whole) == 0)
    {
        return;
    }

    if (ours && whole) {
        check_file_defect(file, "the last line lacks its line feed; --repair"
                          " adds it");
        return;
    }

    (void) snprintf(text, CHECK_TEXT_SIZE,
                    "the last line is incomplete: %zu bytes%s without a line"
                    " feed%s", line->len,
                    memchr(line->data, '\0', line->len)
                    ? ", NUL bytes among them," : "",
                    ours ? "; --repair cuts them off"
                         : ", which do not begin as a line of the module"
                           " does; --repair leaves them as they are");

    check_file_defect(file, text);
}


static int
check_file_repair(check_file_t *file, const struct stat *st,
    const enkod_str_t *line, int whole)
{
    char   text[CHECK_TEXT_SIZE];
    off_t  size;

    if (file->fd == STDIN_FILENO) {
        tool_error(0, "standard input cannot be repaired");
        return -1;
    }

    size = file->place.offset + line->len;

    if (check_repair(file->place.name, st, whole ? size : file->place.offset,
                     size)
        != 0)
    {
        return -1;
    }

    if (whole) {
        check_report_ended(file->report, &file->place, "the last line lacked"
                           " its line feed, which is added");
        check_file_line(file, line);
        return 0;
    }

    (void) snprintf(text, CHECK_TEXT_SIZE,
                    "the last line was incomplete: %zu bytes without a line"
                    " feed are cut off; the file as it was is in \"%s.bak\"",
                    line->len, file->place.name);

    check_report_cut(file->report, &file->place, text);

    return 0;
}


static void
check_file_defect(check_file_t *file, const char *text)
{
    check_report_defect(file->report, &file->place, text);
}
