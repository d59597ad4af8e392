
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * SIGINT and SIGTERM: the first one ends a replay after the line at hand, the
 * second one ends the process.
 */


#ifndef _REPLAY_INTERRUPT_H_INCLUDED_
#define _REPLAY_INTERRUPT_H_INCLUDED_


/* Also ignores SIGPIPE. */
void replay_interrupt_init(void);

/* Whether there was a signal. */
int replay_interrupted(void);


#endif /* _REPLAY_INTERRUPT_H_INCLUDED_ */
