
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * What is not a line often is what a crash leaves behind: NUL bytes where a
 * file system had no data yet, or a piece of a line with another line after
 * it.  That says more than the byte at which it was noticed.
 */


#ifndef _CHECK_EXPLAIN_H_INCLUDED_
#define _CHECK_EXPLAIN_H_INCLUDED_


#include <sys/types.h>

#include "check_core.h"
#include "check_reader.h"


/*
 * A better verdict on a line that is malformed and begins at "base" in its
 * file, if there is one.
 */
void check_explain(check_reader_t *reader, check_core_t *core, off_t base);


#endif /* _CHECK_EXPLAIN_H_INCLUDED_ */
