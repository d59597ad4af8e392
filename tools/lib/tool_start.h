
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * What a command does first, and the exit status that all commands share.
 */


#ifndef _TOOL_START_H_INCLUDED_
#define _TOOL_START_H_INCLUDED_


#define TOOL_OK               0
#define TOOL_ERROR            2


/*
 * Has to be called before anything is opened.  Names the command in messages,
 * opens /dev/null in place of standard streams that are closed, so that no file
 * gets their descriptors, and ignores SIGXFSZ, so that a limit of file sizes is
 * an error of write().  Returns 0, or -1; then nothing may be opened.
 */

int tool_start(const char *program);


#endif /* _TOOL_START_H_INCLUDED_ */
