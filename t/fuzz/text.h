
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * What must be true of every text of an event.
 */


#ifndef _ENKOD_FUZZ_TEXT_H_INCLUDED_
#define _ENKOD_FUZZ_TEXT_H_INCLUDED_


#include <string.h>

#include "enkod_event.h"

#include "fuzz.h"
#include "../unit/oracle.h"
#include "../unit/unit.h"


/*
 * The text is one line for any reader, a terminal included: it has no control
 * character (U+0000 to U+001F, U+007F to U+009F), no U+2028 and no U+2029.
 */

static inline void
text_check_line(const enkod_str_t *text)
{
    size_t  i;

    for (i = 0; i < text->len; i++) {
        fuzz_must(text->data[i] >= 0x20 && unit_growth(text->data, i) == 0,
                  "a text is one line without control characters");
    }
}


/* "object" is the text in braces. */

static inline void
text_check_fields(const enkod_event_t *event, unsigned char *object)
{
    unsigned              i;
    enkod_str_t           name, key, field, value;
    const unsigned char  *p, *next;
    const enkod_shape_t  *shape;

    static const enkod_str_t  null = S("null");
    static const enkod_str_t  first = S("\"event\"");
    static const enkod_str_t  last = S("\"extra\"");

    p = oracle_member(object + 1, &name, &value);

    value.data++;
    value.len -= 2;
    field = enkod_event_name(event);

    fuzz_must(enkod_str_equal(&name, &first) && enkod_str_equal(&value, &field),
              "the event's name comes first");

    shape = enkod_event_shape(event);
    next = oracle_member(p, &name, &value);

    for (i = 0; shape && i < shape->nfields; i++) {

        field = enkod_event_field(event, &shape->fields[i]);

        key.data = shape->fields[i].key.data + 1;
        key.len = shape->fields[i].key.len - 2;

        if (next == NULL || !enkod_str_equal(&name, &key)) {
            fuzz_must(shape->fields[i].optional && field.len == 0,
                      "a field that is not in the text is optional");
            continue;
        }

        if (enkod_str_equal(&value, &null)) {
            value.len = 0;

        } else if (shape->fields[i].type == ENKOD_STRING) {
            value.data++;
            value.len -= 2;
        }

        fuzz_must(value.len == field.len
                  && (field.len == 0 || enkod_str_equal(&value, &field)),
                  "a field is as in the text");

        p = next;
        next = oracle_member(p, &name, &value);
    }

    if (next) {
        fuzz_must(enkod_str_equal(&name, &last)
                  && oracle_member(next, &name, &value) == NULL,
                  "after the fields there are only extra ones");
    }
}


/* The text is what oracle.h writes, field by field. */

static inline void
text_check(const enkod_event_t *event, const unsigned char *text, size_t len)
{
    size_t          n;
    unsigned        deepest;
    enkod_str_t     object;
    unsigned char  *p, *out;

    p = fuzz_alloc(len + 2);
    out = fuzz_alloc(6 * (len + 2) + 8);

    p[0] = '{';
    memcpy(p + 1, text, len);
    p[len + 1] = '}';

    object.data = p;
    object.len = len + 2;

    fuzz_must(oracle_json(&object, out, &n, &deepest), "the text is JSON");

    fuzz_must(n == object.len && memcmp(out, p, n) == 0,
              "the text is compact and has the necessary escapes");

    text_check_fields(event, p);

    free(out);
    free(p);
}


#endif /* _ENKOD_FUZZ_TEXT_H_INCLUDED_ */
