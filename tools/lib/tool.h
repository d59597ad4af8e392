
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * What all commands do before anything else.
 */


#ifndef _TOOL_H_INCLUDED_
#define _TOOL_H_INCLUDED_


/*
 * Makes the process one that can open and write files: none of them gets the
 * descriptor of a standard stream that is closed, and a limit of their size is
 * an error of write() and not a signal.  Returns 0, or -1; then nothing must be
 * opened.
 */

int tool_start(void);


#endif /* _TOOL_H_INCLUDED_ */
