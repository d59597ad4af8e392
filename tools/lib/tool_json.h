
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Steps through JSON text without decoding it: strings are stepped over as a
 * whole, brackets are counted.
 */


#ifndef _TOOL_JSON_H_INCLUDED_
#define _TOOL_JSON_H_INCLUDED_


#include <stddef.h>


typedef struct {
    const unsigned char   *token;       /* the one at hand */
    const unsigned char   *p;           /* what follows it */
    const unsigned char   *end;
    size_t                 depth;       /* open brackets, never below 0 */
} tool_json_t;


/* Begins outside of a string, within "depth" brackets. */
void tool_json_init(tool_json_t *json, const unsigned char *p,
    const unsigned char *end, size_t depth);

/*
 * Returns the first byte of the next token: a string, a bracket, a colon, a
 * comma, or one byte of anything else; or -1 at the end and if a string is not
 * closed.
 */
int tool_json_next(tool_json_t *json);


#endif /* _TOOL_JSON_H_INCLUDED_ */
