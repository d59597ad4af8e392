
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * A line of enkod_reject_log.  Its members are read here; JSON and the way it
 * is written are checked by the event core.
 */


#include "checker_line.h"


static int checker_refusal_code(checker_line_t *line, unsigned status,
    const unsigned char *status_at);
static int checker_refusal_base64(checker_line_t *line,
    const unsigned char *last);


int
checker_refusal_read(checker_t *checker, checker_line_t *line)
{
    int                   base64;
    unsigned              status;
    const unsigned char  *p, *last;

    p = line->p;

    if (line->end - p < 3) {
        return checker_scan_short(line);
    }

    status = checker_line_number(p, 3);

    if (status != 400 && status != 422) {
        return checker_scan_broken(line, p,
                                   "\"status\" is neither 400 nor 422");
    }

    line->p += 3;

    if (!checker_scan_expect(line, ",\"code\":\"", "\"code\"")
        || !checker_refusal_code(line, status, p))
    {
        return 0;
    }

    if (checker_scan_has(line, "\",\"field\":\"")) {

        last = checker_scan_string(line->p, line->end);

        if (last == NULL) {
            return checker_scan_short(line);
        }

        if (*line->p != '/') {
            return checker_scan_broken(line, line->p, "\"field\" is no JSON"
                                       " Pointer to a member");
        }

        line->p = last;
    }

    base64 = checker_scan_has(line, "\",\"body_base64\":\"");

    if (checker_scan_within(line, "\",\"field\":\"")
        || checker_scan_within(line, "\",\"body_base64\":\""))
    {
        return checker_scan_short(line);
    }

    if (!base64
        && !checker_scan_expect(line, "\",\"body\":\"",
                                "\"field\", \"body\" or \"body_base64\""))
    {
        return 0;
    }

    last = checker_scan_string(line->p, line->end);

    if (last == NULL) {
        return checker_scan_short(line);
    }

    if (base64 && !checker_refusal_base64(line, last)) {
        return 0;
    }

    line->p = last;

    if (!checker_scan_expect(line, "\"}", "the end of the line")) {
        return 0;
    }

    if (line->p != line->end) {
        return checker_scan_broken(line, line->p, "something stands behind the"
                                   " body, which is the end of a line");
    }

    /* is it JSON, and written as the module does? */

    p -= sizeof("\"status\":") - 1;

    if (!checker_line_members(checker, line, p, line->end - 1 - p)) {
        return 0;
    }

    line->verdict->kind = CHECKER_IS_REFUSAL;

    return 1;
}


static int
checker_refusal_code(checker_line_t *line, unsigned status,
    const unsigned char *status_at)
{
    size_t                n;
    unsigned              i;
    const unsigned char  *end;
    const enkod_error_t  *error;

    end = checker_scan_string(line->p, line->end);

    if (end == NULL) {
        return checker_scan_short(line);
    }

    n = end - line->p;

    for (i = ENKOD_OK + 1; i < ENKOD_NERRORS; i++) {

        error = enkod_error_get(i);

        if (strlen(error->code) != n || memcmp(error->code, line->p, n) != 0) {
            continue;
        }

        if (error->status != status) {
            return checker_scan_bad(line, status_at, "\"status\" is %u, but"
                                    " that of \"%s\" is %u", status,
                                    error->code, error->status);
        }

        line->verdict->code = i;
        line->p = end;

        return 1;
    }

    return checker_scan_broken(line, line->p, "\"code\" is none of the"
                               " module's");
}


/* RFC 4648, section 4; a body that is not valid UTF-8 is not empty */

static int
checker_refusal_base64(checker_line_t *line, const unsigned char *last)
{
    const unsigned char  *p;

    for (p = line->p; p < last; p++) {

        if (!((*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z')
              || (*p >= '0' && *p <= '9') || *p == '+' || *p == '/'))
        {
            break;
        }
    }

    if (p == line->p
        || (last - line->p) % 4 != 0
        || last - p > 2
        || (p < last && *p != '=')
        || (last - p == 2 && p[1] != '='))
    {
        return checker_scan_broken(line, p, "\"body_base64\" is no base64");
    }

    return 1;
}
