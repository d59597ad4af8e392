
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The table of events: the built-in rows, declarations, and the lookup of names
 * in which Cyrillic letters stand for Latin ones.
 */


#include "enkod_json.h"
#include "enkod_schema.h"


#define ENKOD_KINDS_STRING    enkod_kind_bit(ENKOD_IS_STRING)
#define ENKOD_KINDS_INTEGER   enkod_kind_bit(ENKOD_IS_INTEGER)
#define ENKOD_KINDS_NUMBER    (ENKOD_KINDS_INTEGER                            \
                               | enkod_kind_bit(ENKOD_IS_NUMBER))
#define ENKOD_KINDS_BOOLEAN   enkod_kind_bit(ENKOD_IS_BOOLEAN)
#define ENKOD_KINDS_ARRAY     enkod_kind_bit(ENKOD_IS_ARRAY)
#define ENKOD_KINDS_NULL      enkod_kind_bit(ENKOD_IS_NULL)

#define enkod_field(name, type, optional, kinds)                              \
    {                                                                         \
        enkod_string(name), enkod_string(",\"" name "\":"), type, optional,   \
        kinds                                                                 \
    }

#define enkod_field_string(name)                                              \
    enkod_field(name, ENKOD_STRING, 0, ENKOD_KINDS_STRING)

#define enkod_field_nullable(name)                                            \
    enkod_field(name, ENKOD_STRING, 1, ENKOD_KINDS_STRING|ENKOD_KINDS_NULL)

#define enkod_field_integer(name)                                             \
    enkod_field(name, ENKOD_INTEGER, 0, ENKOD_KINDS_INTEGER)

#define enkod_field_strings(name)                                             \
    enkod_field(name, ENKOD_STRINGS, 0, ENKOD_KINDS_ARRAY)

#define enkod_field_integers(name)                                            \
    enkod_field(name, ENKOD_INTEGERS, 0, ENKOD_KINDS_ARRAY)

/* the order is that of the line */
#define ENKOD_MESSAGE_FIELDS                                                  \
    enkod_field_integer("message_id"),                                        \
    enkod_field_string("message_uid"),                                        \
    enkod_field_string("sending_type"),                                       \
    enkod_field_string("name"),                                               \
    enkod_field_string("from"),                                               \
    enkod_field_string("to")

#define enkod_shape(name, fields, any_of)                                     \
    {                                                                         \
        enkod_string(name), enkod_string("\"" name "\""),                     \
        fields, sizeof(fields) / sizeof(enkod_field_t), any_of,               \
        0, 0, 0, 0, 0, 0                                                      \
    }

#define ENKOD_NBUILTIN  (sizeof(enkod_builtin) / sizeof(enkod_shape_t))


static int enkod_schema_add(enkod_schema_t *schema, enkod_shape_t *shape);
static void enkod_schema_find_test(enkod_shape_t *shape);
static inline unsigned char enkod_schema_fold(const unsigned char **p,
    const unsigned char *end);
static int enkod_schema_name(enkod_schema_t *schema, enkod_shape_t *shape,
    enkod_str_t *name);
static int enkod_type_parse(enkod_type_e *type, const enkod_str_t *name);


/* the vendor's page, "POST requests for events are currently available" */

static enkod_field_t  enkod_message_fields[] = {
    ENKOD_MESSAGE_FIELDS
};

static enkod_field_t  enkod_bounce_fields[] = {
    ENKOD_MESSAGE_FIELDS,
    enkod_field_string("error_message")
};

static enkod_field_t  enkod_click_fields[] = {
    ENKOD_MESSAGE_FIELDS,
    enkod_field_string("click_url")
};

static enkod_field_t  enkod_group_fields[] = {
    enkod_field_string("email"),
    enkod_field_integer("group_id"),
    enkod_field_string("group_name"),
    enkod_field_string("channel")
};

static enkod_field_t  enkod_contact_fields[] = {
    enkod_field_nullable("email"),
    enkod_field_nullable("phone"),
    enkod_field_strings("groups_names"),
    enkod_field_integers("groups_ids")
};

static const enkod_shape_t  enkod_builtin[] = {
    enkod_shape("message sent", enkod_message_fields, 0),
    enkod_shape("delivery bounce", enkod_bounce_fields, 0),
    enkod_shape("message open", enkod_message_fields, 0),
    enkod_shape("message clicked", enkod_click_fields, 0),
    enkod_shape("complaint", enkod_message_fields, 0),
    enkod_shape("mailing group subscribe", enkod_group_fields, 0),
    enkod_shape("mailing group unsubscribe", enkod_group_fields, 0),
    enkod_shape("contact adding", enkod_contact_fields, 2)
};


/* types: as the directive enkod_event spells them, and as an answer does */

static const struct {
    enkod_str_t   name;
    const char   *text;
    unsigned      kinds;
} enkod_types[ENKOD_NTYPES] = {

    [ENKOD_STRING] = { enkod_string("string"), "string",
        ENKOD_KINDS_STRING },

    [ENKOD_INTEGER] = { enkod_string("integer"), "integer",
        ENKOD_KINDS_INTEGER },

    [ENKOD_NUMBER] = { enkod_string("number"), "number",
        ENKOD_KINDS_NUMBER },

    [ENKOD_BOOLEAN] = { enkod_string("boolean"), "boolean",
        ENKOD_KINDS_BOOLEAN },

    [ENKOD_STRINGS] = { enkod_string("strings"), "array of strings",
        ENKOD_KINDS_ARRAY },

    [ENKOD_INTEGERS] = { enkod_string("integers"), "array of integers",
        ENKOD_KINDS_ARRAY },

    [ENKOD_ANY] = { enkod_string("any"), "any value but null",
        ~ENKOD_KINDS_NULL }
};


/*
 * The Latin letter that a Cyrillic letter looks like.  The indices are the bits
 * x of the letter's two bytes in UTF-8: 1101000x 10xxxxxx.
 */

static const unsigned char  enkod_lookalikes[2][64] = {
    {
        [0x30] = 'a', [0x32] = 'b', [0x35] = 'e', [0x3a] = 'k', [0x3c] = 'm',
        [0x3d] = 'h', [0x3e] = 'o',
        [0x10] = 'A', [0x12] = 'B', [0x15] = 'E', [0x1a] = 'K', [0x1c] = 'M',
        [0x1d] = 'H', [0x1e] = 'O', [0x20] = 'P', [0x21] = 'C', [0x22] = 'T',
        [0x23] = 'Y', [0x25] = 'X'
    },
    {
        [0x00] = 'p', [0x01] = 'c', [0x02] = 't', [0x03] = 'y', [0x05] = 'x'
    }
};


int
enkod_schema_init(enkod_schema_t *schema, const enkod_mem_t *mem)
{
    unsigned        i;
    enkod_shape_t  *shape;

    memset(schema, 0, sizeof(enkod_schema_t));
    schema->mem = *mem;

    for (i = 0; i < ENKOD_NBUILTIN; i++) {

        shape = mem->alloc(mem->ctx, sizeof(enkod_shape_t));
        if (shape == NULL) {
            return -1;
        }

        *shape = enkod_builtin[i];
        enkod_schema_find_test(shape);

        if (enkod_schema_add(schema, shape) != 0) {
            return -1;
        }
    }

    return 0;
}


static int
enkod_schema_add(enkod_schema_t *schema, enkod_shape_t *shape)
{
    unsigned         size;
    enkod_shape_t  **shapes;

    if (schema->nshapes == schema->size) {
        size = schema->size ? schema->size * 2 : 2 * ENKOD_NBUILTIN;

        shapes = schema->mem.alloc(schema->mem.ctx,
                                   size * sizeof(enkod_shape_t *));
        if (shapes == NULL) {
            return -1;
        }

        if (schema->nshapes) {
            memcpy(shapes, schema->shapes,
                   schema->nshapes * sizeof(enkod_shape_t *));
            schema->mem.free(schema->mem.ctx, schema->shapes);
        }

        schema->shapes = shapes;
        schema->size = size;
    }

    shape->index = schema->nshapes;
    schema->shapes[schema->nshapes++] = shape;

    return 0;
}


enkod_shape_t *
enkod_schema_declare(enkod_schema_t *schema, enkod_str_t *name,
    const char **error)
{
    unsigned              i;
    enkod_field_t        *fields;
    enkod_shape_t        *shape;
    const enkod_shape_t  *found;

    *error = "no memory";

    if (name->len == 0) {
        *error = "the event's name must not be empty";
        return NULL;
    }

    found = enkod_schema_find(schema, name);

    if (found != NULL && found->declared) {
        *error = "the event is declared already";
        return NULL;
    }

    fields = schema->mem.alloc(schema->mem.ctx,
                               ENKOD_MAX_MEMBERS * sizeof(enkod_field_t));
    if (fields == NULL) {
        return NULL;
    }

    if (found != NULL) {
        for (i = 0; schema->shapes[i] != found; i++) { /* void */ }

        shape = schema->shapes[i];

    } else {
        shape = schema->mem.alloc(schema->mem.ctx, sizeof(enkod_shape_t));
        if (shape == NULL) {
            return NULL;
        }

        if (enkod_schema_name(schema, shape, name) != 0
            || enkod_schema_add(schema, shape) != 0)
        {
            return NULL;
        }
    }

    shape->fields = fields;
    shape->nfields = 0;
    shape->any_of = 0;
    shape->declared = 1;

    enkod_schema_find_test(shape);

    return shape;
}


static int
enkod_schema_name(enkod_schema_t *schema, enkod_shape_t *shape,
    enkod_str_t *name)
{
    size_t          len;
    unsigned char  *p;

    p = schema->mem.alloc(schema->mem.ctx, 6 * name->len + 2);
    if (p == NULL) {
        return -1;
    }

    shape->name = *name;

    len = enkod_json_escape(p + 1, name->data, name->len);

    p[0] = '"';
    p[len + 1] = '"';

    shape->json.data = p;
    shape->json.len = len + 2;

    return 0;
}


enkod_field_t *
enkod_schema_declare_field(enkod_schema_t *schema, enkod_shape_t *shape,
    enkod_str_t *spec, const char **error)
{
    unsigned              i;
    enkod_str_t           type;
    enkod_field_t        *field;
    unsigned char        *p;
    const unsigned char  *eq;

    static const enkod_str_t  reserved[] = {
        enkod_string("event"), enkod_string("extra"),
        enkod_string("received_at"), enkod_string("request_id"),
        enkod_string("remote_addr"), enkod_string("test"),
        enkod_string("pass_status")
    };

    /* a name may contain "=", a type does not */

    for (eq = spec->data + spec->len; eq > spec->data; eq--) {
        if (eq[-1] == '=') {
            break;
        }
    }

    if (eq == spec->data || eq == spec->data + 1) {
        *error = "a field must be given as NAME=TYPE";
        return NULL;
    }

    if (shape->nfields == ENKOD_MAX_MEMBERS - 1) {
        *error = "an event may have 63 fields at most";
        return NULL;
    }

    field = &shape->fields[shape->nfields];

    field->name.data = spec->data;
    field->name.len = eq - 1 - spec->data;

    type.data = eq;
    type.len = spec->data + spec->len - eq;

    field->optional = (type.len && type.data[type.len - 1] == '?');
    type.len -= field->optional;

    if (enkod_type_parse(&field->type, &type) != 0) {
        *error = "the type of a field must be string, integer, number, boolean,"
                 " strings, integers or any, with an optional \"?\"";
        return NULL;
    }

    for (i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
        if (enkod_str_equal(&field->name, &reserved[i])) {
            *error = "the name is reserved for the line itself";
            return NULL;
        }
    }

    for (i = 0; i < shape->nfields; i++) {
        if (enkod_str_equal(&field->name, &shape->fields[i].name)) {
            *error = "the field is given twice";
            return NULL;
        }
    }

    field->kinds = enkod_types[field->type].kinds
                   | (field->optional ? ENKOD_KINDS_NULL : 0);

    p = schema->mem.alloc(schema->mem.ctx,
                          6 * field->name.len + sizeof(",\"\":") - 1);
    if (p == NULL) {
        *error = "no memory";
        return NULL;
    }

    field->key.data = p;

    *p++ = ',';
    *p++ = '"';
    p += enkod_json_escape(p, field->name.data, field->name.len);
    *p++ = '"';
    *p++ = ':';

    field->key.len = p - field->key.data;

    shape->nfields++;

    enkod_schema_find_test(shape);

    return field;
}


static int
enkod_type_parse(enkod_type_e *type, const enkod_str_t *name)
{
    unsigned  i;

    for (i = 0; i < ENKOD_NTYPES; i++) {
        if (enkod_str_equal(name, &enkod_types[i].name)) {
            *type = i;
            return 0;
        }
    }

    return -1;
}


/* Finds the fields that differ in the bodies that the test button sends. */

static void
enkod_schema_find_test(enkod_shape_t *shape)
{
    unsigned  i;

    static const enkod_str_t  contact = enkod_string("contact adding");
    static const enkod_str_t  message_uid = enkod_string("message_uid");
    static const enkod_str_t  group_name = enkod_string("group_name");
    static const enkod_str_t  phone = enkod_string("phone");
    static const enkod_str_t  groups_names = enkod_string("groups_names");

    shape->message_uid = shape->nfields;
    shape->group_name = shape->nfields;
    shape->phone = shape->nfields;
    shape->groups_names = shape->nfields;

    for (i = 0; i < shape->nfields; i++) {

        if (enkod_str_equal(&shape->fields[i].name, &message_uid)) {
            shape->message_uid = i;

        } else if (enkod_str_equal(&shape->fields[i].name, &group_name)) {
            shape->group_name = i;

        } else if (!enkod_str_equal(&shape->name, &contact)) {
            continue;

        } else if (enkod_str_equal(&shape->fields[i].name, &phone)) {
            shape->phone = i;

        } else if (enkod_str_equal(&shape->fields[i].name, &groups_names)) {
            shape->groups_names = i;
        }
    }
}


const enkod_shape_t *
enkod_schema_find(const enkod_schema_t *schema, const enkod_str_t *name)
{
    unsigned  i;

    for (i = 0; i < schema->nshapes; i++) {
        if (enkod_str_equal(name, &schema->shapes[i]->name)) {
            return schema->shapes[i];
        }
    }

    for (i = 0; i < schema->nshapes; i++) {
        if (enkod_schema_same(name, &schema->shapes[i]->name)) {
            return schema->shapes[i];
        }
    }

    return NULL;
}


int
enkod_schema_same(const enkod_str_t *one, const enkod_str_t *two)
{
    const unsigned char  *p, *q, *p_end, *q_end;

    p = one->data;
    p_end = p + one->len;

    q = two->data;
    q_end = q + two->len;

    while (p < p_end && q < q_end) {
        if (enkod_schema_fold(&p, p_end) != enkod_schema_fold(&q, q_end)) {
            return 0;
        }
    }

    return p == p_end && q == q_end;
}


/* The next byte of a name, or the Latin letter for the next two bytes. */

static inline unsigned char
enkod_schema_fold(const unsigned char **p, const unsigned char *end)
{
    unsigned char         latin;
    const unsigned char  *s;

    s = (*p)++;

    if ((*s & 0xfe) != 0xd0 || s + 1 == end || (s[1] & 0xc0) != 0x80) {
        return *s;
    }

    latin = enkod_lookalikes[s[0] & 0x01][s[1] & 0x3f];

    if (latin == '\0') {
        return *s;
    }

    (*p)++;

    return latin;
}


const char *
enkod_type_name(enkod_type_e type)
{
    return enkod_types[type].text;
}
