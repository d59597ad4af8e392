
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Sets why an event is refused.  Each function returns 0, as a callback of yajl
 * does to stop it; the offset is the one that yajl has reached.  Internal.
 */


#ifndef _ENKOD_REFUSAL_H_INCLUDED_
#define _ENKOD_REFUSAL_H_INCLUDED_


#include "enkod_state.h"

#pragma GCC visibility push(hidden)


int enkod_refuse(enkod_event_t *event, enkod_error_e code);

/* "element" is an index in the member's array, or ENKOD_NO_ELEMENT. */
int enkod_refuse_member(enkod_event_t *event, enkod_error_e code,
    const enkod_member_t *member, uint32_t element, const char *expected);

/* "key" is ,"name": with JSON's escapes, which the pointer keeps. */
int enkod_refuse_field(enkod_event_t *event, enkod_error_e code,
    const enkod_str_t *key, const char *expected);


#pragma GCC visibility pop

#endif /* _ENKOD_REFUSAL_H_INCLUDED_ */
