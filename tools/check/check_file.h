
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * A file of lines.  It is read once, from its beginning to its end, so it may
 * be large, or a pipe.
 */


#ifndef _CHECK_FILE_H_INCLUDED_
#define _CHECK_FILE_H_INCLUDED_


#include "check_core.h"
#include "check_report.h"


/* Checks a file, and repairs its last line if "repair" is set. */
void check_file(check_core_t *core, check_report_t *report, const char *name,
    int repair);


#endif /* _CHECK_FILE_H_INCLUDED_ */
