
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The allocator of tests: it counts the bytes in use, fails on demand, and can
 * release all blocks at once, like a pool of nginx.  Each block comes from
 * malloc(), so that a sanitizer sees its bounds.
 */


#ifndef _ENKOD_UNIT_ALLOCATOR_H_INCLUDED_
#define _ENKOD_UNIT_ALLOCATOR_H_INCLUDED_


#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enkod_schema.h"


typedef struct unit_block_s  unit_block_t;

struct unit_block_s {
    unit_block_t          *prev;
    unit_block_t          *next;
    size_t                 size;
    size_t                 magic;
};


typedef struct {
    enkod_mem_t            mem;
    unit_block_t           head;
    size_t                 live;        /* bytes in use */
    size_t                 peak;        /* the most at any time */
    size_t                 total;       /* bytes allocated so far */
    unsigned               allocations;
    unsigned               fail_at;     /* the allocation that fails, or 0 */
    unsigned               failed;
    unsigned char          fill;        /* what a block is filled with */
} unit_memory_t;


#define UNIT_MAGIC  ((size_t) 0x656e6b6f64)


static inline void *
unit_alloc(void *ctx, size_t size)
{
    unit_memory_t  *memory = ctx;

    unit_block_t   *block;

    memory->allocations++;

    if (memory->allocations == memory->fail_at) {
        memory->failed++;
        return NULL;
    }

    block = malloc(sizeof(unit_block_t) + size);
    if (block == NULL) {
        abort();
    }

    block->size = size;
    block->magic = UNIT_MAGIC;
    block->prev = &memory->head;
    block->next = memory->head.next;
    block->next->prev = block;
    memory->head.next = block;

    memory->total += size;
    memory->live += size;

    if (memory->peak < memory->live) {
        memory->peak = memory->live;
    }

    /* memory that the caller does not set must not be zero by chance */

    memset(block + 1, memory->fill, size);

    return block + 1;
}


static inline void
unit_free(void *ctx, void *p)
{
    unit_memory_t  *memory = ctx;

    unit_block_t   *block;

    block = (unit_block_t *) p - 1;

    if (block->magic != UNIT_MAGIC) {
        fprintf(stderr, "# memory that was not allocated is freed\n");
        abort();
    }

    block->magic = 0;
    block->prev->next = block->next;
    block->next->prev = block->prev;

    memory->live -= block->size;

    free(block);
}


static inline void
unit_memory_init(unit_memory_t *memory)
{
    static unsigned char  fill;

    memset(memory, 0, sizeof(unit_memory_t));

    /* uninitialized memory must not be the same each time */

    fill = (fill == 0xa5) ? 0x5a : 0xa5;
    memory->fill = fill;

    memory->mem.alloc = unit_alloc;
    memory->mem.free = unit_free;
    memory->mem.ctx = memory;
    memory->head.prev = &memory->head;
    memory->head.next = &memory->head;
}


static inline void
unit_memory_release(unit_memory_t *memory)
{
    while (memory->head.next != &memory->head) {
        unit_free(memory, memory->head.next + 1);
    }
}


#endif /* _ENKOD_UNIT_ALLOCATOR_H_INCLUDED_ */
