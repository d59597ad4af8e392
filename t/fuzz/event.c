
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The event core is given a body and settings.  The verdict and the text do not
 * depend on how the body is cut.  If the event is refused, no byte after the
 * one that decided it matters.  If it is accepted, the text is compact JSON
 * with the fields in the order of the table, does not change when it is
 * borrowed, and is itself accepted as an event with the same text.  Without
 * memory the event is refused.  All memory is always freed.
 *
 * The first bytes of an input are the settings (input_t), the rest is the body.
 */


#include <ctype.h>

#include "fuzz.h"
#include "text.h"
#include "../unit/unit.h"


#define NCUTS  4


typedef struct {
    unsigned char   flags;          /* the bits below */
    unsigned char   max_size;       /* of the body; 0: 64k */
    unsigned char   fail_at;        /* the allocation that fails; 0: none */
    unsigned char   behind;         /* a byte to put after a refused one */
    unsigned char   cuts[NCUTS];    /* sizes of pieces; the last one is
                                       repeated, and 0 there is all the rest */
} input_t;

#define FLAG_EXTRA      0x03        /* of enkod_extra_e */
#define FLAG_UNKNOWN    0x04
#define FLAG_EVENTS     0x08
#define FLAG_DECLARED   0x10
#define FLAG_END        0x60        /* of unit_end_e */
#define FLAG_BLOCK      0x80        /* the event is in the caller's memory */


static const unit_setup_t *setup_get(int with_declared);
static void check_whole(unit_result_t *must, const enkod_settings_t *settings,
    const enkod_str_t *body);
static void check_borrowed(enkod_event_t *event, unsigned char *text,
    size_t len);
static void check_cut(const unit_result_t *must,
    const enkod_settings_t *settings, const enkod_str_t *body,
    const input_t *input, unsigned fail_at);
static enkod_event_t *renewed(void *block, const enkod_settings_t *settings,
    unit_memory_t *memory, const enkod_str_t *body, const input_t *input);
static enkod_error_e feed(enkod_event_t *event, const enkod_str_t *body,
    const input_t *input);
static void check_behind(const unit_result_t *must,
    const enkod_settings_t *settings, const enkod_str_t *body,
    const input_t *input);
static size_t token_end(const enkod_str_t *body, size_t at);
static int is_word(unsigned char c);
static void check_again(const unit_result_t *must,
    const enkod_settings_t *body_settings);
static void finish(enkod_event_t *event, unit_memory_t *memory);
static void must_be(const char *what, const unit_result_t *must,
    unit_result_t *result);


/* every type, and another declaration of a built-in event */

static const unit_conf_t  declared = {
    .shapes = {
        { "t", "s=string", "i=integer?", "n=number?", "b=boolean?",
          "ss=strings?", "ii=integers?", "a=any?" },
        { "\xd1\x81\xd0\xbe", "\xd1\x81=string?", "\"=any", "s=integer?" },
        { "message open", "name=any", "message_uid=string?", "to=strings?" }
    },
    .events = { "\xd1\x82", "complaint", "contact adding", "message open" }
};


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t               n;
    input_t              input;
    enkod_str_t          body;
    unit_result_t        must;
    enkod_settings_t     settings;
    const unit_setup_t  *setup;

    n = (size < sizeof(input_t)) ? size : sizeof(input_t);

    memset(&input, 0, sizeof(input_t));
    memcpy(&input, data, n);

    body.data = data + n;
    body.len = size - n;

    setup = setup_get(input.flags & FLAG_DECLARED);

    settings = setup->settings;
    settings.extra = (input.flags & FLAG_EXTRA) % (ENKOD_EXTRA_REJECT + 1);
    settings.accept_unknown = (input.flags & FLAG_UNKNOWN) != 0;

    if (!(input.flags & FLAG_EVENTS)) {
        settings.events = NULL;
        settings.nevents = 0;
    }

    if (input.max_size) {
        settings.max_size = input.max_size;
    }

    check_whole(&must, &settings, &body);
    check_cut(&must, &settings, &body, &input, 0);

    if (input.fail_at) {
        check_cut(&must, &settings, &body, &input, input.fail_at);
    }

    if (must.code != ENKOD_OK) {
        check_behind(&must, &settings, &body, &input);

    } else {
        check_again(&must, &settings);
    }

    unit_result_free(&must);

    return 0;
}


/* The tables are filled once. */

static const unit_setup_t *
setup_get(int with_declared)
{
    static int           done;
    static unit_setup_t  builtin, with;

    if (!done) {
        unit_setup(&with, &declared);
        unit_setup(&builtin, NULL);

        builtin.settings.events = with.settings.events;
        builtin.settings.nevents = with.settings.nevents;

        done = 1;
    }

    return with_declared ? &with : &builtin;
}


static void
check_whole(unit_result_t *must, const enkod_settings_t *settings,
    const enkod_str_t *body)
{
    enkod_str_t     name, line;
    unit_memory_t   memory;
    enkod_event_t  *event;
    unsigned char  *text;

    unit_memory_init(&memory);

    event = unit_run(must, settings, &memory.mem, body, body->len, 1,
                     UNIT_LAST);

    /* the name is also known of a refused event */

    name = enkod_event_name(event);

    text_check_line(&name);
    text_check_line(&enkod_event_refusal(event)->field);

    text = NULL;

    if (must->code == ENKOD_OK) {
        fuzz_must(must->length == must->line_len, "the length is the text's");

        line.data = must->line;
        line.len = must->line_len;
        text_check_line(&line);

        text_check(event, must->line, must->line_len);

        text = fuzz_alloc(must->line_len);
        check_borrowed(event, text, must->line_len);

    } else {
        fuzz_must(must->offset <= body->len, "the offset is in the body");
    }

    finish(event, &memory);
    free(text);
}


/* As the line is used: it is written, and the event borrows its text. */

static void
check_borrowed(enkod_event_t *event, unsigned char *text, size_t len)
{
    unsigned char  *again;

    (void) enkod_event_write(event, text);
    enkod_event_borrow_text(event, text);

    text_check(event, text, len);

    again = fuzz_alloc(len);

    fuzz_must(enkod_event_length(event) == len
              && enkod_event_write(event, again) == again + len
              && memcmp(text, again, len) == 0,
              "the text is the same once it is borrowed");

    free(again);
}


static void
check_cut(const unit_result_t *must, const enkod_settings_t *settings,
    const enkod_str_t *body, const input_t *input, unsigned fail_at)
{
    void           *block;
    size_t          i, size;
    unit_memory_t   memory;
    unit_result_t   result;
    enkod_event_t  *event;

    unit_memory_init(&memory);
    memory.fail_at = fail_at;

    block = NULL;

    if (input->flags & FLAG_BLOCK) {
        block = fuzz_alloc(enkod_event_size());
        event = renewed(block, settings, &memory, body, input);

    } else {
        event = enkod_event_create(settings, &memory.mem);
    }

    if (event == NULL) {
        fuzz_must(memory.failed, "an event is created if there is memory");

    } else {
        unit_record(&result, event, feed(event, body, input));

        if (!memory.failed) {
            must_be("cut", must, &result);

        } else if (result.code != ENKOD_NO_MEMORY) {

            /* a body that breaks off is refused in any case */

            fuzz_must(result.code != ENKOD_OK,
                      "an event is refused without memory");
            must_be("without memory", must, &result);
        }

        for (i = 0, size = body->len; i < body->len; i++) {
            size += unit_growth(body->data, i);
        }

        fuzz_must(memory.peak <= 8192 + size * 9 / 2,
                  "there is at most as much memory as enkod_event.h says");

        unit_result_free(&result);
        finish(event, &memory);
    }

    free(block);
}


/*
 * The event is made in the block of another one that had other settings: one of
 * these, or the beginning of this event.
 */

static enkod_event_t *
renewed(void *block, const enkod_settings_t *settings, unit_memory_t *memory,
    const enkod_str_t *body, const input_t *input)
{
    size_t             cut;
    enkod_str_t        other;
    enkod_event_t     *event;
    enkod_settings_t   before;

    static const enkod_str_t  others[] = {

        /* all fields in the table's order */
        enkod_string("{\"event\":\"message clicked\",\"message_id\":4,"
                     "\"message_uid\":\"0123456789_012_012_01234\","
                     "\"sending_type\":\"s\",\"name\":\"n\",\"from\":\"f\","
                     "\"to\":\"t\",\"click_url\":\"u\"}"),

        /* the name last, many members, escapes, levels */
        enkod_string("{\"a\":[null,[{\"b\":\"\\n\"}]],\"b\":0,\"c\":0,\"d\":0,"
                     "\"e\":0,\"f\":0,\"g\":0,\"h\":0,\"groups_ids\":[1],"
                     "\"groups_names\":[\"\\u0041\"],\"email\":null,"
                     "\"phone\":\"1\",\"event\":\"contact adding\"}"),

        /* refused */
        enkod_string("{\"event\":\"complaint\",\"message_id\":\"4\"")
    };

    before = setup_get(input->cuts[0] & 1)->settings;
    before.extra = (settings->extra + 1) % (ENKOD_EXTRA_REJECT + 1);
    before.accept_unknown = !settings->accept_unknown;

    event = enkod_event_init(block, &before, &memory->mem);
    if (event == NULL) {
        return NULL;
    }

    cut = input->cuts[1] % 4;
    other = (cut < 3) ? others[cut] : *body;

    if (cut == 3 && other.len > input->cuts[0]) {
        other.len = input->cuts[0];
    }

    if (enkod_event_feed(event, other.data, other.len, 0) == ENKOD_OK) {
        (void) enkod_event_finish(event);
    }

    finish(event, memory);

    memory->failed = 0;

    return enkod_event_renew(event, settings);
}


/* A piece is memory of its own, which is freed when feed() returns. */

static enkod_error_e
feed(enkod_event_t *event, const enkod_str_t *body, const input_t *input)
{
    size_t          n, pos;
    unsigned        i, how;
    enkod_error_e   code;
    unsigned char  *piece;

    how = (input->flags & FLAG_END) / (FLAG_END & -FLAG_END) % UNIT_NENDS;
    pos = 0;
    i = 0;

    do {
        n = input->cuts[i];

        if (i < NCUTS - 1) {
            i++;

        } else if (n == 0) {
            n = body->len;
        }

        if (n > body->len - pos) {
            n = body->len - pos;
        }

        piece = fuzz_alloc(n);
        memcpy(piece, body->data + pos, n);
        pos += n;

        code = enkod_event_feed(event, piece, n,
                                how == UNIT_LAST && pos == body->len);

        free(piece);

        if (code != ENKOD_OK) {
            return code;
        }

    } while (pos < body->len);

    if (how == UNIT_EMPTY) {

        code = enkod_event_feed(event, NULL, 0, 1);
        if (code != ENKOD_OK) {
            return code;
        }
    }

    return enkod_event_finish(event);
}


/*
 * The offset is that of the byte that decided it, or of the next one; but a
 * token that is not allowed where it is is read to its end first.
 */

static void
check_behind(const unit_result_t *must, const enkod_settings_t *settings,
    const enkod_str_t *body, const input_t *input)
{
    size_t          n;
    enkod_str_t     other;
    unit_memory_t   memory;
    unit_result_t   result;
    enkod_event_t  *event;
    unsigned char  *p;

    n = must->offset;

    if (must->code != ENKOD_INVALID_UTF8
        && must->code != ENKOD_LONE_SURROGATE)
    {
        n = token_end(body, n);
    }

    n++;

    if (n >= body->len) {
        return;
    }

    p = fuzz_alloc(body->len);
    memcpy(p, body->data, n);
    memset(p + n, input->behind, body->len - n);

    other.data = p;
    other.len = body->len;

    unit_memory_init(&memory);

    event = unit_run(&result, settings, &memory.mem, &other, other.len, 1,
                     UNIT_LAST);

    must_be("with other bytes behind the one that decided", must, &result);

    unit_result_free(&result);
    finish(event, &memory);
    free(p);
}


/* The end of the token at "at": a string, a number, a literal, a byte. */

static size_t
token_end(const enkod_str_t *body, size_t at)
{
    size_t                n;
    const unsigned char  *p = body->data;

    n = 0;

    while (n <= at && n < body->len) {

        if (p[n++] == '"') {

            while (n < body->len && p[n] != '"') {
                n += (p[n] == '\\') ? 2 : 1;
            }

            n++;

        } else if (is_word(p[n - 1])) {

            while (n < body->len && is_word(p[n])) {
                n++;
            }
        }
    }

    return n;
}


static int
is_word(unsigned char c)
{
    return isalnum(c) || c == '+' || c == '-' || c == '.';
}


/*
 * The text is given to the event core as a body, with the extra fields beside
 * the others: the event must be accepted and have the same text.
 */

static void
check_again(const unit_result_t *must, const enkod_settings_t *body_settings)
{
    size_t                at;
    enkod_str_t           body, name, value;
    unit_memory_t         memory;
    unit_result_t         result;
    enkod_event_t        *event;
    enkod_settings_t      settings;
    unsigned char        *object;
    const unsigned char  *p;

    static const enkod_str_t  extra = S("\"extra\"");

    object = fuzz_alloc(must->line_len + 2);

    object[0] = '{';
    memcpy(object + 1, must->line, must->line_len);
    object[must->line_len + 1] = '}';

    body.data = object;
    body.len = must->line_len + 2;

    p = object + 1;

    do {
        p = oracle_member(p, &name, &value);

        /* a field cannot have that name */

        if (p != NULL && enkod_str_equal(&name, &extra)) {
            at = name.data - object;

            memmove(object + at, value.data + 1, value.len - 1);
            body.len = at + value.len - 1;
            p = NULL;
        }

    } while (p != NULL);

    /* the declared name may be longer than a look-alike in the body */

    settings = *body_settings;
    settings.max_size = body.len;

    unit_memory_init(&memory);

    event = unit_run(&result, &settings, &memory.mem, &body, body.len, 1,
                     UNIT_LAST);

    must_be("as an event", must, &result);

    unit_result_free(&result);
    finish(event, &memory);
    free(object);
}


static void
finish(enkod_event_t *event, unit_memory_t *memory)
{
    enkod_event_destroy(event);

    fuzz_must(memory->live == 0, "all memory is freed");
}


static void
must_be(const char *what, const unit_result_t *must, unit_result_t *result)
{
    if (!unit_same(must, result)) {
        unit_diag_result("whole", must);
        unit_diag_result(what, result);
        abort();
    }
}
