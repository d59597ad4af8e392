
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * A string is a length and bytes that need not end in a zero.  The strings of
 * an event are short, names and values of a few bytes: they are compared and
 * copied here without a call.
 */


#ifndef _ENKOD_STR_H_INCLUDED_
#define _ENKOD_STR_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>
#include <string.h>


typedef struct {
    size_t                 len;
    const unsigned char   *data;
} enkod_str_t;


#define enkod_string(str)                                                     \
    { sizeof(str) - 1, (const unsigned char *) str }


#define enkod_str_equal(one, two)                                             \
    ((one)->len == (two)->len                                                 \
     && enkod_bytes_equal((one)->data, (two)->data, (one)->len))


/*
 * memcmp() == 0 for short strings: two words that may overlap cover 4 to 16
 * bytes, in less time than a call takes.
 */

static inline int
enkod_bytes_equal(const unsigned char *p, const unsigned char *q, size_t len)
{
    uint32_t  p4[2], q4[2];
    uint64_t  p8[2], q8[2];

    if (len >= 8 && len <= 16) {
        memcpy(&p8[0], p, 8);
        memcpy(&q8[0], q, 8);
        memcpy(&p8[1], p + len - 8, 8);
        memcpy(&q8[1], q + len - 8, 8);

        return ((p8[0] ^ q8[0]) | (p8[1] ^ q8[1])) == 0;
    }

    if (len >= 4 && len < 8) {
        memcpy(&p4[0], p, 4);
        memcpy(&q4[0], q, 4);
        memcpy(&p4[1], p + len - 4, 4);
        memcpy(&q4[1], q + len - 4, 4);

        return ((p4[0] ^ q4[0]) | (p4[1] ^ q4[1])) == 0;
    }

    return memcmp(p, q, len) == 0;
}


/* memcpy() for short strings, in the same way for 8 to 32 bytes */

static inline void
enkod_bytes_copy(unsigned char *to, const unsigned char *from, size_t len)
{
    unsigned char  first[16], last[16];

    if (len >= 8 && len < 16) {
        memcpy(first, from, 8);
        memcpy(last, from + len - 8, 8);
        memcpy(to, first, 8);
        memcpy(to + len - 8, last, 8);
        return;
    }

    if (len >= 16 && len <= 32) {
        memcpy(first, from, 16);
        memcpy(last, from + len - 16, 16);
        memcpy(to, first, 16);
        memcpy(to + len - 16, last, 16);
        return;
    }

    memcpy(to, from, len);
}


#endif /* _ENKOD_STR_H_INCLUDED_ */
