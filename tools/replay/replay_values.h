
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Values of options, checked.  All functions return 0, or -1 after a message.
 */


#ifndef _REPLAY_VALUES_H_INCLUDED_
#define _REPLAY_VALUES_H_INCLUDED_


/* A number of lines per second. */
int replay_value_rate(const char *value, double *rate);

/* A number of seconds. */
int replay_value_timeout(const char *value, long *seconds);

/* "line" or "event", which sets *event to 0 or 1. */
int replay_value_send(const char *value, int *event);

/* A media type. */
int replay_value_type(const char *value, const char **type);

/* A URL, or that in a file, as "@FILE"; what *url points to is never freed. */
int replay_value_url(const char *value, const char **url);


#endif /* _REPLAY_VALUES_H_INCLUDED_ */
