
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * --body: a file that is the body of a webhook.
 */


#ifndef _CHECK_BODY_H_INCLUDED_
#define _CHECK_BODY_H_INCLUDED_


#include "check_core.h"
#include "check_report.h"


/* Reports what the module would answer to it. */
void check_body(check_core_t *core, check_report_t *report, const char *name);


#endif /* _CHECK_BODY_H_INCLUDED_ */
