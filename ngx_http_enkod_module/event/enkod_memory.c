
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Memory of one event: buffers that grow, and the blocks that yajl asks for.
 */


#include "enkod_memory.h"
#include "enkod_refusal.h"
#include "enkod_state.h"


/* glibc's malloc() maps larger blocks by a system call each */
#define ENKOD_LARGE  (128 * 1024)


/*
 * The new buffer is larger than "need" by a 256th only, so that an event takes
 * little more memory than was received; by an eighth if it is large, as a large
 * buffer is expensive to replace.  It is not larger than max_size + 1: neither
 * the text nor a token can be longer than the body by more than a byte.  The
 * exception are characters that are escaped in the text and not in the body:
 * after one of these, the buffer is larger by an eighth and has no limit.
 */

int
enkod_memory_grow(enkod_event_t *event, unsigned char **buf, size_t *size,
    size_t len, size_t need)
{
    size_t          max;
    unsigned char  *p;

    max = event->settings->max_size + 1;

    if (event->guard.controls) {
        need += need / 8 + 16;

    } else if (need < max) {
        need += need / (need < ENKOD_LARGE ? 256 : 8) + 16;
        need = (need < max) ? need : max;
    }

    p = event->mem.alloc(event->mem.ctx, need);
    if (p == NULL) {
        return enkod_refuse(event, ENKOD_NO_MEMORY);
    }

    if (len) {
        memcpy(p, *buf, len);
    }

    enkod_memory_release(event, *buf);

    *buf = p;
    *size = need;

    return 1;
}


void
enkod_memory_release(enkod_event_t *event, unsigned char *buf)
{
    if (buf && buf != event->arena + ENKOD_ARENA_SIZE) {
        event->mem.free(event->mem.ctx, buf);
    }
}


/*
 * yajl does not check what malloc() returns.  So if there is no memory, the
 * parse is left by longjmp(), and the blocks that yajl has stay in the list
 * until the event is destroyed.
 */

void *
enkod_memory_malloc(void *ctx, size_t size)
{
    enkod_event_t *event = ctx;

    unsigned char  *p;
    enkod_block_t  *block;

    if (enkod_align(size) <= ENKOD_ARENA_SIZE - event->arena_len) {
        p = event->arena + event->arena_len;
        event->arena_len += enkod_align(size);
        return p;
    }

    block = event->mem.alloc(event->mem.ctx,
                             enkod_align(sizeof(enkod_block_t)) + size);
    if (block == NULL) {
        longjmp(*event->no_memory, 1);
    }

    block->size = size;
    block->next = event->blocks;
    block->link = &event->blocks;

    if (block->next) {
        block->next->link = &block->next;
    }

    event->blocks = block;

    return (unsigned char *) block + enkod_align(sizeof(enkod_block_t));
}


void *
enkod_memory_realloc(void *ctx, void *old, size_t size)
{
    enkod_event_t *event = ctx;

    void           *p;
    size_t          len;
    unsigned char  *end;
    enkod_block_t  *block;

    p = enkod_memory_malloc(ctx, size);

    if (old == NULL) {
        return p;
    }

    end = event->arena + ENKOD_ARENA_SIZE;

    if ((unsigned char *) old >= event->arena && (unsigned char *) old < end) {

        /* its size is not known; up to the end of the arena is enough */

        len = end - (unsigned char *) old;

    } else {
        block = (enkod_block_t *) ((unsigned char *) old
                                   - enkod_align(sizeof(enkod_block_t)));
        len = block->size;
    }

    memmove(p, old, len < size ? len : size);

    enkod_memory_free(ctx, old);

    return p;
}


void
enkod_memory_free(void *ctx, void *p)
{
    enkod_event_t *event = ctx;

    enkod_block_t  *block;

    if ((unsigned char *) p >= event->arena
        && (unsigned char *) p < event->arena + ENKOD_ARENA_SIZE)
    {
        return;
    }

    block = (enkod_block_t *) ((unsigned char *) p
                               - enkod_align(sizeof(enkod_block_t)));

    *block->link = block->next;

    if (block->next) {
        block->next->link = block->link;
    }

    event->mem.free(event->mem.ctx, block);
}
