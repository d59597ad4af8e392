
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The guard: all sequences of one to three bytes, and those of four that are at
 * the edges; all \uXXXX and pairs of them; control characters.
 *
 * Which sequences are UTF-8 is taken from a table of the beginnings of all
 * characters, which is made by encoding them.
 */


#include <string.h>

#include "enkod_json.h"

#include "character.h"
#include "tap.h"


#define GOOD  ((size_t) -1)


/* the first bytes of characters, one, two and three of them; a bit each */

static unsigned char  begins1[32];
static unsigned char  begins2[8192];
static unsigned char  begins3[2097152];


static void make_beginnings(void);
static size_t bad_byte(const unsigned char *p, size_t len);
static int is_whole(const unsigned char *p, size_t len);
static int guarded(const unsigned char *p, size_t len, size_t bad,
    enkod_error_e must);
static int guarded_cut(const unsigned char *p, size_t len, size_t cut,
    size_t bad, enkod_error_e must);
static int sequence(const unsigned char *p, size_t len);
static void utf8(void);
static void positions(void);
static void escapes(void);
static void surrogates(void);
static void controls(void);


int
main(void)
{
    make_beginnings();

    utf8();
    positions();
    escapes();
    surrogates();
    controls();

    return tap_done();
}


static void
make_beginnings(void)
{
    long           c;
    size_t         n;
    unsigned char  p[4] = { 0, 0, 0, 0 };

    for (c = 0; c <= 0x10ffff; c++) {

        n = character_encode(p, c);

        if (n == 0) {
            continue;
        }

        begins1[p[0] / 8] |= 1 << p[0] % 8;

        if (n > 1) {
            begins2[p[0] * 32 + p[1] / 8] |= 1 << p[1] % 8;
        }

        if (n > 2) {
            begins3[p[0] * 8192 + p[1] * 32 + p[2] / 8] |= 1 << p[2] % 8;
        }
    }
}


/* The index of the first byte that cannot be UTF-8, or GOOD. */

static size_t
bad_byte(const unsigned char *p, size_t len)
{
    size_t  i, n;

    for (i = 0; i < len; i += n) {

        n = (p[i] < 0x80) ? 1 : (p[i] < 0xe0) ? 2 : (p[i] < 0xf0) ? 3 : 4;

        if (!(begins1[p[i] / 8] & 1 << p[i] % 8)) {
            return i;
        }

        if (n > 1 && i + 1 < len
            && !(begins2[p[i] * 32 + p[i + 1] / 8] & 1 << p[i + 1] % 8))
        {
            return i + 1;
        }

        if (n > 2 && i + 2 < len
            && !(begins3[p[i] * 8192 + p[i + 1] * 32 + p[i + 2] / 8]
                 & 1 << p[i + 2] % 8))
        {
            return i + 2;
        }

        if (n > 3 && i + 3 < len && (p[i + 3] & 0xc0) != 0x80) {
            return i + 3;
        }
    }

    return GOOD;
}


/* Whether the last character is whole, if these bytes may be UTF-8. */

static int
is_whole(const unsigned char *p, size_t len)
{
    size_t  i;

    for (i = 0; i < len; /* void */ ) {
        i += (p[i] < 0x80) ? 1 : (p[i] < 0xe0) ? 2 : (p[i] < 0xf0) ? 3 : 4;
    }

    return i == len;
}


static int
guarded(const unsigned char *p, size_t len, size_t bad, enkod_error_e must)
{
    size_t              n;
    enkod_error_e       error;
    enkod_json_guard_t  guard;

    memset(&guard, 0, sizeof(enkod_json_guard_t));
    error = ENKOD_NERRORS;

    n = enkod_json_guard(&guard, p, len, &error);

    if (bad == GOOD) {
        bad = len;
        must = ENKOD_OK;
    }

    if (n == bad && error == must) {
        return 1;
    }

    tap_diag("error %d at %lu, must be %d at %lu", error, (unsigned long) n,
             must, (unsigned long) bad);
    tap_diag_bytes("bytes", p, len);

    return 0;
}


static int
guarded_cut(const unsigned char *p, size_t len, size_t cut, size_t bad,
    enkod_error_e must)
{
    size_t              n;
    enkod_error_e       error;
    enkod_json_guard_t  guard;

    memset(&guard, 0, sizeof(enkod_json_guard_t));

    n = enkod_json_guard(&guard, p, cut, &error);

    if (n == cut && error == ENKOD_OK) {
        n += enkod_json_guard(&guard, p + cut, len - cut, &error);
    }

    if (bad == GOOD) {
        bad = len;
        must = ENKOD_OK;
    }

    if (n == bad && error == must) {
        return 1;
    }

    tap_diag("cut at %lu: error %d at %lu, must be %d at %lu",
             (unsigned long) cut, error, (unsigned long) n, must,
             (unsigned long) bad);
    tap_diag_bytes("bytes", p, len);

    return 0;
}


/* Bytes without a backslash. */

static int
sequence(const unsigned char *p, size_t len)
{
    size_t         i, bad;
    enkod_error_e  must;

    bad = bad_byte(p, len);
    must = ENKOD_INVALID_UTF8;

    if (enkod_json_is_utf8(p, len) != (bad == GOOD && is_whole(p, len))) {
        tap_diag_bytes("wrongly taken for UTF-8, or not", p, len);
        return 0;
    }

    for (i = 0; i < len && i < bad; i++) {
        if (p[i] == '\v' || p[i] == '\f') {
            bad = i;
            must = ENKOD_INVALID_JSON;
        }
    }

    return guarded(p, len, bad, must);
}


static void
utf8(void)
{
    int            ok;
    size_t         n, bad;
    unsigned       a, b, c, d;
    unsigned char  p[4];

    static const unsigned char  last[] = {
        0x00, 0x0b, 0x22, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf,
        0xc0, 0xc2, 0xe0, 0xed, 0xf0, 0xf4, 0xff
    };

    ok = 1;

    for (a = 0; a < 256 && ok; a++) {
        p[0] = a;
        ok = (a == '\\') || sequence(p, 1);
    }

    tap_ok(ok, "every byte is judged correctly");

    for (a = 0; a < 65536 && ok; a++) {
        p[0] = a >> 8;
        p[1] = a & 0xff;
        ok = p[0] == '\\' || p[1] == '\\' || sequence(p, 2);
    }

    tap_ok(ok, "every two bytes are judged correctly");

    for (a = 0; a < 16777216 && ok; a++) {
        p[0] = a >> 16;
        p[1] = a >> 8 & 0xff;
        p[2] = a & 0xff;
        ok = p[0] == '\\' || p[1] == '\\' || p[2] == '\\' || sequence(p, 3);
    }

    tap_ok(ok, "every three bytes are judged correctly");

    for (a = 0x80; a < 256 && ok; a++) {
        for (b = 0; b < 256 && ok; b++) {
            for (c = 0; c < 256 && ok; c++) {

                p[0] = a;
                p[1] = b;
                p[2] = c;

                if (b == '\\' || c == '\\') {
                    continue;
                }

                for (d = 0; d < sizeof(last) && ok; d++) {
                    p[3] = last[d];
                    ok = sequence(p, 4);
                }

                /* a character of four bytes is cut after each of them */

                bad = bad_byte(p, 4);

                for (n = 1; n < 4 && ok && a >= 0xf0 && bad >= 2; n++) {
                    ok = guarded_cut(p, 4, n, bad, ENKOD_INVALID_UTF8);
                }
            }
        }
    }

    tap_ok(ok, "four bytes are judged correctly, whatever the first three are");
}


/* The guard checks 64 bytes at a time if it can, and then 16. */

static void
positions(void)
{
    int            ok;
    size_t         at, cut;
    unsigned       a;
    enkod_error_e  must;
    unsigned char  p[120];

    ok = 1;

    for (at = 0; at < sizeof(p) - 4; at++) {
        for (a = 0; a < 256; a++) {

            memset(p, 'x', sizeof(p));
            p[at] = a;

            if (a == '\\') {
                p[at + 1] = 'u';
                p[at + 2] = 'd';
                p[at + 3] = '!';
                must = ENKOD_INVALID_JSON;

            } else if (a == '\v' || a == '\f') {
                must = ENKOD_INVALID_JSON;

            } else if (a >= 0x80) {
                must = ENKOD_INVALID_UTF8;

            } else {
                must = ENKOD_OK;
            }

            for (cut = 0; cut <= sizeof(p); cut += 3) {
                ok = ok && guarded_cut(p, sizeof(p), cut,
                                       a == '\\' ? at + 3
                                       : must == ENKOD_OK ? GOOD
                                       : a >= 0xc2 && a <= 0xf4 ? at + 1 : at,
                                       must);
            }
        }
    }

    tap_ok(ok, "every byte is judged correctly at any place in 120 bytes");
}


static void
escapes(void)
{
    int            ok, good;
    size_t         i, cut, len;
    unsigned       a;
    unsigned char  p[8];

    ok = 1;

    for (i = 2; i < 6; i++) {
        for (a = 0; a < 256; a++) {

            memcpy(p, "\\u01F9z", 8);
            p[i] = a;

            for (cut = 0; cut <= 7; cut++) {
                    good = a && strchr("0123456789abcdefABCDEF", a) != NULL;
                ok = ok && guarded_cut(p, 7, cut, good ? GOOD : i,
                                       ENKOD_INVALID_JSON);
            }
        }
    }

    tap_ok(ok, "every digit of \\u is checked");

    ok = 1;

    for (a = 0; a < 128; a++) {

        if (a == 'u') {
            continue;
        }

        len = (size_t) sprintf((char *) p, "\"\\%cz", a ? a : ' ');

        ok = ok && guarded(p, len, GOOD, ENKOD_OK);
    }

    tap_ok(ok, "other escapes are left to yajl");

    ok = guarded((unsigned char *) "\\\xff", 2, 1, ENKOD_INVALID_UTF8)
         && guarded((unsigned char *) "\\\xd1\x81", 3, GOOD, ENKOD_OK)
         && guarded((unsigned char *) "\\\xd1x", 3, 2, ENKOD_INVALID_UTF8)
         && guarded((unsigned char *) "\\\\ud800", 7, GOOD, ENKOD_OK)
         && guarded((unsigned char *) "\\\\\\ud800\"", 9, 8,
                    ENKOD_LONE_SURROGATE);

    tap_ok(ok, "a byte after a backslash is checked as part of the escape");
}


static void
surrogates(void)
{
    int            ok;
    size_t         cut, len, bad;
    unsigned       a, b, i;
    unsigned char  p[32];

    static const char      pairs[] = "\\ud83d\\ude00\\uDBFF\\uDFFF\"";
    static const char      odd[] = "\\ud83d\\ude00\\ude00\\ud83d\"";
    static const unsigned  others[] = {
        0x0000, 0x0041, 0xd7ff, 0xd800, 0xd801, 0xd83d, 0xdaff, 0xdbff,
        0xdc00, 0xdc01, 0xde00, 0xdfff, 0xe000, 0xffff
    };

    ok = 1;

    for (a = 0; a < 65536 && ok; a++) {

        len = (size_t) sprintf((char *) p, a & 1 ? "\\u%04x\"" : "\\u%04X\"",
                               a);

        bad = (a >= 0xd800 && a <= 0xdbff) ? 6
              : (a >= 0xdc00 && a <= 0xdfff) ? 5 : GOOD;

        ok = guarded(p, len, bad, ENKOD_LONE_SURROGATE);

        for (cut = 1; cut < len && ok && a % 16 == 0; cut++) {
            ok = guarded_cut(p, len, cut, bad, ENKOD_LONE_SURROGATE);
        }
    }

    tap_ok(ok, "every \\uXXXX alone is judged correctly");

    for (a = 0; a < 65536 && ok; a++) {
        for (i = 0; i < sizeof(others) / sizeof(others[0]) && ok; i++) {

            b = others[i];

            len = (size_t) sprintf((char *) p, "\\u%04x\\u%04X", b, a);

            if (b >= 0xd800 && b <= 0xdbff) {
                bad = (a >= 0xdc00 && a <= 0xdfff) ? GOOD : 11;

            } else if (b >= 0xdc00 && b <= 0xdfff) {
                bad = 5;

            } else {
                bad = (a >= 0xdc00 && a <= 0xdfff) ? 11 : GOOD;
            }

            ok = guarded(p, len, bad, ENKOD_LONE_SURROGATE);

            for (cut = 1; cut < len && ok && a % 128 == 0; cut++) {
                ok = guarded_cut(p, len, cut, bad, ENKOD_LONE_SURROGATE);
            }
        }
    }

    tap_ok(ok, "every \\uXXXX after another is judged correctly");

    for (a = 0; a < 256 && ok; a++) {

        memcpy(p, "\\ud83d?ude00\"", 14);
        p[6] = a;
        ok = guarded(p, 13, a == '\\' ? GOOD : 6, ENKOD_LONE_SURROGATE);

        memcpy(p, "\\ud83d\\?de00\"", 14);
        p[7] = a;
        ok = ok && guarded(p, 13, a == 'u' ? GOOD : 7, ENKOD_LONE_SURROGATE);
    }

    tap_ok(ok, "after a high surrogate there must be \\u at once");

    ok = 1;

    for (cut = 0; cut <= 25; cut++) {
        ok = ok && guarded_cut((unsigned char *) pairs, 25, cut, GOOD,
                               ENKOD_OK)
             && guarded_cut((unsigned char *) odd, 25, cut, 17,
                            ENKOD_LONE_SURROGATE);
    }

    tap_ok(ok, "a pair does not open a second one");
}


/* guard->controls, and when it is set. */

static void
controls(void)
{
    int                 ok;
    long                c;
    size_t              n, at, cut, i;
    enkod_error_e       error;
    unsigned char       p[120];
    enkod_json_guard_t  guard;

    static const long  some[] = {
        0x00, 0x1f, 0x7e, 0x7f, 0x80, 0x85, 0x9f, 0xa0, 0xbf, 0x67f, 0x7ff,
        0x2007, 0x2027, 0x2028, 0x2029, 0x202a, 0x20a8, 0x2068, 0x3028, 0xe028,
        0x1007f, 0x10085, 0x12028, 0x102028
    };

    ok = 1;

    for (c = 0; c <= 0x10ffff && ok; c++) {

        n = character_encode(p, c);

        for (cut = 0; cut < n && ok && c != '\\'; cut++) {

            memset(&guard, 0, sizeof(enkod_json_guard_t));

            (void) enkod_json_guard(&guard, p, cut, &error);
            (void) enkod_json_guard(&guard, p + cut, n - cut, &error);

            ok = (guard.controls == character_is_control(c));

            if (!ok) {
                tap_diag("U+%04lX, cut at %lu", (unsigned long) c,
                         (unsigned long) cut);
            }
        }
    }

    tap_ok(ok, "every character that is escaped is noted when it is whole");

    ok = 1;

    for (i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
        for (at = 0; at <= sizeof(p) - 4; at++) {
            for (cut = 0; cut <= sizeof(p); cut++) {

                memset(p, 'x', sizeof(p));
                (void) character_encode(p + at, some[i]);

                memset(&guard, 0, sizeof(enkod_json_guard_t));

                (void) enkod_json_guard(&guard, p, cut, &error);
                (void) enkod_json_guard(&guard, p + cut, sizeof(p) - cut,
                                        &error);

                if (guard.controls != character_is_control(some[i])) {
                    tap_diag("U+%04lX at %lu, cut at %lu",
                             (unsigned long) some[i], (unsigned long) at,
                             (unsigned long) cut);
                    ok = 0;
                }
            }
        }
    }

    tap_ok(ok, "it is noted at any place, and stays noted");
}
