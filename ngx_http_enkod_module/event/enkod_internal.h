
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * What the rooms of the event core share, and nobody outside of it sees: the
 * state of one event, and how its text and its errors are made.
 */


#ifndef _ENKOD_INTERNAL_H_INCLUDED_
#define _ENKOD_INTERNAL_H_INCLUDED_


#include <setjmp.h>

#include <yajl/yajl_parse.h>

#include "enkod_event.h"

#pragma GCC visibility push(hidden)


/*
 * Sizes of what an event starts with: what yajl 2.1.0 allocates for itself
 * comes from the arena, 288 bytes before it parses, which are kept, and 496 in
 * all; the text of a common event fits.
 */
#define ENKOD_ARENA_SIZE   496
#define ENKOD_IMAGE_SIZE   288
#define ENKOD_TEXT_SIZE    384
#define ENKOD_NMEMBERS     10

/* a larger buffer for tokens that are cut is not kept for the next one */
#define ENKOD_CARRY_SIZE   512

#define ENKOD_NONE         UINT32_MAX

#define enkod_align(n)     (((n) + 15) & ~(size_t) 15)

/*
 * For functions that most tokens do not need: inlined, they would take the
 * registers of those that every token goes through.
 */
#define enkod_rare         __attribute__((noinline))


/*
 * A member of the event object.  Its text is ,"name":value; offsets are those
 * of event->text.
 */

typedef struct {
    uint32_t               start;
    uint32_t               value;
    uint32_t               end;

    /* of an array: the first element that is no string, and no integer */
    uint32_t               not_string;
    uint32_t               not_integer;

    unsigned char          kind;
    unsigned char          field;       /* index in the shape, or a state */
} enkod_member_t;

/* states of a member that is no field of the shape */
#define ENKOD_PENDING      255          /* the shape is not known yet */
#define ENKOD_EXTRA        254
#define ENKOD_DROPPED      253
#define ENKOD_NAME         252          /* "event" */


/* goes before every block of yajl's that is not in the arena */

typedef struct enkod_block_s  enkod_block_t;

struct enkod_block_s {
    enkod_block_t         *next;
    enkod_block_t        **link;        /* what points to this one */
    size_t                 size;
};


struct enkod_event_s {
    const enkod_settings_t  *settings;
    const enkod_shape_t     *shape;
    enkod_member_t          *member;    /* the one that came last */
    const enkod_field_t     *field;     /* that it is, or NULL */
    unsigned                 expected;  /* the kinds that may come next, if
                                           that is all there is to check */

    enkod_json_guard_t       guard;
    enkod_json_token_t       token;

    const unsigned char     *chunk;     /* what yajl is reading */
    size_t                   chunk_len; /* 0 if strings need a closer look */
    size_t                   fed;       /* bytes yajl had before the chunk */
    size_t                   received;

    unsigned                 depth;
    uint32_t                 comma;     /* bit per level: a value was before */
    uint32_t                 object;    /* bit per level: an object */
    uint32_t                 element;   /* index in a member's array */

    unsigned                 started:1; /* more than white space has come */
    unsigned                 has_name:1;    /* "event" has come */
    unsigned                 named:1;   /* ... and its value */
    unsigned                 skip:1;    /* the member's value is not kept */
    unsigned                 plain:1;   /* nothing but the name, and fields
                                           in the table's order behind it */
    unsigned                 complete:1; /* the event object is closed */
    unsigned                 test:1;
    unsigned                 created:1; /* the block is ours to free */
    unsigned                 adopted:1; /* the text is not */

    unsigned char           *text;
    size_t                   text_len;
    size_t                   text_size;

    unsigned char           *carry;     /* a token cut by a chunk's end */
    size_t                   carry_len;
    size_t                   carry_size;

    enkod_member_t          *members;
    unsigned                 nmembers;
    unsigned                 members_size;
    unsigned                 name;      /* index of member "event" */
    unsigned                 next;      /* field that is expected next */

    /* by field of the shape: index of the member, or ENKOD_PENDING */
    unsigned char            slots[ENKOD_MAX_MEMBERS];

    enkod_refusal_t          refusal;
    unsigned char            pointer[2 * ENKOD_MAX_SHOWN + 16];

    enkod_mem_t              mem;
    enkod_block_t           *blocks;
    jmp_buf                 *no_memory; /* where yajl is left to */
    yajl_handle              yajl;
    size_t                   arena_len;
    unsigned char           *arena;
    size_t                   image_len; /* 0 if there is none */
    unsigned char           *image;     /* the arena when yajl was new */

    enkod_member_t           members_start[ENKOD_NMEMBERS];
};


/* enkod_check.c: what yajl calls; the context is the event */

extern const yajl_callbacks  enkod_check_callbacks;

/* Whether the accepted event is a delivery of the vendor's test button. */
int enkod_check_test(const enkod_event_t *event);


/*
 * enkod_refusal.c: each sets the event's refusal and returns 0, as a callback
 * of yajl does that wants to stop.  The offset is where yajl is.
 */

int enkod_refuse(enkod_event_t *event, enkod_error_e code);

/* "element" is an index in the member's array, or ENKOD_NONE */
int enkod_refuse_member(enkod_event_t *event, enkod_error_e code,
    const enkod_member_t *member, uint32_t element, const char *expected);

/* "key" is ,"name": as in JSON: it ends up in JSON again, in the pointer */
int enkod_refuse_field(enkod_event_t *event, enkod_error_e code,
    const enkod_str_t *key, const char *expected);


/*
 * enkod_text.c: adds to event->text, as it is or as a string with quotes,
 * unless the value is skipped (but for "append").  Returns 1, or 0 after a
 * refusal.
 */

static inline int enkod_text_add(enkod_event_t *event, const void *p,
    size_t len);
static inline int enkod_text_append(enkod_event_t *event, const void *p,
    size_t len);
static inline int enkod_text_quote(enkod_event_t *event,
    const unsigned char *p, size_t len);
int enkod_text_escape(enkod_event_t *event, const unsigned char *p,
    size_t len);


/*
 * enkod_memory.c: makes room for "need" bytes in a buffer that has "len" and
 * "size".  Returns 1, or 0 after a refusal.
 */

int enkod_memory_grow(enkod_event_t *event, unsigned char **buf, size_t *size,
    size_t len, size_t need);

/* Gives such a buffer back. */
void enkod_memory_release(enkod_event_t *event, unsigned char *buf);

/* for yajl; "ctx" is the event */

void *enkod_memory_malloc(void *ctx, size_t size);
void *enkod_memory_realloc(void *ctx, void *old, size_t size);
void enkod_memory_free(void *ctx, void *p);


/* makes room for len bytes; false after a refusal */
#define enkod_text_room(event, len)                                           \
    ((event)->text_size - (event)->text_len >= (len)                          \
     || enkod_memory_grow(event, &(event)->text, &(event)->text_size,         \
                          (event)->text_len, (event)->text_len + (len)))


static inline int
enkod_text_add(enkod_event_t *event, const void *p, size_t len)
{
    return event->skip ? 1 : enkod_text_append(event, p, len);
}


static inline int
enkod_text_append(enkod_event_t *event, const void *p, size_t len)
{
    if (!enkod_text_room(event, len)) {
        return 0;
    }

    enkod_bytes_copy(event->text + event->text_len, p, len);
    event->text_len += len;

    return 1;
}


/*
 * What yajl did not have to decode it gives as it stands in the chunk: there
 * are no escapes in it, no need for any unless the guard has seen one, and its
 * quotes are around it.
 */

static inline int
enkod_text_quote(enkod_event_t *event, const unsigned char *p, size_t len)
{
    if ((uintptr_t) p - (uintptr_t) event->chunk < event->chunk_len) {
        return enkod_text_add(event, p - 1, len + 2);
    }

    return enkod_text_escape(event, p, len);
}


#pragma GCC visibility pop

#endif /* _ENKOD_INTERNAL_H_INCLUDED_ */
