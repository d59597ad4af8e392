
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#include "check_line.h"
#include "check_damage.h"
#include "check_parse.h"
#include "check_reader.h"


void
check_line(check_core_t *core, const unsigned char *p, size_t len, off_t base,
    check_verdict_t *verdict)
{
    check_reader_t  reader;

    if (len == 0) {
        verdict->kind = CHECK_EMPTY;
        return;
    }

    check_reader_init(&reader, p, len, verdict);

    if (check_parse(&reader, core)) {
        return;
    }

    if (verdict->malformed) {
        check_damage(&reader, core, base);
    }

    verdict->kind = verdict->piece ? CHECK_PIECE : CHECK_DEFECT;
}
