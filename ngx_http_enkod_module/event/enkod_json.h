
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * What yajl does not do for us: the bytes it would let through or alter are
 * caught before it sees them, tokens cut by the border of a chunk are put
 * together again for it, and strings are written without anything in them that
 * is a control character or a line break to whoever reads them.
 *
 * Nothing here allocates; all state is in structs the caller zeroes.
 */


#ifndef _ENKOD_JSON_H_INCLUDED_
#define _ENKOD_JSON_H_INCLUDED_


#include "enkod_error.h"
#include "enkod_str.h"

#pragma GCC visibility push(hidden)


/* zeroed before the first byte of a body */

typedef struct {
    unsigned char          state;
    unsigned char          need;    /* UTF-8 continuation bytes to come */
    unsigned char          lower;   /* bounds of the next one */
    unsigned char          upper;
    unsigned char          digits;  /* hex digits of \uXXXX seen */
    unsigned char          high:1;  /* a high surrogate waits for its low */
    unsigned char          controls:1;  /* one of those came that JSON lets
                                           stand, see below */
    uint16_t               unit;    /* UTF-16 code unit of \uXXXX */
} enkod_json_guard_t;


/* zeroed before the first byte of a body */

typedef struct {
    unsigned               open:1;      /* the last chunk ended in a token */
    unsigned               word:1;      /* ... which is a number or a literal */
    unsigned               string:1;    /* ... which is a string */
    unsigned               escaped:1;   /* ... and its last byte was "\" */
} enkod_json_token_t;


/*
 * Looks at the next "len" bytes of a body and returns how many of them are
 * good: "len", or less with *error set to ENKOD_INVALID_UTF8,
 * ENKOD_LONE_SURROGATE or ENKOD_INVALID_JSON; then the byte at the returned
 * index is the one at which that was noticed, and the guard is of no more use.
 *
 * UTF-8 is that of RFC 3629: no overlong forms, no surrogates, nothing above
 * U+10FFFF.  A vertical tab or form feed is INVALID_JSON, since yajl takes
 * them for white space (RFC 8259, section 2 does not).
 *
 * U+007F to U+009F, U+2028 and U+2029 are good, and noted in guard->controls,
 * at the latest with the last byte of the first of them.
 */
size_t enkod_json_guard(enkod_json_guard_t *guard, const unsigned char *p,
    size_t len, enkod_error_e *error);

/* Whether a text is valid UTF-8, in the same sense. */
int enkod_json_is_utf8(const unsigned char *p, size_t len);

/*
 * With a token open from the chunk before: returns how many bytes of this
 * chunk belong to it, and closes it if its end is among them.  A "word" then
 * still lacks the byte by which yajl knows that it has ended.
 */
size_t enkod_json_token_end(enkod_json_token_t *token, const unsigned char *p,
    size_t len);

/*
 * With no token open: returns the index at which the token begins that the
 * chunk's end cuts, and opens it; or "len" if the chunk ends between tokens.
 * A separator before a token counts as its beginning, even if no more of it is
 * there yet.
 */
size_t enkod_json_token_tail(enkod_json_token_t *token, const unsigned char *p,
    size_t len);

/* How many bytes of white space come first (RFC 8259, section 2). */
size_t enkod_json_spaces(const unsigned char *p, size_t len);

/*
 * Writes a string's content without quotes and returns the length; "dst" must
 * have room for 6 * len bytes.  The source is the string's value, valid UTF-8.
 *
 * Escaped is what has to be (RFC 8259, section 7), and besides what JSON lets
 * stand though a terminal obeys it, or a reader of lines takes it for the end
 * of one: U+007F to U+009F, U+2028 and U+2029.
 */
size_t enkod_json_escape(unsigned char *dst, const unsigned char *src,
    size_t len);

/* The length that enkod_json_escape() would return. */
size_t enkod_json_escaped(const unsigned char *src, size_t len);

/*
 * The same of bytes that may be anything: U+FFFD stands for every one that is
 * no part of a character in UTF-8.  "dst" must have room for 6 * len bytes.
 */
size_t enkod_json_escape_any(unsigned char *dst, const unsigned char *src,
    size_t len);


#pragma GCC visibility pop

#endif /* _ENKOD_JSON_H_INCLUDED_ */
