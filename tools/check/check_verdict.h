
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * What a line, or a body, turned out to be.
 */


#ifndef _CHECK_VERDICT_H_INCLUDED_
#define _CHECK_VERDICT_H_INCLUDED_


#include "enkod_error.h"
#include "enkod_str.h"


/* of the text of a defect, which may contain the name of a member */
#define CHECK_TEXT_SIZE       1024


typedef enum {
    CHECK_EVENT = 0,
    CHECK_REFUSAL,
    CHECK_EMPTY,
    CHECK_PIECE,                    /* of a line, and nothing else */
    CHECK_DEFECT
} check_kind_e;


typedef struct {
    check_kind_e           kind;

    enkod_str_t            name;    /* of the event, as in JSON, until the
                                       next one is checked */
    enkod_error_e          code;    /* of a refusal */
    unsigned               test:1;

    /* of a piece or a defect */

    unsigned               malformed:1; /* perhaps not a line, or several */
    unsigned               piece:1;     /* the line breaks off */
    size_t                 whole;       /* offset of a whole line that follows
                                           a piece, or 0 */
    size_t                 offset;      /* in the line */
    char                   text[CHECK_TEXT_SIZE];
} check_verdict_t;


#endif /* _CHECK_VERDICT_H_INCLUDED_ */
