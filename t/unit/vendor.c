
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The eight bodies of the vendor's page (t/bodies): they are accepted as test
 * deliveries, and refused if they break off anywhere.
 */


#include "cuts.h"


#define UID      "0123456789_012_012_01234"

#define GROUP                                                                 \
    "\"email\":\"e\",\"group_id\":4,\"group_name\":\"g\",\"channel\":\"c\""


/* a file of t/bodies, and its line */

static const struct {
    const char           *file;
    enkod_str_t           line;
} vendor[] = {

    { "message-sent",
      S("\"event\":\"message sent\",\"message_id\":4,\"message_uid\":\"" UID
        "\",\"sending_type\":\"instant\",\"name\":\"Sending message (test)\","
        "\"from\":\"sender@example.com\",\"to\":\"recipient@example.com\"") },

    { "message-open",
      S("\"event\":\"message open\",\"message_id\":4,\"message_uid\":\"" UID
        "\",\"sending_type\":\"instant\",\"name\":\"Open message (test)\","
        "\"from\":\"sender@example.com\",\"to\":\"recipient@example.com\"") },

    { "complaint",
      S("\"event\":\"complaint\",\"message_id\":4,\"message_uid\":\"" UID
        "\",\"sending_type\":\"instant\",\"name\":\"Complaint in message "
        "(test)\",\"from\":\"sender@example.com\","
        "\"to\":\"recipient@example.com\"") },

    { "delivery-bounce",
      S("\"event\":\"delivery bounce\",\"message_id\":4,\"message_uid\":\""
        UID "\",\"sending_type\":\"instant\",\"name\":\"Error while sending "
        "message (test)\",\"from\":\"sender@example.com\","
        "\"to\":\"recipient@example.com\","
        "\"error_message\":\"Some error message\"") },

    { "message-clicked",
      S("\"event\":\"message clicked\",\"message_id\":4,\"message_uid\":\""
        UID "\",\"sending_type\":\"instant\",\"name\":\"Click in message "
        "(test)\",\"from\":\"sender@example.com\","
        "\"to\":\"recipient@example.com\","
        "\"click_url\":\"https://clicked.link/\"") },

    { "mailing-group-subscribe",
      S("\"event\":\"mailing group subscribe\",\"email\":\"user@example.com\""
        ",\"group_id\":4,\"group_name\":\"Person subscribe (test)\","
        "\"channel\":\"email\"") },

    { "mailing-group-unsubscribe",
      S("\"event\":\"mailing group unsubscribe\","
        "\"email\":\"user@example.com\",\"group_id\":4,"
        "\"group_name\":\"Person unsubscribe (test)\","
        "\"channel\":\"email\"") },

    { "contact-adding",
      S("\"event\":\"contact adding\",\"email\":\"user@example.com\","
        "\"phone\":\"80123456789\","
        "\"groups_names\":[\"test_group_0\",\"test_group_1\"],"
        "\"groups_ids\":[0,1]") }
};


static void vendor_events(void);
static void truncated(void);
static enkod_str_t vendor_read(const char *file);
static enkod_str_t vendor_compact(const enkod_str_t *body);


int
main(void)
{
    vendor_events();
    truncated();

    return tap_done();
}


static void
vendor_events(void)
{
    size_t         i;
    enkod_str_t    body, compact, line;
    unit_setup_t   setup;

    for (i = 0; i < sizeof(vendor) / sizeof(vendor[0]); i++) {

        unit_setup(&setup, NULL);

        line = vendor[i].line;
        body = vendor_read(vendor[i].file);
        compact = vendor_compact(&body);

        tap_ok(unit_accepted(&setup, &body, &line, 1),
               "the vendor's %s is accepted as its page prints it",
               vendor[i].file);

        tap_ok(unit_accepted(&setup, &compact, &line, 1),
               "the vendor's %s is accepted without white space",
               vendor[i].file);

        free((void *) body.data);
        free((void *) compact.data);
        unit_teardown(&setup);
    }
}


static void
truncated(void)
{
    int             ok;
    size_t          i, n;
    enkod_str_t     body, part;
    unit_setup_t    setup;
    enkod_error_e   must;
    unit_result_t   whole;

    static const enkod_str_t  none = NOTHING;
    static const enkod_str_t  rich = S(
        "\n{\"x\":[1.5e-7,{\"\\ud83d\\ude00\":true},null,\"\xd1\x81\"],"
        "\"event\":\"mailing group subscribe\"," GROUP ",\"y\":\"\\\"\\\\\","
        "\"z\":-12}");

    unit_setup(&setup, NULL);

    for (n = 0; n <= sizeof(vendor) / sizeof(vendor[0]); n++) {

        if (n < sizeof(vendor) / sizeof(vendor[0])) {
            body = vendor_read(vendor[n].file);

        } else {
            body = unit_join(&rich, &none);
        }

        ok = 1;

        while (body.data[body.len - 1] != '}') {
            body.len--;
        }

        for (i = 0; i < body.len && ok; i++) {

            part.data = body.data;
            part.len = i;

            /* a line feed alone is an empty body */
            must = (i == 0 || (i == 1 && body.data[0] == '\n'))
                   ? ENKOD_EMPTY_BODY : ENKOD_INVALID_JSON;

            ok = unit_cut_everywhere(&setup, &part, &whole);

            if (!ok || whole.code != must || whole.offset != i) {
                unit_diag_result("is", &whole);
                tap_diag_bytes("body", part.data, part.len);
                ok = 0;
            }

            unit_result_free(&whole);
        }

        tap_ok(ok, "%s is refused wherever it breaks off",
               n < sizeof(vendor) / sizeof(vendor[0])
               ? vendor[n].file : "an event with everything");

        free((void *) body.data);
    }

    unit_teardown(&setup);
}


static enkod_str_t
vendor_read(const char *file)
{
    FILE           *f;
    char            path[256];
    enkod_str_t     body;
    unsigned char  *p;

    (void) snprintf(path, sizeof(path), "t/bodies/%s.json", file);

    f = fopen(path, "rb");
    p = malloc(4096);

    if (f == NULL || p == NULL) {
        fprintf(stderr, "# cannot open %s; "
                "this is run from the top of the source tree\n", path);
        exit(EXIT_FAILURE);
    }

    body.data = p;
    body.len = fread(p, 1, 4096, f);

    fclose(f);

    return body;
}


static enkod_str_t
vendor_compact(const enkod_str_t *body)
{
    int             string;
    size_t          i;
    enkod_str_t     compact;
    unsigned char   c, *p;

    p = malloc(body->len);
    if (p == NULL) {
        abort();
    }

    compact.data = p;
    string = 0;

    for (i = 0; i < body->len; i++) {
        c = body->data[i];

        if (c == '"') {
            /* none of these bodies has an escaped quote */
            string = !string;
        }

        if (string || (c != ' ' && c != '\n')) {
            *p++ = c;
        }
    }

    compact.len = p - compact.data;

    return compact;
}
