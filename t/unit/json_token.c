
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Tokens that are cut at every byte.
 */


#include <string.h>

#include "enkod_json.h"

#include "tap.h"


static void tokens(void);
static void token_tails(void);


int
main(void)
{
    tokens();
    token_tails();

    return tap_done();
}


/*
 * For each cut: the beginning of the token is found, which is the separator
 * before it, and in the next chunk the token's end.
 */

static void
tokens(void)
{
    int                 ok, closed;
    size_t              i, n, cut, start, end, len;
    const char         *p;
    enkod_json_token_t  token;

    static const struct {
        const char   *text;
        size_t        start;
        size_t        end;
    } rows[] = {
        { "[1,true,", 3, 7 },
        { "[1 ,true,", 3, 8 },
        { "{\"a\":-12.5e+3}", 4, 13 },
        { "{\"a\": \n\t1 }", 4, 9 },
        { "{\"abc\" :", 0, 6 },
        { "[\"\\\"\\\\\",", 0, 7 },
        { "[\"\\\\\\\"]\" ", 0, 8 },
        { "[\"\\u0022x\"]", 0, 10 },
        { "\"\"", 0, 2 },
        { "[null\n", 0, 5 },
        { "[false]", 0, 6 },
        { "[ ]", 0, 2 },
        { "[\"\",1 ", 3, 5 },
        { "0 ", 0, 1 },
        { "[1\"ab\",", 0, 6 },

        /* not JSON, which yajl must see at once */

        { "[\"ab\ncd", 0, 5 },
        { "[\"ab\\\ncd", 0, 6 },
        { "[\"ab\\xcd", 0, 6 },
        { "[\"ab\x1f", 0, 5 }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {

        p = rows[i].text;
        len = strlen(p);
        ok = 1;

        for (cut = rows[i].start + 1; cut < rows[i].end; cut++) {

            memset(&token, 0, sizeof(enkod_json_token_t));

            start = enkod_json_token_tail(&token, (const unsigned char *) p,
                                          cut);
            n = token.open;
            end = cut;

            if (n) {
                end += enkod_json_token_end(&token,
                                            (const unsigned char *) p + cut,
                                            len - cut);
            }

            closed = !token.open;

            if (start != rows[i].start || !n || end != rows[i].end
                || !closed)
            {
                tap_diag("cut at %lu: from %lu to %lu, %s",
                         (unsigned long) cut, (unsigned long) start,
                         (unsigned long) end, closed ? "closed" : "open");
                ok = 0;
            }
        }

        tap_ok(ok, "the token at %lu of row %lu is found wherever it is cut",
               (unsigned long) rows[i].start, (unsigned long) i);
    }
}


static void
token_tails(void)
{
    int                 ok;
    size_t              i, n;
    enkod_json_token_t  token;

    /* chunks that end between tokens */

    static const char  *rows[] = {
        "", "[]", "{\"a\" ", "[1 ", "[1,", "[\"\\\"\"", " \n", "[true,null]",
        "}"
    };

    ok = 1;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {

        memset(&token, 0, sizeof(enkod_json_token_t));

        n = enkod_json_token_tail(&token, (const unsigned char *) rows[i],
                                  strlen(rows[i]));

        if (n != strlen(rows[i]) || token.open) {
            tap_diag("\"%s\": token at %lu", rows[i], (unsigned long) n);
            ok = 0;
        }
    }

    tap_ok(ok, "a chunk that ends after a token leaves none open");

    memset(&token, 0, sizeof(enkod_json_token_t));

    n = enkod_json_token_tail(&token, (const unsigned char *) "[\"ab\\", 5);
    ok = (n == 0 && token.open);
    n = enkod_json_token_end(&token, (const unsigned char *) "\"", 1);
    ok = ok && n == 1 && token.open;
    n = enkod_json_token_end(&token, (const unsigned char *) "c\\", 2);
    ok = ok && n == 2 && token.open;
    n = enkod_json_token_end(&token, (const unsigned char *) "\\\",1", 4);
    ok = ok && n == 2 && !token.open;

    tap_ok(ok, "an escape may be cut between any chunks");
}
