
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Processes that have a file open for writing: nginx, which is told to reopen
 * its files.
 *
 * The kernel grants a read lease only if no process, in any container, has the
 * file open for writing.  The lease is given back at once, because a process
 * that opens the file waits for that.
 *
 * A process is signalled only if it has this file open, so an old pid file, the
 * number of which is that of another process now, does no harm.
 */


#ifndef _REPLAY_WRITERS_H_INCLUDED_
#define _REPLAY_WRITERS_H_INCLUDED_


#include <sys/stat.h>


typedef struct {
    const char            *name;        /* of the file, for messages */
    int                    fd;
    const struct stat     *st;
    const char            *pid_name;    /* pid file of nginx, or NULL */
} replay_writers_t;


typedef enum {
    REPLAY_WRITERS_NONE = 0,
    REPLAY_WRITERS_SOME,
    REPLAY_WRITERS_INTERRUPTED,
    REPLAY_WRITERS_ERROR                /* after a message */
} replay_writers_e;


/* Whether there are any: NONE, SOME or ERROR. */
replay_writers_e replay_writers(const replay_writers_t *writers);

/*
 * Whether nginx can be told to reopen the file, or need not be: NONE, SOME or
 * ERROR.
 */
replay_writers_e replay_writers_check(const replay_writers_t *writers);

/*
 * Tells nginx to reopen its files, and waits until nobody has this one open for
 * writing: NONE, INTERRUPTED or ERROR.
 */
replay_writers_e replay_writers_release(const replay_writers_t *writers);


#endif /* _REPLAY_WRITERS_H_INCLUDED_ */
