
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The check of an event while yajl reads it.  Internal.
 */


#ifndef _ENKOD_CHECK_H_INCLUDED_
#define _ENKOD_CHECK_H_INCLUDED_


#include <yajl/yajl_parse.h>

#include "enkod_event.h"

#pragma GCC visibility push(hidden)


/* what yajl calls; the context is the event */
extern const yajl_callbacks  enkod_check_callbacks;

/* Whether an accepted event is a delivery of the vendor's test button. */
int enkod_check_test_delivery(const enkod_event_t *event);


#pragma GCC visibility pop

#endif /* _ENKOD_CHECK_H_INCLUDED_ */
