
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * A line is read strictly: what is not, byte for byte, what the module writes
 * is a defect.
 */


#ifndef _CHECK_PARSE_H_INCLUDED_
#define _CHECK_PARSE_H_INCLUDED_


#include "check_core.h"
#include "check_reader.h"


/*
 * A line from its beginning.  Returns 1 and the verdict that it is an event or
 * a refusal, or 0 with a verdict that has no kind yet.
 */
int check_parse(check_reader_t *reader, check_core_t *core);


#endif /* _CHECK_PARSE_H_INCLUDED_ */
