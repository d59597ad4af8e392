
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * One body, fed to the event core in every way it can be cut: in two at every
 * byte, and in pieces of 1 to 31 bytes; the end is announced with the last
 * piece, with an empty piece after it, or by finish() alone.  The verdict, the
 * offset of the error and the bytes of the text must always be the same.
 */


#ifndef _ENKOD_UNIT_CUTS_H_INCLUDED_
#define _ENKOD_UNIT_CUTS_H_INCLUDED_


#include "unit.h"


/* Cuts the body in one way; returns 1 if the result is that of "whole". */

static inline int
unit_cut(const unit_setup_t *setup, const enkod_str_t *body,
    const unit_result_t *whole, size_t first, size_t size, unit_end_e end)
{
    int             same;
    unit_memory_t   memory;
    unit_result_t   result;
    enkod_event_t  *event;

    static const char  *ends[UNIT_NENDS] = {
        "announced with the last piece", "announced with an empty piece",
        "not announced before finish()"
    };

    unit_memory_init(&memory);

    event = unit_run(&result, &setup->settings, &memory.mem, body, first, size,
                     end);

    enkod_event_destroy(event);

    same = unit_same(&result, whole) && memory.live == 0;

    if (!same) {
        tap_diag("cut after %lu bytes, then every %lu; the end is %s; "
                 "%lu bytes are not freed", (unsigned long) first,
                 (unsigned long) size, ends[end],
                 (unsigned long) memory.live);
        unit_diag_result("whole", whole);
        unit_diag_result("cut  ", &result);
    }

    unit_result_free(&result);
    unit_memory_release(&memory);

    return same;
}


/*
 * Cuts the body in all ways; a large body in fewer places.  Returns 1 if all
 * results are the same; "whole" is that of the body in one piece.
 */

static inline int
unit_cut_everywhere(const unit_setup_t *setup, const enkod_str_t *body,
    unit_result_t *whole)
{
    int             ok;
    size_t          i, step;
    unit_end_e      end;
    unit_memory_t   memory;
    enkod_event_t  *event;

    static const size_t  sizes[] = { 1, 7, 31, 1000, 4096 };

    unit_memory_init(&memory);

    event = unit_run(whole, &setup->settings, &memory.mem, body, body->len,
                     1, UNIT_LAST);

    enkod_event_destroy(event);

    ok = (memory.live == 0 && whole->length == whole->line_len);

    if (!ok) {
        tap_diag("%lu bytes are not freed, enkod_event_length() is %lu",
                 (unsigned long) memory.live, (unsigned long) whole->length);
        unit_diag_result("whole", whole);
    }

    unit_memory_release(&memory);

    step = (body->len > 2048) ? body->len / 64 : 1;

    for (end = 0; end < UNIT_NENDS; end++) {

        for (i = 0; i <= body->len && ok; i += step) {
            ok = unit_cut(setup, body, whole, i, body->len, end);
        }

        if (body->len > 2048) {

            for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]) && ok; i++) {
                ok = unit_cut(setup, body, whole, sizes[i], sizes[i],
                                     end);
            }

            continue;
        }

        for (i = 1; i <= 31 && ok; i++) {
            ok = unit_cut(setup, body, whole, i, i, end);
        }
    }

    return ok;
}


/*
 * A body that must be accepted, with that text in the line, and one that must
 * be refused; both are cut in all ways.  Return 1, or 0 and print a diagnosis.
 */

static inline int
unit_accepted(const unit_setup_t *setup, const enkod_str_t *body,
    const enkod_str_t *line, int test)
{
    int            ok;
    unit_result_t  whole;

    ok = unit_cut_everywhere(setup, body, &whole);

    if (whole.code != ENKOD_OK || whole.test != test
        || whole.line_len != line->len
        || memcmp(whole.line, line->data, line->len) != 0)
    {
        unit_diag_result("is", &whole);
        tap_diag_bytes("must be accepted with line", line->data, line->len);
        tap_diag("test %d, must be %d", whole.test, test);
        ok = 0;
    }

    if (!ok) {
        tap_diag_bytes("body", body->data, body->len);
    }

    unit_result_free(&whole);

    return ok;
}


static inline int
unit_refused(const unit_setup_t *setup, const enkod_str_t *body,
    enkod_error_e code, const enkod_str_t *field, const char *expected,
    size_t offset)
{
    int            ok;
    unit_result_t  whole, must;

    ok = unit_cut_everywhere(setup, body, &whole);

    memset(&must, 0, sizeof(unit_result_t));

    must.code = code;
    must.offset = offset;
    must.expected = expected;
    must.field_len = field->len;

    if (field->len) {
        memcpy(must.field, field->data, field->len);
    }

    if (!unit_same(&whole, &must)) {
        unit_diag_result("is     ", &whole);
        unit_diag_result("must be", &must);
        ok = 0;
    }

    if (!ok) {
        tap_diag_bytes("body", body->data, body->len);
    }

    unit_result_free(&whole);

    return ok;
}


#endif /* _ENKOD_UNIT_CUTS_H_INCLUDED_ */
