
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The state of one event while it is checked, and afterwards.  Internal: only
 * the source files of the event core include this header.
 */


#ifndef _ENKOD_STATE_H_INCLUDED_
#define _ENKOD_STATE_H_INCLUDED_


#include <setjmp.h>

#include <yajl/yajl_parse.h>

#include "enkod_event.h"
#include "enkod_json.h"

#pragma GCC visibility push(hidden)


/*
 * The memory that an event starts with.  yajl 2.1.0 takes all of its own from
 * the arena: 288 bytes before it parses, of which a copy is kept, and 496 bytes
 * in all.  The text of a common event fits.
 */
#define ENKOD_ARENA_SIZE   496
#define ENKOD_IMAGE_SIZE   288
#define ENKOD_TEXT_SIZE    384
#define ENKOD_NMEMBERS     10

/* a larger buffer for tokens that are cut is not kept for the next one */
#define ENKOD_CARRY_SIZE   512

#define ENKOD_NO_ELEMENT   UINT32_MAX

#define enkod_align(n)     (((n) + 15) & ~(size_t) 15)

/*
 * For functions that are called for few tokens only: inlined, they would take
 * registers from the code that every token goes through.
 */
#define enkod_noinline     __attribute__((noinline))


/*
 * A member of the event object.  Its text is ,"name":value; offsets are those
 * of event->text.
 */

typedef struct {
    uint32_t               start;
    uint32_t               value;
    uint32_t               end;

    /* of an array: index of such an element, or ENKOD_NO_ELEMENT */
    uint32_t               first_non_string;
    uint32_t               first_non_integer;

    unsigned char          kind;
    unsigned char          field;       /* index in the shape, or a state */
} enkod_member_t;

/* states of a member that is not a field of the shape */
#define ENKOD_FIELD_UNDECIDED   255     /* the shape is not known yet */
#define ENKOD_FIELD_EXTRA       254
#define ENKOD_FIELD_DROPPED     253
#define ENKOD_FIELD_EVENT_NAME  252     /* the member "event" */

/* instead of the index of a member: the event does not have this field */
#define ENKOD_ABSENT            255


/* the header of each block that yajl has outside of the arena */

typedef struct enkod_block_s  enkod_block_t;

struct enkod_block_s {
    enkod_block_t         *next;
    enkod_block_t        **link;        /* the pointer to this block */
    size_t                 size;
};


struct enkod_event_s {
    const enkod_settings_t  *settings;
    const enkod_shape_t     *shape;
    enkod_member_t          *member;    /* the last one so far */
    const enkod_field_t     *field;     /* which field it is, or NULL */
    unsigned                 expected;  /* kinds of a value that need no check
                                           but this; 0 to check all of them */

    enkod_json_guard_t       guard;
    enkod_json_token_t       token;

    const unsigned char     *chunk;     /* what yajl is reading */
    size_t                   chunk_len; /* 0 if no string can be copied from
                                           it as it is */
    size_t                   fed;       /* bytes given to yajl before it */
    size_t                   received;

    unsigned                 depth;
    uint32_t                 comma;     /* bit per level: needs a comma */
    uint32_t                 object;    /* bit per level: an object */
    uint32_t                 element;   /* index in a member's array */

    unsigned                 has_content:1; /* not only white space so far */
    unsigned                 has_event:1;   /* a member "event" has begun */
    unsigned                 name_known:1;  /* and its value is complete */
    unsigned                 skip_value:1;  /* the member is not kept */
    unsigned                 in_order:1;    /* only the name and then fields
                                               in the order of the table */
    unsigned                 complete:1;    /* the event object is closed */
    unsigned                 test:1;
    unsigned                 owns_block:1;  /* destroy() frees it */
    unsigned                 text_borrowed:1;   /* destroy() leaves it */

    unsigned char           *text;
    size_t                   text_len;
    size_t                   text_size;

    unsigned char           *carry;     /* a token cut by a chunk's end */
    size_t                   carry_len;
    size_t                   carry_size;

    enkod_member_t          *members;
    unsigned                 nmembers;
    unsigned                 members_size;
    unsigned                 name_index;    /* of the member "event" */
    unsigned                 next_field;    /* the search begins there */

    /* for each field of the shape: index of the member, or ENKOD_ABSENT */
    unsigned char            by_field[ENKOD_MAX_MEMBERS];

    enkod_refusal_t          refusal;
    unsigned char            pointer[2 * ENKOD_MAX_SHOWN + 16];

    enkod_mem_t              mem;
    enkod_block_t           *blocks;
    jmp_buf                 *no_memory; /* where to leave yajl to */
    yajl_handle              yajl;
    size_t                   arena_len;
    unsigned char           *arena;
    size_t                   image_len; /* 0 if there is none */
    unsigned char           *image;     /* the arena when yajl was new */

    enkod_member_t           members_start[ENKOD_NMEMBERS];
};


#pragma GCC visibility pop

#endif /* _ENKOD_STATE_H_INCLUDED_ */
