
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Why an event is refused, and where: the code, a JSON Pointer to the member,
 * the type that was expected.  A refusal contains no value of the event, and at
 * most ENKOD_MAX_SHOWN bytes of a member's name.
 */


#include "enkod_refusal.h"
#include "enkod_state.h"


int
enkod_refuse(enkod_event_t *event, enkod_error_e code)
{
    event->refusal.code = code;
    event->refusal.offset = event->fed + yajl_get_bytes_consumed(event->yajl);

    return 0;
}


int
enkod_refuse_member(enkod_event_t *event, enkod_error_e code,
    const enkod_member_t *member, uint32_t element, const char *expected)
{
    size_t          n;
    enkod_str_t     key;
    unsigned char  *p, *last, digits[10];

    key.data = event->text + member->start;
    key.len = member->value - member->start;

    enkod_refuse_field(event, code, &key, expected);

    if (element == ENKOD_NO_ELEMENT) {
        return 0;
    }

    p = event->pointer + event->refusal.field.len;
    last = digits + sizeof(digits);
    n = 0;

    do {
        *--last = '0' + element % 10;
        element /= 10;
        n++;
    } while (element);

    *p = '/';
    memcpy(p + 1, last, n);

    event->refusal.field.len += 1 + n;

    return 0;
}


int
enkod_refuse_field(enkod_event_t *event, enkod_error_e code,
    const enkod_str_t *key, const char *expected)
{
    size_t                i, n, len, unit;
    unsigned char         c, *p;
    const unsigned char  *name;

    name = key->data + sizeof(",\"") - 1;
    len = key->len - (sizeof(",\"\":") - 1);

    p = event->pointer;
    *p++ = '/';

    for (i = 0; i < len; i += unit) {

        c = name[i];

        if (c == '\\') {
            unit = (name[i + 1] == 'u') ? 6 : 2;

        } else {
            unit = (c < 0xc0) ? 1 : (c < 0xe0) ? 2 : (c < 0xf0) ? 3 : 4;
        }

        if (i + unit > ENKOD_MAX_SHOWN) {
            break;
        }

        if (c == '~' || c == '/') {
            /* RFC 6901, section 3 */
            *p++ = '~';
            *p++ = (c == '~') ? '0' : '1';
            continue;
        }

        for (n = 0; n < unit; n++) {
            *p++ = name[i + n];
        }
    }

    event->refusal.field.data = event->pointer;
    event->refusal.field.len = p - event->pointer;
    event->refusal.expected = expected;

    return enkod_refuse(event, code);
}
