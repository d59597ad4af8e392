
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Memory of one event: buffers that grow, and the blocks that yajl asks for.
 * Internal.
 */


#ifndef _ENKOD_MEMORY_H_INCLUDED_
#define _ENKOD_MEMORY_H_INCLUDED_


#include "enkod_event.h"

#pragma GCC visibility push(hidden)


/*
 * Replaces a buffer of "size" bytes, "len" of which are used, by one of at
 * least "need" bytes.  Returns 1, or 0 after a refusal.
 */
int enkod_memory_grow(enkod_event_t *event, unsigned char **buf, size_t *size,
    size_t len, size_t need);

/* Frees such a buffer; NULL and the event's first text buffer are ignored. */
void enkod_memory_release(enkod_event_t *event, unsigned char *buf);

/*
 * The allocator that yajl is given; "ctx" is the event.  Instead of returning
 * NULL, which yajl does not check for, they jump to event->no_memory.
 */
void *enkod_memory_malloc(void *ctx, size_t size);
void *enkod_memory_realloc(void *ctx, void *old, size_t size);
void enkod_memory_free(void *ctx, void *p);


#pragma GCC visibility pop

#endif /* _ENKOD_MEMORY_H_INCLUDED_ */
