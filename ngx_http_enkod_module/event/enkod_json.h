
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * What the event core needs besides yajl: a guard that refuses bytes which yajl
 * would accept or alter (enkod_json_guard.c), the places of tokens, so that one
 * that is cut by the end of a chunk can be put together again for yajl
 * (enkod_json_token.c), and the escapes of strings, without which a terminal or
 * a reader of lines would take some characters for more than text
 * (enkod_json_escape.c).
 *
 * Nothing here allocates; all state is in structs that the caller zeroes.
 */


#ifndef _ENKOD_JSON_H_INCLUDED_
#define _ENKOD_JSON_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>

#include "enkod_error.h"

#pragma GCC visibility push(hidden)


/* zeroed before the first byte of a body */

typedef struct {
    unsigned char          state;
    unsigned char          need;    /* UTF-8 continuation bytes to come */
    unsigned char          lower;   /* bounds of the next one */
    unsigned char          upper;
    unsigned char          digits;  /* hex digits of \uXXXX seen */
    unsigned char          high:1;  /* a high surrogate came last */
    unsigned char          controls:1;  /* a control character came that JSON
                                           allows, see enkod_json_guard() */
    uint16_t               unit;    /* UTF-16 code unit of \uXXXX */
} enkod_json_guard_t;


/* zeroed before the first byte of a body */

typedef struct {
    unsigned               open:1;      /* the last chunk ended in a token */
    unsigned               word:1;      /* in a number, true, false or null */
    unsigned               string:1;    /* in a string */
    unsigned               escaped:1;   /* after a backslash in a string */
} enkod_json_token_t;


/*
 * Checks the next "len" bytes of a body and returns how many of them are good:
 * "len" with *error set to ENKOD_OK, or less with *error set to
 * ENKOD_INVALID_UTF8, ENKOD_LONE_SURROGATE or ENKOD_INVALID_JSON.  Then the
 * error was noticed at the byte at the returned index, and the guard must not
 * be used any more.
 *
 * UTF-8 is that of RFC 3629: no overlong forms, no surrogates, nothing above
 * U+10FFFF.  A vertical tab or a form feed is ENKOD_INVALID_JSON, as yajl takes
 * it for white space, which it is not (RFC 8259, section 2).
 *
 * U+007F to U+009F, U+2028 and U+2029 are good; guard->controls is set when the
 * last byte of such a character has come, if not before.
 */
size_t enkod_json_guard(enkod_json_guard_t *guard, const unsigned char *p,
    size_t len, enkod_error_e *error);

/* Whether a text is valid UTF-8 as defined above. */
int enkod_json_is_utf8(const unsigned char *p, size_t len);

/*
 * To be called if token->open: returns how many bytes of this chunk belong to
 * the token that the end of the last chunk cut, and clears token->open if the
 * token ends among them.  If it is a number (token->word), yajl needs one more
 * byte to see that it has ended.
 */
size_t enkod_json_token_end(enkod_json_token_t *token, const unsigned char *p,
    size_t len);

/*
 * To be called unless token->open: returns the index at which the token begins
 * that the end of this chunk cuts, and sets token->open; or returns "len" if
 * the chunk ends between two tokens.  A separator before a token counts as the
 * token's first byte, also if nothing of the token itself has come.
 */
size_t enkod_json_token_tail(enkod_json_token_t *token, const unsigned char *p,
    size_t len);

/* How many bytes of white space there are at the beginning (section 2). */
size_t enkod_json_spaces(const unsigned char *p, size_t len);

/*
 * Writes the content of a string, without quotes, and returns its length; "dst"
 * must have room for 6 * len bytes.  The source is valid UTF-8 without escapes.
 *
 * The characters that must be escaped are (RFC 8259, section 7), and so are
 * U+007F to U+009F, U+2028 and U+2029: JSON does not need that, but a terminal
 * may obey them, and some readers take them for the end of a line.
 */
size_t enkod_json_escape(unsigned char *dst, const unsigned char *src,
    size_t len);

/* The length that enkod_json_escape() would return. */
size_t enkod_json_escaped_length(const unsigned char *src, size_t len);

/*
 * The same for any bytes: each one that is not part of a valid character is
 * replaced by U+FFFD.  "dst" must have room for 6 * len bytes.
 */
size_t enkod_json_escape_any(unsigned char *dst, const unsigned char *src,
    size_t len);


#pragma GCC visibility pop

#endif /* _ENKOD_JSON_H_INCLUDED_ */
