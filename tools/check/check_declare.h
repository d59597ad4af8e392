
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * --event: an event as enkod_event in nginx.conf declares it.
 */


#ifndef _CHECK_DECLARE_H_INCLUDED_
#define _CHECK_DECLARE_H_INCLUDED_


#include "enkod_schema.h"


/*
 * Adds what follows enkod_event in nginx.conf to the schema.  A name with
 * spaces need not be quoted: it goes on to the first word with "=".  Returns 0,
 * or -1 after a message.
 */
int check_declare(enkod_schema_t *schema, const char *text);


#endif /* _CHECK_DECLARE_H_INCLUDED_ */
