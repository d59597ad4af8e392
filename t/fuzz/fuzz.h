
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * What a fuzz target is: a function that is given bytes nobody chose, and ends
 * the process where a promise is not kept.  libFuzzer calls it to search, see
 * t/fuzz/fuzz, and replay.c to go through the inputs in the tree.
 */


#ifndef _ENKOD_FUZZ_H_INCLUDED_
#define _ENKOD_FUZZ_H_INCLUDED_


#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


/* "promise" is what "ok" says is so. */

static inline void
fuzz_must(int ok, const char *promise)
{
    if (!ok) {
        fprintf(stderr, "# not so: %s\n", promise);
        abort();
    }
}


/* Memory that is wanted, of the very size, so that the sanitizer sees more. */

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
