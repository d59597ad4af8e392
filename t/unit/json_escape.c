
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Strings are escaped: all bytes, all characters, and bytes that are not UTF-8.
 */


#include <string.h>

#include "enkod_json.h"

#include "character.h"
#include "tap.h"


static void escape(void);
static void characters(void);
static void escape_any(void);


int
main(void)
{
    escape();
    characters();
    escape_any();

    return tap_done();
}


static void
escape(void)
{
    int            ok;
    char           must[8];
    size_t         len, i, n;
    unsigned       a;
    unsigned char  byte, src[256], dst[6 * 256];

    ok = 1;

    for (a = 0; a < 256; a++) {

        byte = a;

        switch (a) {

        case '"':
            strcpy(must, "\\\"");
            break;

        case '\\':
            strcpy(must, "\\\\");
            break;

        case 8:
            strcpy(must, "\\b");
            break;

        case 9:
            strcpy(must, "\\t");
            break;

        case 10:
            strcpy(must, "\\n");
            break;

        case 12:
            strcpy(must, "\\f");
            break;

        case 13:
            strcpy(must, "\\r");
            break;

        default:

            if (a < 32 || a == 127) {
                (void) sprintf(must, "\\u%04x", a);

            } else {
                must[0] = a;
                must[1] = '\0';
            }
        }

        len = enkod_json_escape(dst, &byte, 1);

        if (len != strlen(must) || memcmp(dst, must, len) != 0
            || enkod_json_escaped_length(&byte, 1) != len)
        {
            tap_diag("byte %u", a);
            tap_diag_bytes("is", dst, len);
            ok = 0;
        }
    }

    tap_ok(ok, "the bytes that RFC 8259 names are escaped, and U+007F, and no "
           "others");

    ok = 1;

    for (i = 0; i < 256; i++) {
        src[i] = i;

        len = enkod_json_escape(dst, src, i);

        for (a = 0, n = 0; a < i; a++) {
            n += enkod_json_escaped_length(&src[a], 1);
        }

        ok = ok && len == n && enkod_json_escaped_length(src, i) == n;
    }

    tap_ok(ok, "the length of escaped text is known before");
}


static void
characters(void)
{
    int            ok;
    long           c;
    char           must[8];
    size_t         n, len;
    unsigned char  p[4], dst[24];

    ok = 1;

    for (c = 0x7f; c <= 0x10ffff && ok; c++) {

        n = character_encode(p, c);

        if (n == 0) {
            continue;
        }

        if (character_is_control(c)) {
            (void) sprintf(must, "\\u%04lx", c);

        } else {
            memcpy(must, p, n);
            must[n] = '\0';
        }

        len = enkod_json_escape(dst, p, n);

        ok = len == strlen(must) && memcmp(dst, must, len) == 0
             && enkod_json_escaped_length(p, n) == len;

        if (!ok) {
            tap_diag("U+%04lX", (unsigned long) c);
            tap_diag_bytes("is", dst, len);
        }
    }

    tap_ok(ok, "of all other characters U+0080 to U+009F, U+2028 and U+2029 "
           "are escaped");
}


static void
escape_any(void)
{
    int            ok;
    size_t         i, len;
    unsigned char  dst[6 * 32];

    static const struct {
        const char  *text;
        const char  *must;
    } rows[] = {
        { "", "" },
        { "unix:/run/a b.sock", "unix:/run/a b.sock" },
        { "a\"b\\c\n\r\x1b\x7f", "a\\\"b\\\\c\\n\\r\\u001b\\u007f" },
        { "\xd1\x81\xe2\x82\xac\xf0\x9f\x98\x80",
          "\xd1\x81\xe2\x82\xac\xf0\x9f\x98\x80" },
        { "\xc2\x9b\xe2\x80\xa9", "\\u009b\\u2029" },
        { "\x80", "\xef\xbf\xbd" },
        { "\xff\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
        { "a\xd1", "a\xef\xbf\xbd" },
        { "\xd1\"", "\xef\xbf\xbd\\\"" },
        { "\xe2\x80", "\xef\xbf\xbd\xef\xbf\xbd" },
        { "\xe2\x80\xc2\x85", "\xef\xbf\xbd\xef\xbf\xbd\\u0085" },
        { "\xf0\x9f\x98" "z", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz" },
        { "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
        { "\xf4\x90\x80\x80",
          "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" }
    };

    ok = 1;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {

        len = enkod_json_escape_any(dst, (const unsigned char *) rows[i].text,
                                    strlen(rows[i].text));

        if (len != strlen(rows[i].must)
            || memcmp(dst, rows[i].must, len) != 0)
        {
            tap_diag_bytes("is", dst, len);
            ok = 0;
        }
    }

    tap_ok(ok, "bytes that are not UTF-8 become U+FFFD, others are escaped");
}
