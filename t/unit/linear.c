
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The time for a body is proportional to its length, not to its square, also in
 * the worst case for a parser of chunks: one long token that comes byte by
 * byte.  Four times the bytes may take eight times as long, as quadratic time
 * would be sixteen times as long.  Times are compared with each other only, and
 * are measured again if the comparison fails.
 */


#include <time.h>

#include "unit.h"


#define GROUP                                                                 \
    "\"event\":\"mailing group subscribe\",\"email\":\"e\",\"group_id\":4,"   \
    "\"group_name\":\"g\",\"channel\":\"c\""

#define SMALL     (16 * 1024)
#define LARGE     (64 * 1024)
#define ATTEMPTS  8


typedef struct {
    const char           *title;
    const char           *head;
    const char           *unit;
    const char           *tail;
    enkod_error_e         code;
} token_t;


/* not much larger, as the text may be longer than the body */
static const unit_conf_t  conf = { .max_size = LARGE + 1024 };


static const token_t  tokens[] = {

    { "a string of letters", "{" GROUP ",\"x\":\"", "abcdefgh", "\"}",
      ENKOD_OK },

    { "a string of escapes", "{" GROUP ",\"x\":\"", "\\u0001\\n", "\"}",
      ENKOD_OK },

    { "a string of surrogate pairs", "{" GROUP ",\"x\":\"",
      "\\ud83d\\ude00", "\"}", ENKOD_OK },

    { "a string of Cyrillic letters", "{" GROUP ",\"x\":\"", "\xd1\x81",
      "\"}", ENKOD_OK },

    { "a string of U+007F", "{" GROUP ",\"x\":\"", "\x7f", "\"}", ENKOD_OK },

    { "an array of strings of U+2028", "{" GROUP ",\"x\":[1",
      ",\"\xe2\x80\xa8\"", "]}", ENKOD_OK },

    { "a name", "{" GROUP ",\"", "abcdefg\\t", "\":1}", ENKOD_OK },

    { "an integer", "{" GROUP ",\"x\":1", "0123456789", "}", ENKOD_OK },

    { "an array of integers", "{" GROUP ",\"x\":[1", ",1", "]}", ENKOD_OK },

    { "an array of objects", "{" GROUP ",\"x\":[1", ",{\"a\":\"\\n\"}", "]}",
      ENKOD_OK },

    { "white space", "{" GROUP, " \n", "}", ENKOD_OK },

    { "white space after the event", "{" GROUP "}", " \n", "", ENKOD_OK },

    { "white space and nothing else", "", " \n", "", ENKOD_EMPTY_BODY },

    { "a string that is never closed", "{" GROUP ",\"x\":\"", "abcdefgh", "",
      ENKOD_INVALID_JSON },

    { "a string after the event that is never closed", "{" GROUP "} \"",
      "abcdefgh", "", ENKOD_INVALID_JSON },

    { "a long word that is not a literal", "{" GROUP ",\"x\":[", "tttttttt", "",
      ENKOD_INVALID_JSON }
};


static int is_linear(const unit_setup_t *setup, const token_t *token);
static double measure(const unit_setup_t *setup, const token_t *token,
    size_t size, size_t *allocated);


int
main(void)
{
    size_t        i;
    unit_setup_t  setup;

    unit_setup(&setup, &conf);

    for (i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {

        tap_ok(is_linear(&setup, &tokens[i]),
               "%s, byte by byte, takes time and memory in proportion",
               tokens[i].title);
    }

    unit_teardown(&setup);

    return tap_done();
}


static int
is_linear(const unit_setup_t *setup, const token_t *token)
{
    double    small, large, t;
    size_t    small_bytes, large_bytes;
    unsigned  n;

    small = 1e9;
    large = 1e9;

    for (n = 0; n < ATTEMPTS; n++) {

        /* the fastest run of each, as other processes make some slower */

        t = measure(setup, token, SMALL, &small_bytes);
        small = (t < small) ? t : small;

        t = measure(setup, token, LARGE, &large_bytes);
        large = (t < large) ? t : large;

        if (small < 0 || large < 0) {
            return 0;
        }

        if (large_bytes > 8 * small_bytes) {
            tap_diag("%lu bytes are allocated for 16 KiB, %lu for 64 KiB",
                     (unsigned long) small_bytes,
                     (unsigned long) large_bytes);
            return 0;
        }

        if (n > 0 && large < 8 * small) {
            return 1;
        }
    }

    tap_diag("16 KiB take %.0f us, 64 KiB take %.0f us", small * 1e6,
             large * 1e6);

    return 0;
}


/* Returns CPU seconds, or -1 if the verdict is wrong. */

static double
measure(const unit_setup_t *setup, const token_t *token, size_t size,
    size_t *allocated)
{
    size_t           n, unit;
    enkod_str_t      body;
    enkod_event_t   *event;
    unit_memory_t    memory;
    enkod_error_e    code;
    unsigned char   *p, *start;
    struct timespec  from, to;

    unit = strlen(token->unit);

    start = malloc(strlen(token->head) + size + unit + strlen(token->tail));
    if (start == NULL) {
        abort();
    }

    p = start;
    memcpy(p, token->head, strlen(token->head));
    p += strlen(token->head);

    for (n = 0; n < size; n += unit) {
        memcpy(p, token->unit, unit);
        p += unit;
    }

    memcpy(p, token->tail, strlen(token->tail));
    p += strlen(token->tail);

    body.data = start;
    body.len = p - start;

    unit_memory_init(&memory);
    (void) clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);

    event = enkod_event_create(&setup->settings, &memory.mem);
    code = ENKOD_OK;

    for (n = 0; n < body.len && code == ENKOD_OK; n++) {
        code = enkod_event_feed(event, &body.data[n], 1, 0);
    }

    if (code == ENKOD_OK) {
        code = enkod_event_finish(event);
    }

    (void) clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);

    *allocated = memory.total;

    enkod_event_destroy(event);
    unit_memory_release(&memory);
    free(start);

    if (code != token->code) {
        tap_diag("%s is %s", token->title, unit_code(code));
        return -1;
    }

    return (to.tv_sec - from.tv_sec) + (to.tv_nsec - from.tv_nsec) / 1e9;
}
