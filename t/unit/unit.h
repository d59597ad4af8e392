
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * What unit tests and fuzz targets of the event core share: a table of events
 * and settings, a body that is fed to an event in pieces, and the result.
 *
 * A piece is memory of its own that is freed when feed() returns, so that a
 * sanitizer sees when the event core reads beside it or comes back to it.
 */


#ifndef _ENKOD_UNIT_H_INCLUDED_
#define _ENKOD_UNIT_H_INCLUDED_


#include "enkod_event.h"

#include "allocator.h"
#include "tap.h"


#define UNIT_MAX_SIZE   65536

/* a string literal with its length, which may contain NUL bytes */
#define S(str)          enkod_string(str)
#define NOTHING         { 0, NULL }


/* settings, as of a configuration; NULL is the end of each list */

typedef struct {
    /* "NAME", then "FIELD=TYPE" ... of each declared event */
    const char            *shapes[4][10];
    const char            *events[4];
    size_t                 max_size;    /* 0: 64k */
    enkod_extra_e          extra;
    unsigned               accept_unknown;
} unit_conf_t;


typedef struct {
    unit_memory_t          memory;
    enkod_schema_t         schema;
    enkod_str_t            events[4];
    enkod_settings_t       settings;
} unit_setup_t;


typedef enum {
    UNIT_LAST = 0,              /* announced with the last piece */
    UNIT_EMPTY,                 /* announced with an empty piece after it */
    UNIT_FINISH,                /* not announced before finish() */
    UNIT_NENDS
} unit_end_e;


typedef struct {
    int                    created;
    enkod_error_e          code;
    size_t                 offset;
    const char            *expected;
    unsigned char          field[256];
    size_t                 field_len;
    unsigned char         *line;
    size_t                 line_len;
    size_t                 length;      /* what enkod_event_length() returns */
    int                    test;
} unit_result_t;


static inline enkod_str_t
unit_str(const char *s)
{
    enkod_str_t  str;

    str.data = (const unsigned char *) s;
    str.len = strlen(s);

    return str;
}


/*
 * If this byte is the last one of a character that is escaped in the text only
 * (U+007F to U+009F, U+2028, U+2029): by how many bytes it is longer there.
 */

static inline size_t
unit_growth(const unsigned char *p, size_t last)
{
    p += last;

    if (*p == 0x7f) {
        return sizeof("\\u007f") - 1 - 1;
    }

    if (last >= 1 && p[-1] == 0xc2 && *p >= 0x80 && *p <= 0x9f) {
        return sizeof("\\u0085") - 1 - 2;
    }

    if (last >= 2 && p[-2] == 0xe2 && p[-1] == 0x80
        && (*p == 0xa8 || *p == 0xa9))
    {
        return sizeof("\\u2028") - 1 - 3;
    }

    return 0;
}


static inline void
unit_setup(unit_setup_t *setup, const unit_conf_t *conf)
{
    size_t          n, f;
    const char     *error;
    enkod_str_t     name;
    enkod_shape_t  *shape;

    static const unit_conf_t  none;

    if (conf == NULL) {
        conf = &none;
    }

    unit_memory_init(&setup->memory);

    if (enkod_schema_init(&setup->schema, &setup->memory.mem) != 0) {
        abort();
    }

    for (n = 0; n < 4 && conf->shapes[n][0] != NULL; n++) {

        name = unit_str(conf->shapes[n][0]);
        shape = enkod_schema_declare(&setup->schema, &name, &error);

        for (f = 1; shape != NULL && conf->shapes[n][f] != NULL; f++) {

            name = unit_str(conf->shapes[n][f]);

            if (enkod_schema_declare_field(&setup->schema, shape, &name,
                                           &error)
                == NULL)
            {
                shape = NULL;
                break;
            }
        }

        if (shape == NULL) {
            fprintf(stderr, "# %s: %s\n", conf->shapes[n][0], error);
            abort();
        }
    }

    memset(&setup->settings, 0, sizeof(enkod_settings_t));

    for (n = 0; n < 4 && conf->events[n] != NULL; n++) {
        setup->events[n] = unit_str(conf->events[n]);
    }

    setup->settings.schema = &setup->schema;
    setup->settings.events = n ? setup->events : NULL;
    setup->settings.nevents = n;
    setup->settings.max_size = conf->max_size ? conf->max_size : UNIT_MAX_SIZE;
    setup->settings.extra = conf->extra;
    setup->settings.accept_unknown = conf->accept_unknown;
}


static inline void
unit_teardown(unit_setup_t *setup)
{
    unit_memory_release(&setup->memory);
}


/* Feeds a piece of "first" bytes, and then pieces of "size" bytes. */

static inline enkod_error_e
unit_feed(enkod_event_t *event, const enkod_str_t *body, size_t first,
    size_t size, unit_end_e end)
{
    size_t          n, pos;
    enkod_error_e   code;
    unsigned char  *piece;

    pos = 0;
    n = first;

    do {
        if (n > body->len - pos) {
            n = body->len - pos;
        }

        piece = malloc(n ? n : 1);
        if (piece == NULL) {
            abort();
        }

        if (n) {
            memcpy(piece, body->data + pos, n);
        }

        code = enkod_event_feed(event, piece, n,
                                end == UNIT_LAST && pos + n == body->len);

        memset(piece, 0xa5, n);
        free(piece);

        if (code != ENKOD_OK) {
            return code;
        }

        pos += n;
        n = size;

    } while (pos < body->len);

    if (end == UNIT_EMPTY) {

        code = enkod_event_feed(event, NULL, 0, 1);

        if (code != ENKOD_OK) {
            return code;
        }
    }

    return enkod_event_finish(event);
}


/* The result of an event that was fed and finished with "code". */

static inline void
unit_record(unit_result_t *result, const enkod_event_t *event,
    enkod_error_e code)
{
    const enkod_refusal_t  *refusal;

    memset(result, 0, sizeof(unit_result_t));

    result->created = 1;
    result->code = code;

    refusal = enkod_event_refusal(event);

    if (code != ENKOD_OK) {

        if (refusal->code != code) {
            fprintf(stderr, "# returned %d, but the refusal says %d\n",
                    code, refusal->code);
            abort();
        }

        result->offset = refusal->offset;
        result->expected = refusal->expected;
        result->field_len = refusal->field.len;

        if (refusal->field.len > sizeof(result->field)) {
            abort();
        }

        if (refusal->field.len) {
            memcpy(result->field, refusal->field.data, refusal->field.len);
        }

        return;
    }

    result->length = enkod_event_length(event);
    result->line = malloc(result->length + 1);
    if (result->line == NULL) {
        abort();
    }

    /* a sanitizer sees if more is written than the length */

    result->line = realloc(result->line, result->length);
    result->line_len = enkod_event_write(event, result->line) - result->line;
    result->test = enkod_event_test(event);
}


/* Returns the event, for the caller to destroy; NULL without memory. */

static inline enkod_event_t *
unit_run(unit_result_t *result, const enkod_settings_t *settings,
    const enkod_mem_t *mem, const enkod_str_t *body, size_t first,
    size_t size, unit_end_e end)
{
    enkod_event_t  *event;

    event = enkod_event_create(settings, mem);
    if (event == NULL) {
        memset(result, 0, sizeof(unit_result_t));
        result->code = ENKOD_NO_MEMORY;
        return NULL;
    }

    unit_record(result, event, unit_feed(event, body, first, size, end));

    return event;
}


static inline void
unit_result_free(unit_result_t *result)
{
    free(result->line);
    result->line = NULL;
}


static inline const char *
unit_code(enkod_error_e code)
{
    return code == ENKOD_OK ? "accepted" : enkod_error_get(code)->code;
}


static inline void
unit_diag_result(const char *what, const unit_result_t *result)
{
    tap_diag("%s: %s, offset %lu, expected %s", what, unit_code(result->code),
             (unsigned long) result->offset,
             result->expected ? result->expected : "-");

    if (result->field_len) {
        tap_diag_bytes("  field", result->field, result->field_len);
    }

    if (result->line) {
        tap_diag_bytes("  line", result->line, result->line_len);
    }
}


static inline int
unit_same(const unit_result_t *one, const unit_result_t *two)
{
    if (one->code != two->code
        || one->offset != two->offset
        || one->field_len != two->field_len
        || memcmp(one->field, two->field, one->field_len) != 0
        || (one->expected == NULL) != (two->expected == NULL)
        || (one->expected && strcmp(one->expected, two->expected) != 0)
        || one->test != two->test
        || one->line_len != two->line_len
        || one->length != two->length)
    {
        return 0;
    }

    return one->line_len == 0
           || memcmp(one->line, two->line, one->line_len) == 0;
}


/* "one" and then "two" in new memory, which the caller frees */

static inline enkod_str_t
unit_join(const enkod_str_t *one, const enkod_str_t *two)
{
    enkod_str_t     str;
    unsigned char  *p;

    p = malloc(one->len + two->len + 1);
    if (p == NULL) {
        abort();
    }

    if (one->len) {
        memcpy(p, one->data, one->len);
    }

    if (two->len) {
        memcpy(p + one->len, two->data, two->len);
    }

    str.data = p;
    str.len = one->len + two->len;

    return str;
}


#endif /* _ENKOD_UNIT_H_INCLUDED_ */
