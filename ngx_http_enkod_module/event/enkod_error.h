
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * All reasons for which an event is not accepted, in one enum, and a table of
 * what the sender is told: the code, the HTTP status and a sentence.  The event
 * core returns most of these errors; the others are those of the web server,
 * and are here so that there is one list.
 */


#ifndef _ENKOD_ERROR_H_INCLUDED_
#define _ENKOD_ERROR_H_INCLUDED_

/*
 * In every header of the module: its functions are called from within its
 * shared object only, so they need no PLT entry and no name outside.
 */
#pragma GCC visibility push(hidden)


typedef enum {
    ENKOD_OK = 0,

    /* the body is not JSON as defined in RFC 8259, or exceeds a limit */
    ENKOD_EMPTY_BODY,
    ENKOD_INVALID_JSON,
    ENKOD_INVALID_UTF8,
    ENKOD_LONE_SURROGATE,
    ENKOD_DUPLICATE_FIELD,
    ENKOD_TOO_DEEP,
    ENKOD_TOO_MANY_FIELDS,

    /* the request is refused before its body is checked */
    ENKOD_FORBIDDEN,
    ENKOD_METHOD_NOT_ALLOWED,
    ENKOD_TOO_LARGE,
    ENKOD_UNSUPPORTED_ENCODING,

    /* the body is JSON, but not an event that is accepted */
    ENKOD_NOT_OBJECT,
    ENKOD_MISSING_EVENT,
    ENKOD_UNKNOWN_EVENT,
    ENKOD_EVENT_NOT_ALLOWED,
    ENKOD_MISSING_FIELD,
    ENKOD_WRONG_TYPE,
    ENKOD_UNKNOWN_FIELD,

    /* the event is valid, but cannot be stored or passed on */
    ENKOD_LOG_UNAVAILABLE,
    ENKOD_UPSTREAM_FAILED,
    ENKOD_UPSTREAM_TIMEOUT,
    ENKOD_UPSTREAM_BUSY,
    ENKOD_NO_MEMORY,

    ENKOD_NERRORS
} enkod_error_e;


typedef struct {
    const char    *code;        /* as in the "code" member of the answer */
    unsigned       status;      /* HTTP status */
    const char    *detail;      /* what the sender should change */
} enkod_error_t;


/* The row of the table; "error" is not ENKOD_OK. */
const enkod_error_t *enkod_error_get(enkod_error_e error);


#pragma GCC visibility pop

#endif /* _ENKOD_ERROR_H_INCLUDED_ */
