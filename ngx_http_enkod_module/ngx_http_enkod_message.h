
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Limits how often a message about the same problem is logged.  A header of its
 * own, which depends on nothing of ours, so that every part can use it.
 */


#ifndef _NGX_HTTP_ENKOD_MESSAGE_H_INCLUDED_
#define _NGX_HTTP_ENKOD_MESSAGE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* seconds between two messages about the same problem */
#define NGX_HTTP_ENKOD_MESSAGE_INTERVAL  60


/*
 * Returns 1 if a message is due; the caller must log it then.  "last" is the
 * time of the last message by the monotonic clock, and must be 0 before the
 * first one.
 */

static ngx_inline ngx_uint_t
ngx_http_enkod_message_due(ngx_msec_t *last)
{
    if (*last
        && ngx_current_msec - *last < NGX_HTTP_ENKOD_MESSAGE_INTERVAL * 1000)
    {
        return 0;
    }

    *last = ngx_current_msec;

    return 1;
}


#endif /* _NGX_HTTP_ENKOD_MESSAGE_H_INCLUDED_ */
