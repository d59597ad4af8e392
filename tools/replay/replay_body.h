
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The body of a request: a list of parts of the line, which libcurl copies to
 * where it sends from, so that a large line is in memory once.
 */


#ifndef _REPLAY_BODY_H_INCLUDED_
#define _REPLAY_BODY_H_INCLUDED_


#include <curl/curl.h>

#include "replay_line.h"
#include "enkod_str.h"


typedef struct {
    enkod_str_t            parts[5];
    size_t                 nparts;
    size_t                 len;         /* in bytes */

    size_t                 part;        /* what was sent so far */
    size_t                 offset;
} replay_body_t;


/* --send line: without "pass_status", as it was before it was spooled */
void replay_body_line(replay_body_t *body, const replay_line_t *line);

/* --send event: extra members beside the others, as it was received */
void replay_body_event(replay_body_t *body, const replay_line_t *line);

/*
 * CURLOPT_READFUNCTION, and CURLOPT_SEEKFUNCTION: libcurl begins again when a
 * connection that was kept turns out to be closed.
 */
size_t replay_body_read(char *buf, size_t size, size_t n, void *data);
int replay_body_seek(void *data, curl_off_t offset, int origin);


#endif /* _REPLAY_BODY_H_INCLUDED_ */
