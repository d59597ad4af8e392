
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The content of a string as it is written: with the escapes that JSON needs,
 * and those that keep a line free of control characters and line breaks.
 */


#include <string.h>

#include "enkod_json.h"


/* control characters that have an escape of two bytes */

static const unsigned char  enkod_json_short_escapes[32] = {
    ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'
};


/* first bytes of the characters that are escaped, and of others */

static const unsigned char  enkod_json_may_escape[256] = {
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    ['"'] = 1, ['\\'] = 1, [0x7f] = 1, [0xc2] = 1, [0xe2] = 1
};


static inline size_t enkod_json_control(const unsigned char *p,
    const unsigned char *end, unsigned *unit);


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

        if (!enkod_json_may_escape[*src]) {
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

        if (unit < 0x20 && enkod_json_short_escapes[unit]) {
            *p++ = enkod_json_short_escapes[unit];
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
enkod_json_escaped_length(const unsigned char *src, size_t len)
{
    size_t                n, size;
    unsigned              unit;
    const unsigned char  *end;

    size = len;
    end = src + len;

    while (src < end) {

        if (!enkod_json_may_escape[*src]) {
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
        size += (unit < 0x20 && enkod_json_short_escapes[unit]) ? 2 : 6;
        src += n;
    }

    return size;
}


/*
 * The length of the character at p if it is a control character or a line
 * break, with *unit set to its code point; otherwise 0.
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


/* A character has at most four bytes. */

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
