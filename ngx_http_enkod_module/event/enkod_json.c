
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#include "enkod_json.h"


/*
 * Sixteen bytes at a time: a vector of the compiler, which is a register where
 * there is one (SSE2, NEON) and plain code elsewhere.
 */

typedef unsigned char  enkod_json_vector_t __attribute__((vector_size(16)));
typedef signed char    enkod_json_signed_t __attribute__((vector_size(16)));


enum {
    enkod_json_text = 0,
    enkod_json_utf8,
    enkod_json_c2,              /* behind the first byte of U+0080-U+00BF */
    enkod_json_e2,              /* ... of U+2000-U+2FFF */
    enkod_json_e2_80,           /* ... and the second of U+2000-U+203F */
    enkod_json_backslash,
    enkod_json_hex,
    enkod_json_pair,            /* between the halves of a surrogate pair */
    enkod_json_pair_backslash
};


/* control characters that have an escape of two bytes */

static const unsigned char  enkod_json_shorts[32] = {
    ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'
};


/* bytes with which something may begin that is escaped */

static const unsigned char  enkod_json_marks[256] = {
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    ['"'] = 1, ['\\'] = 1, [0x7f] = 1, [0xc2] = 1, [0xe2] = 1
};


static const unsigned char *enkod_json_skip(const unsigned char *p,
    const unsigned char *end);
static inline enkod_json_vector_t enkod_json_passed(const unsigned char *p,
    ptrdiff_t n);
static inline int enkod_json_plain(enkod_json_vector_t passed);
static enkod_error_e enkod_json_step(enkod_json_guard_t *guard,
    unsigned char c);
static enkod_error_e enkod_json_lead(enkod_json_guard_t *guard,
    unsigned char c);
static inline enkod_error_e enkod_json_continue(enkod_json_guard_t *guard,
    unsigned char c);
static enkod_error_e enkod_json_unit(enkod_json_guard_t *guard,
    unsigned char c);
static int enkod_json_string_end(enkod_json_token_t *token, unsigned char c);
static int enkod_json_word(unsigned char c);
static int enkod_json_white(unsigned char c);
static inline size_t enkod_json_control(const unsigned char *p,
    const unsigned char *end, unsigned *unit);


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
 * The hot loop: passes over everything that the guard has no interest in and
 * stops at the first byte that is not ASCII, a backslash, U+007F, \v or \f.
 */

static const unsigned char *
enkod_json_skip(const unsigned char *p, const unsigned char *end)
{
    const unsigned char  *start;

    start = p;

    while (end - p >= (ptrdiff_t) (4 * sizeof(enkod_json_vector_t))) {

        if (!enkod_json_plain(enkod_json_passed(p, 0)
                              & enkod_json_passed(p, 1)
                              & enkod_json_passed(p, 2)
                              & enkod_json_passed(p, 3)))
        {
            break;
        }

        p += 4 * sizeof(enkod_json_vector_t);
    }

    while (end - p >= (ptrdiff_t) sizeof(enkod_json_vector_t)) {

        if (!enkod_json_plain(enkod_json_passed(p, 0))) {
            goto found;
        }

        p += sizeof(enkod_json_vector_t);
    }

    /* the rest together with bytes that were passed over already */

    if (end - start >= (ptrdiff_t) sizeof(enkod_json_vector_t)
        && enkod_json_plain(enkod_json_passed(end, -1)))
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
 * Of the n-th vector from there on: the bytes to pass over are 0xff, which is
 * what a comparison gives where it holds.  When all are one more, U+007F and
 * what is not ASCII are negative or, of 0xff, 0, and \v and \f are an even byte
 * and the odd one behind it.  Bytes below a tab are no JSON anywhere.
 */

static inline enkod_json_vector_t
enkod_json_passed(const unsigned char *p, ptrdiff_t n)
{
    enkod_json_vector_t  v;

    memcpy(&v, p + n * (ptrdiff_t) sizeof(enkod_json_vector_t),
           sizeof(enkod_json_vector_t));

    v += 1;

    return (enkod_json_vector_t) ((enkod_json_signed_t) v > '\t')
           & ~((enkod_json_vector_t) (v == '\\' + 1)
               | (enkod_json_vector_t) ((v & 0xfe) == '\v' + 1));
}


/* Whether there is nothing to stop at. */

static inline int
enkod_json_plain(enkod_json_vector_t passed)
{
    uint64_t  halves[2];

    memcpy(halves, &passed, sizeof(enkod_json_vector_t));

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

        /* an escaped byte is ASCII, or yajl will say so, unless it is torn */
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

            /* behind a number it is an error, seen when the string has ended */

            token->word = 0;
            token->string = 1;

        } else if (enkod_json_word(p[i])) {
            token->word = 1;

        } else if (token->word || !enkod_json_white(p[i])) {
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
            /* right behind a number, it is needed there */
            start = token->word ? len : i;
            token->word = 0;
            continue;

        case '"':
            /* as above: a number goes with the string behind it */
            token->word = 0;
            token->string = 1;
            break;

        default:

            if (enkod_json_word(p[i])) {
                token->word = 1;
                break;
            }

            if (token->word || !enkod_json_white(p[i])) {
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
 * A byte that may not stand in a string ends it too, so that yajl is shown the
 * error as soon as it is there and not at the closing quote.
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
enkod_json_word(unsigned char c)
{
    unsigned char  lower;

    lower = c | 0x20;

    return (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'z')
           || c == '+' || c == '-' || c == '.';
}


static int
enkod_json_white(unsigned char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}


size_t
enkod_json_spaces(const unsigned char *p, size_t len)
{
    size_t  n;

    for (n = 0; n < len && enkod_json_white(p[n]); n++) { /* void */ }

    return n;
}


size_t
enkod_json_escape(unsigned char *dst, const unsigned char *src, size_t len)
{
    size_t                n;
    unsigned              unit;
    unsigned char        *p;
    const unsigned char  *end;

    static const unsigned char  hex[] = "0123456789abcdef";

    p = dst;
    end = src + len;

    while (src < end) {

        if (!enkod_json_marks[*src]) {
            *p++ = *src++;
            continue;
        }

        n = enkod_json_control(src, end, &unit);

        if (n == 0) {

            if (*src == '"' || *src == '\\') {
                *p++ = '\\';
            }

            *p++ = *src++;
            continue;
        }

        src += n;

        *p++ = '\\';

        if (unit < 0x20 && enkod_json_shorts[unit]) {
            *p++ = enkod_json_shorts[unit];
            continue;
        }

        *p++ = 'u';
        *p++ = hex[unit >> 12];
        *p++ = hex[unit >> 8 & 0x0f];
        *p++ = hex[unit >> 4 & 0x0f];
        *p++ = hex[unit & 0x0f];
    }

    return p - dst;
}


size_t
enkod_json_escaped(const unsigned char *src, size_t len)
{
    size_t                n, size;
    unsigned              unit;
    const unsigned char  *end;

    size = len;
    end = src + len;

    while (src < end) {

        if (!enkod_json_marks[*src]) {
            src++;
            continue;
        }

        n = enkod_json_control(src, end, &unit);

        if (n == 0) {
            size += (*src == '"' || *src == '\\');
            src++;
            continue;
        }

        size -= n;
        size += (unit < 0x20 && enkod_json_shorts[unit]) ? 2 : 6;
        src += n;
    }

    return size;
}


/*
 * The length of the character if it is a control character or a line break, and
 * which one it is; or 0.
 */

static inline size_t
enkod_json_control(const unsigned char *p, const unsigned char *end,
    unsigned *unit)
{
    if (*p < 0x20 || *p == 0x7f) {
        *unit = *p;
        return 1;
    }

    if (*p == 0xc2 && end - p >= 2 && p[1] >= 0x80 && p[1] < 0xa0) {
        *unit = p[1];
        return 2;
    }

    if (*p == 0xe2 && end - p >= 3 && p[1] == 0x80
        && (p[2] == 0xa8 || p[2] == 0xa9))
    {
        *unit = 0x2000 | (p[2] & 0x3f);
        return 3;
    }

    return 0;
}


/* A character has four bytes at most. */

size_t
enkod_json_escape_any(unsigned char *dst, const unsigned char *src, size_t len)
{
    size_t          n;
    unsigned char  *p;

    static const unsigned char  replacement[] = "\xef\xbf\xbd";

    p = dst;

    while (len) {

        for (n = 1; n <= 4 && n <= len; n++) {
            if (enkod_json_is_utf8(src, n)) {
                break;
            }
        }

        if (n <= 4 && n <= len) {
            p += enkod_json_escape(p, src, n);

        } else {
            memcpy(p, replacement, sizeof(replacement) - 1);
            p += sizeof(replacement) - 1;
            n = 1;
        }

        src += n;
        len -= n;
    }

    return p - dst;
}
