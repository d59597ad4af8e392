
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Good bodies with bytes changed, removed, repeated and inserted at random, the
 * same ones in each run.  Each body is cut in several ways, all of which must
 * give the same verdict, that of the second implementation in oracle.h.
 */


#include "cuts.h"
#include "oracle.h"


#define ROUNDS    4
#define MUTANTS   12000

#define GROUP                                                                 \
    "\"email\":\"e\",\"group_id\":4,\"group_name\":\"g\",\"channel\":\"c\""


static const unit_conf_t  conf = { .accept_unknown = 1 };


/* unknown events, so that the line has all members */

static const enkod_str_t  seeds[] = {
    S("{\"event\":\"x\",\"a\":1,\"b\":[1,2.5e-3,true,null],\"c\":\"d\"}"),
    S("{\"event\":\"x\",\"a\":\"\\ud83d\\ude00\\u0041\\n\\\"\\\\\\/\"}"),
    S("{\"event\":\"x\",\"\xd1\x81\":\"\xe2\x82\xac\xf0\x9f\x98\x80\x7f\"}"),
    S(" {\n \"a\" : { \"b\" : [ { } , [ ] , \"\" ] } ,\t\"event\" : \"y\" }\r"),
    S("{\"event\":\"x\",\"n\":[0,-0,1.0,-1E+5,12e-7,false,[[[[1]]]]]}"),
    S("{\"a\":true,\"b\":false,\"c\":null,\"event\":\"\\u0441x\",\"d\":1}"),
    S("{\"event\":\"x\"} "),
    S("{\"event\":\"mailing group subscribe\"," GROUP ",\"x\":[1,\"2\"]}"),
    S("[{\"event\":\"x\",\"a\":1}]")
};


static const enkod_str_t  pieces[] = {
    S("\""), S("\\"), S("\\u"), S("\\ud83d"), S("\\ude00"), S("\\u0041"),
    S("\\n"), S("\\x"), S("{"), S("}"), S("["), S("]"), S(","), S(":"),
    S("{}"), S("[]"), S("\"\""), S("\"a\":1,"), S("0"), S("1"), S("01"),
    S("-"), S("+"), S("."), S("1.5"), S("e"), S("E+1"), S("1e9"), S("true"),
    S("tru"), S("false"), S("null"), S("nul"), S("NaN"), S("t"), S(" "),
    S("\n"), S("\t"), S("\r"), S("\f"), S("\v"), S("\0"), S("\x1f"),
    S("\x7f"), S("\x80"), S("\xbf"), S("\xc0\x80"), S("\xc2"), S("\xd1\x81"),
    S("\xe2\x82\xac"), S("\xed\xa0\x80"), S("\xed\x9f\xbf"),
    S("\xf0\x9f\x98\x80"), S("\xf4\x8f\xbf\xbf"), S("\xf4\x90\x80\x80"),
    S("\xff"), S("\xef\xbb\xbf"), S("/"), S("//"), S("/*"), S("'"), S("#"),
    S("\"event\":\"x\""), S("[[[[[[[["), S("]]]]]]]]"), S("1 2\"a\""),
    S("1\"a\""), S("true\"a\""), S("\"a\"1")
};


/* what may be anywhere in a string, and before any value or name */

static const enkod_str_t  contents[] = {
    S("a"), S("\\u0042"), S("\\n"), S("\\ud83d\\ude00"), S("\xd1\x81"),
    S("\xf0\x9f\x98\x80"), S("\\\\"), S("\x7f"), S("\\u0000"), S("{")
};

static const enkod_str_t  spaces[] = {
    S(" "), S("\n"), S("\t"), S("\r\n"), S("        "), S("")
};


static uint64_t  state;


static size_t random_below(size_t n);
static size_t mutate(unsigned char *p, size_t len, size_t size);
static size_t soften(unsigned char *p, size_t len, size_t size);
static size_t splice(unsigned char *p, size_t len, size_t size, size_t at,
    const unsigned char *data, size_t n);
static int check(const unit_setup_t *setup, const enkod_str_t *body,
    unsigned *accepted);
static int check_line(const unit_result_t *result, const unsigned char *json);
static int is_event(const unsigned char *json, unsigned deepest);


int
main(void)
{
    int             ok;
    size_t          n, len, i, seed;
    unsigned        round, accepted;
    enkod_str_t     body;
    unit_setup_t    setup;
    unsigned char   buf[1024];

    state = UINT64_C(0x9e3779b97f4a7c15);

    unit_setup(&setup, &conf);

    for (seed = 0; seed < sizeof(seeds) / sizeof(seeds[0]); seed++) {

        tap_ok(check(&setup, &seeds[seed], &accepted),
               "seed %lu is decided as the second opinion has it",
               (unsigned long) seed);
    }

    for (round = 1; round <= ROUNDS; round++) {

        ok = 1;
        accepted = 0;

        for (n = 0; n < MUTANTS && ok; n++) {

            seed = random_below(sizeof(seeds) / sizeof(seeds[0]));
            len = seeds[seed].len;
            memcpy(buf, seeds[seed].data, len);

            for (i = 0; i < round; i++) {
                len = mutate(buf, len, sizeof(buf));
            }

            body.data = buf;
            body.len = len;

            ok = check(&setup, &body, &accepted);
        }

        /* both verdicts must be frequent */

        if (ok && (accepted < MUTANTS / 50 || accepted > MUTANTS * 3 / 4)) {
            tap_diag("%u of %u are accepted", accepted, MUTANTS);
            ok = 0;
        }

        tap_ok(ok, "%u events with %u changes each are decided as the second "
               "opinion has it", MUTANTS, round);
    }

    unit_teardown(&setup);

    return tap_done();
}


/* xorshift64* */

static size_t
random_below(size_t n)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;

    return ((state * UINT64_C(0x2545f4914f6cdd1d)) >> 33) % n;
}


static size_t
mutate(unsigned char *p, size_t len, size_t size)
{
    size_t              at, n;
    unsigned char       part[64];
    const enkod_str_t  *piece;

    at = random_below(len + 1);

    switch (random_below(16)) {

    case 0:
        if (at < len) {
            p[at] ^= 1 << random_below(8);
        }

        return len;

    case 1:
        if (at < len) {
            p[at] = random_below(256);
        }

        return len;

    case 2:
        /* bytes are removed */
        n = 1 + random_below(4);
        n = (n < len - at) ? n : len - at;
        memmove(p + at, p + at + n, len - at - n);
        return len - n;

    case 3:
        /* the rest is removed */
        return at;

    case 4:
        /* bytes are repeated in another place */
        n = random_below(sizeof(part));
        n = (n < len - at) ? n : len - at;
        memcpy(part, p + at, n);
        return splice(p, len, size, random_below(len + 1), part, n);

    case 5:
    case 6:
    case 7:
        piece = &pieces[random_below(sizeof(pieces) / sizeof(pieces[0]))];
        return splice(p, len, size, at, piece->data, piece->len);

    default:
        return soften(p, len, size);
    }
}


/* A change after which JSON mostly is JSON still. */

static size_t
soften(unsigned char *p, size_t len, size_t size)
{
    size_t              at;
    const enkod_str_t  *piece;

    for (at = random_below(len + 1); at < len; at++) {

        if (p[at] == '"') {
            /* the beginning of a string, or its end */
            piece = &contents[random_below(sizeof(contents)
                                           / sizeof(contents[0]))];
            at += (at == 0 || strchr("[{,: \n\t\r", p[at - 1]) != NULL);

            return splice(p, len, size, at, piece->data, piece->len);
        }

        if (p[at] == ',' || p[at] == ':' || p[at] == '[' || p[at] == '{') {
            piece = &spaces[random_below(sizeof(spaces) / sizeof(spaces[0]))];

            return splice(p, len, size, at + 1, piece->data, piece->len);
        }
    }

    return len;
}


static size_t
splice(unsigned char *p, size_t len, size_t size, size_t at,
    const unsigned char *data, size_t n)
{
    if (len + n > size) {
        return len;
    }

    memmove(p + at + n, p + at, len - at);
    memcpy(p + at, data, n);

    return len + n;
}


static int
check(const unit_setup_t *setup, const enkod_str_t *body, unsigned *accepted)
{
    int             ok, json;
    size_t          i, len;
    unsigned        deepest;
    unit_memory_t   memory;
    unit_result_t   whole;
    enkod_event_t  *event;
    unsigned char   text[6 * 1024 + 8];

    unit_memory_init(&memory);

    event = unit_run(&whole, &setup->settings, &memory.mem, body, body->len, 1,
                     UNIT_LAST);
    enkod_event_destroy(event);

    ok = 1;

    for (i = 1; i <= 3 && ok; i++) {
        ok = unit_cut(setup, body, &whole, i, i, i % UNIT_NENDS);
    }

    for (i = 0; i < 4 && ok; i++) {
        ok = unit_cut(setup, body, &whole,
                             random_below(body->len + 1), body->len,
                             i % UNIT_NENDS);
    }

    json = oracle_json(body, text, &len, &deepest);

    if (ok) {

        switch (whole.code) {

        case ENKOD_OK:
            ok = json && is_event(text, deepest)
                 && check_line(&whole, text);
            (*accepted)++;
            break;

        case ENKOD_EMPTY_BODY:
        case ENKOD_INVALID_JSON:
        case ENKOD_INVALID_UTF8:
        case ENKOD_LONE_SURROGATE:
            ok = !json;
            break;

        case ENKOD_NOT_OBJECT:
        case ENKOD_MISSING_EVENT:
        case ENKOD_DUPLICATE_FIELD:
        case ENKOD_TOO_DEEP:
            ok = !json || !is_event(text, deepest);
            break;

        default:
            /* the event is in the table */
            ok = (whole.code == ENKOD_MISSING_FIELD
                  || whole.code == ENKOD_WRONG_TYPE);
        }
    }

    if (!ok) {
        unit_diag_result("is", &whole);
        tap_diag("JSON by the second opinion: %s", json ? "yes" : "no");
        tap_diag_bytes("body", body->data, body->len);
    }

    unit_result_free(&whole);
    unit_memory_release(&memory);

    return ok;
}


/* An object with one string "event", no name twice, and not too deep. */

static int
is_event(const unsigned char *json, unsigned deepest)
{
    int                   named;
    size_t                n, i;
    enkod_str_t           names[64], value;
    const unsigned char  *p;

    static const enkod_str_t  key = S("\"event\"");

    if (*json != '{' || deepest > 32) {
        return 0;
    }

    named = 0;
    p = json + 1;

    for (n = 0; n < 64; n++) {

        p = oracle_member(p, &names[n], &value);

        if (p == NULL) {
            return named;
        }

        for (i = 0; i < n; i++) {
            if (enkod_str_equal(&names[i], &names[n])) {
                return 0;
            }
        }

        if (enkod_str_equal(&names[n], &key)) {

            if (value.data[0] != '"') {
                return 0;
            }

            named = 1;
        }
    }

    return named;
}


/*
 * The line of an unknown event: its name, and then all other members as they
 * came.  The line of a known event has the same members in another order.
 */

static int
check_line(const unit_result_t *result, const unsigned char *json)
{
    size_t                extra;
    enkod_str_t           name, value, event;
    unsigned char        *q, line[6 * 1024 + 64];
    const unsigned char  *p;

    static const enkod_str_t  key = S("\"event\"");
    static const enkod_str_t  known = S("\"mailing group subscribe\"");

    event.data = NULL;
    event.len = 0;
    extra = 0;

    p = json + 1;

    for ( ;; ) {
        p = oracle_member(p, &name, &value);

        if (p == NULL) {
            break;
        }

        if (enkod_str_equal(&name, &key)) {
            event = value;
        }
    }

    q = line + sprintf((char *) line, "\"event\":%.*s", (int) event.len,
                       event.data);

    p = json + 1;

    for ( ;; ) {
        p = oracle_member(p, &name, &value);

        if (p == NULL) {
            break;
        }

        if (enkod_str_equal(&name, &key)) {
            continue;
        }

        q += sprintf((char *) q, extra++ ? "," : ",\"extra\":{");

        memcpy(q, name.data, name.len);
        q += name.len;
        *q++ = ':';
        memcpy(q, value.data, value.len);
        q += value.len;
    }

    if (extra) {
        *q++ = '}';
    }

    if (enkod_str_equal(&event, &known)) {

        /* "extra" may be there twice, or not at all */

        return result->line_len == (size_t) (q - line)
               || result->line_len + sizeof("\"extra\":{}") - 1
                  == (size_t) (q - line);
    }

    if (result->line_len == (size_t) (q - line)
        && memcmp(result->line, line, result->line_len) == 0)
    {
        return 1;
    }

    tap_diag_bytes("line must be", line, q - line);

    return 0;
}
