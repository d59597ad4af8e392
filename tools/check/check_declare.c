
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#include "check_declare.h"
#include "enkod_json.h"
#include "enkod_str.h"
#include "../lib/tool_message.h"

#include <stdlib.h>
#include <string.h>


/* texts that the schema points to, as long as the process lives */

typedef struct check_words_s  check_words_t;

struct check_words_s {
    check_words_t         *next;
    char                   text[];
};


static size_t check_declare_word(const char **text, char *word, int *quoted);


static check_words_t  *check_words;


int
check_declare(enkod_schema_t *schema, const char *text)
{
    int             quoted, nwords;
    char           *name, *p;
    size_t          len, name_len;
    const char     *error, *next;
    enkod_str_t     str;
    enkod_shape_t  *shape;
    check_words_t  *words;

    len = strlen(text);

    words = malloc(sizeof(check_words_t) + 3 * len + 3);
    if (words == NULL) {
        tool_error(0, "no memory");
        return -1;
    }

    words->next = check_words;
    check_words = words;

    /* the name is put together in front of the words */

    name = words->text;
    p = name + len + 1;
    next = text;
    name_len = 0;
    shape = NULL;
    error = NULL;

    if (!enkod_json_is_utf8((const unsigned char *) text, len)) {
        error = "names must be valid UTF-8";
        goto failed;
    }

    for (nwords = 0; /* void */; nwords++) {

        len = check_declare_word(&next, p, &quoted);

        if (len == (size_t) -1) {
            error = "a quote is not closed";
            goto failed;
        }

        if (len == 0 && !quoted) {
            break;
        }

        if (shape == NULL
            && (nwords == 0 || (!quoted && memchr(p, '=', len) == NULL)))
        {
            if (nwords) {
                name[name_len++] = ' ';
            }

            memcpy(name + name_len, p, len);
            name_len += len;

            if (!quoted) {
                continue;
            }
        }

        if (shape == NULL) {
            str.data = (unsigned char *) name;
            str.len = name_len;

            shape = enkod_schema_declare(schema, &str, &error);

            if (shape == NULL) {
                goto failed;
            }

            if (nwords == 0) {
                continue;
            }
        }

        str.data = (unsigned char *) p;
        str.len = len;

        if (enkod_schema_declare_field(schema, shape, &str, &error) == NULL) {
            goto failed;
        }

        p += len;
    }

    if (shape == NULL) {
        str.data = (unsigned char *) name;
        str.len = name_len;

        if (enkod_schema_declare(schema, &str, &error) == NULL) {
            goto failed;
        }
    }

    return 0;

failed:

    tool_error(0, "invalid --event \"%s\": %s", text, error);

    return -1;
}


/*
 * The next word, as in nginx.conf, and its length: 0 at the end, -1 if a quote
 * is not closed.
 */

static size_t
check_declare_word(const char **text, char *word, int *quoted)
{
    char         quote, *w;
    const char  *p;

    p = *text;
    w = word;

    p += strspn(p, " \t\r\n");

    quote = (*p == '"' || *p == '\'') ? *p++ : '\0';
    *quoted = (quote != '\0');

    while (*p) {

        if (quote ? *p == quote : strchr(" \t\r\n", *p) != NULL) {
            break;
        }

        if (*p == '\\' && p[1] != '\0' && strchr("\"'\\", p[1]) != NULL) {
            p++;
        }

        *w++ = *p++;
    }

    if (quote && *p++ != quote) {
        return -1;
    }

    *text = p;

    return w - word;
}
