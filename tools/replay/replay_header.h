
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Headers of a request.
 */


#ifndef _REPLAY_HEADER_H_INCLUDED_
#define _REPLAY_HEADER_H_INCLUDED_


#include <stddef.h>
#include <curl/curl.h>


/*
 * Adds the value of --header, "Name: value", or those that are in a file, as
 * "@FILE", one a line.  Returns 0, or -1 after a message.
 */
int replay_header_option(struct curl_slist **headers, const char *value);

/* Adds "name" and "value" as they are; returns 0, or -1 without memory. */
int replay_header_add(struct curl_slist **headers, const char *name,
    const char *value);

/* How many characters at the beginning can be the name of a header. */
size_t replay_header_name(const char *text);

/* Whether the text can be the value of one: it has no control characters. */
int replay_header_is_value(const char *text);


#endif /* _REPLAY_HEADER_H_INCLUDED_ */
