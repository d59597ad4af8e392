
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The directive enkod_event.  A declaration is accepted if it is as described
 * in docs/directives.md; otherwise there is a message, and the table does not
 * change.  An event that was declared is found by its name, in Latin and in
 * Cyrillic letters.  An event with all fields is accepted and returns them; if
 * the last field is missing or of another type, it is refused, unless "?"
 * allows that.
 *
 * An input is a digit, the number of the allocation that fails (0: none), and
 * lines of NAME;FIELD=TYPE;FIELD=TYPE ...
 */


#include "enkod_json.h"

#include "fuzz.h"
#include "../unit/unit.h"


#define MAX_NAME  64
#define MAX_BODY  (ENKOD_MAX_MEMBERS * (6 * MAX_NAME + 32))


typedef struct {
    enkod_str_t     name;
    enkod_str_t     specs[ENKOD_MAX_MEMBERS];
    unsigned        nspecs;
} row_t;


/* what is changed in one field of an event */

typedef enum {
    WHOLE = 0,
    NULLED,
    ABSENT,
    OTHER,                          /* a value of another type */
    NCHANGES
} change_e;


static int read_row(row_t *row, const unsigned char **p,
    const unsigned char *end);
static void check_row(enkod_schema_t *schema, unit_memory_t *memory,
    const row_t *row);
static int is_field(const enkod_shape_t *shape, const enkod_str_t *spec);
static void check_names(const enkod_schema_t *schema,
    const enkod_shape_t *shape, const enkod_str_t *name);
static void check_events(const enkod_schema_t *schema,
    const enkod_shape_t *shape, const enkod_str_t *name);
static void check_event(const enkod_settings_t *settings,
    const enkod_shape_t *shape, const enkod_str_t *name, unsigned at,
    unsigned field, change_e change);
static size_t write_event(char *p, const enkod_shape_t *shape,
    const enkod_str_t *name, unsigned at, unsigned field, change_e change);
static size_t write_string(char *p, const enkod_str_t *str);
static size_t dump(const enkod_schema_t *schema, unsigned char *p);


static const struct {
    const char     *name;
    const char     *value;
    const char     *other;
} types[] = {
    [ENKOD_STRING] = { "string", "\"v\"", "1" },
    [ENKOD_INTEGER] = { "integer", "-12345678901234567890", "1.0" },
    [ENKOD_NUMBER] = { "number", "1.50e+3", "\"1\"" },
    [ENKOD_BOOLEAN] = { "boolean", "false", "0" },
    [ENKOD_STRINGS] = { "strings", "[\"\",\"v\"]", "[\"\",1]" },
    [ENKOD_INTEGERS] = { "integers", "[0,1]", "[0,1e0]" },
    [ENKOD_ANY] = { "any", "{\"k\":[null]}", NULL }
};


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    row_t                 row;
    unit_memory_t         memory;
    enkod_schema_t        schema;
    const unsigned char  *p, *end;

    if (size == 0) {
        return 0;
    }

    unit_memory_init(&memory);

    (void) enkod_schema_init(&schema, &memory.mem);

    if (data[0] > '0' && data[0] <= '9') {
        memory.fail_at = memory.allocations + data[0] - '0';
    }

    p = data + 1;
    end = data + size;

    while (p < end) {
        if (read_row(&row, &p, end)) {
            check_row(&schema, &memory, &row);
        }
    }

    unit_memory_release(&memory);

    return 0;
}


/* The next line; one that nginx would not accept is not a row. */

static int
read_row(row_t *row, const unsigned char **p, const unsigned char *end)
{
    int           ok;
    enkod_str_t  *str;

    ok = 1;
    row->nspecs = 0;

    for (str = &row->name; ; str = &row->specs[row->nspecs++]) {

        str->data = *p;

        while (*p < end && **p != ';' && **p != '\n') {
            (*p)++;
        }

        str->len = *p - str->data;

        ok = ok && str->len <= MAX_NAME
             && enkod_json_is_utf8(str->data, str->len);

        if (*p == end) {
            return ok;
        }

        if (*(*p)++ == '\n') {
            return ok;
        }

        if (row->nspecs == ENKOD_MAX_MEMBERS) {
            return 0;
        }
    }
}


static void
check_row(enkod_schema_t *schema, unit_memory_t *memory, const row_t *row)
{
    int                   must;
    size_t                n;
    unsigned              i;
    const char           *error;
    enkod_str_t           str;
    enkod_shape_t        *shape;
    enkod_field_t        *field;
    const enkod_shape_t  *found;

    static unsigned char  before[1 << 17], after[1 << 17];

    found = enkod_schema_find(schema, &row->name);
    must = row->name.len && (found == NULL || !found->declared);

    n = dump(schema, before);

    str = row->name;
    error = NULL;
    shape = enkod_schema_declare(schema, &str, &error);

    if (shape == NULL) {
        fuzz_must(!must || memory->failed, "the name is accepted");
        fuzz_must(error != NULL, "there is a message");
        fuzz_must(dump(schema, after) == n && memcmp(before, after, n) == 0,
                  "the table has not changed");
        return;
    }

    fuzz_must(must, "the name is refused");

    for (i = 0; i < row->nspecs; i++) {

        must = is_field(shape, &row->specs[i]);

        n = dump(schema, before);

        str = row->specs[i];
        error = NULL;
        field = enkod_schema_declare_field(schema, shape, &str, &error);

        if (field == NULL) {
            fuzz_must(!must || memory->failed, "the field is accepted");
            fuzz_must(error != NULL, "there is a message");
            fuzz_must(dump(schema, after) == n && memcmp(before, after, n) == 0,
                      "the table has not changed");
            break;
        }

        fuzz_must(must, "the field is refused");
    }

    check_names(schema, shape, &row->name);
    check_events(schema, shape, &row->name);
}


static int
is_field(const enkod_shape_t *shape, const enkod_str_t *spec)
{
    size_t       len, n;
    unsigned     i;
    enkod_str_t  name;
    const char  *type;

    static const char  *reserved[] = {
        "event", "extra", "received_at", "request_id", "remote_addr", "test",
        "pass_status"
    };

    for (n = spec->len; n > 0 && spec->data[n - 1] != '='; n--) { /* void */ }

    if (n < 2 || shape->nfields == ENKOD_MAX_MEMBERS - 1) {
        return 0;
    }

    name.data = spec->data;
    name.len = n - 1;

    for (i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
        if (name.len == strlen(reserved[i])
            && memcmp(name.data, reserved[i], name.len) == 0)
        {
            return 0;
        }
    }

    for (i = 0; i < shape->nfields; i++) {
        if (enkod_str_equal(&name, &shape->fields[i].name)) {
            return 0;
        }
    }

    type = (const char *) spec->data + n;
    len = spec->len - n;
    len -= (len && type[len - 1] == '?');

    for (i = 0; i < ENKOD_NTYPES; i++) {
        if (len == strlen(types[i].name)
            && memcmp(type, types[i].name, len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


static void
check_names(const enkod_schema_t *schema, const enkod_shape_t *shape,
    const enkod_str_t *name)
{
    size_t          i;
    enkod_str_t     other;
    const char     *found;
    unsigned char   letters[2 * MAX_NAME + 1];

    /* pairs of bytes, as long as the source is UTF-8 */

    static const char  latin[] = "abekmhopctyxABEKMHOPCTYX";
    static const char  cyrillic[] = "авекмнорстухАВЕКМНОРСТУХ";

    fuzz_must(enkod_schema_find(schema, name) == shape,
              "an event is found by its name");

    other.data = letters;
    other.len = 0;

    for (i = 0; i < name->len; i++) {

        found = memchr(latin, name->data[i], sizeof(latin) - 1);

        if (found) {
            memcpy(letters + other.len, &cyrillic[2 * (found - latin)], 2);
            other.len += 2;

        } else {
            letters[other.len++] = name->data[i];
        }
    }

    fuzz_must(enkod_schema_find(schema, &other) == shape
              && enkod_schema_same(name, &other),
              "an event is found by its name in Cyrillic letters");

    letters[other.len++] = '.';

    fuzz_must(enkod_schema_find(schema, &other) != shape
              && !enkod_schema_same(name, &other),
              "an event is not found by a longer name");
}


static void
check_events(const enkod_schema_t *schema, const enkod_shape_t *shape,
    const enkod_str_t *name)
{
    unsigned          n;
    change_e          change;
    enkod_settings_t  settings;

    memset(&settings, 0, sizeof(enkod_settings_t));

    settings.schema = schema;
    settings.max_size = MAX_BODY;
    settings.extra = ENKOD_EXTRA_REJECT;

    n = shape->nfields;

    check_event(&settings, shape, name, n / 2, n, WHOLE);

    /* fields before the name are checked when it has come */

    for (change = NULLED; n && change < NCHANGES; change++) {
        check_event(&settings, shape, name, 0, n - 1, change);
        check_event(&settings, shape, name, n, n - 1, change);
    }
}


/*
 * Checks an event with that change in one field, or in none; its name is before
 * the field "at", or after all fields.
 */

static void
check_event(const enkod_settings_t *settings, const enkod_shape_t *shape,
    const enkod_str_t *name, unsigned at, unsigned field, change_e change)
{
    int             ok;
    unsigned        i;
    enkod_str_t     body, value;
    const char     *text;
    enkod_error_e   must;
    unit_memory_t   memory;
    unit_result_t   result;
    enkod_event_t  *event;

    static char  p[MAX_BODY];

    must = ENKOD_OK;

    if (change == OTHER) {

        if (types[shape->fields[field].type].other == NULL) {
            return;
        }

        must = ENKOD_WRONG_TYPE;

    } else if (change != WHOLE && !shape->fields[field].optional) {
        must = (change == NULLED) ? ENKOD_WRONG_TYPE : ENKOD_MISSING_FIELD;
    }

    body.data = (unsigned char *) p;
    body.len = write_event(p, shape, name, at, field, change);

    unit_memory_init(&memory);

    event = unit_run(&result, settings, &memory.mem, &body, body.len, 1,
                     UNIT_LAST);

    ok = (result.code == must);

    for (i = 0; ok && must == ENKOD_OK && i < shape->nfields; i++) {

        value = enkod_event_field(event, &shape->fields[i]);
        text = (i == field) ? "" : types[shape->fields[i].type].value;

        if (shape->fields[i].type == ENKOD_STRING && i != field) {
            text = "v";
        }

        ok = (value.len == strlen(text)
              && (value.len == 0 || memcmp(value.data, text, value.len) == 0));
    }

    if (!ok) {
        tap_diag_bytes("body", body.data, body.len);
        unit_diag_result("is", &result);
        tap_diag("must be %s", unit_code(must));
        fuzz_must(0, "an event is checked as declared");
    }

    unit_result_free(&result);
    enkod_event_destroy(event);
    unit_memory_release(&memory);
}


static size_t
write_event(char *p, const enkod_shape_t *shape, const enkod_str_t *name,
    unsigned at, unsigned field, change_e change)
{
    size_t       len;
    unsigned     i;
    const char  *value;

    len = sprintf(p, "{");

    for (i = 0; i <= shape->nfields; i++) {

        if (i == at) {
            len += sprintf(p + len, "\"event\":");
            len += write_string(p + len, name);
            len += sprintf(p + len, ",");
        }

        if (i == shape->nfields || (i == field && change == ABSENT)) {
            continue;
        }

        value = types[shape->fields[i].type].value;

        if (i == field) {
            value = (change == NULLED) ? "null"
                                       : types[shape->fields[i].type].other;
        }

        len += write_string(p + len, &shape->fields[i].name);
        len += sprintf(p + len, ":%s,", value);
    }

    p[len - 1] = '}';

    return len;
}


static size_t
write_string(char *p, const enkod_str_t *str)
{
    size_t         i, len;
    unsigned char  c;

    len = sprintf(p, "\"");

    for (i = 0; i < str->len; i++) {
        c = str->data[i];

        if (c < 0x20 || c == '"' || c == '\\') {
            len += sprintf(p + len, "\\u%04x", c);

        } else {
            p[len++] = c;
        }
    }

    return len + sprintf(p + len, "\"");
}


/* All contents of the table, to be compared. */

static size_t
dump(const enkod_schema_t *schema, unsigned char *p)
{
    size_t                len, n;
    unsigned              i;
    const enkod_shape_t  *shape;

    len = 0;

    for (i = 0; i < schema->nshapes; i++) {
        shape = schema->shapes[i];
        n = shape->nfields * sizeof(enkod_field_t);

        memcpy(p + len, shape, sizeof(enkod_shape_t));
        memcpy(p + len + sizeof(enkod_shape_t), shape->fields, n);

        len += sizeof(enkod_shape_t) + n;
    }

    return len;
}
