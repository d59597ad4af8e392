
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * A file is read once, from its beginning to its end, and only the line at
 * hand is in memory, so that it may be large, or a pipe.
 */


#include "checker.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>


#define CHECKER_READ_SIZE     ((size_t) 256 * 1024)


typedef struct {
    const char            *name;
    int                    fd;
    unsigned long long     line;        /* number of the line at hand */
    off_t                  offset;      /* of the line at hand */
    struct stat            st;          /* at its end */

    size_t                 start;       /* in the buffer: of that line, */
    size_t                 scanned;     /* of what was looked at, */
    size_t                 end;         /* of what was read */

    unsigned               skipping:1;  /* a line that is too long */
} checker_file_t;


static int checker_file_open(checker_t *checker, const char *name);
static void checker_file_close(int fd);
static ssize_t checker_file_read(checker_t *checker, checker_file_t *file);
static void checker_file_lines(checker_t *checker, checker_file_t *file);
static void checker_file_line(checker_t *checker, checker_file_t *file,
    const unsigned char *p, size_t len);
static void checker_file_skip(checker_t *checker, checker_file_t *file);
static void checker_file_tail(checker_t *checker, checker_file_t *file,
    const unsigned char *p, size_t len);


void
checker_file(checker_t *checker, const char *name)
{
    ssize_t         n;
    checker_file_t  file;

    memset(&file, 0, sizeof(checker_file_t));

    file.name = name;
    file.line = 1;

    file.fd = checker_file_open(checker, name);
    if (file.fd == -1) {
        return;
    }

    do {
        n = checker_file_read(checker, &file);

        if (n > 0) {
            file.end += n;
            checker_file_lines(checker, &file);
        }

    } while (n > 0);

    if (n == 0 && fstat(file.fd, &file.st) == -1) {
        checker_error(checker, errno, "cannot stat \"%s\"", name);
        n = -1;
    }

    checker_file_close(file.fd);

    if (n == 0 && (file.skipping || file.end > file.start)) {
        checker->tally.lines++;
        checker_file_tail(checker, &file, checker->input.data + file.start,
                          file.end - file.start);
    }

    checker_copy_done(checker, file.name);
}


static int
checker_file_open(checker_t *checker, const char *name)
{
    int  fd;

    if (strcmp(name, "-") == 0) {
        return STDIN_FILENO;
    }

    fd = open(name, O_RDONLY|O_CLOEXEC);

    if (fd == -1) {
        checker_error(checker, errno, "cannot open \"%s\"", name);
    }

    return fd;
}


static void
checker_file_close(int fd)
{
    if (fd != STDIN_FILENO) {
        (void) close(fd);
    }
}


/* Makes room and reads; 0 at the end, -1 after a message. */

static ssize_t
checker_file_read(checker_t *checker, checker_file_t *file)
{
    size_t          len;
    ssize_t         n;
    unsigned char  *p;

    p = checker->input.data;
    len = file->end - file->start;

    if (file->start && file->start == file->end) {
        file->start = 0;
        file->scanned = 0;
        file->end = 0;

    } else if (file->start && checker->input.size - file->end
                              < CHECKER_READ_SIZE / 2)
    {
        memmove(p, p + file->start, len);

        file->scanned -= file->start;
        file->end = len;
        file->start = 0;
    }

    if (checker->input.size - file->end < CHECKER_READ_SIZE / 2) {
        p = checker_room(&checker->input, file->end + CHECKER_READ_SIZE,
                         file->end);
    }

    do {
        n = read(file->fd, p + file->end, checker->input.size - file->end);
    } while (n == -1 && errno == EINTR);

    if (n == -1) {
        checker_error(checker, errno, "cannot read \"%s\"", file->name);
    }

    return n;
}


/* all lines that are in the buffer to their end */

static void
checker_file_lines(checker_t *checker, checker_file_t *file)
{
    size_t          len;
    unsigned char  *p, *lf;

    for ( ;; ) {
        p = checker->input.data;
        lf = memchr(p + file->scanned, '\n', file->end - file->scanned);

        if (lf == NULL) {
            break;
        }

        len = lf - (p + file->start);

        checker->tally.lines++;

        if (file->skipping) {
            checker_file_skip(checker, file);

        } else {
            checker_file_line(checker, file, p + file->start, len);
        }

        file->line++;
        file->offset += len + 1;
        file->start += len + 1;
        file->scanned = file->start;
        file->skipping = 0;
    }

    file->scanned = file->end;

    if (file->skipping || file->end - file->start > CHECKER_MAX_LINE) {
        file->skipping = 1;
        file->offset += file->end - file->start;
        file->start = file->end;
    }
}


static void
checker_file_line(checker_t *checker, checker_file_t *file,
    const unsigned char *p, size_t len)
{
    checker_verdict_t  verdict;

    checker_line(checker, p, len, file->offset, &verdict);
    checker_count(checker, &verdict);

    switch (verdict.kind) {

    case CHECKER_IS_EMPTY:
        break;

    case CHECKER_IS_EVENT:
    case CHECKER_IS_REFUSAL:
        checker_copy_seen(checker, file->name, file->line, p, len);
        break;

    case CHECKER_IS_PIECE:
        checker_piece(checker, file->name, file->line,
                      file->offset + verdict.offset, verdict.text);
        break;

    case CHECKER_IS_DEFECT:

        if (verdict.copy) {
            checker_copy_hold(checker, file->name, file->line, file->offset,
                              p, len, &verdict);
            break;
        }

        checker_defect(checker, file->name, file->line,
                       file->offset + verdict.offset, verdict.text);
        break;
    }
}


static void
checker_file_skip(checker_t *checker, checker_file_t *file)
{
    checker_defect(checker, file->name, file->line, file->offset,
                   "a line of more than 1 GiB, which is not looked at");
}


/*
 * The last line has no line feed.  A line that is whole may be an event that
 * was answered with 200: it is never cut off.
 */

static void
checker_file_tail(checker_t *checker, checker_file_t *file,
    const unsigned char *p, size_t len)
{
    int    ours, whole;
    char   text[CHECKER_TEXT_SIZE];
    off_t  size;

    if (file->skipping) {
        checker_file_skip(checker, file);
        return;
    }

    ours = checker_line_is_ours(p, len);
    whole = checker_line_has_whole(p, len);
    size = file->offset + len;

    if (ours && whole) {
        (void) snprintf(text, CHECKER_TEXT_SIZE,
                        "the last line lacks its line feed; --repair adds it");

    } else {
        (void) snprintf(text, CHECKER_TEXT_SIZE,
                        "the last line is incomplete: %zu bytes%s without a"
                        " line feed%s", len,
                        memchr(p, '\0', len) ? ", NUL bytes among them," : "",
                        ours ? "; --repair cuts them off"
                             : ", which do not begin as a line of the module"
                               " does; --repair leaves them as they are");
    }

    if (!checker->repair || !ours) {
        checker_defect(checker, file->name, file->line, file->offset, text);
        return;
    }

    if (file->fd == STDIN_FILENO) {
        checker_error(checker, 0, "standard input cannot be repaired");
        checker_defect(checker, file->name, file->line, file->offset, text);
        return;
    }

    if (checker_repair(checker, file->name, &file->st,
                       whole ? size : file->offset, size)
        != 0)
    {
        checker_defect(checker, file->name, file->line, file->offset, text);
        return;
    }

    if (whole) {
        checker->tally.ended++;

        checker_print(file->name, file->line, file->offset,
                      "the last line lacked its line feed, which is added");
        checker_file_line(checker, file, p, len);
        return;
    }

    checker->tally.cut++;

    (void) snprintf(text, CHECKER_TEXT_SIZE,
                    "the last line was incomplete: %zu bytes without a line"
                    " feed are cut off; the file as it was is in \"%s.bak\"",
                    len, file->name);

    checker_print(file->name, file->line, file->offset, text);
}


/* One file, one body. */

void
checker_body(checker_t *checker, const char *name)
{
    int                     ended;
    char                    where[CHECKER_TEXT_SIZE];
    char                    text[2 * CHECKER_TEXT_SIZE];
    size_t                  i;
    ssize_t                 n;
    unsigned long long      line;
    checker_file_t          file;
    checker_verdict_t       verdict;
    const enkod_error_t    *error;
    const enkod_refusal_t  *refusal;

    memset(&file, 0, sizeof(checker_file_t));

    file.name = name;

    file.fd = checker_file_open(checker, name);
    if (file.fd == -1) {
        return;
    }

    do {
        n = checker_file_read(checker, &file);
        file.end += (n > 0) ? n : 0;

        if (file.end > CHECKER_MAX_LINE) {
            checker_error(checker, 0, "\"%s\" is larger than 1 GiB", name);
            n = -1;
        }

    } while (n > 0);

    checker_file_close(file.fd);

    if (n == -1) {
        return;
    }

    checker->tally.lines++;

    refusal = checker_event_check(checker, checker->input.data, file.end,
                                  &ended);

    if (refusal == NULL) {
        verdict.kind = CHECKER_IS_EVENT;
        verdict.name = enkod_event_name(checker->event);
        verdict.test = enkod_event_test(checker->event);

        checker_count(checker, &verdict);
        return;
    }

    /* the members of the answer */

    error = enkod_error_get(refusal->code);

    checker_event_where(refusal, where);

    (void) snprintf(text, sizeof(text), "%u %s%s: %s",
                    error->status, error->code, where, error->detail);

    line = 1;

    for (i = 0; i < refusal->offset && i < file.end; i++) {
        line += (checker->input.data[i] == '\n');
    }

    checker_defect(checker, name, line, refusal->offset, text);
}
