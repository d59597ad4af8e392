
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * A table of events to test: it is made with an allocator that counts, and is
 * looked up and declared in with C strings.
 */


#ifndef _ENKOD_UNIT_TABLE_H_INCLUDED_
#define _ENKOD_UNIT_TABLE_H_INCLUDED_


#include "unit.h"


static unit_memory_t   table_memory;
static enkod_schema_t  table;
static const char     *table_error;


static const struct {
    const char           *spec;         /* as enkod_event spells it */
    const char           *text;         /* as an answer names it */
} table_types[ENKOD_NTYPES] = {
    [ENKOD_STRING] = { "string", "string" },
    [ENKOD_INTEGER] = { "integer", "integer" },
    [ENKOD_NUMBER] = { "number", "number" },
    [ENKOD_BOOLEAN] = { "boolean", "boolean" },
    [ENKOD_STRINGS] = { "strings", "array of strings" },
    [ENKOD_INTEGERS] = { "integers", "array of integers" },
    [ENKOD_ANY] = { "any", "any value but null" }
};


static inline void
table_begin(void)
{
    unit_memory_init(&table_memory);

    if (enkod_schema_init(&table, &table_memory.mem) != 0) {
        abort();
    }
}


static inline void
table_end(void)
{
    unit_memory_release(&table_memory);
}


static inline enkod_shape_t *
table_declare(const char *name)
{
    enkod_str_t  str;

    str = unit_str(name);

    return enkod_schema_declare(&table, &str, &table_error);
}


static inline enkod_field_t *
table_declare_field(enkod_shape_t *shape, const char *spec)
{
    enkod_str_t  str;

    str = unit_str(spec);

    return enkod_schema_declare_field(&table, shape, &str, &table_error);
}


static inline int
table_is_field(const enkod_field_t *field, const char *spec)
{
    char         type[32];
    const char  *eq;

    eq = strchr(spec, '=');

    (void) snprintf(type, sizeof(type), "%s%s", table_types[field->type].spec,
                    field->optional ? "?" : "");

    return field->name.len == (size_t) (eq - spec)
           && memcmp(field->name.data, spec, eq - spec) == 0
           && strcmp(type, eq + 1) == 0;
}


static inline const enkod_shape_t *
table_find(const char *name)
{
    enkod_str_t  str;

    str = unit_str(name);

    return enkod_schema_find(&table, &str);
}


#endif /* _ENKOD_UNIT_TABLE_H_INCLUDED_ */
