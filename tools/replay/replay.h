
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * enkod-replay: sends the lines that enkod_spool or enkod_log have written to
 * an URL, one request for each, in their order.  A line is delivered when the
 * answer to it is complete, its status is 2xx, and it is as the options ask for;
 * a run that was stopped, however it was, goes on behind the last line that was.
 */


#ifndef _REPLAY_H_INCLUDED_
#define _REPLAY_H_INCLUDED_


#ifndef _GNU_SOURCE
#define _GNU_SOURCE                 /* strdup() and the like with -std=c99 */
#endif

#include <regex.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <curl/curl.h>

#include "enkod_str.h"


/* exit status */
#define REPLAY_OK             0
#define REPLAY_LEFT           1
#define REPLAY_ERROR          2
#define REPLAY_SKIPPED        3

/* as much of a file as tells it from others */
#define REPLAY_HEAD_SIZE      1024

/* why a line is not delivered */
#define REPLAY_REASON_SIZE    (CURL_ERROR_SIZE + 64)
#define REPLAY_WHY_SIZE       CURL_ERROR_SIZE

/* as much of the body of an answer as is looked at, and of a file of options */
#define REPLAY_ANSWER_SIZE    65536
#define REPLAY_SECRET_SIZE    65536

#define REPLAY_TIME           "0000-00-00T00:00:00.000"
#define REPLAY_TIME_LEN       (sizeof(REPLAY_TIME) - 1)


/* the line at hand, in pieces; see replay_line_read() */

typedef struct {
    enkod_str_t            text;
    enkod_str_t            time;        /* received_at, REPLAY_TIME_LEN */
    enkod_str_t            status;      /* pass_status with its comma */
    enkod_str_t            name;        /* of the event, as in JSON */
    enkod_str_t            event;       /* its members, but not "extra" */
    enkod_str_t            extra;       /* the members of "extra" */
} replay_line_t;


/* a body is sent from where its pieces are */

typedef struct {
    enkod_str_t            parts[5];
    size_t                 nparts;
    size_t                 len;

    size_t                 part;        /* what was sent so far */
    size_t                 offset;
} replay_body_t;


/* what has to be in the body of an answer, or must not be there */

typedef struct {
    const char            *value;
    int                    wanted;
    regex_t                regex;
} replay_text_t;


typedef struct {
    replay_text_t         *texts;
    size_t                 ntexts;
    const char           **names;       /* of headers that must not be there */
    size_t                 nnames;

    /* the one at hand */

    const char            *name;        /* of a header that is there */
    size_t                 len;
    int                    large;
    char                   body[REPLAY_ANSWER_SIZE + 1];
} replay_answer_t;


typedef struct replay_gzip_s  replay_gzip_t;


typedef struct {
    int                    fd;
    int                    pipe;        /* standard input; gcc's analyzer
                                           mistakes a bit-field here */
    unsigned char         *data;
    size_t                 size;
    size_t                 start;       /* in data: of the next line, */
    size_t                 scanned;     /* of what was looked at, */
    size_t                 end;         /* of what was read */
    off_t                  offset;      /* in the text: of the next line */
    off_t                  limit;       /* in the file: of the end */

    int                    final;       /* nothing can be added to it */
    int                    unended;     /* no line feed is in front of the
                                           next line */
    replay_gzip_t         *gzip;        /* NULL if it is not compressed */

    dev_t                  dev;
    ino_t                  ino;
    size_t                 head_len;
    size_t                 unread;      /* of that, from its end */
    unsigned char          head[REPLAY_HEAD_SIZE];
} replay_file_t;


typedef struct {
    unsigned long long     lines;       /* those that are empty, too */
    unsigned long long     read;
    unsigned long long     skipped;     /* what is no line, */
    unsigned long long     kept;        /* and what of that is collected */
    unsigned long long     selected;
    unsigned long long     delivered;
    unsigned long long     failed;
} replay_tally_t;


/* what is in the position file */

typedef struct {
    int                    fd;          /* -1 if there is none */
    int                    empty;       /* no record is there yet */
    off_t                  offset;      /* of the next line, */
    int                    unended;     /* no line feed is in front of it */
    replay_tally_t         tally;       /* of what is before it */
} replay_position_t;


typedef struct {
    enkod_str_t           *names;       /* of events, as in JSON */
    size_t                 nnames;
    enkod_str_t            since;       /* prefixes of REPLAY_TIME */
    enkod_str_t            until;
} replay_selection_t;


typedef struct {
    const char            *name;        /* FILE */
    const char            *url;
    const char            *position_name;
    const char            *collect_name;
    const char            *pid_name;
    const char            *type;
    struct curl_slist     *headers;
    long                   timeout;     /* seconds */
    double                 rate;        /* lines per second, or 0 */
    double                 due;         /* the next one, see replay_clock() */
    replay_selection_t     selection;
    replay_answer_t        answer;

    unsigned               event:1;     /* --send event */
    unsigned               drain:1;
    unsigned               dry_run:1;
    unsigned               quiet:1;

    /* of the file at hand */

    unsigned               stopped:1;   /* the rest is only counted */
    unsigned               unknown:1;   /* ... or not even that */
    unsigned               grown:1;     /* there is more in FILE now */
    unsigned               unfinished:1;
                                        /* FILE ends within a line */
    int                    status;

    replay_file_t          file;
    replay_position_t      position;
    int                    collect;     /* file descriptor, or -1 */
    CURL                  *curl;

    replay_tally_t         tally;
    replay_tally_t         earlier;     /* of the runs before */
    unsigned long long     left;
    unsigned long long     named;       /* in messages: what is no line */

    /* the progress bar */

    unsigned               bar:1;       /* there is one */
    unsigned               drawn:1;
    double                 began;       /* seconds of a monotonic clock */
    double                 redraw;
    off_t                  from;
} replay_t;


/*
 * replay.c: sends replay->name, and returns the exit status; what is open stays
 * so until replay_reset().
 */

int replay_file(replay_t *replay);
int replay_status(const replay_t *replay);
void replay_reset(replay_t *replay);


/*
 * replay_drain.c: takes FILE away from nginx, sends and removes it, and returns
 * the exit status.
 */

int replay_drain(replay_t *replay);


/* replay_rest.c: files that were taken away, FILE.replay.N */

typedef struct {
    const char            *name;        /* FILE */
    unsigned long         *numbers;     /* of rests, in their order */
    size_t                 n;
    unsigned long          last;        /* the highest that is in use */
} replay_rests_t;

/* Finds them, and removes positions that were left behind; returns 0 or -1. */
int replay_rests_find(replay_t *replay, replay_rests_t *rests);

/* Names from malloc(), or NULL after a message. */
char *replay_rest_name(replay_t *replay, const char *name,
    unsigned long number, const char *suffix);


/*
 * replay_writers.c: whether others have a file open for writing (1 or 0); that
 * nginx can be told to let go of it, or need not be; and the same, and it has.
 * They return -1 after a message.
 */

int replay_writers(replay_t *replay, int fd, const struct stat *st);
int replay_writers_known(replay_t *replay, int fd, const struct stat *st);
int replay_writers_gone(replay_t *replay, int fd, const struct stat *st);


/* replay_options.c: returns 0, or -1 if there is nothing more to do */

int replay_options(replay_t *replay, int argc, char **argv);


/* replay_values.c: the values of options; they return 0 or -1, too */

int replay_value_rate(replay_t *replay, const char *value);
int replay_value_timeout(replay_t *replay, const char *value);
int replay_value_send(replay_t *replay, const char *value);
int replay_value_time(replay_t *replay, const char *option, const char *value,
    enkod_str_t *time);
int replay_value_event(replay_t *replay, const char *value);
int replay_value_type(replay_t *replay, const char *value);

/* ... or why they are none */
const char *replay_value_header(replay_t *replay, const char *value);
const char *replay_value_url(replay_t *replay, const char *value);

/* how many of these characters can be the name of a header */
size_t replay_value_token(const char *value);


/*
 * replay_secret.c: a header or an URL that may be secret.  Where the value is
 * "@FILE", they are in that file.
 */

int replay_secret_header(replay_t *replay, const char *value);
int replay_secret_url(replay_t *replay, const char *value);


/*
 * replay_input.c: the bytes of FILE.  replay_input_grown() returns how many have
 * come since it was opened.
 */

int replay_input_open(replay_t *replay);
ssize_t replay_input_read(replay_file_t *file, unsigned char *buf, size_t size);
int replay_input_seek(replay_t *replay, off_t offset, unsigned char *last);
off_t replay_input_grown(replay_t *replay);


/* replay_gzip.c: ... and their text; replay_gzip_read() is as read(). */

int replay_gzip_open(replay_t *replay);
void replay_gzip_close(replay_gzip_t *gzip);
ssize_t replay_gzip_read(replay_t *replay, unsigned char *buf, size_t size);


/*
 * replay_file.c: the lines of FILE up to the end that it had when it was
 * opened.  replay_file_next() returns 1 with the next line, without its line
 * feed, which stays until the next call; 0 at the end; or -1 after a message
 * or an interruption.
 */

int replay_file_next(replay_t *replay, enkod_str_t *line);
void replay_file_close(replay_file_t *file);

/* What is behind the last line feed, after replay_file_next() returned 0. */
size_t replay_file_rest(const replay_file_t *file, enkod_str_t *rest);

/* ... is the line at hand. */
void replay_file_last(replay_file_t *file);


/*
 * replay_line.c: replay_line_read() finds the pieces of a line, which has to be
 * an object, or returns why it is none that the module would write.
 */

int replay_line_is_object(const enkod_str_t *text);
const char *replay_line_read(replay_line_t *line, const enkod_str_t *text);
int replay_line_selected(const replay_selection_t *selection,
    const replay_line_t *line);

/* whether these bytes have the form of a time, as far as they go */
int replay_line_is_time(const unsigned char *p, size_t len);


/* replay_body.c: what is sent of a line, and how libcurl gets it */

void replay_body_line(replay_body_t *body, const replay_line_t *line);
void replay_body_event(replay_body_t *body, const replay_line_t *line);
size_t replay_body_read(char *buf, size_t size, size_t n, void *data);
int replay_body_seek(void *data, curl_off_t offset, int origin);


/*
 * replay_answer.c: what an answer has to be like; the first three are options.
 * replay_answer_check() returns 0, or -1 with what is wrong with it.
 */

int replay_answer_expect(replay_t *replay, const char *value);
int replay_answer_refuse(replay_t *replay, const char *value);
int replay_answer_refuse_header(replay_t *replay, const char *value);

void replay_answer_begin(replay_answer_t *answer);
size_t replay_answer_header(char *data, size_t size, size_t n, void *ctx);
size_t replay_answer_write(char *data, size_t size, size_t n, void *ctx);
int replay_answer_check(replay_answer_t *answer, char *why);


/* replay_send.c: replay_send() returns 0, or -1 with the reason. */

int replay_send_init(replay_t *replay);
int replay_send(replay_t *replay, replay_body_t *body, char *reason);


/*
 * replay_own.c: opens a regular file that has one name and that this program
 * may write to; returns -1 if there is none, with the reason, or with NULL and
 * errno.
 */

int replay_own_open(const char *name, int flags, const char **error);


/*
 * replay_position.c: where to go on.  replay_position_open() also moves to
 * that place; replay_position_advance() has the file say that all up to the
 * line at hand is done, and replay_position_pass() only remembers that.
 * Until replay_position_close(), nobody else can use it.
 */

int replay_position_open(replay_t *replay);
void replay_position_pass(replay_t *replay);
int replay_position_advance(replay_t *replay);
int replay_position_sync(replay_t *replay);
void replay_position_close(replay_t *replay);


/* replay_collect.c: the file of lines that were not delivered */

int replay_collect_open(replay_t *replay);
int replay_collect(replay_t *replay, const enkod_str_t *line);


/*
 * replay_run.c: all lines; after replay_signals(), replay_interrupted() tells
 * whether there was one
 */

void replay_signals(void);
int replay_run(replay_t *replay);
int replay_interrupted(void);


/* replay_report.c */

void replay_progress_init(replay_t *replay);
void replay_progress(replay_t *replay);
void replay_progress_clear(replay_t *replay);
double replay_clock(void);
void replay_summary(const replay_t *replay);

/* a remark, which --quiet keeps back */
void replay_say(replay_t *replay, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* that something is not delivered */
void replay_complain(replay_t *replay, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* a message for standard error, with the text of errno if that is not 0 */
void replay_error(replay_t *replay, int err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));


#endif /* _REPLAY_H_INCLUDED_ */
