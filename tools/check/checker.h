
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * enkod-check: reads files that the module has written, reports what in them
 * is not as the module writes it, and repairs a last line without a line feed;
 * or reports what the module would answer to a body.
 *
 * The event core (enkod_*.c) knows what an event is, checker_line.c what
 * stands around it, checker_refusal.c what a refusal is.
 */


#ifndef _CHECKER_H_INCLUDED_
#define _CHECKER_H_INCLUDED_


#ifndef _GNU_SOURCE
#define _GNU_SOURCE                 /* memmem(), F_SETLEASE */
#endif

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "enkod_event.h"


/* how each of the module's lines begins */
#define CHECKER_LINE_START    "{\"received_at\":\""

/* the core counts the bytes of an event in 32 bits */
#define CHECKER_MAX_LINE      ((size_t) 1 << 30)

/* of a defect, with the name of a member in it */
#define CHECKER_TEXT_SIZE     1024

/* exit status, the worst one counts */
#define CHECKER_OK            0
#define CHECKER_DEFECTS       1
#define CHECKER_ERROR         2


typedef struct {
    size_t                 size;
    unsigned char         *data;
} checker_buf_t;


typedef enum {
    CHECKER_IS_EVENT = 0,
    CHECKER_IS_REFUSAL,
    CHECKER_IS_EMPTY,
    CHECKER_IS_PIECE,               /* of a line, and nothing else */
    CHECKER_IS_DEFECT
} checker_kind_e;


/* what a line, or a body, turned out to be */

typedef struct {
    checker_kind_e         kind;

    enkod_str_t            name;    /* of the event, as in JSON, until the
                                       next one is checked */
    enkod_error_e          code;    /* of a refusal */
    unsigned               test:1;

    /* of a piece or a defect */

    unsigned               broken:1;    /* maybe no line at all */
    unsigned               piece:1;     /* the line breaks off */
    size_t                 copy;        /* where a whole line begins behind a
                                           piece, or 0 */
    size_t                 offset;      /* from the beginning of the line */
    char                   text[CHECKER_TEXT_SIZE];
} checker_verdict_t;


typedef struct {
    unsigned char         *data;
    size_t                 len;
    unsigned long long     count;
} checker_name_t;


/* names that are counted one by one; the table is never full */
#define CHECKER_MAX_NAMES     1000
#define CHECKER_NAME_SLOTS    2048
#define CHECKER_MAX_NAME      256


typedef struct {
    unsigned long long     lines;       /* or bodies */
    unsigned long long     tests;
    unsigned long long     refusals;
    unsigned long long     empty;
    unsigned long long     pieces;
    unsigned long long     cut;
    unsigned long long     ended;
    unsigned long long     defects;
    unsigned long long     others;      /* events beyond the names */
    unsigned long long     codes[ENKOD_NERRORS];
    unsigned               nnames;
    checker_name_t         names[CHECKER_NAME_SLOTS];
} checker_tally_t;


/* lines of which a copy is expected, checker_copy.c */

typedef struct checker_copy_s  checker_copy_t;


/* of --event, as long as the schema points to them */

typedef struct checker_words_s  checker_words_t;

struct checker_words_s {
    checker_words_t       *next;
    char                   text[];
};


typedef struct {
    unsigned               bodies:1;    /* --body */
    unsigned               repair:1;    /* --repair */
    int                    status;

    enkod_mem_t            mem;
    enkod_schema_t         schema;
    checker_words_t       *words;
    enkod_settings_t       settings;
    void                  *block;       /* of the event at hand */
    enkod_event_t         *event;

    checker_buf_t          input;       /* what was read */
    checker_buf_t          body;        /* the event of a line */
    checker_buf_t          output;      /* as the core writes it */

    checker_copy_t        *copies;      /* the oldest first */
    unsigned               ncopies;

    checker_tally_t        tally;
} checker_t;


/*
 * checker_event.c: the event core.  The event stays in checker->event, until
 * checker_event_done() or the next one; checker_event_check() returns NULL or
 * why it is refused, with *ended set if that is only because it breaks off.
 */

int checker_event_init(checker_t *checker);
int checker_event_declare(checker_t *checker, const char *text);
const enkod_refusal_t *checker_event_check(checker_t *checker,
    const unsigned char *p, size_t len, int *ended);
void checker_event_done(checker_t *checker);

/*
 * The members of the event and the closing brace as the core writes them;
 * with "flat", extra members stand beside the others.
 */
enkod_str_t checker_event_write(checker_t *checker, int flat);

/* Writes field and type of a refusal, if it has them, to CHECKER_TEXT_SIZE. */
void checker_event_where(const enkod_refusal_t *refusal, char *text);


/*
 * checker_line.c: one line without its line feed, that begins at "base" in its
 * file.
 */

void checker_line(checker_t *checker, const unsigned char *p, size_t len,
    off_t base, checker_verdict_t *verdict);

/* Whether these bytes are, or begin as, one of the module's lines. */
int checker_line_is_ours(const unsigned char *p, size_t len);

/* Whether a line that begins anywhere in these bytes is whole in them. */
int checker_line_has_whole(const unsigned char *p, size_t len);


/*
 * checker_copy.c: where the module finds a piece in front of its own line, it
 * writes that line once more.  A line with a piece and a whole line in it is
 * held until its copy is seen: then it is a piece.  What is held at the end of
 * the file, or is too much to be held, is a defect.
 */

void checker_copy_hold(checker_t *checker, const char *name,
    unsigned long long number, off_t offset, const unsigned char *line,
    size_t len, const checker_verdict_t *verdict);
void checker_copy_seen(checker_t *checker, const char *name,
    unsigned long long number, const unsigned char *line, size_t len);
void checker_copy_done(checker_t *checker, const char *name);


/* checker_file.c: all of a file; "-" is standard input */

void checker_file(checker_t *checker, const char *name);
void checker_body(checker_t *checker, const char *name);


/*
 * checker_repair.c: cuts off what is behind "end", or adds a line feed if
 * "end" is "size".  The file has to be the one that "st" says and "size" bytes
 * long still, and no process may have it open, this one included.  Returns 0,
 * or -1 after a message.
 */

int checker_repair(checker_t *checker, const char *name, const struct stat *st,
    off_t end, off_t size);


/* checker_report.c */

void checker_count(checker_t *checker, const checker_verdict_t *verdict);
void checker_defect(checker_t *checker, const char *name,
    unsigned long long line, off_t offset, const char *text);
void checker_piece(checker_t *checker, const char *name,
    unsigned long long line, off_t offset, const char *text);
void checker_print(const char *name, unsigned long long line, off_t offset,
    const char *text);
void checker_summary(checker_t *checker);

/* a message for standard error, with the text of errno if that is not 0 */
void checker_error(checker_t *checker, int err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Room for "size" bytes, of which the first "keep" stay; does not fail. */
unsigned char *checker_room(checker_buf_t *buf, size_t size, size_t keep);


#endif /* _CHECKER_H_INCLUDED_ */
