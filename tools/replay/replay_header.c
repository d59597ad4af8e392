
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#include "replay_header.h"
#include "replay_secret.h"
#include "../lib/tool_message.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>


static int replay_header_file(struct curl_slist **headers, const char *name);
static const char *replay_header_line(struct curl_slist **headers,
    const char *line);
static int replay_header_is_ours(const char *name, size_t len);


int
replay_header_option(struct curl_slist **headers, const char *value)
{
    const char  *error;

    if (*value == '@') {
        return replay_header_file(headers, value + 1);
    }

    error = replay_header_line(headers, value);

    if (error) {
        tool_error(0, "invalid --header \"%s\": %s", value, error);
        return -1;
    }

    return 0;
}


static int
replay_header_file(struct curl_slist **headers, const char *name)
{
    int          n;
    char        *text, *line, *next;
    const char  *error;

    text = replay_secret_read(name);

    if (text == NULL) {
        return -1;
    }

    error = NULL;

    for (line = text, n = 1; line; line = next, n++) {

        next = replay_secret_next(line);

        error = *line ? replay_header_line(headers, line) : NULL;

        if (error) {
            tool_error(0, "invalid header in \"%s\" line %d: %s", name, n,
                       error);
            break;
        }
    }

    free(text);

    return error ? -1 : 0;
}


/* Returns NULL, or why it is not a header. */

static const char *
replay_header_line(struct curl_slist **headers, const char *line)
{
    int     rc;
    char   *name;
    size_t  len, skip;

    len = replay_header_name(line);

    if (!replay_header_is_value(line)) {
        return "it must not contain control characters";
    }

    if (len == 0 || line[len] != ':') {
        return "it must be given as 'Name: value'";
    }

    if (replay_header_is_ours(line, len)) {
        return "this one is set by enkod-replay (see --type)";
    }

    skip = strspn(line + len + 1, " \t");

    if (line[len + 1 + skip] != '\0') {
        rc = replay_header_add(headers, line, "");

    } else {
        name = strndup(line, len);

        /* how libcurl is told to send one that is empty */
        rc = name ? replay_header_add(headers, name, ";") : -1;

        free(name);
    }

    return (rc == 0) ? NULL : "no memory";
}


int
replay_header_add(struct curl_slist **headers, const char *name,
    const char *value)
{
    char               *line;
    struct curl_slist  *list;

    line = malloc(strlen(name) + strlen(value) + 1);

    if (line == NULL) {
        return -1;
    }

    (void) strcpy(line, name);
    (void) strcat(line, value);

    list = curl_slist_append(*headers, line);
    free(line);

    if (list == NULL) {
        return -1;
    }

    *headers = list;

    return 0;
}


/* RFC 9110, section 5.6.2 */

size_t
replay_header_name(const char *text)
{
    return strspn(text, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                        "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
}


int
replay_header_is_value(const char *text)
{
    for ( /* void */ ; *text; text++) {

        if (((unsigned char) *text < ' ' && *text != '\t') || *text == 0x7f) {
            return 0;
        }
    }

    return 1;
}


static int
replay_header_is_ours(const char *name, size_t len)
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
