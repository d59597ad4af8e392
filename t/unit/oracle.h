
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * A second implementation of JSON, to compare the event core with.  It was
 * written from RFC 8259 and RFC 3629 and has no code of the event core or of
 * yajl; it is slow, recursive, and takes a whole text at once.  It says whether
 * a text is JSON, and writes it compactly, with no escapes but those that JSON
 * needs, or a line without control characters.
 */


#ifndef _ENKOD_UNIT_ORACLE_H_INCLUDED_
#define _ENKOD_UNIT_ORACLE_H_INCLUDED_


#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enkod_str.h"


typedef struct {
    const unsigned char   *p;
    const unsigned char   *end;
    unsigned char         *out;
    unsigned               depth;
    unsigned               deepest;
} oracle_t;


static inline int oracle_value(oracle_t *o);


static inline void
oracle_space(oracle_t *o)
{
    while (o->p < o->end
           && (*o->p == 0x20 || *o->p == 0x09 || *o->p == 0x0a
               || *o->p == 0x0d))
    {
        o->p++;
    }
}


/* If the next byte is this one, it is read and written. */

static inline int
oracle_byte(oracle_t *o, unsigned char c)
{
    if (o->p == o->end || *o->p != c) {
        return 0;
    }

    *o->out++ = *o->p++;

    return 1;
}


static inline int
oracle_word(oracle_t *o, const char *word)
{
    while (*word) {
        if (!oracle_byte(o, *word++)) {
            return 0;
        }
    }

    return 1;
}


static inline int
oracle_digits(oracle_t *o)
{
    int  n;

    for (n = 0; o->p < o->end && *o->p >= '0' && *o->p <= '9'; n++) {
        *o->out++ = *o->p++;
    }

    return n;
}


static inline int
oracle_number(oracle_t *o)
{
    (void) oracle_byte(o, '-');

    if (!oracle_byte(o, '0') && oracle_digits(o) == 0) {
        return 0;
    }

    if (oracle_byte(o, '.') && oracle_digits(o) == 0) {
        return 0;
    }

    if (oracle_byte(o, 'e') || oracle_byte(o, 'E')) {

        if (!oracle_byte(o, '+')) {
            (void) oracle_byte(o, '-');
        }

        return oracle_digits(o) != 0;
    }

    return 1;
}


/* Four hexadecimal digits, or -1. */

static inline long
oracle_hex(oracle_t *o)
{
    int    i;
    long   n;
    char   c;

    n = 0;

    for (i = 0; i < 4; i++) {

        if (o->p == o->end) {
            return -1;
        }

        c = *o->p++;

        if (c >= '0' && c <= '9') {
            n = n * 16 + c - '0';

        } else if (c >= 'a' && c <= 'f') {
            n = n * 16 + c - 'a' + 10;

        } else if (c >= 'A' && c <= 'F') {
            n = n * 16 + c - 'A' + 10;

        } else {
            return -1;
        }
    }

    return n;
}


/* The next character of UTF-8, computed, or -1. */

static inline long
oracle_utf8(oracle_t *o)
{
    int   i, n;
    long  c;

    static const long  least[] = { 0, 0x80, 0x800, 0x10000 };

    c = *o->p++;

    if (c < 0x80) {
        return c;
    }

    if ((c & 0xe0) == 0xc0) {
        n = 1;
        c &= 0x1f;

    } else if ((c & 0xf0) == 0xe0) {
        n = 2;
        c &= 0x0f;

    } else if ((c & 0xf8) == 0xf0) {
        n = 3;
        c &= 0x07;

    } else {
        return -1;
    }

    for (i = 0; i < n; i++) {

        if (o->p == o->end || (*o->p & 0xc0) != 0x80) {
            return -1;
        }

        c = c * 64 + (*o->p++ & 0x3f);
    }

    if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
        return -1;
    }

    return c;
}


/* The character of an escape, after its backslash, or -1. */

static inline long
oracle_escape(oracle_t *o)
{
    long         high, low;
    const char  *found;

    static const char  escapes[] = "\"\\/bfnrt";
    static const char  values[] = "\"\\/\b\f\n\r\t";

    if (o->p == o->end || *o->p == '\0') {
        return -1;
    }

    found = strchr(escapes, *o->p);

    if (found) {
        o->p++;
        return values[found - escapes];
    }

    if (*o->p++ != 'u') {
        return -1;
    }

    high = oracle_hex(o);

    if (high < 0xd800 || high > 0xdfff) {
        return high;
    }

    if (high > 0xdbff || o->end - o->p < 2 || o->p[0] != '\\'
        || o->p[1] != 'u')
    {
        return -1;
    }

    o->p += 2;
    low = oracle_hex(o);

    if (low < 0xdc00 || low > 0xdfff) {
        return -1;
    }

    return 0x10000 + (high - 0xd800) * 0x400 + (low - 0xdc00);
}


static inline void
oracle_write(oracle_t *o, long c)
{
    const char  *found;

    static const char  values[] = "\"\\\b\f\n\r\t";
    static const char  escapes[] = "\"\\bfnrt";

    found = c ? (c < 0x80 ? strchr(values, c) : NULL) : NULL;

    if (found) {
        *o->out++ = '\\';
        *o->out++ = escapes[found - values];

    } else if (c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x2028
               || c == 0x2029)
    {
        o->out += sprintf((char *) o->out, "\\u%04lx", c);

    } else if (c < 0x80) {
        *o->out++ = c;

    } else if (c < 0x800) {
        *o->out++ = 0xc0 + c / 64;
        *o->out++ = 0x80 + c % 64;

    } else if (c < 0x10000) {
        *o->out++ = 0xe0 + c / 4096;
        *o->out++ = 0x80 + c / 64 % 64;
        *o->out++ = 0x80 + c % 64;

    } else {
        *o->out++ = 0xf0 + c / 262144;
        *o->out++ = 0x80 + c / 4096 % 64;
        *o->out++ = 0x80 + c / 64 % 64;
        *o->out++ = 0x80 + c % 64;
    }
}


static inline int
oracle_string(oracle_t *o)
{
    long  c;

    if (!oracle_byte(o, '"')) {
        return 0;
    }

    while (o->p < o->end) {

        if (oracle_byte(o, '"')) {
            return 1;
        }

        if (*o->p < 0x20) {
            return 0;
        }

        if (*o->p == '\\') {
            o->p++;
            c = oracle_escape(o);

        } else {
            c = oracle_utf8(o);
        }

        if (c < 0) {
            return 0;
        }

        oracle_write(o, c);
    }

    return 0;
}


/* What is between brackets; the first bracket has been read. */

static inline int
oracle_list(oracle_t *o, unsigned char close)
{
    int  ok;

    if (++o->depth > o->deepest) {
        o->deepest = o->depth;
    }

    oracle_space(o);
    ok = 1;

    if (!oracle_byte(o, close)) {

        do {
            if (close == '}') {
                oracle_space(o);
                ok = oracle_string(o);
                oracle_space(o);
                ok = ok && oracle_byte(o, ':');
            }

            ok = ok && oracle_value(o);

        } while (ok && oracle_byte(o, ','));

        ok = ok && oracle_byte(o, close);
    }

    o->depth--;

    return ok;
}


/* A value and the white space around it. */

static inline int
oracle_value(oracle_t *o)
{
    int  ok;

    oracle_space(o);

    if (o->p == o->end) {
        return 0;
    }

    switch (*o->p) {

    case '{':
        (void) oracle_byte(o, '{');
        ok = oracle_list(o, '}');
        break;

    case '[':
        (void) oracle_byte(o, '[');
        ok = oracle_list(o, ']');
        break;

    case '"':
        ok = oracle_string(o);
        break;

    case 't':
        ok = oracle_word(o, "true");
        break;

    case 'f':
        ok = oracle_word(o, "false");
        break;

    case 'n':
        ok = oracle_word(o, "null");
        break;

    default:
        ok = oracle_number(o);
    }

    oracle_space(o);

    return ok;
}


/*
 * Returns 1 if "text" is one JSON text.  Then "out", which must have room for
 * 6 * text->len + 8 bytes, is the text written compactly, and *deepest is the
 * number of levels of arrays and objects.
 */

static inline int
oracle_json(const enkod_str_t *text, unsigned char *out, size_t *len,
    unsigned *deepest)
{
    oracle_t  o;

    o.p = text->data;
    o.end = text->data + text->len;
    o.out = out;
    o.depth = 0;
    o.deepest = 0;

    if (!oracle_value(&o) || o.p != o.end) {
        return 0;
    }

    *len = o.out - out;
    *deepest = o.deepest;

    return 1;
}


/*
 * The next member of an object that oracle_json() has written; "p" is after the
 * opening brace or after the member before.  Returns the end, or NULL.
 */

static inline const unsigned char *
oracle_member(const unsigned char *p, enkod_str_t *name, enkod_str_t *value)
{
    int       string;
    unsigned  depth;

    if (*p == ',') {
        p++;
    }

    if (*p == '}') {
        return NULL;
    }

    name->data = p++;

    while (*p != '"') {
        p += (*p == '\\') ? 2 : 1;
    }

    name->len = ++p - name->data;
    value->data = ++p;

    string = 0;
    depth = 0;

    for ( ;; p++) {

        if (string) {

            if (*p == '\\') {
                p++;

            } else if (*p == '"') {
                string = 0;
            }

        } else if (*p == '"') {
            string = 1;

        } else if (*p == '[' || *p == '{') {
            depth++;

        } else if (depth && (*p == ']' || *p == '}')) {
            depth--;

        } else if (depth == 0 && (*p == ',' || *p == '}')) {
            break;
        }
    }

    value->len = p - value->data;

    return p;
}


#endif /* _ENKOD_UNIT_ORACLE_H_INCLUDED_ */
