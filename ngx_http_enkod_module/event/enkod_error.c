
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * What the sender is told: the table of errors.
 */


#include <stddef.h>

#include "enkod_error.h"


static const enkod_error_t  enkod_errors[ENKOD_NERRORS] = {

    [ENKOD_EMPTY_BODY] = { "empty_body", 400,
        "The request has no body; POST one JSON object per event." },

    [ENKOD_INVALID_JSON] = { "invalid_json", 400,
        "The body is not valid JSON (RFC 8259) at the byte at \"offset\" or"
        " just before it; send one complete JSON object and nothing else." },

    [ENKOD_INVALID_UTF8] = { "invalid_utf8", 400,
        "The body is not valid UTF-8 at the byte at \"offset\";"
        " encode it as UTF-8." },

    [ENKOD_LONE_SURROGATE] = { "lone_surrogate", 400,
        "A \\uD800-\\uDFFF escape is without the other half of its"
        " surrogate pair before the byte at \"offset\"; send both halves." },

    [ENKOD_DUPLICATE_FIELD] = { "duplicate_field", 400,
        "The event has the member named in \"field\" twice;"
        " send each member once." },

    [ENKOD_TOO_DEEP] = { "too_deep", 400,
        "Arrays and objects are nested more than 32 levels deep;"
        " send a flatter event." },

    [ENKOD_TOO_MANY_FIELDS] = { "too_many_fields", 400,
        "The event has more than 64 members; send fewer." },

    [ENKOD_FORBIDDEN] = { "forbidden", 403,
        "The token of this URL is missing or wrong;"
        " enter the URL exactly as the receiver gave it to you." },

    [ENKOD_METHOD_NOT_ALLOWED] = { "method_not_allowed", 405,
        "Send events with POST; GET and HEAD only check"
        " that the receiver is available." },

    [ENKOD_TOO_LARGE] = { "too_large", 413,
        "The body is larger than this receiver accepts for one event;"
        " send a smaller one." },

    [ENKOD_UNSUPPORTED_ENCODING] = { "unsupported_encoding", 415,
        "The body has a Content-Encoding; send it uncompressed." },

    [ENKOD_NOT_OBJECT] = { "not_object", 422,
        "The body is JSON, but not an object;"
        " send one JSON object per event." },

    [ENKOD_MISSING_EVENT] = { "missing_event", 422,
        "The member \"event\" is absent or not a string;"
        " it has to name the event." },

    [ENKOD_UNKNOWN_EVENT] = { "unknown_event", 422,
        "This receiver does not know an event of that name; check the name,"
        " or have the event declared at the receiver." },

    [ENKOD_EVENT_NOT_ALLOWED] = { "event_not_allowed", 422,
        "This URL does not accept events of that name;"
        " send them to the URL that does." },

    [ENKOD_MISSING_FIELD] = { "missing_field", 422,
        "The event lacks the member named in \"field\"; send it"
        " with a value of the type named in \"expected\"." },

    [ENKOD_WRONG_TYPE] = { "wrong_type", 422,
        "The value at \"field\" is not of the type named in \"expected\";"
        " send a value of that type." },

    [ENKOD_UNKNOWN_FIELD] = { "unknown_field", 422,
        "The member named in \"field\" does not belong to this event;"
        " leave it out, or have it declared at the receiver." },

    [ENKOD_LOG_UNAVAILABLE] = { "log_unavailable", 503,
        "The event is valid but could not be stored;"
        " send it again later." },

    [ENKOD_UPSTREAM_FAILED] = { "upstream_failed", 502,
        "The event is valid but could not be passed on;"
        " send it again later." },

    [ENKOD_UPSTREAM_TIMEOUT] = { "upstream_timeout", 504,
        "The event is valid, but it was not confirmed in time that it had"
        " been passed on; send it again later." },

    [ENKOD_UPSTREAM_BUSY] = { "upstream_busy", 503,
        "The event is valid but cannot be passed on at present; send it again"
        " after the time that Retry-After names." },

    [ENKOD_NO_MEMORY] = { "no_memory", 500,
        "There was not enough memory to check the event;"
        " send it again later." }
};


const enkod_error_t *
enkod_error_get(enkod_error_e error)
{
    return &enkod_errors[error];
}
