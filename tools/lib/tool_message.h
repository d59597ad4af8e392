
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Messages for standard error: "PROGRAM: text", a line each.  As with error(3),
 * the number of errors is kept here, so that a function that fails need not
 * know who decides the exit status.
 */


#ifndef _TOOL_MESSAGE_H_INCLUDED_
#define _TOOL_MESSAGE_H_INCLUDED_


typedef void (*tool_message_pt)(void *data);


void tool_message_init(const char *program);

/* Suppresses tool_note(). */
void tool_message_quiet(void);

/* Has a function called before each message, to clear a progress bar. */
void tool_message_before(tool_message_pt handler, void *data);

/* An error; the text of "err", an errno, follows the message if it is not 0. */
void tool_error(int err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* How many errors there were. */
unsigned long tool_errors(void);

/* What the user has to know, but is not an error. */
void tool_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* What the user may want to know. */
void tool_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Writes out what is buffered for standard output; a failure is an error. */
void tool_flush_output(void);


#endif /* _TOOL_MESSAGE_H_INCLUDED_ */
