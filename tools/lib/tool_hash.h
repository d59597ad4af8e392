
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * FNV-1a, 64 bits: not for an adversary.
 */


#ifndef _TOOL_HASH_H_INCLUDED_
#define _TOOL_HASH_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>


/* of nothing */
#define TOOL_HASH             UINT64_C(14695981039346656037)


/* Goes on with a hash, or begins with TOOL_HASH. */

static inline uint64_t
tool_hash(uint64_t hash, const void *data, size_t len)
{
    size_t                i;
    const unsigned char  *p = data;

    for (i = 0; i < len; i++) {
        hash = (hash ^ p[i]) * UINT64_C(1099511628211);
    }

    return hash;
}


#endif /* _TOOL_HASH_H_INCLUDED_ */
