
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * A line of enkod_reject_log, from "status" on.  Its members are read here;
 * JSON and the way it is written are checked by the event core.
 */


#ifndef _CHECK_REFUSAL_H_INCLUDED_
#define _CHECK_REFUSAL_H_INCLUDED_


#include "check_core.h"
#include "check_reader.h"


/* Returns 1 and the verdict that it is a refusal, or 0 with another verdict. */
int check_refusal(check_reader_t *reader, check_core_t *core);


#endif /* _CHECK_REFUSAL_H_INCLUDED_ */
