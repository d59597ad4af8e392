
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * One character in UTF-8.
 */


#ifndef _ENKOD_UNIT_CHARACTER_H_INCLUDED_
#define _ENKOD_UNIT_CHARACTER_H_INCLUDED_


#include <stddef.h>


/* Writes it and returns its length; 0 for half a surrogate pair. */

static inline size_t
character_encode(unsigned char *p, long c)
{
    if (c >= 0xd800 && c <= 0xdfff) {
        return 0;
    }

    if (c < 0x80) {
        p[0] = c;
        return 1;
    }

    if (c < 0x800) {
        p[0] = 0xc0 + c / 64;
        p[1] = 0x80 + c % 64;
        return 2;
    }

    if (c < 0x10000) {
        p[0] = 0xe0 + c / 4096;
        p[1] = 0x80 + c / 64 % 64;
        p[2] = 0x80 + c % 64;
        return 3;
    }

    p[0] = 0xf0 + c / 262144;
    p[1] = 0x80 + c / 4096 % 64;
    p[2] = 0x80 + c / 64 % 64;
    p[3] = 0x80 + c % 64;

    return 4;
}


/* Whether JSON allows it without an escape, but a line must not have it. */

static inline int
character_is_control(long c)
{
    return (c >= 0x7f && c <= 0x9f) || c == 0x2028 || c == 0x2029;
}


#endif /* _ENKOD_UNIT_CHARACTER_H_INCLUDED_ */
