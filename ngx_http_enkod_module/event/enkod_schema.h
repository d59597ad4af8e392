
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The table of events: each row, a shape, is the name of an event and its
 * fields.  The first eight rows are the events of the vendor's page, others are
 * declared in the configuration.  The table is filled before the first event is
 * checked and not changed afterwards.
 */


#ifndef _ENKOD_SCHEMA_H_INCLUDED_
#define _ENKOD_SCHEMA_H_INCLUDED_


#include "enkod_str.h"

#pragma GCC visibility push(hidden)


/* the most members that an event may have, "event" itself included */
#define ENKOD_MAX_MEMBERS  64


/*
 * The allocator of a table or of an event.  alloc() returns NULL if there is no
 * memory; free() may do nothing if all memory is released at once later.
 */

typedef struct {
    void                  *(*alloc)(void *ctx, size_t size);
    void                   (*free)(void *ctx, void *p);
    void                  *ctx;
} enkod_mem_t;


/* the kind of a JSON value; a set of kinds is made of bits */

typedef enum {
    ENKOD_IS_NULL = 0,
    ENKOD_IS_BOOLEAN,
    ENKOD_IS_INTEGER,
    ENKOD_IS_NUMBER,            /* with a fraction or an exponent */
    ENKOD_IS_STRING,
    ENKOD_IS_ARRAY,
    ENKOD_IS_OBJECT
} enkod_kind_e;

#define enkod_kind_bit(kind)  (1U << (kind))


typedef enum {
    ENKOD_STRING = 0,
    ENKOD_INTEGER,
    ENKOD_NUMBER,
    ENKOD_BOOLEAN,
    ENKOD_STRINGS,              /* array of strings */
    ENKOD_INTEGERS,             /* array of integers */
    ENKOD_ANY,

    ENKOD_NTYPES
} enkod_type_e;


typedef struct {
    enkod_str_t            name;
    enkod_str_t            key;         /* the name as in JSON: ,"name": */
    enkod_type_e           type;
    unsigned               optional:1;  /* may be absent or null */
    unsigned               kinds;       /* the kinds that its value may be */
} enkod_field_t;


typedef struct {
    enkod_str_t            name;
    enkod_str_t            json;        /* the name as in JSON, with quotes */
    enkod_field_t         *fields;
    unsigned               nfields;

    /*
     * The first "any_of" fields are optional, but at least one of them must be
     * there and not null: a contact has an address, a phone or both.
     */
    unsigned               any_of;

    unsigned               declared:1;  /* by the configuration */

    unsigned               index;       /* of the row, in the schema */

    /* indices of the fields by which test deliveries are known, or nfields */
    unsigned               message_uid;
    unsigned               group_name;
    unsigned               phone;       /* of "contact adding" only */
    unsigned               groups_names;
} enkod_shape_t;


typedef struct {
    enkod_shape_t        **shapes;
    unsigned               nshapes;
    unsigned               size;        /* allocated, in shapes */
    enkod_mem_t            mem;
} enkod_schema_t;


/* Fills in the eight built-in rows.  Returns 0, or -1 if there is no memory. */
int enkod_schema_init(enkod_schema_t *schema, const enkod_mem_t *mem);

/*
 * Adds a row without fields.  Returns it, or NULL with *error set to a phrase
 * in lower case.  If the name is that of a built-in row, also with look-alikes,
 * that row is replaced; a name that was declared before is an error.  The bytes
 * of the name are not copied and must stay as long as the table.
 */
enkod_shape_t *enkod_schema_declare(enkod_schema_t *schema, enkod_str_t *name,
    const char **error);

/*
 * Adds a field to a declared row, from "NAME=TYPE" or "NAME=TYPE?", which is
 * not copied either.  Returns it, or NULL with *error set as above.
 */
enkod_field_t *enkod_schema_declare_field(enkod_schema_t *schema,
    enkod_shape_t *shape, enkod_str_t *spec, const char **error);

/*
 * The row of that name, or NULL.  A name that is not in the table is looked up
 * once more by enkod_schema_same().
 */
const enkod_shape_t *enkod_schema_find(const enkod_schema_t *schema,
    const enkod_str_t *name);

/*
 * Whether two names are the same if Cyrillic letters that look like Latin ones
 * are replaced by the Latin ones.
 */
int enkod_schema_same(const enkod_str_t *one, const enkod_str_t *two);

/* How an answer names the type: "integer", "array of strings", ... */
const char *enkod_type_name(enkod_type_e type);


#pragma GCC visibility pop

#endif /* _ENKOD_SCHEMA_H_INCLUDED_ */
