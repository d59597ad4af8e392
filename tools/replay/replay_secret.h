
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * An option's value that is in a file: everybody on the machine can read a
 * command line, so a password is better in a file.  Messages do not repeat what
 * is in it.
 */


#ifndef _REPLAY_SECRET_H_INCLUDED_
#define _REPLAY_SECRET_H_INCLUDED_


/*
 * Returns the text of a file, which need not be a regular one, from malloc(),
 * or NULL after a message.
 */
char *replay_secret_read(const char *name);

/* Ends the line at the beginning of a text; returns the next one or NULL. */
char *replay_secret_next(char *line);


#endif /* _REPLAY_SECRET_H_INCLUDED_ */
