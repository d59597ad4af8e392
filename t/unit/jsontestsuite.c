
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The JSON Parsing Test Suite: each text as the value of an extra field of a
 * good event, and as a body.  The output of accepted texts is compared with
 * that of the second implementation in oracle.h.
 */


#include "cuts.h"
#include "oracle.h"
#include "jsontestsuite.h"


#define GROUP                                                                 \
    "\"event\":\"mailing group subscribe\",\"email\":\"e\",\"group_id\":4,"   \
    "\"group_name\":\"g\",\"channel\":\"c\""


static const unit_conf_t  keep = { .max_size = 1024 * 1024 };

static const unit_conf_t  drop = {
    .max_size = 1024 * 1024, .extra = ENKOD_EXTRA_DROP
};


/*
 * Cases in which the event core differs from the name of the case: RFC 8259,
 * section 8.1, allows UTF-8 only (the suite was made for RFC 7159).
 */

static const char  *refused[] = {
    "y_string_utf16", "y_string_utf16be", "y_string_utf32", "y_string_utf32be"
};

/*
 * An event must not have a name twice, other objects may: as bodies, these are
 * refused with status 400.
 */

static const char  *duplicates[] = {
    "y_object_duplicated_key", "y_object_duplicated_key_and_value"
};


static void test_value(const unit_setup_t *setup, const unit_setup_t *dropping,
    const char *name, const enkod_str_t *text);
static void test_body(const unit_setup_t *setup, const char *name,
    const enkod_str_t *text);
static enkod_error_e code_of(const unit_setup_t *setup,
    const enkod_str_t *body);
static int is_in(const char *name, const char **names, size_t size);
static enkod_str_t repeat(const char *s, size_t n, const char *tail);


int
main(void)
{
    size_t        i;
    enkod_str_t   text;
    unit_setup_t  setup, dropping;

    unit_setup(&setup, &keep);
    unit_setup(&dropping, &drop);

    for (i = 0; i < sizeof(jsontestsuite) / sizeof(jsontestsuite[0]); i++) {
        test_value(&setup, &dropping, jsontestsuite[i].name,
                   &jsontestsuite[i].text);
        test_body(&setup, jsontestsuite[i].name, &jsontestsuite[i].text);
    }

    text = repeat("[", 100000, "");
    test_value(&setup, &dropping, "n_structure_100000_opening_arrays", &text);
    test_body(&setup, "n_structure_100000_opening_arrays", &text);
    free((void *) text.data);

    text = repeat("[{\"\":", 50000, "\n");
    test_value(&setup, &dropping, "n_structure_open_array_object", &text);
    test_body(&setup, "n_structure_open_array_object", &text);
    free((void *) text.data);

    /* an event has at most 32 levels; "i" allows to refuse 500 */

    text = repeat("[", 500, "");
    test_value(&setup, &dropping, "n_structure_500_nested_arrays", &text);
    test_body(&setup, "n_structure_500_nested_arrays", &text);
    free((void *) text.data);

    unit_teardown(&dropping);
    unit_teardown(&setup);

    return tap_done();
}


static void
test_value(const unit_setup_t *setup, const unit_setup_t *dropping,
    const char *name, const enkod_str_t *text)
{
    int             ok, accept;
    size_t          len;
    unsigned        deepest;
    enkod_str_t     body, head, start, line;
    unit_result_t   whole;
    unsigned char  *json;

    static const enkod_str_t  before = S("{" GROUP ",\"x\":");
    static const enkod_str_t  after = S("}");
    static const enkod_str_t  line_before = S(GROUP ",\"extra\":{\"x\":");

    head = unit_join(&before, text);
    body = unit_join(&head, &after);

    json = malloc(6 * text->len + 8);
    if (json == NULL) {
        abort();
    }

    /* the oracle is recursive, so not for a giant */

    accept = text->len < 1024 && oracle_json(text, json, &len, &deepest);

    ok = unit_cut_everywhere(setup, &body, &whole);

    if (name[0] == 'y' && !is_in(name, refused, sizeof(refused))) {

        if (!accept) {
            tap_diag("the second opinion is to refuse it");
            ok = 0;
        }

    } else if (name[0] != 'i' && accept) {
        tap_diag("the second opinion is to accept it");
        ok = 0;
    }

    if (accept) {
        line.data = json;
        line.len = len;

        start = unit_join(&line_before, &line);
        line = unit_join(&start, &after);

        if (whole.code != ENKOD_OK
            || whole.line_len != line.len
            || memcmp(whole.line, line.data, line.len) != 0)
        {
            tap_diag_bytes("must be accepted with line", line.data, line.len);
            ok = 0;
        }

        free((void *) start.data);
        free((void *) line.data);

    } else if (whole.code == ENKOD_OK
               || enkod_error_get(whole.code)->status != 400)
    {
        tap_diag("must be refused with status 400");
        ok = 0;
    }

    if (whole.code != code_of(dropping, &body)) {
        tap_diag("dropped extra fields are checked in another way: %s",
                 unit_code(code_of(dropping, &body)));
        ok = 0;
    }

    if (!ok) {
        unit_diag_result("is", &whole);
        tap_diag_bytes("body", body.data, body.len);
    }

    tap_ok(ok, "the value %s is %s", name, accept ? "accepted" : "refused");

    unit_result_free(&whole);
    free(json);
    free((void *) head.data);
    free((void *) body.data);
}


static void
test_body(const unit_setup_t *setup, const char *name,
    const enkod_str_t *text)
{
    int            ok;
    unsigned       status;
    unit_result_t  whole;

    ok = unit_cut_everywhere(setup, text, &whole);

    /* checking stops at the first byte that decides, so "n" may be either */

    status = (whole.code == ENKOD_OK) ? 200
                                      : enkod_error_get(whole.code)->status;

    if (is_in(name, refused, sizeof(refused))
        || is_in(name, duplicates, sizeof(duplicates)))
    {
        ok = ok && status == 400;

    } else if (name[0] == 'y') {
        ok = ok && status == 422;

    } else {
        ok = ok && (status == 400 || status == 422);
    }

    if (!ok) {
        unit_diag_result("is", &whole);
        tap_diag_bytes("body", text->data, text->len);
    }

    tap_ok(ok, "the body %s is not an event: %s", name, unit_code(whole.code));

    unit_result_free(&whole);
}


static enkod_error_e
code_of(const unit_setup_t *setup, const enkod_str_t *body)
{
    unit_memory_t   memory;
    unit_result_t   result;
    enkod_event_t  *event;

    unit_memory_init(&memory);

    event = unit_run(&result, &setup->settings, &memory.mem, body, body->len,
                     1, UNIT_LAST);

    enkod_event_destroy(event);
    unit_result_free(&result);
    unit_memory_release(&memory);

    return result.code;
}


/* "size" is that of the array, in bytes. */

static int
is_in(const char *name, const char **names, size_t size)
{
    size_t  i;

    for (i = 0; i < size / sizeof(names[0]); i++) {
        if (strcmp(name, names[i]) == 0) {
            return 1;
        }
    }

    return 0;
}


static enkod_str_t
repeat(const char *s, size_t n, const char *tail)
{
    enkod_str_t     text;
    unsigned char  *p;

    p = malloc(n * strlen(s) + strlen(tail));
    if (p == NULL) {
        abort();
    }

    text.data = p;

    while (n--) {
        memcpy(p, s, strlen(s));
        p += strlen(s);
    }

    memcpy(p, tail, strlen(tail));

    text.len = p + strlen(tail) - text.data;

    return text;
}
