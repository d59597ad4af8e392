
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * One POST with libcurl, on a connection that is kept for the next one.
 */


#include "replay.h"


static int replay_send_options(replay_t *replay);
static int replay_send_header(replay_t *replay, const char *name,
    const char *value);


int
replay_send_init(replay_t *replay)
{
    if (replay->curl) {
        return 0;
    }

    replay->curl = curl_easy_init();

    if (replay->curl == NULL
        || replay_send_header(replay, "Content-Type: ", replay->type) != 0
        /* not to wait for a 100 that many servers do not send */
        || replay_send_header(replay, "Expect:", "") != 0
        || replay_send_options(replay) != 0)
    {
        replay_error(replay, 0, "cannot prepare requests with libcurl");
        return -1;
    }

    return 0;
}


static int
replay_send_options(replay_t *replay)
{
    CURLcode   rc;
    CURL      *curl;

    curl = replay->curl;

    rc = curl_easy_setopt(curl, CURLOPT_URL, replay->url);
    rc |= curl_easy_setopt(curl, CURLOPT_HTTPHEADER, replay->headers);
    rc |= curl_easy_setopt(curl, CURLOPT_USERAGENT, "enkod-replay");
    rc |= curl_easy_setopt(curl, CURLOPT_POST, 1L);
    rc |= curl_easy_setopt(curl, CURLOPT_READFUNCTION, replay_body_read);
    rc |= curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, replay_body_seek);
    rc |= curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, replay_answer_write);
    rc |= curl_easy_setopt(curl, CURLOPT_WRITEDATA, &replay->answer);
    rc |= curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, replay_answer_header);
    rc |= curl_easy_setopt(curl, CURLOPT_HEADERDATA, &replay->answer);
    rc |= curl_easy_setopt(curl, CURLOPT_TIMEOUT, replay->timeout);

    /* one connection, one request on it */
    rc |= curl_easy_setopt(curl, CURLOPT_HTTP_VERSION,
                           (long) CURL_HTTP_VERSION_1_1);

    /* events are for the receiver that was named, and for nobody else */
    rc |= curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    rc |= curl_easy_setopt(curl, CURLOPT_PROXY, "");

    /* signals are ours */
    rc |= curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);

    return (rc == CURLE_OK) ? 0 : -1;
}


static int
replay_send_header(replay_t *replay, const char *name, const char *value)
{
    char               *line;
    struct curl_slist  *headers;

    line = malloc(strlen(name) + strlen(value) + 1);

    if (line == NULL) {
        return -1;
    }

    (void) sprintf(line, "%s%s", name, value);

    headers = curl_slist_append(replay->headers, line);
    free(line);

    if (headers == NULL) {
        return -1;
    }

    replay->headers = headers;

    return 0;
}


int
replay_send(replay_t *replay, replay_body_t *body, char *reason)
{
    long        status;
    char        error[CURL_ERROR_SIZE], why[REPLAY_WHY_SIZE];
    CURL       *curl;
    CURLcode    rc;
    curl_off_t  sent;

    curl = replay->curl;
    error[0] = '\0';
    status = 0;
    sent = 0;

    (void) curl_easy_setopt(curl, CURLOPT_READDATA, body);
    (void) curl_easy_setopt(curl, CURLOPT_SEEKDATA, body);
    (void) curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
    (void) curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                            (curl_off_t) body->len);

    replay_answer_begin(&replay->answer);

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
                        " came before all was sent", status);
        return -1;
    }

    if (replay_answer_check(&replay->answer, why) != 0) {
        (void) snprintf(reason, REPLAY_REASON_SIZE, "the answer is %ld, but"
                        " %s", status, why);
        return -1;
    }

    return 0;
}
