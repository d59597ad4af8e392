
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * One POST with libcurl, on a connection that is kept for the next one.
 */


#ifndef _REPLAY_SEND_H_INCLUDED_
#define _REPLAY_SEND_H_INCLUDED_


#include <curl/curl.h>

#include "replay_answer.h"
#include "replay_body.h"


/* of a text that says why a line is not delivered */
#define REPLAY_REASON_SIZE    (CURL_ERROR_SIZE + 64)


/* where requests are sent, and what they are like */

typedef struct {
    const char            *url;
    const char            *type;        /* Content-Type */
    struct curl_slist     *headers;
    long                   timeout;     /* seconds */
    replay_rules_t         rules;       /* for answers */
} replay_target_t;


/* zeroed before its first use */

typedef struct {
    CURL                  *curl;
    struct curl_slist     *headers;
    const replay_rules_t  *rules;
    replay_answer_t        answer;
} replay_sender_t;


/*
 * Prepares requests to a target, which has to outlive them; does nothing if
 * that was done before.  Returns 0, or -1 after a message.
 */
int replay_send_init(replay_sender_t *sender, const replay_target_t *target);

/*
 * A body is delivered when the answer to it is complete, its status is 2xx and
 * the rules accept it.  Returns 0, or -1 with the reason.
 */
int replay_send(replay_sender_t *sender, replay_body_t *body, char *reason);


#endif /* _REPLAY_SEND_H_INCLUDED_ */
