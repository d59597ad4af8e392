
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * An event that borrows the text that was written of it is the same as before:
 * its fields, its name, and its text when it is written again.  The memory of
 * its own text is freed.
 */


#include "unit.h"


typedef struct {
    const char     *title;
    const char     *body;
    const char     *last;       /* one more member, with a long string */
} borrow_case_t;


static int borrow(const unit_setup_t *setup, const borrow_case_t *c,
    size_t pieces);
static void fields(const enkod_event_t *event, char *text, size_t size);


static const unit_conf_t  conf = { .accept_unknown = 1 };


#define OPEN                                                                  \
    "\"message_id\":4,\"message_uid\":\"u\",\"sending_type\":\"instant\","    \
    "\"name\":\"\\\"n\\u00e9\\\"\",\"from\":\"f\",\"to\":\"t\""


static const borrow_case_t  cases[] = {

    { "nothing but fields in the order of the table",
      "{\"event\":\"delivery bounce\"," OPEN "}", "error_message" },

    { "fields in the order of the table, and one that is not in it",
      "{\"event\":\"message open\"," OPEN "}", "long" },

    { "the event's name at the end",
      "{" OPEN ",\"event\":\"message open\"}", "long" },

    { "fields in another order",
      "{\"to\":\"t\",\"name\":\"n\",\"event\":\"message open\",\"from\":\"f\","
      "\"message_id\":12345678901234567890,\"sending_type\":\"DOI\","
      "\"message_uid\":\"u\"}", "long" },

    { "extra fields before, among and after them",
      "{\"x\":[1,{\"a\":\"b\"}],\"event\":\"message open\",\"y\":null," OPEN
      ",\"z\":\"last\"}", "long" },

    { "a contact without a phone",
      "{\"groups_ids\":[1,2],\"event\":\"contact adding\",\"email\":\"e\","
      "\"phone\":null,\"groups_names\":[\"a\",\"b\"],\"extra\":true}", "long" },

    { "an unknown event",
      "{\"b\":1,\"event\":\"some\\n\\\"thing\",\"a\":{\"c\":[]}}", "long" },

    { "an unknown event and nothing else", "{\"event\":\"x\"}", "long" }
};


int
main(void)
{
    size_t        i, pieces;
    unit_setup_t  setup;

    unit_setup(&setup, &conf);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (pieces = 0; pieces < 4; pieces += 3) {
            tap_ok(borrow(&setup, &cases[i], pieces),
                   "%s%s: the same with borrowed text", cases[i].title,
                   pieces ? ", in pieces" : "");
        }
    }

    unit_teardown(&setup);

    return tap_done();
}


/* Text that is no longer borrowed is overwritten. */

static int
borrow(const unit_setup_t *setup, const borrow_case_t *c, size_t pieces)
{
    int             ok;
    char            before[1024], after[1024], *body;
    size_t          len, size;
    enkod_str_t     str;
    enkod_event_t  *event;
    unit_memory_t   memory;
    unsigned char  *first, *second, *third;

    /* too long for the buffer that is part of the event */

    size = strlen(c->body) + 4096;
    body = malloc(size);
    if (body == NULL) {
        abort();
    }

    len = strlen(c->body) - 1;
    memcpy(body, c->body, len);
    len += snprintf(body + len, size - len, ",\"%s\":\"%03000d\"}", c->last,
                    7);

    str.data = (unsigned char *) body;
    str.len = len;

    unit_memory_init(&memory);

    event = enkod_event_create(&setup->settings, &memory.mem);

    if (event == NULL
        || unit_feed(event, &str, pieces ? pieces : len, pieces ? pieces : len,
                     UNIT_FINISH)
           != ENKOD_OK)
    {
        tap_diag("%s is not accepted", c->body);
        return 0;
    }

    free(body);

    len = enkod_event_length(event);

    first = malloc(len);
    second = malloc(len);
    third = malloc(len);
    if (first == NULL || second == NULL || third == NULL) {
        abort();
    }

    fields(event, before, sizeof(before));

    (void) enkod_event_write(event, first);
    enkod_event_borrow_text(event, first);
    fields(event, after, sizeof(after));

    ok = enkod_event_length(event) == len && strcmp(before, after) == 0;

    (void) enkod_event_write(event, second);

    ok = ok && memcmp(first, second, len) == 0;

    /* once more, from one that is borrowed already */

    enkod_event_borrow_text(event, second);
    memset(first, 'x', len);
    (void) enkod_event_write(event, third);

    ok = ok && memcmp(second, third, len) == 0;

    if (!ok) {
        tap_diag("before: %s", before);
        tap_diag("after:  %s", after);
        tap_diag_bytes("text", third, len);
    }

    enkod_event_destroy(event);

    free(first);
    free(second);
    free(third);

    unit_memory_release(&memory);

    return ok;
}


/* The name and all fields, as variables show them. */

static void
fields(const enkod_event_t *event, char *text, size_t size)
{
    unsigned              i;
    size_t                len;
    enkod_str_t           value;
    const enkod_shape_t  *shape;

    value = enkod_event_name(event);
    len = snprintf(text, size, "%.*s", (int) value.len, value.data);

    shape = enkod_event_shape(event);

    for (i = 0; shape && i < shape->nfields; i++) {
        value = enkod_event_field(event, &shape->fields[i]);
        len += snprintf(text + len, size - len, "|%.*s", (int) value.len,
                        value.len ? (const char *) value.data : "");
    }
}
