
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The life of one event: a block of memory with yajl in it, the bytes of a body
 * that go through the guard to yajl, and the verdict at the end.
 */


#include "enkod_check.h"
#include "enkod_memory.h"
#include "enkod_refusal.h"
#include "enkod_state.h"
#include "enkod_text.h"


static void enkod_event_reset(enkod_event_t *event,
    const enkod_settings_t *settings);
static enkod_error_e enkod_event_parse_chunk(enkod_event_t *event,
    const unsigned char *p, size_t len, int hold);
static enkod_error_e enkod_event_parse_carried(enkod_event_t *event);
static enkod_error_e enkod_event_parse(enkod_event_t *event,
    const unsigned char *p, size_t len);
static enkod_error_e enkod_event_check_trailing(enkod_event_t *event,
    const unsigned char *p, size_t len);
static enkod_error_e enkod_event_carry(enkod_event_t *event,
    const unsigned char *p, size_t len);


size_t
enkod_event_size(void)
{
    return enkod_align(sizeof(enkod_event_t)) + ENKOD_ARENA_SIZE
           + ENKOD_TEXT_SIZE + ENKOD_IMAGE_SIZE;
}


enkod_event_t *
enkod_event_create(const enkod_settings_t *settings, const enkod_mem_t *mem)
{
    void           *block;
    enkod_event_t  *event;

    block = mem->alloc(mem->ctx, enkod_event_size());
    if (block == NULL) {
        return NULL;
    }

    event = enkod_event_init(block, settings, mem);
    if (event == NULL) {
        mem->free(mem->ctx, block);
        return NULL;
    }

    event->owns_block = 1;

    return event;
}


enkod_event_t *
enkod_event_init(void *block, const enkod_settings_t *settings,
    const enkod_mem_t *mem)
{
    enkod_event_t     *event = block;

    jmp_buf            no_memory;
    yajl_alloc_funcs   funcs;

    event->mem = *mem;
    event->arena = (unsigned char *) event + enkod_align(sizeof(enkod_event_t));
    event->image = event->arena + ENKOD_ARENA_SIZE + ENKOD_TEXT_SIZE;

    enkod_event_reset(event, settings);

    funcs.malloc = enkod_memory_malloc;
    funcs.realloc = enkod_memory_realloc;
    funcs.free = enkod_memory_free;
    funcs.ctx = event;

    event->no_memory = &no_memory;

    if (setjmp(no_memory) != 0) {
        enkod_event_destroy(event);
        return NULL;
    }

    event->yajl = yajl_alloc(&enkod_check_callbacks, &funcs, event);

    /* the guard validates them, more strictly */
    yajl_config(event->yajl, yajl_dont_validate_strings, 1);

    event->image_len = 0;

    if (event->blocks == NULL && event->arena_len <= ENKOD_IMAGE_SIZE) {
        event->image_len = event->arena_len;
        memcpy(event->image, event->arena, event->image_len);
    }

    return event;
}


/*
 * yajl has no function that resets it.  But all of its memory is in the arena:
 * when the arena is as it was after yajl_alloc(), so is yajl.
 */

enkod_event_t *
enkod_event_renew(enkod_event_t *event, const enkod_settings_t *settings)
{
    enkod_mem_t  mem;

    if (event->image_len == 0) {
        mem = event->mem;
        return enkod_event_init(event, settings, &mem);
    }

    enkod_event_reset(event, settings);

    memcpy(event->arena, event->image, event->image_len);
    event->arena_len = event->image_len;

    return event;
}


/* Resets everything but yajl. */

static void
enkod_event_reset(enkod_event_t *event, const enkod_settings_t *settings)
{
    memset(event, 0, offsetof(enkod_event_t, by_field));
    memset(&event->refusal, 0, sizeof(enkod_refusal_t));

    event->settings = settings;
    event->blocks = NULL;
    event->arena_len = 0;
    event->text = event->arena + ENKOD_ARENA_SIZE;
    event->text_size = ENKOD_TEXT_SIZE;
    event->members = event->members_start;
    event->members_size = ENKOD_NMEMBERS;
}


void
enkod_event_destroy(enkod_event_t *event)
{
    enkod_mem_t     mem;
    enkod_block_t  *block, *next;

    mem = event->mem;

    /* all memory of yajl is in the arena or in the list of blocks */

    for (block = event->blocks; block; block = next) {
        next = block->next;
        mem.free(mem.ctx, block);
    }

    if (!event->text_borrowed) {
        enkod_memory_release(event, event->text);
    }

    enkod_memory_release(event, event->carry);

    if (event->members != event->members_start) {
        mem.free(mem.ctx, event->members);
    }

    if (event->owns_block) {
        mem.free(mem.ctx, event);
    }
}


enkod_error_e
enkod_event_feed(enkod_event_t *event, const unsigned char *p, size_t len,
    int last)
{
    int            over;
    size_t         n;
    enkod_error_e  rc, error;

    over = (len > event->settings->max_size - event->received);

    if (over) {

        /* the bytes before the limit come first: they may be wrong, too */

        len = event->settings->max_size - event->received;
    }

    event->received += len;

    n = enkod_json_guard(&event->guard, p, len, &error);

    /* the bytes before a bad one come first: they may be wrong, too */

    rc = enkod_event_parse_chunk(event, p, n,
                                 !last && !over && error == ENKOD_OK);

    if (rc != ENKOD_OK) {
        return rc;
    }

    if (error != ENKOD_OK) {
        event->refusal.offset = event->received - len + n;
        event->refusal.code = error;
        return error;
    }

    if (over) {
        event->refusal.offset = event->settings->max_size;
        event->refusal.code = ENKOD_TOO_LARGE;
        return ENKOD_TOO_LARGE;
    }

    if (!event->complete && !event->has_content) {

        /* a body of white space is empty, any other one breaks off */

        event->has_content = (enkod_json_spaces(p, len) != len);
    }

    return ENKOD_OK;
}


/*
 * When the end of a chunk cuts a token, yajl reads that token again from its
 * beginning with every further chunk, and its offsets are wrong then.  So with
 * "hold" the bytes of such a token are kept until it is whole, and yajl sees
 * whole tokens only.  As yajl copies the first token of what it is given,
 * however long, the separator before the token is kept with it: then yajl
 * copies the separator only.
 */

static enkod_error_e
enkod_event_parse_chunk(enkod_event_t *event, const unsigned char *p,
    size_t len, int hold)
{
    size_t         n;
    enkod_error_e  rc;

    if (event->complete) {
        return enkod_event_check_trailing(event, p, len);
    }

    if (event->token.open) {
        n = enkod_json_token_end(&event->token, p, len);

        if (enkod_event_carry(event, p, n) != ENKOD_OK) {
            return event->refusal.code;
        }

        if (n) {
            /* p may be NULL if the chunk is empty */
            p += n;
            len -= n;
        }

        if (event->token.open && hold) {
            return ENKOD_OK;
        }

        rc = enkod_event_parse_carried(event);
        if (rc != ENKOD_OK) {
            return rc;
        }
    }

    n = hold ? enkod_json_token_tail(&event->token, p, len) : len;

    rc = enkod_event_parse(event, p, n);
    if (rc != ENKOD_OK || n == len) {
        return rc;
    }

    if (event->complete) {
        return enkod_event_check_trailing(event, p + n, len - n);
    }

    return enkod_event_carry(event, p + n, len - n);
}


static enkod_error_e
enkod_event_parse_carried(enkod_event_t *event)
{
    size_t         blank;
    enkod_error_e  rc;

    blank = 0;

    if (event->token.word && !event->token.open) {

        /* a number has ended, which yajl sees at the next byte */

        if (enkod_event_carry(event, (const unsigned char *) " ", 1)
            != ENKOD_OK)
        {
            return event->refusal.code;
        }

        blank = 1;
    }

    event->token.word = 0;

    rc = enkod_event_parse(event, event->carry, event->carry_len);

    event->fed -= blank;
    event->carry_len = 0;

    if (event->carry_size > ENKOD_CARRY_SIZE) {
        enkod_memory_release(event, event->carry);
        event->carry = NULL;
        event->carry_size = 0;
    }

    return rc;
}


static enkod_error_e
enkod_event_parse(enkod_event_t *event, const unsigned char *p, size_t len)
{
    size_t       n;
    jmp_buf      no_memory;
    yajl_status  status;

    if (len == 0) {
        return ENKOD_OK;
    }

    if (event->complete) {
        return enkod_event_check_trailing(event, p, len);
    }

    /* the text is rarely longer than the body, so this is all it needs */

    if (!enkod_text_reserve(event, len)) {
        return event->refusal.code;
    }

    event->chunk = p;
    event->chunk_len = len;

    if (event->guard.controls) {

        /* a string may need escapes that it does not have in the chunk */

        event->chunk_len = 0;
    }

    /* yajl allocates nothing after we have returned */
    event->no_memory = &no_memory;  /* cppcheck-suppress autoVariables */

    if (setjmp(no_memory) != 0) {
        event->refusal.code = ENKOD_NO_MEMORY;
        return ENKOD_NO_MEMORY;
    }

    status = yajl_parse(event->yajl, p, len);

    if (event->complete) {

        /* yajl was stopped at the end of the event */

        n = yajl_get_bytes_consumed(event->yajl);
        event->fed += n;

        return enkod_event_check_trailing(event, p + n, len - n);
    }

    if (status == yajl_status_error) {
        enkod_refuse(event, ENKOD_INVALID_JSON);
    }

    event->fed += len;

    return event->refusal.code;
}


/*
 * Only white space is allowed after the event.  yajl would check that as well,
 * but it takes longer, and it does not report a string that is never closed.
 */

static enkod_error_e
enkod_event_check_trailing(enkod_event_t *event, const unsigned char *p,
    size_t len)
{
    size_t  n;

    n = enkod_json_spaces(p, len);

    event->fed += n;

    if (n == len) {
        return ENKOD_OK;
    }

    event->refusal.offset = event->fed;
    event->refusal.code = ENKOD_INVALID_JSON;

    return ENKOD_INVALID_JSON;
}


static enkod_error_e
enkod_event_carry(enkod_event_t *event, const unsigned char *p, size_t len)
{
    if (len == 0) {
        return ENKOD_OK;
    }

    if (event->carry_size - event->carry_len < len
        && !enkod_memory_grow(event, &event->carry, &event->carry_size,
                             event->carry_len, event->carry_len + len))
    {
        return event->refusal.code;
    }

    memcpy(event->carry + event->carry_len, p, len);
    event->carry_len += len;

    return ENKOD_OK;
}


enkod_error_e
enkod_event_finish(enkod_event_t *event)
{
    jmp_buf        no_memory;
    enkod_error_e  rc;

    if (!event->complete) {

        if (!event->has_content) {
            event->refusal.offset = event->received;
            event->refusal.code = ENKOD_EMPTY_BODY;
            return ENKOD_EMPTY_BODY;
        }

        rc = enkod_event_parse_chunk(event, (const unsigned char *) "", 0, 0);
        if (rc != ENKOD_OK) {
            return rc;
        }
    }

    if (event->complete) {
        event->test = enkod_check_test_delivery(event);
        return ENKOD_OK;
    }

    /* the body breaks off, unless it is a number, which ends with it */

    event->refusal.code = ENKOD_INVALID_JSON;

    /* yajl allocates nothing after we have returned */
    event->no_memory = &no_memory;  /* cppcheck-suppress autoVariables */

    if (setjmp(no_memory) != 0) {
        event->refusal.code = ENKOD_NO_MEMORY;
        return ENKOD_NO_MEMORY;
    }

    if (event->depth == 0) {
        (void) yajl_complete_parse(event->yajl);
    }

    event->refusal.offset = event->received;

    return event->refusal.code;
}


const enkod_refusal_t *
enkod_event_refusal(const enkod_event_t *event)
{
    return &event->refusal;
}
