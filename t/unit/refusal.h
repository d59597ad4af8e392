
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * A table of bodies that are refused, and the test of its rows.  A body is
 * given in two parts: the offset of the error is where the second one begins.
 */


#ifndef _ENKOD_UNIT_REFUSAL_H_INCLUDED_
#define _ENKOD_UNIT_REFUSAL_H_INCLUDED_


#include "cuts.h"


typedef struct {
    const char           *title;
    const unit_conf_t    *conf;
    enkod_str_t           before;
    enkod_str_t           after;
    enkod_error_e         code;
    enkod_str_t           field;
    const char           *expected;
} refusal_t;


static inline void
refusal_test(const refusal_t *refusal, size_t n)
{
    enkod_str_t   body;
    unit_setup_t  setup;

    for ( /* void */ ; n; n--, refusal++) {

        body = unit_join(&refusal->before, &refusal->after);

        unit_setup(&setup, refusal->conf);

        tap_ok(unit_refused(&setup, &body, refusal->code, &refusal->field,
                            refusal->expected, refusal->before.len),
               "%s: %s", unit_code(refusal->code), refusal->title);

        unit_teardown(&setup);
        free((void *) body.data);
    }
}


#endif /* _ENKOD_UNIT_REFUSAL_H_INCLUDED_ */
