
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * What an accepted event is asked for: its fields, as variables show them, and
 * its name, which can be asked for before the body is complete.
 */


#include "unit.h"


static const unit_conf_t  unknown = { .accept_unknown = 1 };

static const unit_conf_t  typed = {
    .shapes = {
        { "typed", "s=string", "i=integer", "n=number", "b=boolean",
          "ss=strings", "ii=integers", "a=any", NULL },
        { "optional", "s=string?", "i=integer?", "n=number?", "b=boolean?",
          "ss=strings?", "ii=integers?", "a=any?", NULL },
        { "bare", NULL }
    }
};


static void fields(void);
static int check_field(const enkod_event_t *event, const enkod_shape_t *shape,
    const char *name, const char *value);
static void names(void);


int
main(void)
{
    fields();
    names();

    return tap_done();
}


static void
fields(void)
{
    int                   ok;
    unit_setup_t          setup;
    enkod_event_t        *event;
    unit_result_t         result;
    unit_memory_t         memory;
    const enkod_shape_t  *shape;

    static const enkod_str_t  body = S(
        "{\"a\":{\"b\":[1,\"\\u000a\"]},\"event\":\"typed\",\"s\":\"\\u0022"
        "\\r\\n\\u0441\",\"i\":-12,\"n\":1.50,\"b\":false,\"ss\":[ \"a\" ],"
        "\"ii\":[1, 2],\"x\":1}");
    static const enkod_str_t  nulls = S(
        "{\"event\":\"optional\",\"s\":null,\"a\":null,\"n\":0}");
    static const enkod_str_t  any = S(
        "{\"a\":\"\\u0061\",\"event\":\"optional\"}");

    unit_setup(&setup, &typed);
    unit_memory_init(&memory);

    event = unit_run(&result, &setup.settings, &memory.mem, &body, 3, 3,
                     UNIT_FINISH);
    shape = enkod_event_shape(event);

    ok = tap_ok(result.code == ENKOD_OK && shape != NULL
                && shape == setup.schema.shapes[8],
                "the shape of an accepted event is known");

    if (ok) {
        tap_ok(check_field(event, shape, "s", "\\\"\\r\\n\xd1\x81"),
               "a string is shown escaped and without quotes");
        tap_ok(check_field(event, shape, "i", "-12"),
               "an integer is shown as its text");
        tap_ok(check_field(event, shape, "n", "1.50"),
               "a number is shown as its text");
        tap_ok(check_field(event, shape, "b", "false"),
               "a boolean is shown as its text");
        tap_ok(check_field(event, shape, "ss", "[\"a\"]"),
               "strings are shown as a JSON array");
        tap_ok(check_field(event, shape, "ii", "[1,2]"),
               "integers are shown as a JSON array");
        tap_ok(check_field(event, shape, "a", "{\"b\":[1,\"\\n\"]}"),
               "any value is shown as JSON");
    }

    unit_result_free(&result);
    enkod_event_destroy(event);

    event = unit_run(&result, &setup.settings, &memory.mem, &nulls, 1, 1,
                     UNIT_LAST);
    shape = enkod_event_shape(event);

    tap_ok(check_field(event, shape, "s", "")
           && check_field(event, shape, "a", ""),
           "null is shown as nothing");
    tap_ok(check_field(event, shape, "i", "")
           && check_field(event, shape, "ss", ""),
           "an absent field is shown as nothing");
    tap_ok(check_field(event, shape, "n", "0"),
           "zero is not nothing");

    unit_result_free(&result);
    enkod_event_destroy(event);

    event = unit_run(&result, &setup.settings, &memory.mem, &any, 1, 1,
                     UNIT_LAST);
    shape = enkod_event_shape(event);

    tap_ok(check_field(event, shape, "a", "\"a\""),
           "any value that is a string is shown with its quotes");

    unit_result_free(&result);
    enkod_event_destroy(event);

    tap_ok(memory.live == 0, "all memory of these events is freed");

    unit_memory_release(&memory);
    unit_teardown(&setup);
}


static int
check_field(const enkod_event_t *event, const enkod_shape_t *shape,
    const char *name, const char *value)
{
    unsigned     i;
    enkod_str_t  is, must, field;

    must = unit_str(value);
    field = unit_str(name);

    for (i = 0; i < shape->nfields; i++) {

        if (!enkod_str_equal(&shape->fields[i].name, &field)) {
            continue;
        }

        is = enkod_event_field(event, &shape->fields[i]);

        if (is.len == must.len
            && (is.len == 0 || memcmp(is.data, must.data, is.len) == 0))
        {
            return 1;
        }

        tap_diag_bytes(name, is.data, is.len);
        return 0;
    }

    tap_diag("there is no field %s", name);

    return 0;
}


static void
names(void)
{
    enkod_str_t      name, must;
    enkod_error_e    rc;
    unit_setup_t     setup;
    enkod_event_t   *event;
    unit_memory_t    memory;

    static const unsigned char  early[] =
        "{\"x\":1,\"event\":\"\\u0441omplaint\"";
    static const unsigned char  unknown_name[] =
        "{\"x\":1,\"event\":\"\\u0022q\xc2\x9b\"";

    unit_setup(&setup, NULL);
    unit_memory_init(&memory);

    event = enkod_event_create(&setup.settings, &memory.mem);

    rc = enkod_event_feed(event, early, sizeof(early) - 2, 0);
    name = enkod_event_name(event);
    tap_ok(rc == ENKOD_OK && name.len == 0 && enkod_event_shape(event) == NULL,
           "an event has no name before the name is complete");

    rc = enkod_event_feed(event, early + sizeof(early) - 2, 1, 0);
    name = enkod_event_name(event);
    must = unit_str("complaint");
    tap_ok(rc == ENKOD_OK && enkod_str_equal(&name, &must),
           "an event has its name before the body ends, in Latin letters");

    enkod_event_destroy(event);
    unit_teardown(&setup);

    unit_setup(&setup, &unknown);

    event = enkod_event_create(&setup.settings, &memory.mem);

    rc = enkod_event_feed(event, unknown_name, sizeof(unknown_name) - 1, 0);
    name = enkod_event_name(event);
    must = unit_str("\\\"q\\u009b");
    tap_ok(rc == ENKOD_OK && enkod_str_equal(&name, &must)
           && enkod_event_shape(event) == NULL,
           "an unknown event has its name, escaped, and no shape");

    enkod_event_destroy(event);

    tap_ok(memory.live == 0, "an event that is given up frees its memory");

    unit_memory_release(&memory);
    unit_teardown(&setup);
}
