
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The text of an event: strings in which some characters may need an escape.
 */


#include "enkod_json.h"
#include "enkod_text.h"


int
enkod_text_escape(enkod_event_t *event, const unsigned char *p, size_t len)
{
    size_t          size;
    unsigned char  *text;

    if (event->skip_value) {
        return 1;
    }

    size = enkod_json_escaped_length(p, len);

    if (!enkod_text_reserve(event, size + 2)) {
        return 0;
    }

    text = event->text + event->text_len;

    *text++ = '"';
    text += enkod_json_escape(text, p, len);
    *text = '"';

    event->text_len += size + 2;

    return 1;
}
