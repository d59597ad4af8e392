
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#include "check_core.h"
#include "check_verdict.h"
#include "enkod_error.h"
#include "enkod_str.h"
#include "../lib/tool_lines.h"
#include "../lib/tool_message.h"
#include "../lib/tool_start.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


static void *check_core_alloc(void *ctx, size_t size);
static void check_core_free(void *ctx, void *p);
static unsigned char *check_core_room(tool_buf_t *buf, size_t size);
static void check_core_no_memory(void);


void
check_core_init(check_core_t *core)
{
    memset(core, 0, sizeof(check_core_t));

    core->mem.alloc = check_core_alloc;
    core->mem.free = check_core_free;

    core->block = malloc(enkod_event_size());

    if (core->block == NULL
        || enkod_schema_init(&core->schema, &core->mem) != 0)
    {
        check_core_no_memory();
    }

    core->settings.schema = &core->schema;
    core->settings.max_size = 2 * TOOL_MAX_LINE;
    core->settings.extra = ENKOD_EXTRA_KEEP;
}


static void *
check_core_alloc(void *ctx, size_t size)
{
    (void) ctx;

    return malloc(size);
}


static void
check_core_free(void *ctx, void *p)
{
    (void) ctx;

    free(p);
}


const enkod_refusal_t *
check_core_event(check_core_t *core, const unsigned char *p, size_t len,
    int *ended)
{
    enkod_error_e  rc;

    check_core_done(core);

    core->event = enkod_event_init(core->block, &core->settings, &core->mem);

    if (core->event == NULL) {
        check_core_no_memory();
    }

    *ended = 0;

    rc = enkod_event_feed(core->event, p, len, 1);

    if (rc == ENKOD_OK) {
        rc = enkod_event_finish(core->event);
        *ended = (rc == ENKOD_INVALID_JSON);
    }

    if (rc == ENKOD_NO_MEMORY) {
        check_core_no_memory();
    }

    return (rc == ENKOD_OK) ? NULL : enkod_event_refusal(core->event);
}


void
check_core_done(check_core_t *core)
{
    if (core->event) {
        enkod_event_destroy(core->event);
        core->event = NULL;
    }
}


enkod_str_t
check_core_write(check_core_t *core, int flat)
{
    size_t          len, name, extra;
    enkod_str_t     text;
    unsigned char  *p, *end;

    len = enkod_event_length(core->event);

    p = check_core_room(&core->output, len + 1);
    end = enkod_event_write(core->event, p);

    name = sizeof("\"event\":\"\"") - 1 + enkod_event_name(core->event).len;

    if (flat && len > name) {

        /* what follows the name is the object of extra members */

        extra = sizeof(ENKOD_EVENT_EXTRA) - 1;

        len -= extra;
        memmove(p + name + 1, p + name + extra, len - name);
        p[name] = ',';

    } else {
        *end = '}';
    }

    text.data = p;
    text.len = len + 1;

    return text;
}


unsigned char *
check_core_body(check_core_t *core, size_t len)
{
    return check_core_room(&core->body, len);
}


static unsigned char *
check_core_room(tool_buf_t *buf, size_t size)
{
    unsigned char  *p;

    p = tool_buf_reserve(buf, size, 0);

    if (p == NULL) {
        exit(TOOL_ERROR);
    }

    return p;
}


static void
check_core_no_memory(void)
{
    tool_error(0, "no memory");
    exit(TOOL_ERROR);
}


void
check_core_where(const enkod_refusal_t *refusal, char *text)
{
    int  n;

    n = 0;
    text[0] = '\0';

    if (refusal->field.len) {
        n = snprintf(text, CHECK_TEXT_SIZE, ", field \"%.*s\"",
                     (int) refusal->field.len,
                     (const char *) refusal->field.data);
    }

    if (refusal->expected && n < CHECK_TEXT_SIZE) {
        (void) snprintf(text + n, CHECK_TEXT_SIZE - n, ", expected: %s",
                        refusal->expected);
    }
}
