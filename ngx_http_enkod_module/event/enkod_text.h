
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The JSON text of an event, which is built while yajl reads the body.  Each
 * function adds to event->text and returns 1, or 0 after a refusal.  Internal.
 */


#ifndef _ENKOD_TEXT_H_INCLUDED_
#define _ENKOD_TEXT_H_INCLUDED_


#include "enkod_memory.h"
#include "enkod_state.h"

#pragma GCC visibility push(hidden)


/* Makes room for "len" more bytes; 0 after a refusal. */
#define enkod_text_reserve(event, len)                                        \
    ((event)->text_size - (event)->text_len >= (len)                          \
     || enkod_memory_grow(event, &(event)->text, &(event)->text_size,         \
                          (event)->text_len, (event)->text_len + (len)))


/* A string with quotes and escapes, unless the member is not kept. */
int enkod_text_escape(enkod_event_t *event, const unsigned char *p,
    size_t len);


/* Bytes as they are. */

static inline int
enkod_text_append(enkod_event_t *event, const void *p, size_t len)
{
    if (!enkod_text_reserve(event, len)) {
        return 0;
    }

    enkod_bytes_copy(event->text + event->text_len, p, len);
    event->text_len += len;

    return 1;
}


/* Bytes as they are, unless the member is not kept. */

static inline int
enkod_text_add(enkod_event_t *event, const void *p, size_t len)
{
    return event->skip_value ? 1 : enkod_text_append(event, p, len);
}


/*
 * A string that yajl has passed to a callback.  If it had no escapes, yajl
 * passes a pointer into the chunk: then the string can be copied together with
 * its quotes, unless the guard has seen a character that must be escaped.
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

#endif /* _ENKOD_TEXT_H_INCLUDED_ */
