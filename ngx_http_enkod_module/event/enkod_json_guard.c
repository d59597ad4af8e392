
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * What yajl would accept or alter although RFC 8259 does not allow it: UTF-8
 * that is not valid, half a surrogate pair, a vertical tab or a form feed.  The
 * guard looks at every byte before yajl does, and keeps its place from one
 * chunk to the next.
 */


#include <string.h>

#include "enkod_json.h"


/*
 * Sixteen bytes at a time: gcc's and clang's vector type, which is a register
 * on processors that have one (SSE2, NEON) and plain code on others.
 */

typedef unsigned char  enkod_json_vector_t __attribute__((vector_size(16)));
typedef signed char    enkod_json_signed_t __attribute__((vector_size(16)));


enum {
    enkod_json_text = 0,
    enkod_json_utf8,
    enkod_json_c2,              /* after the first byte of U+0080-U+00BF */
    enkod_json_e2,              /* after the first byte of U+2000-U+2FFF */
    enkod_json_e2_80,           /* after the second byte of U+2000-U+203F */
    enkod_json_backslash,
    enkod_json_hex,
    enkod_json_pair,            /* between the halves of a surrogate pair */
    enkod_json_pair_backslash
};


static const unsigned char *enkod_json_skip(const unsigned char *p,
    const unsigned char *end);
static inline enkod_json_vector_t enkod_json_compare(const unsigned char *p,
    ptrdiff_t n);
static inline int enkod_json_is_clean(enkod_json_vector_t result);
static enkod_error_e enkod_json_step(enkod_json_guard_t *guard,
    unsigned char c);
static enkod_error_e enkod_json_lead(enkod_json_guard_t *guard,
    unsigned char c);
static inline enkod_error_e enkod_json_continue(enkod_json_guard_t *guard,
    unsigned char c);
static enkod_error_e enkod_json_unit(enkod_json_guard_t *guard,
    unsigned char c);


size_t
enkod_json_guard(enkod_json_guard_t *guard, const unsigned char *p, size_t len,
    enkod_error_e *error)
{
    const unsigned char  *start, *end;

    if (len == 0) {
        *error = ENKOD_OK;
        return 0;
    }

    start = p;
    end = p + len;

    for ( ;; ) {

        if (guard->state == enkod_json_text) {
            p = enkod_json_skip(p, end);
        }

        if (p == end) {
            *error = ENKOD_OK;
            return len;
        }

        *error = enkod_json_step(guard, *p);

        if (*error != ENKOD_OK) {
            return p - start;
        }

        p++;
    }
}


int
enkod_json_is_utf8(const unsigned char *p, size_t len)
{
    const unsigned char  *end;
    enkod_json_guard_t    guard;

    memset(&guard, 0, sizeof(enkod_json_guard_t));

    for (end = p + len; p < end; p++) {

        if (*p < 0x80 && guard.state == enkod_json_text) {
            continue;
        }

        if (enkod_json_step(&guard, *p) != ENKOD_OK) {
            return 0;
        }
    }

    return guard.state == enkod_json_text;
}


/*
 * The hot loop: returns the first byte that the guard has to look at, which is
 * one that is not ASCII, a backslash, U+007F, \v or \f.
 */

static const unsigned char *
enkod_json_skip(const unsigned char *p, const unsigned char *end)
{
    const unsigned char  *start;

    start = p;

    while (end - p >= (ptrdiff_t) (4 * sizeof(enkod_json_vector_t))) {

        if (!enkod_json_is_clean(enkod_json_compare(p, 0)
                              & enkod_json_compare(p, 1)
                              & enkod_json_compare(p, 2)
                              & enkod_json_compare(p, 3)))
        {
            break;
        }

        p += 4 * sizeof(enkod_json_vector_t);
    }

    while (end - p >= (ptrdiff_t) sizeof(enkod_json_vector_t)) {

        if (!enkod_json_is_clean(enkod_json_compare(p, 0))) {
            goto found;
        }

        p += sizeof(enkod_json_vector_t);
    }

    /* the last bytes, in a vector that overlaps the one before */

    if (end - start >= (ptrdiff_t) sizeof(enkod_json_vector_t)
        && enkod_json_is_clean(enkod_json_compare(end, -1)))
    {
        return end;
    }

found:

    while (p < end && *p < 0x7f && *p != '\\' && *p != '\v' && *p != '\f') {
        p++;
    }

    return p;
}


/*
 * Compares the n-th vector from p: a byte of the result is 0xff where the guard
 * need not look, which is what a vector comparison gives if it is true.  Adding
 * one to each byte makes U+007F and bytes that are not ASCII negative, or 0 in
 * the case of 0xff, and turns \v and \f into a pair that differs in its lowest
 * bit only, so that one comparison finds both.  Bytes below a tab give 0 as
 * well; they are not valid anywhere in JSON.
 */

static inline enkod_json_vector_t
enkod_json_compare(const unsigned char *p, ptrdiff_t n)
{
    enkod_json_vector_t  v;

    memcpy(&v, p + n * (ptrdiff_t) sizeof(enkod_json_vector_t),
           sizeof(enkod_json_vector_t));

    v += 1;

    return (enkod_json_vector_t) ((enkod_json_signed_t) v > '\t')
           & ~((enkod_json_vector_t) (v == '\\' + 1)
               | (enkod_json_vector_t) ((v & 0xfe) == '\v' + 1));
}


/* Whether the guard need not look at any of these bytes. */

static inline int
enkod_json_is_clean(enkod_json_vector_t result)
{
    uint64_t  halves[2];

    memcpy(halves, &result, sizeof(enkod_json_vector_t));

    return (halves[0] & halves[1]) == UINT64_MAX;
}


static enkod_error_e
enkod_json_step(enkod_json_guard_t *guard, unsigned char c)
{
    switch (guard->state) {

    case enkod_json_text:

        if (c == '\\') {
            guard->state = enkod_json_backslash;
            return ENKOD_OK;
        }

        return enkod_json_lead(guard, c);

    case enkod_json_utf8:
        return enkod_json_continue(guard, c);

    case enkod_json_c2:

        if (c < 0xa0) {
            guard->controls = 1;
        }

        return enkod_json_continue(guard, c);

    case enkod_json_e2:
        guard->state = (c == 0x80) ? enkod_json_e2_80 : enkod_json_utf8;
        return enkod_json_continue(guard, c);

    case enkod_json_e2_80:

        if (c == 0xa8 || c == 0xa9) {
            guard->controls = 1;
        }

        return enkod_json_continue(guard, c);

    case enkod_json_backslash:

        guard->state = enkod_json_text;

        if (c == 'u') {
            guard->state = enkod_json_hex;
            guard->digits = 0;
            guard->unit = 0;
            return ENKOD_OK;
        }

        /* yajl refuses any other byte, but only once its character is whole */
        return c < 0x80 ? ENKOD_OK : enkod_json_lead(guard, c);

    case enkod_json_hex:
        return enkod_json_unit(guard, c);

    case enkod_json_pair:

        if (c != '\\') {
            return ENKOD_LONE_SURROGATE;
        }

        guard->state = enkod_json_pair_backslash;
        return ENKOD_OK;

    default: /* enkod_json_pair_backslash */

        if (c != 'u') {
            return ENKOD_LONE_SURROGATE;
        }

        guard->state = enkod_json_hex;
        guard->digits = 0;
        guard->unit = 0;
        return ENKOD_OK;
    }
}


/* RFC 3629, section 4, "Syntax of UTF-8 Byte Sequences" */

static enkod_error_e
enkod_json_lead(enkod_json_guard_t *guard, unsigned char c)
{
    guard->lower = 0x80;
    guard->upper = 0xbf;

    if (c == 0x7f) {
        guard->controls = 1;
        return ENKOD_OK;
    }

    if (c < 0x80) {
        /* only \v and \f come here */
        return ENKOD_INVALID_JSON;
    }

    guard->state = enkod_json_utf8;

    if (c >= 0xc2 && c <= 0xdf) {
        guard->need = 1;

        if (c == 0xc2) {
            guard->state = enkod_json_c2;
        }

    } else if (c >= 0xe0 && c <= 0xef) {
        guard->need = 2;

        if (c == 0xe0) {
            guard->lower = 0xa0;

        } else if (c == 0xe2) {
            guard->state = enkod_json_e2;

        } else if (c == 0xed) {
            guard->upper = 0x9f;
        }

    } else if (c >= 0xf0 && c <= 0xf4) {
        guard->need = 3;

        if (c == 0xf0) {
            guard->lower = 0x90;

        } else if (c == 0xf4) {
            guard->upper = 0x8f;
        }

    } else {
        return ENKOD_INVALID_UTF8;
    }

    return ENKOD_OK;
}


static inline enkod_error_e
enkod_json_continue(enkod_json_guard_t *guard, unsigned char c)
{
    if (c < guard->lower || c > guard->upper) {
        return ENKOD_INVALID_UTF8;
    }

    guard->lower = 0x80;
    guard->upper = 0xbf;

    if (--guard->need == 0) {
        guard->state = enkod_json_text;
    }

    return ENKOD_OK;
}


/* RFC 8259, section 7: \uXXXX, and section 8.2: unpaired surrogates */

static enkod_error_e
enkod_json_unit(enkod_json_guard_t *guard, unsigned char c)
{
    unsigned char  lower;

    lower = c | 0x20;

    if (c >= '0' && c <= '9') {
        guard->unit = guard->unit << 4 | (c - '0');

    } else if (lower >= 'a' && lower <= 'f') {
        guard->unit = guard->unit << 4 | (lower - 'a' + 10);

    } else {
        return ENKOD_INVALID_JSON;
    }

    if (++guard->digits < 4) {
        return ENKOD_OK;
    }

    switch (guard->unit & 0xfc00) {

    case 0xd800:

        if (guard->high) {
            return ENKOD_LONE_SURROGATE;
        }

        guard->high = 1;
        guard->state = enkod_json_pair;
        return ENKOD_OK;

    case 0xdc00:

        if (!guard->high) {
            return ENKOD_LONE_SURROGATE;
        }

        break;

    default:

        if (guard->high) {
            return ENKOD_LONE_SURROGATE;
        }
    }

    guard->high = 0;
    guard->state = enkod_json_text;

    return ENKOD_OK;
}
