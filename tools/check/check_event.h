
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * A line of enkod_log or enkod_spool, from "event" on.
 */


#ifndef _CHECK_EVENT_H_INCLUDED_
#define _CHECK_EVENT_H_INCLUDED_


#include "check_core.h"
#include "check_reader.h"


/*
 * "test" is whether the line is marked as a test delivery, at "test_at", where
 * that mark would be otherwise.  Returns 1 and the verdict that it is an event,
 * or 0 with another verdict.
 */
int check_event(check_reader_t *reader, check_core_t *core, int test,
    const unsigned char *test_at);


#endif /* _CHECK_EVENT_H_INCLUDED_ */
