
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * One event: its body is fed in chunks of any size and checked as it arrives,
 * against RFC 8259 and against the shape of the event that it names.  At the
 * end the event is accepted, with its fields, or there is an error.  The
 * verdict, the offset of the error and every byte of the output are the same
 * wherever the body is cut into chunks.
 *
 * The fields are kept as JSON text, ready to be written: compact, on one line,
 * without control characters and with no escapes but those that are needed;
 * numbers digit by digit as they came.
 */


#ifndef _ENKOD_EVENT_H_INCLUDED_
#define _ENKOD_EVENT_H_INCLUDED_


#include "enkod_error.h"
#include "enkod_schema.h"

#pragma GCC visibility push(hidden)


/* levels of arrays and objects, the event itself being the first */
#define ENKOD_MAX_DEPTH    32

/* bytes of a member's name shown in the pointer of an error */
#define ENKOD_MAX_SHOWN    64

/* how the members of an event are written: the first one, and the last one */
#define ENKOD_EVENT_NAME   "\"event\":"
#define ENKOD_EVENT_EXTRA  ",\"extra\":{"


typedef enum {
    ENKOD_EXTRA_KEEP = 0,
    ENKOD_EXTRA_DROP,
    ENKOD_EXTRA_REJECT
} enkod_extra_e;


typedef struct {
    const enkod_schema_t  *schema;

    /* names of the events that are accepted; all are if there are none */
    const enkod_str_t     *events;
    unsigned               nevents;

    size_t                 max_size;    /* of a body, in bytes */
    enkod_extra_e          extra;       /* what to do with other fields */
    unsigned               accept_unknown:1;    /* events without a shape */
} enkod_settings_t;


typedef struct enkod_event_s  enkod_event_t;


typedef struct {
    enkod_error_e          code;

    /*
     * JSON Pointer to the member (RFC 6901), as the content of a JSON string;
     * empty if the error is not one of a member
     */
    enkod_str_t            field;

    const char            *expected;    /* a type, or NULL */
    size_t                 offset;      /* of the byte that decided it, or of
                                           the next one */
} enkod_refusal_t;


/*
 * Creates an event; returns NULL if there is no memory.  The settings and what
 * mem->ctx points to must outlive it.
 *
 * How much memory it takes, where n is the number of bytes received:
 *
 *   body in one piece                  2 KiB (4 KiB from eleven members on),
 *                                      and n + n/256 if n is above 384
 *   body in pieces                     4 KiB + n, and for the moment in which
 *                                      a long string becomes whole at most
 *                                      4 KiB + 2n + n/64
 *   after a string with escapes, or    8 KiB + 4.5n at most, as yajl then has
 *   if the body breaks off in a        buffers of its own
 *   number
 *
 * Beyond 128 KiB, n/256 is n/8 and n/64 is n/4.  A character that is escaped
 * only in the text (see enkod_json_escape()) counts as the six bytes that it
 * has there; after one, a body in one piece takes as much as a body in pieces,
 * with n/4 for n/64.
 */
enkod_event_t *enkod_event_create(const enkod_settings_t *settings,
    const enkod_mem_t *mem);

/*
 * The same in a block of the caller's, of enkod_event_size() bytes and aligned
 * as malloc() aligns, which enkod_event_destroy() does not free.
 */
enkod_event_t *enkod_event_init(void *block, const enkod_settings_t *settings,
    const enkod_mem_t *mem);

/* about 2 KiB */
size_t enkod_event_size(void);

/*
 * The next event in the block of one that was made by enkod_event_init() and
 * destroyed, with the same memory functions: does what enkod_event_init() does
 * for a fraction of its cost.
 */
enkod_event_t *enkod_event_renew(enkod_event_t *event,
    const enkod_settings_t *settings);

/* Frees all memory that enkod_event_create() or the event allocated. */
void enkod_event_destroy(enkod_event_t *event);

/*
 * Checks the next "len" bytes of the body, which are not used afterwards.
 * "last" says that no more will follow; it saves work, and may be 0 if that is
 * not known yet.  Returns ENKOD_OK, or the error, after which the event must
 * not be fed any more.
 */
enkod_error_e enkod_event_feed(enkod_event_t *event, const unsigned char *p,
    size_t len, int last);

/* The body is complete.  Returns ENKOD_OK if the event is accepted. */
enkod_error_e enkod_event_finish(enkod_event_t *event);

/* The error that feed() or finish() returned; valid as long as the event. */
const enkod_refusal_t *enkod_event_refusal(const enkod_event_t *event);

/*
 * The following functions are for accepted events, with one exception: the name
 * can be asked for at any time.
 */

/*
 * The event's name with JSON escapes and without quotes; empty if it has not
 * come yet, or if the event is not one that can be accepted.
 */
enkod_str_t enkod_event_name(const enkod_event_t *event);

/* Whether it is one of the deliveries that the vendor's test button sends. */
int enkod_event_test(const enkod_event_t *event);

/*
 * A field of the event's shape: the content of a string with JSON escapes and
 * without quotes, any other value as JSON text; empty if it is null or absent.
 */
enkod_str_t enkod_event_field(const enkod_event_t *event,
    const enkod_field_t *field);

/* The row of the table; NULL for an unknown event that was accepted. */
const enkod_shape_t *enkod_event_shape(const enkod_event_t *event);

/*
 * The event's members as they are in a line, from "event" to the last one,
 * without the closing brace: their length, and a function that writes exactly
 * that many bytes and returns their end.
 */
size_t enkod_event_length(const enkod_event_t *event);
unsigned char *enkod_event_write(const enkod_event_t *event, unsigned char *p);

/*
 * Makes the text that enkod_event_write() has written at p the event's own, and
 * frees the buffer that the event had for it: a large event is not in memory
 * twice.  The caller keeps the text as it is for as long as the event lives.
 */
void enkod_event_borrow_text(enkod_event_t *event, unsigned char *p);


#pragma GCC visibility pop

#endif /* _ENKOD_EVENT_H_INCLUDED_ */
