
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Members of a line are put together to a body and given to the event core.
 * What the core writes for that has to be, byte for byte, what is in the line.
 *
 * A body has all members on one level, so those of "extra" come after the
 * others.  Depth and number of members are then those of the request, and an
 * event that was accepted is accepted here.
 */


#ifndef _CHECK_CONTENT_H_INCLUDED_
#define _CHECK_CONTENT_H_INCLUDED_


#include "check_core.h"
#include "check_reader.h"


/* a body, and where in the line its bytes come from */

typedef struct {
    unsigned char         *data;
    size_t                 len;

    size_t                 first;   /* place in the line of the body's byte
                                       "skip" */
    size_t                 skip;
    size_t                 cut;     /* bytes of the body before the gap */
    size_t                 gap;     /* bytes of the line that are left out */
} check_content_t;


/* Gives the body to the core; returns 1, or 0 with a verdict. */
int check_content_read(const check_content_t *content, check_reader_t *reader,
    check_core_t *core);

/*
 * Afterwards: whether the core writes the same members, all on one level or, if
 * "content" is NULL, as a line has them, from reader->p to the end of the line.
 */
int check_content_compare(const check_content_t *content,
    check_reader_t *reader, check_core_t *core);

/*
 * Both for members of a line that are not those of an event, which are within
 * braces: to the core they are extra members of an event without a name.
 */
int check_content_members(check_reader_t *reader, check_core_t *core,
    const unsigned char *p, const unsigned char *end);


#endif /* _CHECK_CONTENT_H_INCLUDED_ */
