
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The event core (enkod_event.h), as this command uses it: one event at a time
 * is checked and written again.  Without memory the process exits.
 */


#ifndef _CHECK_CORE_H_INCLUDED_
#define _CHECK_CORE_H_INCLUDED_


#include "enkod_event.h"
#include "enkod_schema.h"
#include "enkod_str.h"
#include "../lib/tool_buf.h"


typedef struct {
    enkod_mem_t            mem;
    enkod_schema_t         schema;
    enkod_settings_t       settings;
    void                  *block;       /* of the event at hand */
    enkod_event_t         *event;

    tool_buf_t             body;        /* what is given to the core */
    tool_buf_t             output;      /* as the core writes it */
} check_core_t;


/* With core->settings.accept_unknown set, events outside of the schema pass. */
void check_core_init(check_core_t *core);

/*
 * Checks a body.  Returns NULL, or why it is refused, with *ended set if only
 * because it breaks off.  Then core->event, if it is accepted, and the refusal
 * stay until the next call or check_core_done().
 */
const enkod_refusal_t *check_core_event(check_core_t *core,
    const unsigned char *p, size_t len, int *ended);
void check_core_done(check_core_t *core);

/*
 * The members of the event and the closing brace as the core writes them; with
 * "flat", extra members are beside the others.
 */
enkod_str_t check_core_write(check_core_t *core, int flat);

/*
 * Room for a body of "len" bytes, for one that is not in memory as a whole; its
 * content is lost.
 */
unsigned char *check_core_body(check_core_t *core, size_t len);

/* Writes field and type of a refusal, if it has them, to CHECK_TEXT_SIZE. */
void check_core_where(const enkod_refusal_t *refusal, char *text);


#endif /* _CHECK_CORE_H_INCLUDED_ */
