
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Where the tokens of JSON begin and end, so that one that is cut by the end of
 * a chunk can be put together again for yajl.
 */


#include <string.h>

#include "enkod_json.h"


static int enkod_json_string_end(enkod_json_token_t *token, unsigned char c);
static int enkod_json_is_word(unsigned char c);
static int enkod_json_is_white(unsigned char c);


size_t
enkod_json_token_end(enkod_json_token_t *token, const unsigned char *p,
    size_t len)
{
    size_t  i;

    for (i = 0; i < len; i++) {

        if (token->string) {

            if (enkod_json_string_end(token, p[i])) {
                token->open = 0;
                return i + 1;
            }

        } else if (p[i] == '"') {

            /* after a number: yajl reports it when the string has ended */

            token->word = 0;
            token->string = 1;

        } else if (enkod_json_is_word(p[i])) {
            token->word = 1;

        } else if (token->word || !enkod_json_is_white(p[i])) {
            token->open = 0;
            return i;
        }
    }

    return len;
}


size_t
enkod_json_token_tail(enkod_json_token_t *token, const unsigned char *p,
    size_t len)
{
    size_t  i, start;

    start = len;

    for (i = 0; i < len; i++) {

        if (token->string) {

            if (enkod_json_string_end(token, p[i])) {
                start = len;
            }

            continue;
        }

        switch (p[i]) {

        case '{':
        case '[':
        case ',':
        case ':':
            /* right after a number, yajl needs it to see the number's end */
            start = token->word ? len : i;
            token->word = 0;
            continue;

        case '"':
            /* as above: a number and the string after it are one token */
            token->word = 0;
            token->string = 1;
            break;

        default:

            if (enkod_json_is_word(p[i])) {
                token->word = 1;
                break;
            }

            if (token->word || !enkod_json_is_white(p[i])) {
                token->word = 0;
                start = len;
            }

            continue;
        }

        if (start == len) {
            start = i;
        }
    }

    token->open = (start != len);

    return start;
}


/*
 * A byte that is not allowed in a string also ends it, so that yajl sees the
 * error at once and not when the closing quote has come.
 */

static int
enkod_json_string_end(enkod_json_token_t *token, unsigned char c)
{
    if (token->escaped) {
        token->escaped = 0;

        if (c != '\0' && strchr("\"\\/bfnrtu", c) != NULL) {
            return 0;
        }

    } else if (c == '\\') {
        token->escaped = 1;
        return 0;

    } else if (c >= 0x20 && c != '"') {
        return 0;
    }

    token->string = 0;

    return 1;
}


/* a byte of a number or of true, false, null */

static int
enkod_json_is_word(unsigned char c)
{
    unsigned char  lower;

    lower = c | 0x20;

    return (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'z')
           || c == '+' || c == '-' || c == '.';
}


static int
enkod_json_is_white(unsigned char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}


size_t
enkod_json_spaces(const unsigned char *p, size_t len)
{
    size_t  n;

    for (n = 0; n < len && enkod_json_is_white(p[n]); n++) { /* void */ }

    return n;
}
