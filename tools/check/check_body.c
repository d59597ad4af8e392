
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#include "check_body.h"
#include "check_open.h"
#include "check_verdict.h"
#include "enkod_error.h"
#include "enkod_event.h"
#include "../lib/tool_buf.h"
#include "../lib/tool_file.h"
#include "../lib/tool_lines.h"
#include "../lib/tool_message.h"

#include <stdio.h>
#include <string.h>


static void check_body_event(check_core_t *core, check_report_t *report,
    const char *name, const tool_buf_t *buf, size_t len);
static void check_body_refused(check_report_t *report, const char *name,
    const enkod_refusal_t *refusal, const unsigned char *p, size_t len);


void
check_body(check_core_t *core, check_report_t *report, const char *name)
{
    int         fd, rc;
    size_t      len;
    tool_buf_t  buf;

    fd = check_open(name);

    if (fd == -1) {
        return;
    }

    memset(&buf, 0, sizeof(tool_buf_t));

    rc = tool_file_load(fd, name, TOOL_MAX_LINE, &buf, &len);

    check_close(fd);

    if (rc == 1) {
        tool_error(0, "\"%s\" is larger than 1 GiB", name);

    } else if (rc == 0) {
        check_body_event(core, report, name, &buf, len);
    }

    tool_buf_free(&buf);
}


static void
check_body_event(check_core_t *core, check_report_t *report, const char *name,
    const tool_buf_t *buf, size_t len)
{
    int                     ended;
    check_verdict_t         verdict;
    const enkod_refusal_t  *refusal;

    report->lines++;

    refusal = check_core_event(core, buf->data, len, &ended);

    if (refusal) {
        check_body_refused(report, name, refusal, buf->data, len);
        return;
    }

    verdict.kind = CHECK_EVENT;
    verdict.name = enkod_event_name(core->event);
    verdict.test = enkod_event_test(core->event);

    check_report_count(report, &verdict);
}


/* with the members of the answer */

static void
check_body_refused(check_report_t *report, const char *name,
    const enkod_refusal_t *refusal, const unsigned char *p, size_t len)
{
    char                  where[CHECK_TEXT_SIZE];
    char                  text[2 * CHECK_TEXT_SIZE];
    size_t                i;
    check_place_t         place;
    const enkod_error_t  *error;

    error = enkod_error_get(refusal->code);

    check_core_where(refusal, where);

    (void) snprintf(text, sizeof(text), "%u %s%s: %s",
                    error->status, error->code, where, error->detail);

    place.name = name;
    place.line = 1;
    place.offset = refusal->offset;

    for (i = 0; i < refusal->offset && i < len; i++) {
        place.line += (p[i] == '\n');
    }

    check_report_defect(report, &place, text);
}
