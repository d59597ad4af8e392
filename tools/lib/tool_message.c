
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#include "tool_message.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>


static void tool_message(int err, const char *fmt, va_list args);


static const char       *tool_message_program;
static int               tool_message_notes = 1;
static unsigned long     tool_message_errors;
static tool_message_pt   tool_message_handler;
static void             *tool_message_data;


void
tool_message_init(const char *program)
{
    tool_message_program = program;
}


void
tool_message_quiet(void)
{
    tool_message_notes = 0;
}


void
tool_message_before(tool_message_pt handler, void *data)
{
    tool_message_handler = handler;
    tool_message_data = data;
}


void
tool_error(int err, const char *fmt, ...)
{
    va_list  args;

    tool_message_errors++;

    va_start(args, fmt);
    tool_message(err, fmt, args);
    va_end(args);
}


unsigned long
tool_errors(void)
{
    return tool_message_errors;
}


void
tool_warn(const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    tool_message(0, fmt, args);
    va_end(args);
}


void
tool_note(const char *fmt, ...)
{
    va_list  args;

    if (!tool_message_notes) {
        return;
    }

    va_start(args, fmt);
    tool_message(0, fmt, args);
    va_end(args);
}


void
tool_flush_output(void)
{
    if (fflush(stdout) == EOF || ferror(stdout)) {
        tool_error(errno, "cannot write to standard output");
    }
}


/* On a terminal, what was printed before has to appear before. */

static void
tool_message(int err, const char *fmt, va_list args)
{
    (void) fflush(stdout);

    if (tool_message_handler) {
        tool_message_handler(tool_message_data);
    }

    (void) fprintf(stderr, "%s: ", tool_message_program);
    (void) vfprintf(stderr, fmt, args);
    (void) fprintf(stderr, err ? ": %s\n" : "\n", strerror(err));
}
