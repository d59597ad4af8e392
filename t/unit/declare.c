
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Events and fields are declared: what is accepted, the messages for what is
 * not, and a lack of memory.
 */


#include "table.h"


static void declare(void);
static void declare_many(void);
static void declare_fields(void);
static void no_memory(void);
static int refuses_event(const char *name, size_t len, const char *message);
static int refuses_field(enkod_shape_t *shape, const char *spec,
    const char *message);


int
main(void)
{
    declare();
    declare_many();
    declare_fields();
    no_memory();

    return tap_done();
}


static void
declare(void)
{
    size_t                i;
    enkod_str_t           name;
    unsigned char        *p;
    enkod_shape_t        *shape;
    const enkod_shape_t  *open;

    table_begin();

    shape = table_declare("whatsapp sent");
    tap_ok(shape != NULL && shape->nfields == 0 && shape->declared
           && table_find("whatsapp sent") == shape,
           "a declared event is found");

    tap_ok(table_find("wh\xd0\xb0tsapp sent") == shape,
           "a declared event is found in Cyrillic letters");

    tap_ok(refuses_event("whatsapp sent", 13, "the event is declared already"),
           "an event cannot be declared twice");

    tap_ok(refuses_event("wh\xd0\xb0tsapp sent", 14,
                         "the event is declared already"),
           "an event cannot be declared twice in two spellings");

    tap_ok(refuses_event("", 0, "the event's name must not be empty"),
           "an event cannot be declared without a name");

    p = unit_alloc(&table_memory, 1000);
    memset(p, 'a', 1000);
    name.data = p;
    name.len = 1000;
    shape = enkod_schema_declare(&table, &name, &table_error);
    tap_ok(shape != NULL && enkod_schema_find(&table, &name) == shape,
           "an event can be declared with a name of 1000 bytes");

    name.len = 999;
    tap_ok(enkod_schema_find(&table, &name) == NULL,
           "a name of 999 bytes is not one of 1000");

    shape = table_declare("\xd0\xa1\xd0\xbe\xd0\xb6");
    tap_ok(shape != NULL && table_find("Co\xd0\xb6") == shape,
           "a name in Cyrillic letters is found in Latin ones");

    shape = table_declare("a\"b\\c\nd\x01\x7f\xc2\x9b\xc2\xa0\xe2\x80\xa8");
    name = unit_str("\"a\\\"b\\\\c\\nd\\u0001\\u007f\\u009b\xc2\xa0\\u2028\"");
    tap_ok(shape != NULL && enkod_str_equal(&shape->json, &name),
           "a name is escaped and quoted for JSON");

    p = unit_alloc(&table_memory, 256);
    memset(p, 1, 256);
    name.data = p;
    name.len = 256;
    shape = enkod_schema_declare(&table, &name, &table_error);
    tap_ok(shape != NULL && shape->json.len == 6 * 256 + 2,
           "a name of 256 control characters is escaped and quoted");

    i = table.nshapes;
    open = table_find("message open");
    shape = table_declare("complaint");
    tap_ok(shape != NULL && shape == table_find("complaint")
           && shape->nfields == 0 && shape->declared && table.nshapes == i,
           "a built-in event is emptied when it is declared");

    tap_ok(open == table_find("message open") && open->nfields == 6,
           "an event with the same fields keeps them");

    tap_ok(refuses_event("\xd1\x81omplaint", 10,
                         "the event is declared already"),
           "a built-in event cannot be declared twice");

    shape = table_declare("c\xd0\xbentact adding");
    name = unit_str("contact adding");
    tap_ok(shape != NULL && shape == table_find("contact adding")
           && enkod_str_equal(&shape->name, &name) && shape->any_of == 0
           && shape->nfields == 0,
           "a built-in event keeps its name when declared in another spelling");

    table_end();

    /* each table has its own rows */

    table_begin();

    tap_ok(table_find("complaint")->nfields == 6
           && !table_find("complaint")->declared
           && table_find("contact adding")->any_of == 2,
           "what is declared in one table is not in another");

    table_end();
}


static void
declare_many(void)
{
    int             ok;
    char           *name;
    unsigned        i, n;
    enkod_shape_t  *shapes[100];

    table_begin();

    ok = 1;

    for (i = 0; i < 100 && ok; i++) {

        name = unit_alloc(&table_memory, 16);
        (void) sprintf(name, "event %u", i);

        shapes[i] = table_declare(name);
        ok = shapes[i] != NULL
             && table_declare_field(shapes[i], "a=any") != NULL;

        for (n = 0; n <= i && ok; n++) {
            ok = table_find((const char *) shapes[n]->name.data) == shapes[n];
        }
    }

    tap_ok(ok && table_find("message sent") != NULL,
           "a hundred events can be declared, and all are found");

    table_end();
}


static void
declare_fields(void)
{
    int             ok;
    char           *spec;
    unsigned        i, optional;
    enkod_str_t     name;
    enkod_field_t  *field;
    enkod_shape_t  *shape;

    static const char  form[] = "a field must be given as NAME=TYPE";
    static const char  type[] =
        "the type of a field must be string, integer, number, boolean,"
        " strings, integers or any, with an optional \"?\"";

    table_begin();

    shape = table_declare("x");
    ok = 1;

    for (i = 0; i < ENKOD_NTYPES; i++) {

        for (optional = 0; optional < 2; optional++) {

            spec = unit_alloc(&table_memory, 32);
            (void) sprintf(spec, "%s_%u=%s%s", table_types[i].spec, optional,
                           table_types[i].spec, optional ? "?" : "");

            field = table_declare_field(shape, spec);

            if (field == NULL || !table_is_field(field, spec)
                || field != &shape->fields[2 * i + optional])
            {
                tap_diag("%s", spec);
                ok = 0;
            }
        }
    }

    tap_ok(ok, "a field may be of each of the seven types, optional or not");

    tap_ok(refuses_field(shape, "", form)
           && refuses_field(shape, "a", form)
           && refuses_field(shape, "string", form)
           && refuses_field(shape, "=string", form)
           && refuses_field(shape, "=", form),
           "a field needs a name and a type");

    tap_ok(refuses_field(shape, "a=", type)
           && refuses_field(shape, "a=?", type)
           && refuses_field(shape, "a=String", type)
           && refuses_field(shape, "a=text", type)
           && refuses_field(shape, "a=string??", type)
           && refuses_field(shape, "a=string ", type)
           && refuses_field(shape, "a=stringss", type)
           && refuses_field(shape, "a=strin", type)
           && refuses_field(shape, "a=?string", type)
           && refuses_field(shape, "a==", type),
           "a field needs a type that there is");

    tap_ok(refuses_field(shape, "event=string",
                         "the name is reserved for the line itself"),
           "a field cannot be named event");

    tap_ok(table_declare_field(shape, "twice=string") != NULL
           && refuses_field(shape, "twice=integer?",
                            "the field is given twice"),
           "a field cannot be given twice");

    tap_ok(table_declare_field(shape, "Twice=string") != NULL
           && table_declare_field(shape, "Event=string") != NULL
           && table_declare_field(shape, "tw\xd1\x96" "ce=string") != NULL,
           "names of fields are compared byte by byte");

    field = table_declare_field(shape, "a=b=string=integer?");
    name = unit_str("a=b=string");
    tap_ok(field != NULL && enkod_str_equal(&field->name, &name)
           && field->type == ENKOD_INTEGER && field->optional,
           "a field's name may have equals signs");

    field = table_declare_field(shape, "==any");
    name = unit_str("=");
    tap_ok(field != NULL && enkod_str_equal(&field->name, &name),
           "a field's name may be an equals sign");

    tap_ok(shape->nfields == 2 * ENKOD_NTYPES + 6,
           "what is refused is not counted");

    shape = table_declare("y");
    ok = 1;

    for (i = 0; i < ENKOD_MAX_MEMBERS - 1; i++) {

        spec = unit_alloc(&table_memory, 32);
        (void) sprintf(spec, "f%u=any?", i);
        ok = ok && table_declare_field(shape, spec) != NULL;
    }

    tap_ok(ok && refuses_field(shape, "last=any?",
                               "an event may have 63 fields at most"),
           "an event may have 63 fields and no more");

    table_end();
}


/* Each allocation fails in turn; the table can still be used. */

static void
no_memory(void)
{
    int             ok;
    unsigned        n;
    enkod_shape_t  *shape;
    enkod_field_t  *field;

    ok = 1;

    for (n = 1; n < 1000; n++) {

        unit_memory_init(&table_memory);
        table_memory.fail_at = n;

        if (enkod_schema_init(&table, &table_memory.mem) == 0) {
            ok = ok && table_memory.failed == 0;
            unit_memory_release(&table_memory);
            break;
        }

        unit_memory_release(&table_memory);
    }

    tap_ok(ok && n > 8, "a table without memory is none");

    ok = 1;

    for (n = 1; n < 1000 && ok; n++) {

        table_begin();
        table_memory.fail_at = table_memory.allocations + n;

        shape = table_declare("x");
        field = NULL;

        if (shape == NULL) {
            ok = table_memory.failed && strcmp(table_error, "no memory") == 0
                 && table_find("x") == NULL;

            shape = table_declare("x");
        }

        ok = ok && shape != NULL && table_find("x") == shape;

        if (ok) {
            field = table_declare_field(shape, "a=string");

            if (field == NULL) {
                ok = table_memory.failed
                     && strcmp(table_error, "no memory") == 0
                     && shape->nfields == 0;

                field = table_declare_field(shape, "a=string");
            }

            ok = ok && field != NULL && shape->nfields == 1;
        }

        if (table_memory.failed == 0) {
            table_end();
            break;
        }

        table_end();
    }

    tap_ok(ok && n > 3, "what cannot be declared for lack of memory can be "
           "declared later");
}


static int
refuses_event(const char *name, size_t len, const char *message)
{
    unsigned     nshapes;
    enkod_str_t  str;

    str.data = (const unsigned char *) name;
    str.len = len;
    nshapes = table.nshapes;
table_error = "";

    if (enkod_schema_declare(&table, &str, &table_error) == NULL
        && strcmp(table_error, message) == 0 && table.nshapes == nshapes)
    {
        return 1;
    }

    tap_diag("%.*s: %s", (int) len, name, table_error);

    return 0;
}


static int
refuses_field(enkod_shape_t *shape, const char *spec, const char *message)
{
    unsigned  nfields;

    nfields = shape->nfields;
table_error = "";

    if (table_declare_field(shape, spec) == NULL
        && strcmp(table_error, message) == 0
        && shape->nfields == nfields)
    {
        return 1;
    }

    tap_diag("%s: %s", spec, table_error);

    return 0;
}
