
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#include "tool_json.h"
#include "enkod_line.h"


void
tool_json_init(tool_json_t *json, const unsigned char *p,
    const unsigned char *end, size_t depth)
{
    json->token = p;
    json->p = p;
    json->end = end;
    json->depth = depth;
}


int
tool_json_next(tool_json_t *json)
{
    const unsigned char  *p;

    if (json->p == json->end) {
        return -1;
    }

    p = json->p;
    json->token = p;

    switch (*p) {

    case '"':
        p = enkod_line_string_end(p + 1, json->end);

        if (p == NULL) {
            return -1;
        }

        break;

    case '{':
    case '[':
        json->depth++;
        break;

    case '}':
    case ']':
        if (json->depth) {
            json->depth--;
        }

        break;
    }

    json->p = p + 1;

    return *json->token;
}
