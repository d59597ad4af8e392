
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Memory of one event: any allocation may fail, all memory is freed, and there
 * is not more of it than enkod_event.h promises.
 */


#include "unit.h"


/*
 * Upper bounds of enkod_event.h: in one piece; in pieces, without escapes and
 * with them; after characters that are escaped in the text only
 */
#define WHOLE(received)    (2048 + (received) + (received) / 256 + 16)
#define PLAIN(received)    (4096 + (received) * 2 + (received) / 64)
#define ESCAPED(received)  (8192 + (received) * 9 / 2)
#define GROWN(received)    (4096 + (received) * 2 + (received) / 4)

#define GROUP                                                                 \
    "\"event\":\"mailing group subscribe\",\"email\":\"e\",\"group_id\":4,"   \
    "\"group_name\":\"g\",\"channel\":\"c\""


/* a body: "head", then "unit" repeated up to "size" bytes, then "tail" */

typedef struct {
    const char           *title;
    const char           *head;
    const char           *unit;
    size_t                size;
    const char           *tail;
} large_t;


static const unit_conf_t  large_conf = {
    .max_size = 1024 * 1024
};


static const large_t  bodies[] = {

    { "an event with a string of escapes",
      "{" GROUP ",\"x\":\"", "\\n\\u0041", 6000, "\"}" },

    { "an event with a string that grows when escaped",
      "{" GROUP ",\"x\":\"", "\\u0001", 6000, "\"}" },

    { "an event with a string of U+007F",
      "{" GROUP ",\"x\":\"", "\x7f", 6000, "\"}" },

    { "an event with strings of U+2028",
      "{" GROUP ",\"x\":[\"", "\xe2\x80\xa8\",\"", 6000, "\"]}" },

    { "an event with a string of U+0085 and escapes",
      "{" GROUP ",\"x\":\"", "\xc2\x85\\n\\u2028", 6000, "\"}" },

    { "an event with a long name with U+0085 at its end",
      "{" GROUP ",\"", "abcdefg", 6000, "\xc2\x85\":0}" },

    { "an event with a long string",
      "{" GROUP ",\"x\":\"", "abcdefg", 6000, "\"}" },

    { "an event with a long name",
      "{" GROUP ",\"", "\\tabcdefg", 6000, "\":0}" },

    { "an event with a long string that is cut after a number",
      "{" GROUP ",\"n\":[1,2,3],\"x\":\"", "abcdefg", 6000, "\"}" },

    { "an event with a long name without escapes",
      "{" GROUP ",\"", "abcdefg", 6000, "\":0}" },

    { "an event with a long array",
      "{" GROUP ",\"x\":[", "1,[2],", 6000, "3]}" },

    { "an event with a long number",
      "{" GROUP ",\"x\":1", "0123456789", 6000, "}" },

    { "an event with many members and levels",
      "{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,"
      "\"i\":[[[[[[[[[[[[[[[[[[[[[\"\\u0041\"]]]]]]]]]]]]]]]]]]]]]," GROUP
      ",\"x\":[", "{\"\\u0042\":null},", 3000, "0]}" },

    { "an event with two long strings, its name last",
      "{\"x\":\"\\n", "0123456789", 2000,
      "\",\"y\":\"\\u000a0123456789012345678901234567890123456789\"," GROUP
      "}" },

    { "an event that breaks off",
      "{" GROUP ",\"x\":[\"", "\\n", 1500, "" },

    { "an event that breaks off in a number",
      "{" GROUP ",\"x\":", "1234567890", 1500, "" },

    { "an event with a wrong type after a long string",
      "{" GROUP ",\"x\":\"", "\\n", 1500, "\",\"email\":1}" },

    { "an event with a bad byte in a long string",
      "{" GROUP ",\"x\":\"", "\\n", 1500, "\xff\"}" },

    { "an event followed by a string that is never closed",
      "{" GROUP "} \"", "a", 1500, "" }
};


static enkod_str_t large_body(const large_t *large, size_t size);
static void no_memory(void);
static int no_memory_at(const unit_setup_t *setup, const enkod_str_t *body,
    const unit_result_t *must, size_t size);
static void no_memory_for_good(void);
static void own_block(void);
static void bounds(void);
static size_t bound(const enkod_str_t *body, size_t size, size_t received,
    size_t growth);
static size_t bound_exceeded(const unit_setup_t *setup,
    const enkod_str_t *body, size_t size, size_t *received, size_t *must);
static void bounds_small(void);


int
main(void)
{
    no_memory();
    no_memory_for_good();
    own_block();
    bounds();
    bounds_small();

    return tap_done();
}


static enkod_str_t
large_body(const large_t *large, size_t size)
{
    size_t          head, unit, tail, n;
    enkod_str_t     body;
    unsigned char  *p;

    head = strlen(large->head);
    unit = strlen(large->unit);
    tail = strlen(large->tail);

    p = malloc(head + size + unit + tail);
    if (p == NULL) {
        abort();
    }

    body.data = p;

    memcpy(p, large->head, head);
    p += head;

    for (n = 0; n < size; n += unit) {
        memcpy(p, large->unit, unit);
        p += unit;
    }

    memcpy(p, large->tail, tail);

    body.len = p + tail - body.data;

    return body;
}


/* The first allocation fails, then the second, and so on. */

static void
no_memory(void)
{
    int             ok;
    size_t          i, n;
    enkod_str_t     body;
    unit_setup_t    setup;
    unit_memory_t   memory;
    unit_result_t   must;
    enkod_event_t  *event;

    static const size_t  sizes[] = { 100000, 1000, 177, 31, 7, 1 };

    unit_setup(&setup, &large_conf);

    for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {

        body = large_body(&bodies[i], bodies[i].size);
        ok = 1;

        unit_memory_init(&memory);

        event = unit_run(&must, &setup.settings, &memory.mem, &body, body.len,
                         1, UNIT_LAST);
        enkod_event_destroy(event);

        for (n = 0; n < sizeof(sizes) / sizeof(sizes[0]) && ok; n++) {
            ok = no_memory_at(&setup, &body, &must, sizes[n]);
        }

        tap_ok(ok, "%s fails cleanly wherever memory runs out",
               bodies[i].title);

        unit_result_free(&must);
        free((void *) body.data);
    }

    unit_teardown(&setup);
}


static int
no_memory_at(const unit_setup_t *setup, const enkod_str_t *body,
    const unit_result_t *must, size_t size)
{
    int             ok, done;
    unsigned        n;
    unit_end_e      end;
    unit_memory_t   memory;
    unit_result_t   result;
    enkod_event_t  *event;

    ok = 1;
    done = 0;

    for (n = 1; ok && !done; n++) {

        for (end = 0; end < UNIT_NENDS && ok; end++) {

            unit_memory_init(&memory);
            memory.fail_at = n;

            event = unit_run(&result, &setup->settings, &memory.mem, body,
                             size, size, end);

            if (memory.failed) {
                ok = (result.code == ENKOD_NO_MEMORY);

            } else {
                ok = unit_same(&result, must);
                done = 1;
            }

            if (event == NULL) {
                ok = ok && n == 1;

            } else {
                enkod_event_destroy(event);
            }

            if (!ok || memory.live != 0) {
                tap_diag("allocation %u, pieces of %lu, %lu bytes not given "
                         "back", n, (unsigned long) size,
                         (unsigned long) memory.live);
                unit_diag_result("is     ", &result);
                unit_diag_result("must be", must);
                ok = 0;
            }

            unit_result_free(&result);
            unit_memory_release(&memory);
        }
    }

    return ok;
}


/* All memory is released at once, and destroy() is not called. */

static void
no_memory_for_good(void)
{
    size_t          i;
    enkod_str_t     body;
    unit_setup_t    setup;
    unit_memory_t   memory;
    unit_result_t   result;

    unit_setup(&setup, &large_conf);

    for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {

        body = large_body(&bodies[i], bodies[i].size);

        unit_memory_init(&memory);

        (void) unit_run(&result, &setup.settings, &memory.mem, &body, 100, 100,
                        UNIT_FINISH);

        unit_result_free(&result);
        unit_memory_release(&memory);
        free((void *) body.data);
    }

    tap_ok(1, "events need not be destroyed where their memory is released");

    unit_teardown(&setup);
}


/* The first block may be the caller's, and may be used again. */

static void
own_block(void)
{
    int             ok;
    void           *block;
    size_t          i, n;
    enkod_str_t     body;
    unit_setup_t    setup;
    enkod_event_t  *event;
    unit_memory_t   memory;
    unit_result_t   must;
    enkod_error_e   code;

    unit_setup(&setup, &large_conf);

    block = malloc(enkod_event_size());
    if (block == NULL) {
        abort();
    }

    ok = 1;

    for (n = 0; n < 2; n++) {
        for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {

            body = large_body(&bodies[i], bodies[i].size);

            unit_memory_init(&memory);

            event = unit_run(&must, &setup.settings, &memory.mem, &body,
                             body.len, 1, UNIT_LAST);
            enkod_event_destroy(event);

            event = (n == 0 && i == 0)
                    ? enkod_event_init(block, &setup.settings, &memory.mem)
                    : enkod_event_renew(block, &setup.settings);
            code = unit_feed(event, &body, 50, 50, UNIT_FINISH);

            ok = ok && code == must.code
                 && (code != ENKOD_OK
                     || enkod_event_length(event) == must.length);

            enkod_event_destroy(event);

            ok = ok && memory.live == 0;

            unit_result_free(&must);
            unit_memory_release(&memory);
            free((void *) body.data);
        }
    }

    free(block);

    tap_ok(ok, "a block of the caller's can be used for one event after "
           "another");

    unit_teardown(&setup);
}


static void
bounds(void)
{
    int           ok;
    size_t        i, n, m, over, received, must;
    enkod_str_t   body;
    unit_setup_t  setup;

    /* sizes near those at which a buffer doubles, and others */
    static const size_t  sizes[] = {
        600, 1000, 1700, 2047, 2100, 3000, 4000, 4200, 8100, 8300, 11000,
        16300, 16500, 24000, 32700, 33000, 48000, 65000, 66000, 100000
    };
    static const size_t  pieces[] = { 1000000, 4096, 1000, 61 };

    unit_setup(&setup, &large_conf);

    for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {

        ok = 1;

        for (n = 0; n < sizeof(sizes) / sizeof(sizes[0]) && ok; n++) {

            body = large_body(&bodies[i], sizes[n]);

            for (m = 0; m < sizeof(pieces) / sizeof(pieces[0]) && ok; m++) {

                over = bound_exceeded(&setup, &body, pieces[m], &received,
                                      &must);

                if (over) {
                    tap_diag("%lu bytes used with %lu of %lu received in "
                             "pieces of %lu; must be %lu at most",
                             (unsigned long) over, (unsigned long) received,
                             (unsigned long) body.len,
                             (unsigned long) pieces[m],
                             (unsigned long) must);
                    ok = 0;
                }
            }

            free((void *) body.data);
        }

        tap_ok(ok, "%s keeps within its memory at any size", bodies[i].title);
    }

    unit_teardown(&setup);
}


static size_t
bound(const enkod_str_t *body, size_t size, size_t received, size_t growth)
{
    unsigned char  last;

    last = body->data[body->len - 1];

    if ((last >= '0' && last <= '9')
        || memchr(body->data, '\\', body->len))
    {
        return ESCAPED(received + growth);
    }

    if (growth) {
        return GROWN(received + growth);
    }

    return (size >= body->len) ? WHOLE(received) : PLAIN(received);
}


/*
 * Returns 0, or the number of bytes in use that exceeds the bound *must, when
 * *received bytes of the body had come.
 */

static size_t
bound_exceeded(const unit_setup_t *setup, const enkod_str_t *body, size_t size,
    size_t *received, size_t *must)
{
    size_t          i, n, over, growth;
    enkod_event_t  *event;
    unit_memory_t   memory;

    over = 0;
    growth = 0;
    *received = 0;

    unit_memory_init(&memory);
    event = enkod_event_create(&setup->settings, &memory.mem);

    do {
        n = body->len - *received;
        n = (n < size) ? n : size;

        *received += n;

        for (i = *received - n; i < *received; i++) {
            growth += unit_growth(body->data, i);
        }

        *must = bound(body, size, *received, growth);

        if (enkod_event_feed(event, body->data + *received - n, n, 0)
            != ENKOD_OK)
        {
            n = 0;
        }

        if (memory.peak > *must) {
            over = memory.peak;
            break;
        }

    } while (n && *received < body->len);

    if (n && over == 0) {
        (void) enkod_event_finish(event);

        if (memory.peak > *must) {
            over = memory.peak;
        }
    }

    enkod_event_destroy(event);
    unit_memory_release(&memory);

    return over;
}


/* Small bodies that take more memory than most. */

static void
bounds_small(void)
{
    size_t        i, n, over, received, must;
    unit_setup_t  setup;

    static const unit_conf_t  unknown = { .accept_unknown = 1 };

    static const struct {
        const char   *title;
        enkod_str_t   body;
    } small[] = {

        { "an empty object", S("{}") },

        { "a string with an escape", S("{\"a\":\"\\n\"}") },

        { "a string with an escape and 13 members",
          S("{\"a\":\"\\n\",\"b\":0,\"c\":0,\"d\":0,\"e\":0,\"f\":0,\"g\":0,"
            "\"h\":0,\"i\":0,\"j\":0,\"k\":0,\"l\":0,\"m\":0}") },

        { "a string of U+007F", S("{\"a\":\"\x7f\"}") },

        { "31 levels and a string with an escape",
          S("{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"\\n\"]]]]]]]]]]]]]]]]]]]]"
            "]]]]]]]]]]]}") },

        { "31 levels, a string with an escape and 13 members",
          S("{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"\\n\"]]]]]]]]]]]]]]]]]]]]"
            "]]]]]]]]]]],\"b\":0,\"c\":0,\"d\":0,\"e\":0,\"f\":0,\"g\":0,"
            "\"h\":0,\"i\":0,\"j\":0,\"k\":0,\"l\":0,\"m\":0}") },

        { "the vendor's open",
          S("{\"event\":\"message open\",\"message_id\":4,\"message_uid\":"
            "\"0123456789_012_012_01234\",\"sending_type\":\"instant\","
            "\"name\":\"Open message (test)\",\"from\":\"sender@example.com\","
            "\"to\":\"recipient@example.com\"}") }
    };

    unit_setup(&setup, &unknown);

    for (i = 0; i < sizeof(small) / sizeof(small[0]); i++) {

        over = 0;

        for (n = 1; n <= small[i].body.len && over == 0; n++) {

            over = bound_exceeded(&setup, &small[i].body, n, &received,
                                  &must);

            if (over) {
                tap_diag("%lu bytes used with %lu received in pieces of %lu; "
                         "must be %lu at most", (unsigned long) over,
                         (unsigned long) received, (unsigned long) n,
                         (unsigned long) must);
            }
        }

        tap_ok(over == 0, "%s keeps to its memory however it is cut",
               small[i].title);
    }

    unit_teardown(&setup);
}
