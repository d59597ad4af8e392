
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * One line of a file.
 */


#ifndef _CHECK_LINE_H_INCLUDED_
#define _CHECK_LINE_H_INCLUDED_


#include <sys/types.h>

#include "check_core.h"
#include "check_verdict.h"


/*
 * Sets the verdict on a line without its line feed, which begins at "base" in
 * its file.
 */
void check_line(check_core_t *core, const unsigned char *p, size_t len,
    off_t base, check_verdict_t *verdict);


#endif /* _CHECK_LINE_H_INCLUDED_ */
