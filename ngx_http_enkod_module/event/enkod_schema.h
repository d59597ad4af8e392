
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The table: which events there are and which fields each of them has.  The
 * eight events of the vendor's page are its first rows; others are declared.
 * It is filled once, and only read while events are checked.
 */


#ifndef _ENKOD_SCHEMA_H_INCLUDED_
#define _ENKOD_SCHEMA_H_INCLUDED_


#include "enkod_str.h"

#pragma GCC visibility push(hidden)


/* with "event" itself, the most members an event may have */
#define ENKOD_MAX_MEMBERS  64


/*
 * Memory comes from the owner: alloc() returns NULL when there is none; free()
 * may do nothing if the owner releases everything at once.
 */

typedef struct {
    void                  *(*alloc)(void *ctx, size_t size);
    void                   (*free)(void *ctx, void *p);
    void                  *ctx;
} enkod_mem_t;


/* what a value is, and sets of that */

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
    unsigned               kinds;       /* bits of the kinds it may be */
} enkod_field_t;


typedef struct {
    enkod_str_t            name;
    enkod_str_t            json;        /* the name as in JSON, with quotes */
    enkod_field_t         *fields;
    unsigned               nfields;

    /*
     * Of the first "any_of" fields, all optional, one at least has to be
     * there: a contact has an address, a phone or both.
     */
    unsigned               any_of;

    unsigned               declared:1;  /* not a row of the vendor's page */

    /* indices of the fields that test deliveries are known by, or nfields */
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


/* Fills in the eight built-in rows; 0, or -1 if there is no memory. */
int enkod_schema_init(enkod_schema_t *schema, const enkod_mem_t *mem);

/*
 * Adds a row without fields and returns it, or NULL with *error set to a
 * phrase in lower case.  The name of a built-in row, in either spelling,
 * empties that row; a name declared before is an error.  The bytes of the name
 * are used as they are, for as long as the schema lives.
 */
enkod_shape_t *enkod_schema_declare(enkod_schema_t *schema, enkod_str_t *name,
    const char **error);

/*
 * Adds a field to a declared row from "NAME=TYPE" or "NAME=TYPE?" and returns
 * it, or NULL with *error set as above.
 */
enkod_field_t *enkod_schema_declare_field(enkod_schema_t *schema,
    enkod_shape_t *shape, enkod_str_t *spec, const char **error);

/*
 * The row of that name: as it stands, else with look-alikes folded; NULL if
 * there is none.
 */
const enkod_shape_t *enkod_schema_find(const enkod_schema_t *schema,
    const enkod_str_t *name);

/*
 * Whether two names are the same once the Cyrillic letters that look like
 * Latin ones are replaced by these.
 */
int enkod_schema_same(const enkod_str_t *one, const enkod_str_t *two);

/* "integer", "array of strings" ... */
const char *enkod_type_name(enkod_type_e type);


#pragma GCC visibility pop

#endif /* _ENKOD_SCHEMA_H_INCLUDED_ */
