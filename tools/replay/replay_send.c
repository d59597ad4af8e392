
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#include "replay_send.h"
#include "replay_header.h"
#include "../lib/tool_message.h"

#include <stdio.h>


static int replay_send_options(replay_sender_t *sender,
    const replay_target_t *target);


int
replay_send_init(replay_sender_t *sender, const replay_target_t *target)
{
    if (sender->curl) {
        return 0;
    }

    sender->curl = curl_easy_init();
    sender->headers = target->headers;
    sender->rules = &target->rules;

    if (sender->curl == NULL
        || replay_header_add(&sender->headers, "Content-Type: ", target->type)
           != 0
        /* not to wait for a 100 that many servers do not send */
        || replay_header_add(&sender->headers, "Expect:", "") != 0
        || replay_send_options(sender, target) != 0)
    {
        tool_error(0, "cannot prepare requests with libcurl");
        return -1;
    }

    return 0;
}


static int
replay_send_options(replay_sender_t *sender, const replay_target_t *target)
{
    CURL             *curl;
    CURLcode          rc;
    replay_answer_t  *answer;

    curl = sender->curl;
    answer = &sender->answer;

    rc = curl_easy_setopt(curl, CURLOPT_URL, target->url);
    rc |= curl_easy_setopt(curl, CURLOPT_HTTPHEADER, sender->headers);
    rc |= curl_easy_setopt(curl, CURLOPT_USERAGENT, "enkod-replay");
    rc |= curl_easy_setopt(curl, CURLOPT_POST, 1L);
    rc |= curl_easy_setopt(curl, CURLOPT_READFUNCTION, replay_body_read);
    rc |= curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, replay_body_seek);
    rc |= curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, replay_answer_write);
    rc |= curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    rc |= curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, replay_answer_header);
    rc |= curl_easy_setopt(curl, CURLOPT_HEADERDATA, answer);
    rc |= curl_easy_setopt(curl, CURLOPT_TIMEOUT, target->timeout);

    /* one connection, one request on it */
    rc |= curl_easy_setopt(curl, CURLOPT_HTTP_VERSION,
                           (long) CURL_HTTP_VERSION_1_1);

    /* events are for this receiver only: neither redirects nor proxies */
    rc |= curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    rc |= curl_easy_setopt(curl, CURLOPT_PROXY, "");

    /* replay_interrupt.c handles signals */
    rc |= curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);

    return (rc == CURLE_OK) ? 0 : -1;
}


int
replay_send(replay_sender_t *sender, replay_body_t *body, char *reason)
{
    long        status;
    char        error[CURL_ERROR_SIZE], why[REPLAY_WHY_SIZE];
    CURL       *curl;
    CURLcode    rc;
    curl_off_t  sent;

    curl = sender->curl;
    error[0] = '\0';
    status = 0;
    sent = 0;

    (void) curl_easy_setopt(curl, CURLOPT_READDATA, body);
    (void) curl_easy_setopt(curl, CURLOPT_SEEKDATA, body);
    (void) curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
    (void) curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                            (curl_off_t) body->len);

    replay_answer_begin(&sender->answer, sender->rules);

    rc = curl_easy_perform(curl);

    (void) curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
    (void) curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    (void) curl_easy_getinfo(curl, CURLINFO_SIZE_UPLOAD_T, &sent);

    if (rc != CURLE_OK) {
        (void) snprintf(reason, REPLAY_REASON_SIZE, "%s",
                        error[0] ? error : curl_easy_strerror(rc));
        return -1;
    }

    if (status < 200 || status > 299) {
        (void) snprintf(reason, REPLAY_REASON_SIZE, "the answer is %ld",
                        status);
        return -1;
    }

    if (sent != (curl_off_t) body->len) {
        (void) snprintf(reason, REPLAY_REASON_SIZE, "the answer is %ld, but it"
                        " came before the whole request was sent", status);
        return -1;
    }

    if (replay_answer_check(&sender->answer, why) != 0) {
        (void) snprintf(reason, REPLAY_REASON_SIZE, "the answer is %ld, but"
                        " %s", status, why);
        return -1;
    }

    return 0;
}
