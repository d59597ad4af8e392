
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#include "replay_values.h"
#include "replay_header.h"
#include "replay_secret.h"
#include "../lib/tool_message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <curl/curl.h>


/* a day: poll() and libcurl count milliseconds */
#define REPLAY_MAX_TIMEOUT    86400

#define REPLAY_MAX_RATE       1000000


static int replay_value_number(const char *value, double *number);
static const char *replay_value_check_url(const char *value);


int
replay_value_rate(const char *value, double *rate)
{
    if (replay_value_number(value, rate) != 0
        || !(*rate > 0)
        || *rate > REPLAY_MAX_RATE)
    {
        tool_error(0, "invalid --rate \"%s\": it must be a number of lines per"
                   " second above 0", value);
        return -1;
    }

    return 0;
}


int
replay_value_timeout(const char *value, long *seconds)
{
    double  number;

    if (replay_value_number(value, &number) != 0
        || number < 1
        || number > REPLAY_MAX_TIMEOUT
        || number != (long) number)
    {
        tool_error(0, "invalid --timeout \"%s\": it must be a whole number of"
                   " seconds, from 1 to %d", value, REPLAY_MAX_TIMEOUT);
        return -1;
    }

    *seconds = (long) number;

    return 0;
}


/* strtod() also takes spaces, signs, hexadecimal numbers, "inf" and "nan" */

static int
replay_value_number(const char *value, double *number)
{
    char  *end;

    if (*value < '0' || *value > '9'
        || strspn(value, "0123456789.") != strlen(value))
    {
        return -1;
    }

    errno = 0;
    *number = strtod(value, &end);

    return (*end == '\0' && errno == 0) ? 0 : -1;
}


int
replay_value_send(const char *value, int *event)
{
    if (strcmp(value, "line") == 0) {
        *event = 0;
        return 0;
    }

    if (strcmp(value, "event") == 0) {
        *event = 1;
        return 0;
    }

    tool_error(0, "invalid --send \"%s\": it must be \"line\" or \"event\"",
               value);

    return -1;
}


int
replay_value_type(const char *value, const char **type)
{
    if (*value == '\0' || !replay_header_is_value(value)) {
        tool_error(0, "invalid --type \"%s\": it must be a MIME type without"
                   " control characters", value);
        return -1;
    }

    *type = value;

    return 0;
}


int
replay_value_url(const char *value, const char **url)
{
    char        *text;
    const char  *error;

    if (*value != '@') {
        error = replay_value_check_url(value);

        if (error) {
            tool_error(0, "invalid URL \"%s\": %s", value, error);
            return -1;
        }

        *url = value;

        return 0;
    }

    text = replay_secret_read(value + 1);

    if (text == NULL) {
        return -1;
    }

    error = replay_secret_next(text) ? "it must be the only line"
                                     : replay_value_check_url(text);

    if (error) {
        tool_error(0, "invalid URL in \"%s\": %s", value + 1, error);
        free(text);
        return -1;
    }

    *url = text;

    return 0;
}


static const char *
replay_value_check_url(const char *value)
{
    int     valid;
    char   *scheme;
    CURLU  *url;

    scheme = NULL;
    url = curl_url();

    valid = url != NULL
            && curl_url_set(url, CURLUPART_URL, value, 0) == CURLUE_OK
            && curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK
            && (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);

    curl_free(scheme);
    curl_url_cleanup(url);

    return valid ? NULL : "it must begin with http:// or https://";
}
