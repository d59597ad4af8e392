
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * A clock that is never set, in seconds.
 */


#ifndef _TOOL_CLOCK_H_INCLUDED_
#define _TOOL_CLOCK_H_INCLUDED_


double tool_clock(void);

/* Waits; a signal ends it. */
void tool_sleep(double seconds);


#endif /* _TOOL_CLOCK_H_INCLUDED_ */
