
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * A line and a refusal are written as the documentation shows them, what is
 * written is read again, and what is wrong is found at its byte.
 */


#include "unit.h"
#include "enkod_line.h"


#define TIME        "2026-11-23T03:44:01.123Z"
#define ID          "0123456789abcdef0123456789abcdef"
#define ENVELOPE    "{\"received_at\":\"" TIME "\",\"request_id\":\"" ID       \
                    "\",\"remote_addr\":\"192.0.2.7\","
#define CONTACT     "\"event\":\"contact adding\",\"email\":\"a@example.com\","\
                    "\"groups_names\":[\"a\"],\"groups_ids\":[1]"
#define TEST        "\"event\":\"mailing group subscribe\","                   \
                    "\"email\":\"a@example.com\",\"group_id\":1,"              \
                    "\"group_name\":\"Person subscribe (test)\","              \
                    "\"channel\":\"email\""


typedef struct {
    const char          *line;
    enkod_line_error_e   error;
    size_t               offset;
    const char          *expected;
} line_case_t;


static void written(const unit_setup_t *setup);
static int write_event(const unit_setup_t *setup, const char *body,
    unsigned pass_status, const char *wanted);
static int write_refusal(enkod_error_e code, const char *field, int base64,
    const char *wanted);
static int write_envelope(const char *id, const char *addr,
    const char *wanted);
static void set_envelope(enkod_envelope_t *envelope, const char *id,
    const char *addr);
static int is_same(const unsigned char *start, const unsigned char *end,
    size_t len, const char *wanted);
static void good(void);
static int read_good(const char *text, int test, const char *pass_status,
    int refusal);
static int breaks_off(const char *text);
static void bad(void);
static int read_bad(const line_case_t *c);
static int partly_read(void);
static void times(void);
static void strings(void);
static int is(const enkod_str_t *str, const char *text);


int
main(void)
{
    unit_setup_t  setup;

    unit_setup(&setup, NULL);

    written(&setup);
    good();
    bad();
    times();
    strings();

    unit_teardown(&setup);

    return tap_done();
}


static void
written(const unit_setup_t *setup)
{
    tap_ok(write_event(setup, "{" CONTACT "}", 0, ENVELOPE CONTACT "}"),
           "an event in its envelope is a line");
    tap_ok(write_event(setup, "{" CONTACT "}", 502,
                       ENVELOPE "\"pass_status\":502," CONTACT "}"),
           "the status of the subrequest stands before the event");
    tap_ok(write_event(setup, "{" TEST "}", 0,
                       ENVELOPE "\"test\":true," TEST "}"),
           "a test delivery is marked");
    tap_ok(write_event(setup, "{" TEST "}", 100,
                       ENVELOPE "\"test\":true,\"pass_status\":100," TEST "}"),
           "the mark of a test delivery stands before the status");

    tap_ok(write_refusal(ENKOD_WRONG_TYPE, "/message_id", 0,
                         ENVELOPE "\"status\":422,\"code\":\"wrong_type\","
                         "\"field\":\"/message_id\",\"body\":\""),
           "a refusal has status, code, field and body");
    tap_ok(write_refusal(ENKOD_INVALID_UTF8, "", 1,
                         ENVELOPE "\"status\":400,\"code\":\"invalid_utf8\","
                         "\"body_base64\":\""),
           "without a field, and with the body in base64");
    tap_ok(write_refusal(ENKOD_DUPLICATE_FIELD, "/a~1b", 1,
                         ENVELOPE "\"status\":400,\"code\":\"duplicate_field\","
                         "\"field\":\"/a~1b\",\"body_base64\":\""),
           "with a field and the body in base64");

    tap_ok(write_envelope(ID, "192.0.2.7", ENVELOPE),
           "an envelope alone ends with a comma");
    tap_ok(write_envelope("x", "", "{\"received_at\":\"" TIME
                          "\",\"request_id\":\"x\",\"remote_addr\":\"\","),
           "id and address may be short");
    tap_ok(write_envelope(ID ID ID, "unix:/run/" ID ID ".sock",
                          "{\"received_at\":\"" TIME "\",\"request_id\":\""
                          ID ID ID "\",\"remote_addr\":\"unix:/run/" ID ID
                          ".sock\","),
           "id and address may be long");
}


static int
write_event(const unit_setup_t *setup, const char *body, unsigned pass_status,
    const char *wanted)
{
    int               ok;
    enkod_str_t       str;
    enkod_event_t    *event;
    unsigned char     buf[1024], *end;
    unit_memory_t     memory;
    enkod_envelope_t  envelope;

    unit_memory_init(&memory);

    str = unit_str(body);
    event = enkod_event_create(&setup->settings, &memory.mem);

    if (event == NULL
        || unit_feed(event, &str, str.len, str.len, UNIT_FINISH) != ENKOD_OK)
    {
        tap_diag("%s is not accepted", body);
        return 0;
    }

    set_envelope(&envelope, ID, "192.0.2.7");

    end = enkod_line_write(buf, &envelope, event, pass_status);

    ok = is_same(buf, end, enkod_line_length(&envelope, event, pass_status),
                 wanted);

    enkod_event_destroy(event);
    unit_memory_release(&memory);

    return ok;
}


static int
write_refusal(enkod_error_e code, const char *field, int base64,
    const char *wanted)
{
    enkod_str_t       str;
    unsigned char     buf[1024], *end;
    enkod_envelope_t  envelope;

    str = unit_str(field);
    set_envelope(&envelope, ID, "192.0.2.7");

    end = enkod_line_refusal_write(buf, &envelope, code, &str, base64);

    return is_same(buf, end,
                   enkod_line_refusal_length(&envelope, code, &str, base64),
                   wanted);
}


static int
write_envelope(const char *id, const char *addr, const char *wanted)
{
    unsigned char     buf[1024], *end;
    enkod_envelope_t  envelope;

    set_envelope(&envelope, id, addr);

    end = enkod_line_envelope_write(buf, &envelope);

    return is_same(buf, end, enkod_line_envelope_length(&envelope), wanted);
}


static void
set_envelope(enkod_envelope_t *envelope, const char *id, const char *addr)
{
    memcpy(envelope->received_at, TIME, ENKOD_TIME_LEN);
    envelope->request_id = unit_str(id);
    envelope->remote_addr = unit_str(addr);
}


static int
is_same(const unsigned char *start, const unsigned char *end, size_t len,
    const char *wanted)
{
    if ((size_t) (end - start) == len && len == strlen(wanted)
        && memcmp(start, wanted, len) == 0)
    {
        return 1;
    }

    tap_diag("length %lu, wanted: %s", (unsigned long) len, wanted);
    tap_diag_bytes("written", start, end - start);

    return 0;
}


static void
good(void)
{
    size_t  i;

    static const struct {
        const char  *title;
        const char  *line;
        const char  *pass_status;
        int          test;
        int          refusal;
    } lines[] = {
        { "an event", ENVELOPE CONTACT "}", "", 0, 0 },
        { "a test delivery", ENVELOPE "\"test\":true," TEST "}", "", 1, 0 },
        { "an event with a status",
          ENVELOPE "\"pass_status\":502," CONTACT "}", "502", 0, 0 },
        { "a test delivery with a status",
          ENVELOPE "\"test\":true,\"pass_status\":999," TEST "}", "999", 1, 0 },
        { "a refusal",
          ENVELOPE "\"status\":400,\"code\":\"empty_body\",\"body\":\"\"}",
          "", 0, 1 }
    };

    for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        tap_ok(read_good(lines[i].line, lines[i].test, lines[i].pass_status,
                         lines[i].refusal),
               "%s is read", lines[i].title);
        tap_ok(breaks_off(lines[i].line),
               "%s breaks off wherever it is cut", lines[i].title);
    }
}


static int
read_good(const char *text, int test, const char *pass_status, int refusal)
{
    enkod_str_t          str;
    enkod_line_t         line;
    enkod_line_error_e   rc;
    const unsigned char *p;

    str = unit_str(text);
    rc = enkod_line_read(&line, str.data, str.len);
    p = str.data + line.offset;

    if (rc == ENKOD_LINE_OK
        && line.test == (unsigned) test && line.refusal == (unsigned) refusal
        && is(&line.received_at, TIME) && is(&line.request_id, ID)
        && is(&line.remote_addr, "192.0.2.7")
        && is(&line.pass_status, pass_status)
        && line.members == sizeof(ENVELOPE) - 1
        && line.expected == NULL
        && memcmp(p, refusal ? "\"status\":" : "\"event\":", 8) == 0)
    {
        return 1;
    }

    tap_diag("error %d at offset %lu of %s", rc, (unsigned long) line.offset,
             text);

    return 0;
}


/* each beginning, in memory that ends with it */

static int
breaks_off(const char *text)
{
    size_t               len, whole;
    unsigned char       *p;
    enkod_line_t         line;
    enkod_line_error_e   rc;

    (void) enkod_line_read(&line, (const unsigned char *) text, strlen(text));

    whole = line.offset + strlen(line.refusal ? "\"status\":" : "\"event\":");

    for (len = 0; len <= strlen(text); len++) {

        p = malloc(len + !len);
        if (p == NULL) {
            abort();
        }

        memcpy(p, text, len);

        rc = enkod_line_read(&line, p, len);

        free(p);

        if (len < whole ? rc != ENKOD_LINE_SHORT || line.offset != len
                        : rc != ENKOD_LINE_OK)
        {
            tap_diag("%lu bytes: error %d at offset %lu of %s",
                     (unsigned long) len, rc, (unsigned long) line.offset,
                     text);
            return 0;
        }
    }

    return 1;
}


#define AT(text)  (sizeof(text) - 1)

#define BEFORE_TIME  "{\"received_at\":\""
#define BEFORE_ID    BEFORE_TIME TIME "\",\"request_id\":\""
#define BEFORE_ADDR  BEFORE_ID ID "\",\"remote_addr\":\""


static void
bad(void)
{
    size_t  i;

    static const char  either[] = "\"event\" or \"status\"";
    static const char  start[] = BEFORE_TIME " at the beginning of a line";

    static const line_case_t  cases[] = {

        { "x", ENKOD_LINE_UNEXPECTED, 0, start },
        { " " ENVELOPE CONTACT "}", ENKOD_LINE_UNEXPECTED, 0, start },
        { "{\"received_at\": \"", ENKOD_LINE_UNEXPECTED, 15, start },

        { BEFORE_TIME "2026-11-23 03:44:01.123Z\"", ENKOD_LINE_TIME_SYNTAX,
          AT(BEFORE_TIME "2026-11-23"), NULL },
        { BEFORE_TIME "2026-11-23T03:44:01.123z\"", ENKOD_LINE_TIME_SYNTAX,
          AT(BEFORE_TIME "2026-11-23T03:44:01.123"), NULL },
        { BEFORE_TIME "\"", ENKOD_LINE_TIME_SYNTAX, AT(BEFORE_TIME), NULL },
        { BEFORE_TIME "2026-11-31T03:44:01.123Z\"", ENKOD_LINE_TIME_VALUE,
          AT(BEFORE_TIME), NULL },

        { BEFORE_TIME TIME "\",\"request\"", ENKOD_LINE_UNEXPECTED,
          AT(BEFORE_TIME TIME "\",\"request"), "\"request_id\"" },
        { BEFORE_TIME TIME "1\"", ENKOD_LINE_UNEXPECTED,
          AT(BEFORE_TIME TIME), "\"request_id\"" },

        { BEFORE_ID "\",", ENKOD_LINE_BAD_REQUEST_ID, AT(BEFORE_ID), NULL },
        { BEFORE_ID "a b", ENKOD_LINE_BAD_REQUEST_ID, AT(BEFORE_ID "a"),
          NULL },
        { BEFORE_ID "a\\u0062\"", ENKOD_LINE_BAD_REQUEST_ID,
          AT(BEFORE_ID "a"), NULL },
        { BEFORE_ID "a\x7f", ENKOD_LINE_BAD_REQUEST_ID, AT(BEFORE_ID "a"),
          NULL },
        { BEFORE_ID "a\xd0\xb0", ENKOD_LINE_BAD_REQUEST_ID,
          AT(BEFORE_ID "a"), NULL },

        { BEFORE_ID ID "\",\"event\"", ENKOD_LINE_UNEXPECTED,
          AT(BEFORE_ID ID "\",\""), "\"remote_addr\"" },
        { BEFORE_ADDR "192.0.2.7\"}", ENKOD_LINE_UNEXPECTED,
          AT(BEFORE_ADDR "192.0.2.7\""), "a comma" },

        { ENVELOPE "\"tset\":true,", ENKOD_LINE_UNEXPECTED,
          AT(ENVELOPE "\""), either },
        { ENVELOPE "\"test\":false,", ENKOD_LINE_UNEXPECTED,
          AT(ENVELOPE "\""), either },
        { ENVELOPE "\"test\":true,\"status\":400", ENKOD_LINE_UNEXPECTED,
          AT(ENVELOPE "\"test\":true,\""), either },
        { ENVELOPE "\"test\":true,\"test\":true,", ENKOD_LINE_UNEXPECTED,
          AT(ENVELOPE "\"test\":true,\""), either },
        { ENVELOPE "\"pass_status\":502,\"test\":true,",
          ENKOD_LINE_UNEXPECTED, AT(ENVELOPE "\"pass_status\":502,\""),
          either },
        { ENVELOPE "}", ENKOD_LINE_UNEXPECTED, AT(ENVELOPE), either },

        { ENVELOPE "\"pass_status\":099,", ENKOD_LINE_BAD_PASS_STATUS,
          AT(ENVELOPE "\"pass_status\":"), NULL },
        { ENVELOPE "\"pass_status\":50,\"event\"", ENKOD_LINE_BAD_PASS_STATUS,
          AT(ENVELOPE "\"pass_status\":"), NULL },
        { ENVELOPE "\"pass_status\":5020,", ENKOD_LINE_UNEXPECTED,
          AT(ENVELOPE "\"pass_status\":502"), "a comma" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tap_ok(read_bad(&cases[i]), "not a line: %s", cases[i].line);
    }

    tap_ok(partly_read(), "what was read before an error is returned");
}


static int
read_bad(const line_case_t *c)
{
    enkod_line_t        line;
    enkod_line_error_e  rc;

    rc = enkod_line_read(&line, (const unsigned char *) c->line,
                         strlen(c->line));

    if (rc == c->error && line.offset == c->offset
        && (c->expected ? line.expected
                          && strcmp(line.expected, c->expected) == 0
                        : line.expected == NULL))
    {
        return 1;
    }

    tap_diag("error %d at offset %lu, expected: %s", rc,
             (unsigned long) line.offset,
             line.expected ? line.expected : "nothing");

    return 0;
}


static int
partly_read(void)
{
    enkod_line_t  line;

    static const unsigned char  text[] = BEFORE_ADDR "a\\\"b\"!";

    return enkod_line_read(&line, text, sizeof(text) - 1)
           == ENKOD_LINE_UNEXPECTED
           && is(&line.received_at, TIME)
           && is(&line.request_id, ID)
           && is(&line.remote_addr, "a\\\"b")
           && line.members == 0
           && is(&line.pass_status, "");
}


static void
times(void)
{
    size_t       i, n;
    enkod_str_t  str;

    static const char  *exist[] = {
        "2026-01-31T00:00:00.000Z", "2026-12-31T23:59:59.999Z",
        "2024-02-29T00:00:00.000Z", "2000-02-29T00:00:00.000Z",
        "0000-01-01T00:00:00.000Z", "2026", "2026-02-28", "2026-02-3", "2026-1",
        "2026-11-23T2", "2026-11-23T03:4", ""
    };

    static const char  *missing[] = {
        "2026-00-01T00:00:00.000Z", "2026-13-01T00:00:00.000Z",
        "2026-01-00T00:00:00.000Z", "2026-01-32T00:00:00.000Z",
        "2026-04-31T00:00:00.000Z", "2026-02-29T00:00:00.000Z",
        "2100-02-29T00:00:00.000Z", "2026-01-01T24:00:00.000Z",
        "2026-01-01T00:60:00.000Z", "2026-12-31T23:59:60.000Z", "2026-13",
        "2026-06-31"
    };

    for (i = 0; i < sizeof(exist) / sizeof(exist[0]); i++) {
        str = unit_str(exist[i]);
        tap_ok(enkod_line_time_syntax(str.data, str.len) == str.len
               && enkod_line_time_exists(str.data, str.len),
               "\"%s\" is a time, or the beginning of one", exist[i]);
    }

    for (i = 0; i < sizeof(missing) / sizeof(missing[0]); i++) {
        str = unit_str(missing[i]);
        tap_ok(enkod_line_time_syntax(str.data, str.len) == str.len
               && !enkod_line_time_exists(str.data, str.len),
               "\"%s\" does not exist", missing[i]);
    }

    str = unit_str(TIME "Z");

    tap_ok(enkod_line_time_syntax(str.data, str.len) == ENKOD_TIME_LEN,
           "what stands after a time is not a part of it");

    for (n = 0; n < ENKOD_TIME_LEN; n++) {
        unsigned char  text[ENKOD_TIME_LEN];

        memcpy(text, TIME, ENKOD_TIME_LEN);
        text[n] = '/';

        if (enkod_line_time_syntax(text, ENKOD_TIME_LEN) != n) {
            break;
        }

        text[n] = (TIME[n] >= '0' && TIME[n] <= '9') ? ':' : '0';

        if (enkod_line_time_syntax(text, ENKOD_TIME_LEN) != n) {
            break;
        }
    }

    tap_ok(n == ENKOD_TIME_LEN, "a wrong byte of a time is found at its place");
}


static void
strings(void)
{
    size_t       i;
    enkod_str_t  str;

    static const struct {
        const char  *text;
        int          end;       /* -1 if there is none */
    } cases[] = {
        { "\"", 0 }, { "ab\"c\"", 2 }, { "\\\"\"", 2 }, { "\\\\\"", 2 },
        { "", -1 }, { "ab", -1 }, { "a\\\"", -1 }, { "a\\", -1 }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        str = unit_str(cases[i].text);
        tap_ok(enkod_line_string_end(str.data, str.data + str.len)
               == (cases[i].end < 0 ? NULL : str.data + cases[i].end),
               "the end of the string %s", cases[i].text);
    }
}


static int
is(const enkod_str_t *str, const char *text)
{
    enkod_str_t  wanted;

    wanted = unit_str(text);

    return str->len == 0 ? wanted.len == 0 : enkod_str_equal(str, &wanted);
}
