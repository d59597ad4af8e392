
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#include "check_content.h"
#include "check_verdict.h"
#include "enkod_error.h"
#include "enkod_event.h"
#include "enkod_str.h"

#include <string.h>


/* the beginning of a body that has only extra members */
#define CHECK_NO_NAME         "{\"event\":\"\","


static size_t check_content_place(const check_content_t *content,
    size_t offset);


int
check_content_members(check_reader_t *reader, check_core_t *core,
    const unsigned char *p, const unsigned char *end)
{
    size_t           len;
    check_content_t  content;

    len = end - p;

    content.first = p - reader->start;
    content.skip = sizeof(CHECK_NO_NAME) - 1;
    content.gap = 0;
    content.cut = 0;

    content.len = content.skip + len + 1;
    content.data = check_core_body(core, content.len);

    memcpy(content.data, CHECK_NO_NAME, content.skip);
    memcpy(content.data + content.skip, p, len);
    content.data[content.skip + len] = '}';

    return check_content_read(&content, reader, core)
           && check_content_compare(&content, reader, core);
}


int
check_content_read(const check_content_t *content, check_reader_t *reader,
    check_core_t *core)
{
    int                     ended;
    char                    where[CHECK_TEXT_SIZE];
    const char             *sentence;
    const unsigned char    *p;
    const enkod_refusal_t  *refusal;

    refusal = check_core_event(core, content->data, content->len, &ended);

    if (refusal == NULL) {
        return 1;
    }

    if (ended) {
        return check_reader_short(reader);
    }

    p = reader->start + check_content_place(content, refusal->offset);

    switch (refusal->code) {

    case ENKOD_INVALID_JSON:
        sentence = "this, or what is just before it, is not JSON";
        break;

    case ENKOD_INVALID_UTF8:
        sentence = "this is not UTF-8";
        break;

    case ENKOD_LONE_SURROGATE:
        sentence = "there is half of a surrogate pair before this";
        break;

    default:
        sentence = "the module does not accept this event";
    }

    check_core_where(refusal, where);

    return check_reader_malformed(reader, p, "%s: %s%s",
                                  enkod_error_get(refusal->code)->code,
                                  sentence, where);
}


int
check_content_compare(const check_content_t *content, check_reader_t *reader,
    check_core_t *core)
{
    size_t                n, len;
    enkod_str_t           text;
    const unsigned char  *p;

    text = check_core_write(core, content != NULL);

    if (content) {
        /* without the opening brace */
        p = content->data + 1;
        len = content->len - 1;

    } else {
        p = reader->p;
        len = reader->end - reader->p;
    }

    if (text.len == len && memcmp(text.data, p, len) == 0) {
        return 1;
    }

    for (n = 0; n < len && n < text.len && p[n] == text.data[n]; n++) {
        /* void */
    }

    p = content ? reader->start + check_content_place(content, 1 + n) : p + n;

    return check_reader_wrong(reader, p, "the module writes the same event"
                              " differently from here on");
}


/* the place in the line of a byte of the body */

static size_t
check_content_place(const check_content_t *content, size_t offset)
{
    if (content->gap && offset > content->cut) {
        offset += content->gap;
    }

    return content->first
           + (offset > content->skip ? offset - content->skip : 0);
}
