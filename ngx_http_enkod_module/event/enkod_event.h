
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * One event: its body is fed in chunks of any size and checked as it arrives,
 * against RFC 8259 and against the shape of the event it names; at the end it
 * is accepted, with its fields, or there is an error.  The verdict, the place
 * of the error and every byte of the output are the same however the body is
 * cut.
 *
 * The fields are kept as JSON text, ready to be written: compact, on one line,
 * without control characters and with no other escapes than those need, numbers
 * digit by digit as they came.
 */


#ifndef _ENKOD_EVENT_H_INCLUDED_
#define _ENKOD_EVENT_H_INCLUDED_


#include "enkod_schema.h"

#pragma GCC visibility push(hidden)


/* levels of arrays and objects, the event itself being the first */
#define ENKOD_MAX_DEPTH    32

/* bytes of a member's name shown in the pointer of an error */
#define ENKOD_MAX_SHOWN    64


typedef enum {
    ENKOD_EXTRA_KEEP = 0,
    ENKOD_EXTRA_DROP,
    ENKOD_EXTRA_REJECT
} enkod_extra_e;


typedef struct {
    const enkod_schema_t  *schema;

    /* names of the events that are taken; where there are none, all are */
    const enkod_str_t     *events;
    unsigned               nevents;

    size_t                 max_size;    /* of a body, in bytes */
    enkod_extra_e          extra;       /* fields outside of the shape */
    unsigned               accept_unknown:1;
} enkod_settings_t;


typedef struct enkod_event_s  enkod_event_t;


typedef struct {
    enkod_error_e          code;

    /*
     * JSON Pointer to the member (RFC 6901), as the content of a JSON string;
     * empty where no member is to blame
     */
    enkod_str_t            field;

    const char            *expected;    /* a type, or NULL */
    size_t                 offset;      /* of the byte that decided it, or of
                                           the one behind it */
} enkod_refusal_t;


/*
 * A new event, or NULL if there is no memory.  Settings and memory functions
 * must outlive it.
 *
 * A body that comes in one piece needs 2 KiB, with more than ten members 4 KiB,
 * and its length and a 256th (an eighth beyond 128 KiB) if that is more than
 * 384 bytes.  While it comes in pieces, it is 4 KiB and as much as was
 * received, and at most a 64th more than twice that (a quarter beyond 128 KiB),
 * for the moment in which a long string is whole.  Once there was a string with
 * escapes, or where the body breaks off in a number, yajl has buffers of its
 * own for it: 8 KiB, and four and a half times what was received, at most.
 *
 * A character that is escaped in the text alone (enkod_json_escape() says
 * which) counts as six bytes there; and once there was one, a body in one piece
 * needs what one in pieces does, with a quarter in place of the 64th.
 */
enkod_event_t *enkod_event_create(const enkod_settings_t *settings,
    const enkod_mem_t *mem);

/*
 * The same in a block of enkod_event_size() bytes, aligned as malloc() does,
 * that stays the caller's.
 */
enkod_event_t *enkod_event_init(void *block, const enkod_settings_t *settings,
    const enkod_mem_t *mem);

/* about 2 KiB */
size_t enkod_event_size(void);

/*
 * The next event in the block of one that was destroyed, with the same memory
 * functions; otherwise as init(), but for a fraction of its cost.
 */
enkod_event_t *enkod_event_renew(enkod_event_t *event,
    const enkod_settings_t *settings);

/* Gives all memory back that create() or the event took. */
void enkod_event_destroy(enkod_event_t *event);

/*
 * Takes the next "len" bytes; "last" says that no more will follow, and spares
 * some work when it is known in time.  Returns ENKOD_OK, or the error, after
 * which the event must be fed no more.
 */
enkod_error_e enkod_event_feed(enkod_event_t *event, const unsigned char *p,
    size_t len, int last);

/* The body is complete.  Returns ENKOD_OK if the event is accepted. */
enkod_error_e enkod_event_finish(enkod_event_t *event);

/* What feed() or finish() found; lives as long as the event. */
const enkod_refusal_t *enkod_event_refusal(const enkod_event_t *event);

/*
 * The rest is for accepted events; the name is there as soon as it is known.
 */

/* The event's name with JSON escapes and without quotes; empty if unknown. */
enkod_str_t enkod_event_name(const enkod_event_t *event);

/* Whether it is one of the deliveries that the vendor's test button sends. */
int enkod_event_test(const enkod_event_t *event);

/*
 * A documented field, by its name: strings are JSON-escaped without quotes,
 * other values JSON text, null and absence empty.
 */
enkod_str_t enkod_event_field(const enkod_event_t *event,
    const enkod_field_t *field);

/* The row of the table; NULL for an unknown event that is taken all the same */
const enkod_shape_t *enkod_event_shape(const enkod_event_t *event);

/*
 * The event's members, from "event" on, as they stand between the braces of
 * the line: the length, and the text itself, which returns the end.
 */
size_t enkod_event_length(const enkod_event_t *event);
unsigned char *enkod_event_write(const enkod_event_t *event, unsigned char *p);

/*
 * What was written there is now the event's text, and has to last as long as
 * the event does; the memory of its own is given back.
 */
void enkod_event_adopt(enkod_event_t *event, unsigned char *p);


#pragma GCC visibility pop

#endif /* _ENKOD_EVENT_H_INCLUDED_ */
