
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * A fuzz target is a function that is given arbitrary bytes and aborts if a
 * promise is not kept.  libFuzzer calls it to search for such bytes (see
 * t/fuzz/fuzz), replay.c to test the inputs in the tree.
 */


#ifndef _ENKOD_FUZZ_H_INCLUDED_
#define _ENKOD_FUZZ_H_INCLUDED_


#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


/* "promise" is a sentence that is true if "ok" is. */

static inline void
fuzz_must(int ok, const char *promise)
{
    if (!ok) {
        fprintf(stderr, "# not true: %s\n", promise);
        abort();
    }
}


/* Memory of exactly this size, so that a sanitizer sees its end. */

static inline unsigned char *
fuzz_alloc(size_t size)
{
    unsigned char  *p;

    p = (unsigned char *) malloc(size);
    if (p == NULL) {
        abort();
    }

    return p;
}


#endif /* _ENKOD_FUZZ_H_INCLUDED_ */
