
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The table of events: the built-in rows, how names are looked up, what can be
 * declared, and the messages for what cannot.
 */


#include "unit.h"


static const struct {
    const char           *name;
    unsigned              any_of;
    const char           *fields[9];    /* NAME=TYPE as in a declaration */
} rows[] = {

    { "message sent", 0,
      { "message_id=integer", "message_uid=string", "sending_type=string",
        "name=string", "from=string", "to=string", NULL } },

    { "delivery bounce", 0,
      { "message_id=integer", "message_uid=string", "sending_type=string",
        "name=string", "from=string", "to=string", "error_message=string",
        NULL } },

    { "message open", 0,
      { "message_id=integer", "message_uid=string", "sending_type=string",
        "name=string", "from=string", "to=string", NULL } },

    { "message clicked", 0,
      { "message_id=integer", "message_uid=string", "sending_type=string",
        "name=string", "from=string", "to=string", "click_url=string",
        NULL } },

    { "complaint", 0,
      { "message_id=integer", "message_uid=string", "sending_type=string",
        "name=string", "from=string", "to=string", NULL } },

    { "mailing group subscribe", 0,
      { "email=string", "group_id=integer", "group_name=string",
        "channel=string", NULL } },

    { "mailing group unsubscribe", 0,
      { "email=string", "group_id=integer", "group_name=string",
        "channel=string", NULL } },

    { "contact adding", 2,
      { "email=string?", "phone=string?", "groups_names=strings",
        "groups_ids=integers", NULL } }
};


static const struct {
    const char           *spec;         /* as enkod_event spells it */
    const char           *text;         /* as an answer names it */
} types[ENKOD_NTYPES] = {
    [ENKOD_STRING] = { "string", "string" },
    [ENKOD_INTEGER] = { "integer", "integer" },
    [ENKOD_NUMBER] = { "number", "number" },
    [ENKOD_BOOLEAN] = { "boolean", "boolean" },
    [ENKOD_STRINGS] = { "strings", "array of strings" },
    [ENKOD_INTEGERS] = { "integers", "array of integers" },
    [ENKOD_ANY] = { "any", "any value but null" }
};


static const struct {
    const char           *cyrillic;
    const char           *latin;
} lookalikes[] = {
    { "\xd0\xb0", "a" }, { "\xd0\xb2", "b" }, { "\xd0\xb5", "e" },
    { "\xd0\xba", "k" }, { "\xd0\xbc", "m" }, { "\xd0\xbd", "h" },
    { "\xd0\xbe", "o" }, { "\xd1\x80", "p" }, { "\xd1\x81", "c" },
    { "\xd1\x82", "t" }, { "\xd1\x83", "y" }, { "\xd1\x85", "x" },
    { "\xd0\x90", "A" }, { "\xd0\x92", "B" }, { "\xd0\x95", "E" },
    { "\xd0\x9a", "K" }, { "\xd0\x9c", "M" }, { "\xd0\x9d", "H" },
    { "\xd0\x9e", "O" }, { "\xd0\xa0", "P" }, { "\xd0\xa1", "C" },
    { "\xd0\xa2", "T" }, { "\xd0\xa3", "Y" }, { "\xd0\xa5", "X" }
};


#define LOOKALIKES  (sizeof(lookalikes) / sizeof(lookalikes[0]))


static unit_memory_t   memory;
static enkod_schema_t  schema;
static const char     *error;


static void builtin(void);
static void same(void);
static int are_same(const char *one, const char *two);
static void find(void);
static void declare(void);
static void declare_many(void);
static void declare_fields(void);
static void no_memory(void);
static void type_names(void);
static void begin(void);
static void end(void);
static enkod_shape_t *declare_event(const char *name);
static int refuses_event(const char *name, size_t len, const char *message);
static enkod_field_t *declare_field(enkod_shape_t *shape, const char *spec);
static int refuses_field(enkod_shape_t *shape, const char *spec,
    const char *message);
static int is_field(const enkod_field_t *field, const char *spec);
static const enkod_shape_t *look_up(const char *name);


int
main(void)
{
    builtin();
    same();
    find();
    declare();
    declare_many();
    declare_fields();
    no_memory();
    type_names();

    return tap_done();
}


static void
builtin(void)
{
    int                   ok;
    unsigned              i, n;
    enkod_str_t           name;
    const enkod_shape_t  *shape;

    begin();

    tap_ok(schema.nshapes == sizeof(rows) / sizeof(rows[0]),
           "there are eight events at first");

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {

        shape = look_up(rows[i].name);
        name = unit_str(rows[i].name);

        ok = shape != NULL && enkod_str_equal(&shape->name, &name)
             && !shape->declared && shape->any_of == rows[i].any_of;

        for (n = 0; ok && rows[i].fields[n] != NULL; n++) {
            ok = n < shape->nfields
                 && is_field(&shape->fields[n], rows[i].fields[n]);
        }

        tap_ok(ok && n == shape->nfields,
               "\"%s\" has the fields of the vendor's page in their order",
               rows[i].name);
    }

    end();
}


static void
same(void)
{
    int            ok, must;
    size_t         i, n;
    unsigned       a, b;
    unsigned char  letter[3];

    ok = 1;

    for (i = 0; i < LOOKALIKES; i++) {

        if (!are_same(lookalikes[i].cyrillic, lookalikes[i].latin)
            || !are_same(lookalikes[i].latin, lookalikes[i].cyrillic)
            || !are_same(lookalikes[i].cyrillic, lookalikes[i].cyrillic))
        {
            tap_diag("%s", lookalikes[i].latin);
            ok = 0;
        }
    }

    tap_ok(ok, "the 24 Cyrillic letters that look like Latin ones are these");

    ok = 1;

    for (a = 0x80; a < 0x800; a++) {

        letter[0] = 0xc0 | (a >> 6);
        letter[1] = 0x80 | (a & 0x3f);
        letter[2] = '\0';

        for (b = 1; b < 0x80; b++) {
            char  latin[2] = { b, '\0' };

            must = 0;

            for (n = 0; n < LOOKALIKES; n++) {
                must |= strcmp((char *) letter, lookalikes[n].cyrillic) == 0
                        && strcmp(latin, lookalikes[n].latin) == 0;
            }

            if (are_same((char *) letter, latin) != must) {
                tap_diag("U+%04x and %s", a, latin);
                ok = 0;
            }
        }
    }

    tap_ok(ok, "no other letter of two bytes is a Latin one");

    tap_ok(are_same("", "") && are_same("a", "a") && !are_same("a", "A")
           && !are_same("a", "") && !are_same("", "a")
           && !are_same("ab", "a") && !are_same("a", "ab")
           && !are_same("\xd0\xb0", "") && !are_same("", "\xd0\xb0")
           && !are_same("ab", "\xd0\xb0") && !are_same("\xd0\xb0", "ab"),
           "names are compared to their ends");

    tap_ok(are_same("\xd1\x81" "a\xd0\xb0\xd0\xb6", "c\xd0\xb0" "a\xd0\xb6")
           && !are_same("\xd0\xb6", "\xd0\xb7")
           && !are_same("\xd0\xb0", "\xd0\x90"),
           "names of both kinds of letters are compared letter by letter");

    tap_ok(are_same("a\xd0", "a\xd0") && !are_same("a\xd0", "a\xd1")
           && !are_same("\xd0", "\xd0\xb0") && !are_same("\xd0\xb0", "\xd0")
           && !are_same("\xd0", ""),
           "half a letter at the end is compared in safety");

    tap_ok(!are_same("\xd0" "p", "a") && !are_same("\xd0\xf0", "a")
           && are_same("\xd0" "a", "\xd0\xd0\xb0"),
           "half a letter before another one is none");
}


/* Each name has memory of its own, so that a sanitizer sees its end. */

static int
are_same(const char *one, const char *two)
{
    int          same;
    char        *p, *q;
    enkod_str_t  a, b;

    a = unit_str(one);
    b = unit_str(two);

    p = malloc(a.len ? a.len : 1);
    q = malloc(b.len ? b.len : 1);

    if (p == NULL || q == NULL) {
        abort();
    }

    memcpy(p, one, a.len);
    memcpy(q, two, b.len);

    a.data = (unsigned char *) p;
    b.data = (unsigned char *) q;

    same = enkod_schema_same(&a, &b);

    free(p);
    free(q);

    return same != 0;
}


static void
find(void)
{
    enkod_str_t  name;

    static unsigned char  buf[65536];

    begin();

    tap_ok(look_up("\xd1\x81omplaint") == look_up("complaint")
           && look_up("complaint") != NULL,
           "a complaint is found in both spellings");

    tap_ok(look_up("mess\xd0\xb0g\xd0\xb5 s\xd0\xb5nt")
           == look_up("message sent"),
           "a name is found with any of its letters in Cyrillic");

    tap_ok(look_up("Complaint") == NULL, "a name is not found in capitals");

    tap_ok(look_up("complain") == NULL && look_up("complaints") == NULL
           && look_up("") == NULL,
           "a name is found as a whole only");

    memset(buf, 'a', sizeof(buf));
    name.data = buf;
    name.len = sizeof(buf);
    tap_ok(enkod_schema_find(&schema, &name) == NULL,
           "a name of 64 KiB is looked up in safety");

    end();
}


static void
declare(void)
{
    size_t                i;
    enkod_str_t           name;
    unsigned char        *p;
    enkod_shape_t        *shape;
    const enkod_shape_t  *open;

    begin();

    shape = declare_event("whatsapp sent");
    tap_ok(shape != NULL && shape->nfields == 0 && shape->declared
           && look_up("whatsapp sent") == shape,
           "a declared event is found");

    tap_ok(look_up("wh\xd0\xb0tsapp sent") == shape,
           "a declared event is found in Cyrillic letters");

    tap_ok(refuses_event("whatsapp sent", 13, "the event is declared already"),
           "an event cannot be declared twice");

    tap_ok(refuses_event("wh\xd0\xb0tsapp sent", 14,
                         "the event is declared already"),
           "an event cannot be declared twice in two spellings");

    tap_ok(refuses_event("", 0, "the event's name must not be empty"),
           "an event cannot be declared without a name");

    p = unit_alloc(&memory, 1000);
    memset(p, 'a', 1000);
    name.data = p;
    name.len = 1000;
    shape = enkod_schema_declare(&schema, &name, &error);
    tap_ok(shape != NULL && enkod_schema_find(&schema, &name) == shape,
           "an event can be declared with a name of 1000 bytes");

    name.len = 999;
    tap_ok(enkod_schema_find(&schema, &name) == NULL,
           "a name of 999 bytes is not one of 1000");

    shape = declare_event("\xd0\xa1\xd0\xbe\xd0\xb6");
    tap_ok(shape != NULL && look_up("Co\xd0\xb6") == shape,
           "a name in Cyrillic letters is found in Latin ones");

    shape = declare_event("a\"b\\c\nd\x01\x7f\xc2\x9b\xc2\xa0\xe2\x80\xa8");
    name = unit_str("\"a\\\"b\\\\c\\nd\\u0001\\u007f\\u009b\xc2\xa0\\u2028\"");
    tap_ok(shape != NULL && enkod_str_equal(&shape->json, &name),
           "a name is escaped and quoted for JSON");

    p = unit_alloc(&memory, 256);
    memset(p, 1, 256);
    name.data = p;
    name.len = 256;
    shape = enkod_schema_declare(&schema, &name, &error);
    tap_ok(shape != NULL && shape->json.len == 6 * 256 + 2,
           "a name of 256 control characters is escaped and quoted");

    i = schema.nshapes;
    open = look_up("message open");
    shape = declare_event("complaint");
    tap_ok(shape != NULL && shape == look_up("complaint")
           && shape->nfields == 0 && shape->declared && schema.nshapes == i,
           "a built-in event is emptied when it is declared");

    tap_ok(open == look_up("message open") && open->nfields == 6,
           "an event with the same fields keeps them");

    tap_ok(refuses_event("\xd1\x81omplaint", 10,
                         "the event is declared already"),
           "a built-in event cannot be declared twice");

    shape = declare_event("c\xd0\xbentact adding");
    name = unit_str("contact adding");
    tap_ok(shape != NULL && shape == look_up("contact adding")
           && enkod_str_equal(&shape->name, &name) && shape->any_of == 0
           && shape->nfields == 0,
           "a built-in event keeps its name when declared in another spelling");

    end();

    /* each table has its own rows */

    begin();

    tap_ok(look_up("complaint")->nfields == 6
           && !look_up("complaint")->declared
           && look_up("contact adding")->any_of == 2,
           "what is declared in one table is not in another");

    end();
}


static void
declare_many(void)
{
    int             ok;
    char           *name;
    unsigned        i, n;
    enkod_shape_t  *shapes[100];

    begin();

    ok = 1;

    for (i = 0; i < 100 && ok; i++) {

        name = unit_alloc(&memory, 16);
        (void) sprintf(name, "event %u", i);

        shapes[i] = declare_event(name);
        ok = shapes[i] != NULL && declare_field(shapes[i], "a=any") != NULL;

        for (n = 0; n <= i && ok; n++) {
            ok = look_up((const char *) shapes[n]->name.data) == shapes[n];
        }
    }

    tap_ok(ok && look_up("message sent") != NULL,
           "a hundred events can be declared, and all are found");

    end();
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

    begin();

    shape = declare_event("x");
    ok = 1;

    for (i = 0; i < ENKOD_NTYPES; i++) {

        for (optional = 0; optional < 2; optional++) {

            spec = unit_alloc(&memory, 32);
            (void) sprintf(spec, "%s_%u=%s%s", types[i].spec, optional,
                           types[i].spec, optional ? "?" : "");

            field = declare_field(shape, spec);

            if (field == NULL || !is_field(field, spec)
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

    tap_ok(declare_field(shape, "twice=string") != NULL
           && refuses_field(shape, "twice=integer?",
                            "the field is given twice"),
           "a field cannot be given twice");

    tap_ok(declare_field(shape, "Twice=string") != NULL
           && declare_field(shape, "Event=string") != NULL
           && declare_field(shape, "tw\xd1\x96" "ce=string") != NULL,
           "names of fields are compared byte by byte");

    field = declare_field(shape, "a=b=string=integer?");
    name = unit_str("a=b=string");
    tap_ok(field != NULL && enkod_str_equal(&field->name, &name)
           && field->type == ENKOD_INTEGER && field->optional,
           "a field's name may have equals signs");

    field = declare_field(shape, "==any");
    name = unit_str("=");
    tap_ok(field != NULL && enkod_str_equal(&field->name, &name),
           "a field's name may be an equals sign");

    tap_ok(shape->nfields == 2 * ENKOD_NTYPES + 6,
           "what is refused is not counted");

    shape = declare_event("y");
    ok = 1;

    for (i = 0; i < ENKOD_MAX_MEMBERS - 1; i++) {

        spec = unit_alloc(&memory, 32);
        (void) sprintf(spec, "f%u=any?", i);
        ok = ok && declare_field(shape, spec) != NULL;
    }

    tap_ok(ok && refuses_field(shape, "last=any?",
                               "an event may have 63 fields at most"),
           "an event may have 63 fields and no more");

    end();
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

        unit_memory_init(&memory);
        memory.fail_at = n;

        if (enkod_schema_init(&schema, &memory.mem) == 0) {
            ok = ok && memory.failed == 0;
            unit_memory_release(&memory);
            break;
        }

        unit_memory_release(&memory);
    }

    tap_ok(ok && n > 8, "a table without memory is none");

    ok = 1;

    for (n = 1; n < 1000 && ok; n++) {

        begin();
        memory.fail_at = memory.allocations + n;

        shape = declare_event("x");
        field = NULL;

        if (shape == NULL) {
            ok = memory.failed && strcmp(error, "no memory") == 0
                 && look_up("x") == NULL;

            shape = declare_event("x");
        }

        ok = ok && shape != NULL && look_up("x") == shape;

        if (ok) {
            field = declare_field(shape, "a=string");

            if (field == NULL) {
                ok = memory.failed && strcmp(error, "no memory") == 0
                     && shape->nfields == 0;

                field = declare_field(shape, "a=string");
            }

            ok = ok && field != NULL && shape->nfields == 1;
        }

        if (memory.failed == 0) {
            end();
            break;
        }

        end();
    }

    tap_ok(ok && n > 3, "what cannot be declared for lack of memory can be "
           "declared later");
}


static void
type_names(void)
{
    int       ok;
    unsigned  i;

    ok = 1;

    for (i = 0; i < ENKOD_NTYPES; i++) {
        ok = ok && strcmp(enkod_type_name(i), types[i].text) == 0;
    }

    tap_ok(ok, "each type has a name for the answer");
}


static void
begin(void)
{
    unit_memory_init(&memory);

    if (enkod_schema_init(&schema, &memory.mem) != 0) {
        abort();
    }
}


static void
end(void)
{
    unit_memory_release(&memory);
}


static enkod_shape_t *
declare_event(const char *name)
{
    enkod_str_t  str;

    str = unit_str(name);

    return enkod_schema_declare(&schema, &str, &error);
}


static int
refuses_event(const char *name, size_t len, const char *message)
{
    unsigned     nshapes;
    enkod_str_t  str;

    str.data = (const unsigned char *) name;
    str.len = len;
    nshapes = schema.nshapes;
    error = "";

    if (enkod_schema_declare(&schema, &str, &error) == NULL
        && strcmp(error, message) == 0 && schema.nshapes == nshapes)
    {
        return 1;
    }

    tap_diag("%.*s: %s", (int) len, name, error);

    return 0;
}


static enkod_field_t *
declare_field(enkod_shape_t *shape, const char *spec)
{
    enkod_str_t  str;

    str = unit_str(spec);

    return enkod_schema_declare_field(&schema, shape, &str, &error);
}


static int
refuses_field(enkod_shape_t *shape, const char *spec, const char *message)
{
    unsigned  nfields;

    nfields = shape->nfields;
    error = "";

    if (declare_field(shape, spec) == NULL && strcmp(error, message) == 0
        && shape->nfields == nfields)
    {
        return 1;
    }

    tap_diag("%s: %s", spec, error);

    return 0;
}


static int
is_field(const enkod_field_t *field, const char *spec)
{
    char         type[32];
    const char  *eq;

    eq = strchr(spec, '=');

    (void) snprintf(type, sizeof(type), "%s%s", types[field->type].spec,
                    field->optional ? "?" : "");

    return field->name.len == (size_t) (eq - spec)
           && memcmp(field->name.data, spec, eq - spec) == 0
           && strcmp(type, eq + 1) == 0;
}


static const enkod_shape_t *
look_up(const char *name)
{
    enkod_str_t  str;

    str = unit_str(name);

    return enkod_schema_find(&schema, &str);
}
