
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The members of an event object: which field each of them is, and what the
 * event's name says about them.  Each function returns 1, or 0 after a refusal.
 * Internal.
 */


#ifndef _ENKOD_MEMBER_H_INCLUDED_
#define _ENKOD_MEMBER_H_INCLUDED_


#include "enkod_state.h"

#pragma GCC visibility push(hidden)


/* Begins the member with this name, and ends the one before it. */
int enkod_member_start(enkod_event_t *event, const unsigned char *p,
    size_t len);

/*
 * The event's name, which is the value of the last member: the shape is known,
 * and the members before it are checked.
 */
int enkod_member_name_event(enkod_event_t *event, const unsigned char *p,
    size_t len);

/* Checks those elements of an array that have arrived. */
int enkod_member_check_elements(enkod_event_t *event, enkod_member_t *member,
    const enkod_field_t *field);

/* The event object is closed: ends the last member, checks for missing ones. */
int enkod_member_complete(enkod_event_t *event);


#pragma GCC visibility pop

#endif /* _ENKOD_MEMBER_H_INCLUDED_ */
