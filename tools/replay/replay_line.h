
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * A line is taken apart without being decoded, so that numbers of any length
 * and all escapes go out as they are.
 *
 * What is not a line of the module must not reach a receiver, so all of it has
 * to be JSON and to be written as the module writes: one object, an envelope,
 * no white space, "extra" at the end.  Which fields an event has is not looked
 * at: nginx.conf declares them.
 */


#ifndef _REPLAY_LINE_H_INCLUDED_
#define _REPLAY_LINE_H_INCLUDED_


#include "enkod_str.h"


/* parts of a line, which point into its text */

typedef struct {
    enkod_str_t            text;
    enkod_str_t            time;        /* received_at */
    enkod_str_t            status;      /* pass_status with its comma, if any */
    enkod_str_t            name;        /* of the event, as in JSON */
    enkod_str_t            event;       /* its members, but not "extra" */
    enkod_str_t            extra;       /* the members of "extra", if any */
} replay_line_t;


/*
 * Whether the text is a JSON object.  What is not is a piece of a line, or
 * something else that cannot be an event that was answered with 200.
 */
int replay_line_is_object(const enkod_str_t *text);

/*
 * Finds the parts of a line, which has to be an object.  Returns NULL, or why
 * it is not one that the module writes; line->text is set in any case.
 */
const char *replay_line_read(replay_line_t *line, const enkod_str_t *text);


#endif /* _REPLAY_LINE_H_INCLUDED_ */
