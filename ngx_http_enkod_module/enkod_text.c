
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The JSON text of the event, as it is kept and written later.
 */


#include "enkod_internal.h"


#define enkod_text_in_chunk(event, p)                                         \
    ((p) >= (event)->chunk && (p) < (event)->chunk + (event)->chunk_len)


int
enkod_text_quote(enkod_event_t *event, const unsigned char *p, size_t len)
{
    int             verbatim;
    size_t          size;
    unsigned char  *text;

    if (event->skip) {
        return 1;
    }

    /*
     * What yajl did not have to decode it gives as it stands in the chunk:
     * there are no escapes in it and no need for any.
     */

    verbatim = enkod_text_in_chunk(event, p);
    size = verbatim ? len : enkod_json_escaped(p, len);

    if (!enkod_text_room(event, size + 2)) {
        return 0;
    }

    text = event->text + event->text_len;
    event->text_len += size + 2;

    *text++ = '"';

    if (verbatim) {
        memcpy(text, p, len);

    } else {
        (void) enkod_json_escape(text, p, len);
    }

    text[size] = '"';

    return 1;
}
