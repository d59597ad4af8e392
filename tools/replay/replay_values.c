
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * What an option's value must be.
 */


#include "replay.h"
#include "enkod_json.h"

#include <errno.h>


/* a day: poll() and libcurl count milliseconds */
#define REPLAY_MAX_TIMEOUT    86400

#define REPLAY_MAX_RATE       1000000


static int replay_value_number(const char *value, double *number);
static int replay_value_header_is_ours(const char *name, size_t len);
static int replay_value_is_text(const char *value);


int
replay_value_rate(replay_t *replay, const char *value)
{
    if (replay_value_number(value, &replay->rate) != 0
        || !(replay->rate > 0)
        || replay->rate > REPLAY_MAX_RATE)
    {
        replay_error(replay, 0, "invalid --rate \"%s\": it must be a number of"
                     " lines per second above 0", value);
        return -1;
    }

    return 0;
}


int
replay_value_timeout(replay_t *replay, const char *value)
{
    double  seconds;

    if (replay_value_number(value, &seconds) != 0
        || seconds < 1
        || seconds > REPLAY_MAX_TIMEOUT
        || seconds != (long) seconds)
    {
        replay_error(replay, 0, "invalid --timeout \"%s\": it must be a whole"
                     " number of seconds, from 1 to %d", value,
                     REPLAY_MAX_TIMEOUT);
        return -1;
    }

    replay->timeout = (long) seconds;

    return 0;
}


/* strtod() takes spaces, signs, hexadecimal numbers, "inf" and "nan", too */

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
replay_value_send(replay_t *replay, const char *value)
{
    if (strcmp(value, "line") == 0) {
        replay->event = 0;
        return 0;
    }

    if (strcmp(value, "event") == 0) {
        replay->event = 1;
        return 0;
    }

    replay_error(replay, 0, "invalid --send \"%s\": it must be \"line\" or"
                 " \"event\"", value);

    return -1;
}


/*
 * Times are compared as text, as far as they are given, so the "Z" must not
 * take part in that.
 */

int
replay_value_time(replay_t *replay, const char *option, const char *value,
    enkod_str_t *time)
{
    size_t  i, len;

    /* where a time may end: behind the year, the month, ... */
    static const size_t  ends[] = { 4, 7, 10, 13, 16, 19, 21, 22, 23 };

    len = strlen(value);

    if (len > sizeof("2026-11-23T") - 1 && value[len - 1] == 'Z') {
        len--;
    }

    for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {

        if (len == ends[i]
            && replay_line_is_time((const unsigned char *) value, len))
        {
            time->data = (const unsigned char *) value;
            time->len = len;
            return 0;
        }
    }

    replay_error(replay, 0, "invalid %s \"%s\": it must be a time in UTC, as"
                 " 2026-11-23T03:44:01.123Z, or a beginning of it, as"
                 " 2026-11-23", option, value);

    return -1;
}


/* In a line, the name is escaped as the module does it. */

int
replay_value_event(replay_t *replay, const char *value)
{
    size_t                len;
    enkod_str_t          *names;
    unsigned char        *name;
    replay_selection_t   *selection;
    const unsigned char  *src;

    src = (const unsigned char *) value;
    len = strlen(value);

    if (!enkod_json_is_utf8(src, len)) {
        replay_error(replay, 0, "invalid --event \"%s\": it must be valid"
                     " UTF-8", value);
        return -1;
    }

    selection = &replay->selection;

    names = realloc(selection->names,
                    (selection->nnames + 1) * sizeof(enkod_str_t));
    name = malloc(6 * len + 1);

    if (names != NULL) {
        selection->names = names;
    }

    if (names == NULL || name == NULL) {
        replay_error(replay, 0, "no memory");
        free(name);
        return -1;
    }

    names[selection->nnames].data = name;
    names[selection->nnames].len = enkod_json_escape(name, src, len);

    selection->nnames++;

    return 0;
}


const char *
replay_value_header(replay_t *replay, const char *value)
{
    char               *line;
    size_t              len, skip;
    struct curl_slist  *headers;

    len = replay_value_token(value);

    if (!replay_value_is_text(value)) {
        return "it must not have control characters in it";
    }

    if (len == 0 || value[len] != ':') {
        return "it must be given as 'Name: value'";
    }

    if (replay_value_header_is_ours(value, len)) {
        return "this one is set by enkod-replay (see --type)";
    }

    line = strdup(value);
    if (line == NULL) {
        return "no memory";
    }

    skip = strspn(value + len + 1, " \t");

    if (value[len + 1 + skip] == '\0') {
        /* how libcurl is told to send one that is empty */
        line[len] = ';';
        line[len + 1] = '\0';
    }

    headers = curl_slist_append(replay->headers, line);
    free(line);

    if (headers == NULL) {
        return "no memory";
    }

    replay->headers = headers;

    return NULL;
}


/* RFC 9110, section 5.6.2 */

size_t
replay_value_token(const char *value)
{
    return strspn(value, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                         "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
}


static int
replay_value_header_is_ours(const char *name, size_t len)
{
    size_t  i;

    static const char  *const names[] = {
        "Content-Type", "Content-Length", "Transfer-Encoding", "Connection",
        "Expect"
    };

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {

        if (len == strlen(names[i]) && strncasecmp(name, names[i], len) == 0) {
            return 1;
        }
    }

    return 0;
}


int
replay_value_type(replay_t *replay, const char *value)
{
    if (*value == '\0' || !replay_value_is_text(value)) {
        replay_error(replay, 0, "invalid --type \"%s\": it must be a MIME type"
                     " without control characters", value);
        return -1;
    }

    replay->type = value;

    return 0;
}


static int
replay_value_is_text(const char *value)
{
    for ( /* void */ ; *value; value++) {

        if (((unsigned char) *value < ' ' && *value != '\t')
            || *value == 0x7f)
        {
            return 0;
        }
    }

    return 1;
}


const char *
replay_value_url(replay_t *replay, const char *value)
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

    if (!valid) {
        return "it must be one of http:// or https://";
    }

    replay->url = value;

    return NULL;
}
