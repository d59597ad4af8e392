
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Events that are accepted, and their text in the line: fields in any order,
 * extra and declared fields, events that are in the table and others, spellings
 * of names, deliveries of the vendor's test button.
 *
 * Most of this file is one table, which is why it is long.
 */


#include "cuts.h"


#define UID      "0123456789_012_012_01234"
#define NAMES    "\"groups_names\":[\"test_group_0\",\"test_group_1\"]"
#define IDS      "\"groups_ids\":[0,1]"

#define MESSAGE                                                               \
    "\"message_id\":4,\"message_uid\":\"u\",\"sending_type\":\"instant\","    \
    "\"name\":\"n\",\"from\":\"f\",\"to\":\"t\""

#define GROUP                                                                 \
    "\"email\":\"e\",\"group_id\":4,\"group_name\":\"g\",\"channel\":\"c\""

#define SUBSCRIBE  "\"event\":\"mailing group subscribe\"," GROUP

/* 10 levels, 10 members */
#define OPEN10   "[[[[[[[[[["
#define CLOSE10  "]]]]]]]]]]"
#define MEMBERS(n)                                                            \
    ",\"" n "0\":0,\"" n "1\":0,\"" n "2\":0,\"" n "3\":0,\"" n "4\":0"       \
    ",\"" n "5\":0,\"" n "6\":0,\"" n "7\":0,\"" n "8\":0,\"" n "9\":0"

/* 100 digits */
#define DIGITS                                                                \
    "1234567890123456789012345678901234567890123456789012345678901234567890"  \
    "123456789012345678901234567890"

#define LONG80                                                                \
    "01234567890123456789012345678901234567890123456789012345678901234567890" \
    "123456789"


typedef struct {
    const char           *title;
    const unit_conf_t    *conf;
    enkod_str_t           body;
    enkod_str_t           line;
    int                   test;
} accepted_t;


static const unit_conf_t  reject = { .extra = ENKOD_EXTRA_REJECT };
static const unit_conf_t  drop = { .extra = ENKOD_EXTRA_DROP };
static const unit_conf_t  unknown = { .accept_unknown = 1 };

static const unit_conf_t  unknown_reject = {
    .accept_unknown = 1, .extra = ENKOD_EXTRA_REJECT
};

static const unit_conf_t  unknown_drop = {
    .accept_unknown = 1, .extra = ENKOD_EXTRA_DROP
};

static const unit_conf_t  listed = {
    .events = { "complaint", "mailing group subscribe", "hello",
                "\xd0\x90\xd0\x92 open" },
    .accept_unknown = 1
};

static const unit_conf_t  listed_long = {
    .events = { LONG80 LONG80 LONG80 LONG80 },
    .accept_unknown = 1
};

static const unit_conf_t  typed = {
    .shapes = {
        { "typed", "s=string", "i=integer", "n=number", "b=boolean",
          "ss=strings", "ii=integers", "a=any", NULL },
        { "optional", "s=string?", "i=integer?", "n=number?", "b=boolean?",
          "ss=strings?", "ii=integers?", "a=any?", NULL },
        { "bare", NULL }
    }
};

static const unit_conf_t  named = {
    .shapes = {
        { "na\"me\\d\n", "a/b~c\"d\\e\nf=integer", "\xd1\x81=string", "=a=any",
          NULL },
        /* whatsapp read, with five letters that look like Latin ones */
        { "wh\xd0\xb0ts\xd0\xb0pp r\xd0\xb5\xd0\xb0" "d", "id=integer", NULL }
    }
};

static const unit_conf_t  raw = {
    .shapes = {
        { "\xe2\x80\xa9", "\x7f=string", "\xc2\x85=integer",
          "\xe2\x80\xa8=any", NULL }
    }
};

static const unit_conf_t  replaced = {
    .shapes = {
        { "complaint", "why=string", "message_id=string", NULL },
        { "c\xd0\xbentact adding", "email=string", NULL }
    },
    .extra = ENKOD_EXTRA_REJECT
};

static const unit_conf_t  tested = {
    .shapes = {
        { "whatsapp sent", "id=integer?", "message_uid=string", NULL },
        { "group seen", "group_name=any", NULL },
        { "contact seen", "phone=string", "groups_names=strings", NULL },
        { "contact adding", "groups_names=strings?", "phone=string?", NULL }
    }
};

static const unit_conf_t  exact = {
    .max_size = sizeof("{" SUBSCRIBE "}") - 1
};


static const accepted_t  events[] = {

    /* order and white space */

    { "the fields are in the order of the table", NULL,
      S("{\"to\":\"t\",\"from\":\"f\",\"name\":\"n\",\"sending_type\":"
        "\"instant\",\"message_uid\":\"u\",\"message_id\":4,"
        "\"event\":\"message open\"}"),
      S("\"event\":\"message open\"," MESSAGE), 0 },

    { "the event's name may be among the fields", NULL,
      S("{\"group_name\":\"g\",\"email\":\"e\","
        "\"event\":\"mailing group subscribe\",\"channel\":\"c\","
        "\"group_id\":4}"),
      S(SUBSCRIBE), 0 },

    { "white space of all four kinds may be anywhere", NULL,
      S(" \t\r\n{ \t\r\n\"event\" \t\r\n: \t\r\n\"mailing group subscribe\" "
        "\t\r\n, \t\r\n" GROUP " \t\r\n,\"x\" : [ ] , \"y\" :\t{ \r}\n} "
        "\t\r\n"),
      S(SUBSCRIBE ",\"extra\":{\"x\":[],\"y\":{}}"), 0 },

    { "white space in strings is kept", NULL,
      S("{" SUBSCRIBE ",\" x \":\"  y  \"}"),
      S(SUBSCRIBE ",\"extra\":{\" x \":\"  y  \"}"), 0 },

    { "a body of the maximum size is accepted", &exact,
      S("{" SUBSCRIBE "}"), S(SUBSCRIBE), 0 },

    { "a sending type that the vendor has not documented is accepted", NULL,
      S("{\"event\":\"complaint\",\"message_id\":4,\"message_uid\":\"u\","
        "\"sending_type\":\"byPigeon\",\"name\":\"n\",\"from\":\"f\","
        "\"to\":\"t\"}"),
      S("\"event\":\"complaint\",\"message_id\":4,\"message_uid\":\"u\","
        "\"sending_type\":\"byPigeon\",\"name\":\"n\",\"from\":\"f\","
        "\"to\":\"t\""), 0 },

    { "strings may be empty", NULL,
      S("{\"event\":\"mailing group subscribe\",\"email\":\"\",\"group_id\":0,"
        "\"group_name\":\"\",\"channel\":\"\"}"),
      S("\"event\":\"mailing group subscribe\",\"email\":\"\",\"group_id\":0,"
        "\"group_name\":\"\",\"channel\":\"\""), 0 },

    { "a documented name spelled with escapes is the documented field", NULL,
      S("{\"\\u0065vent\":\"mailing group subscribe\",\"em\\u0061il\":\"e\","
        "\"group\\u005fid\":4,\"group_name\":\"g\",\"channel\":\"c\"}"),
      S(SUBSCRIBE), 0 },

    /* extra fields */

    { "extra fields come last, in the order received", NULL,
      S("{\"z\":1,\"event\":\"mailing group subscribe\",\"a\":\"x\"," GROUP
        ",\"m\":null}"),
      S(SUBSCRIBE ",\"extra\":{\"z\":1,\"a\":\"x\",\"m\":null}"), 0 },

    { "an extra field is kept with its structure", NULL,
      S("{" SUBSCRIBE ",\"x\" : { \"a\" : [ 1 , { } , [ ] , \"b\" ] , "
        "\"c\" : { \"d\" : null , \"e\" : [ true , false ] } } }"),
      S(SUBSCRIBE ",\"extra\":{\"x\":{\"a\":[1,{},[],\"b\"],"
        "\"c\":{\"d\":null,\"e\":[true,false]}}}"), 0 },

    { "a name may come twice inside of an extra field", NULL,
      S("{" SUBSCRIBE ",\"x\":{\"a\":1,\"a\":2}}"),
      S(SUBSCRIBE ",\"extra\":{\"x\":{\"a\":1,\"a\":2}}"), 0 },

    { "the names \"event\" and \"extra\" may be used inside of one", NULL,
      S("{" SUBSCRIBE ",\"extra\":{\"event\":4,\"extra\":[]}}"),
      S(SUBSCRIBE ",\"extra\":{\"extra\":{\"event\":4,\"extra\":[]}}"), 0 },

    { "an extra field may have an empty name", NULL,
      S("{\"\":0," SUBSCRIBE "}"),
      S(SUBSCRIBE ",\"extra\":{\"\":0}"), 0 },

    { "names that differ in case or in a byte are different", NULL,
      S("{" SUBSCRIBE ",\"Email\":1,\"email \":2,\"email\\u0000\":3}"),
      S(SUBSCRIBE ",\"extra\":{\"Email\":1,\"email \":2,\"email\\u0000\":3}"),
      0 },

    { "a field of another event is an extra one", NULL,
      S("{\"event\":\"complaint\"," MESSAGE ",\"click_url\":null}"),
      S("\"event\":\"complaint\"," MESSAGE ",\"extra\":{\"click_url\":null}"),
      0 },

    { "a field's name in Cyrillic letters is not folded", NULL,
      S("{" SUBSCRIBE ",\"\xd0\xb5mail\":1}"),
      S(SUBSCRIBE ",\"extra\":{\"\xd0\xb5mail\":1}"), 0 },

    { "the data is not folded", NULL,
      S("{\"event\":\"mailing group subscribe\",\"email\":\"\xd0\xb5\","
        "\"group_id\":4,\"group_name\":\"\\u0441\",\"channel\":\"c\"}"),
      S("\"event\":\"mailing group subscribe\",\"email\":\"\xd0\xb5\","
        "\"group_id\":4,\"group_name\":\"\xd1\x81\",\"channel\":\"c\""), 0 },

    { "extra fields are dropped where they are to be", &drop,
      S("{\"z\":{\"y\":[1,\"\\n\"]}," SUBSCRIBE
        ",\"x\":[{\"a\":\"\\u0041\"},[],1.5],\"w\":\"w\",\"v\":true}"),
      S(SUBSCRIBE), 0 },

    { "a field after a dropped one is kept", &drop,
      S("{\"event\":\"mailing group subscribe\",\"x\":[[\"\"]],"
        "\"email\":\"e\",\"y\":1,\"group_id\":4,\"z\":null,"
        "\"group_name\":\"g\",\"w\":{\"a\":{}},\"channel\":\"c\"}"),
      S(SUBSCRIBE), 0 },

    { "an event without extra fields is accepted if these are refused",
      &reject,
      S("{" GROUP ",\"event\":\"mailing group subscribe\"}"),
      S(SUBSCRIBE), 0 },

    { "32 levels are deep enough", NULL,
      S("{" SUBSCRIBE ",\"x\":" OPEN10 OPEN10 OPEN10 "[" "]"
        CLOSE10 CLOSE10 CLOSE10 "}"),
      S(SUBSCRIBE ",\"extra\":{\"x\":" OPEN10 OPEN10 OPEN10 "[]"
        CLOSE10 CLOSE10 CLOSE10 "}"), 0 },

    { "32 levels twice, with commas on each way back", NULL,
      S("{" SUBSCRIBE ",\"x\":[" OPEN10 OPEN10 OPEN10 "1" CLOSE10 ","
        OPEN10 "2" CLOSE10 CLOSE10 CLOSE10 ",{\"a\":[3],\"b\":{}}],"
        "\"y\":" OPEN10 OPEN10 OPEN10 "{\"a\":4,\"b\":5}"
        CLOSE10 CLOSE10 CLOSE10 "}"),
      S(SUBSCRIBE ",\"extra\":{\"x\":[" OPEN10 OPEN10 OPEN10 "1" CLOSE10 ","
        OPEN10 "2" CLOSE10 CLOSE10 CLOSE10 ",{\"a\":[3],\"b\":{}}],"
        "\"y\":" OPEN10 OPEN10 OPEN10 "{\"a\":4,\"b\":5}"
        CLOSE10 CLOSE10 CLOSE10 "}"), 0 },

    { "64 members are accepted", NULL,
      S("{" SUBSCRIBE MEMBERS("a") MEMBERS("b") MEMBERS("c") MEMBERS("d")
        MEMBERS("e") ",\"f0\":0,\"f1\":0,\"f2\":0,\"f3\":0,\"f4\":0"
        ",\"f5\":0,\"f6\":0,\"f7\":0,\"f8\":0}"),
      S(SUBSCRIBE ",\"extra\":{\"a0\":0,\"a1\":0,\"a2\":0,\"a3\":0,\"a4\":0,"
        "\"a5\":0,\"a6\":0,\"a7\":0,\"a8\":0,\"a9\":0"
        MEMBERS("b") MEMBERS("c") MEMBERS("d")
        MEMBERS("e") ",\"f0\":0,\"f1\":0,\"f2\":0,\"f3\":0,\"f4\":0"
        ",\"f5\":0,\"f6\":0,\"f7\":0,\"f8\":0}"), 0 },

    { "64 members with the event's name as the last are accepted", &drop,
      S("{" GROUP MEMBERS("a") MEMBERS("b") MEMBERS("c") MEMBERS("d")
        MEMBERS("e") ",\"f0\":0,\"f1\":0,\"f2\":0,\"f3\":0,\"f4\":0"
        ",\"f5\":0,\"f6\":0,\"f7\":0,\"f8\":0"
        ",\"event\":\"mailing group subscribe\"}"),
      S(SUBSCRIBE), 0 },

    { "an extra member inside of another one is not counted", NULL,
      S("{" SUBSCRIBE ",\"x\":{\"a\":0" MEMBERS("a") MEMBERS("b") MEMBERS("c")
        MEMBERS("d") MEMBERS("e") MEMBERS("f") MEMBERS("g") "}}"),
      S(SUBSCRIBE ",\"extra\":{\"x\":{\"a\":0" MEMBERS("a") MEMBERS("b")
        MEMBERS("c") MEMBERS("d") MEMBERS("e") MEMBERS("f") MEMBERS("g")
        "}}"), 0 },

    /* strings */

    { "escapes are made as few as possible", NULL,
      S("{" SUBSCRIBE ",\"x\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u002f\"}"),
      S(SUBSCRIBE ",\"extra\":{\"x\":\"\\\"\\\\/\\b\\f\\n\\r\\tA/\"}"), 0 },

    { "every control character is escaped in the shortest way", NULL,
      S("{" SUBSCRIBE ",\"x\":\"\\u0000\\u0001\\u0002\\u0003\\u0004\\u0005"
        "\\u0006\\u0007\\u0008\\u0009\\u000a\\u000b\\u000c\\u000d\\u000e"
        "\\u000f\\u0010\\u0011\\u0012\\u0013\\u0014\\u0015\\u0016\\u0017"
        "\\u0018\\u0019\\u001a\\u001b\\u001c\\u001d\\u001e\\u001f\\u0020\"}"),
      S(SUBSCRIBE ",\"extra\":{\"x\":\"\\u0000\\u0001\\u0002\\u0003\\u0004"
        "\\u0005\\u0006\\u0007\\b\\t\\n\\u000b\\f\\r\\u000e\\u000f\\u0010"
        "\\u0011\\u0012\\u0013\\u0014\\u0015\\u0016\\u0017\\u0018\\u0019"
        "\\u001a\\u001b\\u001c\\u001d\\u001e\\u001f \"}"), 0 },

    { "hexadecimal digits may have capitals, the line has none", NULL,
      S("{" SUBSCRIBE ",\"x\":\"\\u001F\\u005C\\u005c\\u0022\\uAbCd\"}"),
      S(SUBSCRIBE ",\"extra\":{\"x\":\"\\u001f\\\\\\\\\\\"\xea\xaf\x8d\"}"),
      0 },

    { "U+007F to U+009F, U+2028 and U+2029 are escaped", NULL,
      S("{" SUBSCRIBE ",\"x\":\"~\x7f\\u007f\xc2\x80\xc2\x85\\u0085\\u009B"
        "\xc2\x9f\xc2\xa0\xe2\x80\xa7\xe2\x80\xa8\\u2028\xe2\x80\xa9\\u2029"
        "\xe2\x80\xaa\"}"),
      S(SUBSCRIBE ",\"extra\":{\"x\":\"~\\u007f\\u007f\\u0080\\u0085\\u0085"
        "\\u009b\\u009f\xc2\xa0\xe2\x80\xa7\\u2028\\u2028\\u2029\\u2029"
        "\xe2\x80\xaa\"}"), 0 },

    { "they are escaped in every value and name", NULL,
      S("{\"\x7f\":\"\x7f\",\"email\":\"\xc2\x80\","
        "\"event\":\"mailing group subscribe\",\"group_id\":4,"
        "\"group_name\":\"\xe2\x80\xa8\",\"channel\":\"c\",\"\xc2\x9f\":"
        "[\"\xe2\x80\xa9\",{\"\x7f\":{\"\xc2\x85\":\"\x7f\"}},\"a\"]}"),
      S("\"event\":\"mailing group subscribe\",\"email\":\"\\u0080\","
        "\"group_id\":4,\"group_name\":\"\\u2028\",\"channel\":\"c\","
        "\"extra\":{\"\\u007f\":\"\\u007f\",\"\\u009f\":"
        "[\"\\u2029\",{\"\\u007f\":{\"\\u0085\":\"\\u007f\"}},\"a\"]}"),
      0 },

    { "with one of them, other strings are what they are without", NULL,
      S("{" SUBSCRIBE ",\"x\":\"\x7f\",\"y\":\"\\\"\\\\\\/\\n\\u0441\","
        "\"\xd1\x81\xe2\x80\x94\":\"\xe2\x82\xac\xf0\x9f\x98\x80\",\"\":\"\"}"),
      S(SUBSCRIBE ",\"extra\":{\"x\":\"\\u007f\",\"y\":\"\\\"\\\\/\\n\xd1\x81"
        "\",\"\xd1\x81\xe2\x80\x94\":\"\xe2\x82\xac\xf0\x9f\x98\x80\","
        "\"\":\"\"}"),
      0 },

    { "markup and angle brackets stay raw", NULL,
      S("{" SUBSCRIBE ",\"x\":\"<b>&'</b>\"}"),
      S(SUBSCRIBE ",\"extra\":{\"x\":\"<b>&'</b>\"}"), 0 },

    { "characters of one to four bytes are carried", NULL,
      S("{" SUBSCRIBE ",\"x\":\"a\xc2\xa0\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf"
        "\xee\x80\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"}"),
      S(SUBSCRIBE ",\"extra\":{\"x\":\"a\xc2\xa0\xdf\xbf\xe0\xa0\x80"
        "\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\xf0\x90\x80\x80"
        "\xf4\x8f\xbf\xbf\"}"), 0 },

    { "escaped characters of one to four bytes are carried", NULL,
      S("{" SUBSCRIBE ",\"x\":\"\\u00a0\\u07ff\\u0800\\ud7ff\\ue000\\uffff"
        "\\ud800\\udc00\\udbff\\udfff\\uD83D\\uDE00\"}"),
      S(SUBSCRIBE ",\"extra\":{\"x\":\"\xc2\xa0\xdf\xbf\xe0\xa0\x80"
        "\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"
        "\xf0\x9f\x98\x80\"}"), 0 },

    { "pairs of surrogates may follow one another", NULL,
      S("{" SUBSCRIBE ",\"x\":\"\\ud83d\\ude00\\ud83d\\ude01z\\ud83d\\ude02"
        "\\n\"}"),
      S(SUBSCRIBE ",\"extra\":{\"x\":\"\xf0\x9f\x98\x80\xf0\x9f\x98\x81z"
        "\xf0\x9f\x98\x82\\n\"}"), 0 },

    { "an escaped backslash before u is not an escape of a surrogate", NULL,
      S("{" SUBSCRIBE ",\"x\":\"\\\\ud800\\\\\\\\udc00\"}"),
      S(SUBSCRIBE ",\"extra\":{\"x\":\"\\\\ud800\\\\\\\\udc00\"}"), 0 },

    { "names are written as strings are", NULL,
      S("{" SUBSCRIBE ",\"\\/\\u0022\\u005C\\u000a\\ud83d\\ude00\":"
        "{\"\\u0009\\/\":1}}"),
      S(SUBSCRIBE ",\"extra\":{\"/\\\"\\\\\\n\xf0\x9f\x98\x80\":"
        "{\"\\t/\":1}}"), 0 },

    { "brackets, commas and comments in strings are text", NULL,
      S("{" SUBSCRIBE ",\"x\":\"}{][,:/*//#true\",\"y\":\"\\\"}\"}"),
      S(SUBSCRIBE ",\"extra\":{\"x\":\"}{][,:/*//#true\",\"y\":\"\\\"}\"}"),
      0 },

    { "characters beyond all planes of text are carried", NULL,
      S("{" SUBSCRIBE ",\"x\":\"\xef\xb7\x90\xf0\x9f\xbf\xbe\xef\xbb\xbf"
        "\\ufeff\"}"),
      S(SUBSCRIBE ",\"extra\":{\"x\":\"\xef\xb7\x90\xf0\x9f\xbf\xbe"
        "\xef\xbb\xbf\xef\xbb\xbf\"}"), 0 },

    /* numbers */

    { "integers are carried digit by digit", NULL,
      S("{\"event\":\"contact adding\",\"phone\":\"1\",\"groups_names\":[],"
        "\"groups_ids\":[0,-0,-1,9223372036854775808,-9223372036854775809,"
        "18446744073709551616,9007199254740993]}"),
      S("\"event\":\"contact adding\",\"phone\":\"1\",\"groups_names\":[],"
        "\"groups_ids\":[0,-0,-1,9223372036854775808,-9223372036854775809,"
        "18446744073709551616,9007199254740993]"), 0 },

    { "an integer of 400 digits is carried", NULL,
      S("{\"event\":\"mailing group subscribe\",\"email\":\"e\",\"group_id\":-"
        DIGITS DIGITS DIGITS DIGITS ",\"group_name\":\"g\","
        "\"channel\":\"c\"}"),
      S("\"event\":\"mailing group subscribe\",\"email\":\"e\",\"group_id\":-"
        DIGITS DIGITS DIGITS DIGITS ",\"group_name\":\"g\","
        "\"channel\":\"c\""), 0 },

    { "numbers of extra fields are carried as they came", NULL,
      S("{" SUBSCRIBE ",\"x\":[0.0,-0.0,1.10,1e0,1E+00,1e-007,-1.5E9,"
        "123456789.987654321,1e99999,0.1e1]}"),
      S(SUBSCRIBE ",\"extra\":{\"x\":[0.0,-0.0,1.10,1e0,1E+00,1e-007,-1.5E9,"
        "123456789.987654321,1e99999,0.1e1]}"), 0 },

    { "a number with 200 decimals is carried", NULL,
      S("{" SUBSCRIBE ",\"x\":0." DIGITS DIGITS "}"),
      S(SUBSCRIBE ",\"extra\":{\"x\":0." DIGITS DIGITS "}"), 0 },

    /* contact adding */

    { "a contact may have an address only", NULL,
      S("{\"event\":\"contact adding\",\"email\":\"e\",\"groups_names\":[],"
        "\"groups_ids\":[]}"),
      S("\"event\":\"contact adding\",\"email\":\"e\",\"groups_names\":[],"
        "\"groups_ids\":[]"), 0 },

    { "a contact may have a phone only", NULL,
      S("{\"event\":\"contact adding\",\"phone\":\"80123456789\","
        "\"groups_names\":[\"a\"],\"groups_ids\":[1]}"),
      S("\"event\":\"contact adding\",\"phone\":\"80123456789\","
        "\"groups_names\":[\"a\"],\"groups_ids\":[1]"), 0 },

    { "null stays null in a contact without a phone", NULL,
      S("{\"event\":\"contact adding\",\"phone\":null,\"email\":\"e\","
        "\"groups_names\":[],\"groups_ids\":[]}"),
      S("\"event\":\"contact adding\",\"email\":\"e\",\"phone\":null,"
        "\"groups_names\":[],\"groups_ids\":[]"), 0 },

    { "null stays null in a contact without an address, name last", NULL,
      S("{\"email\":null,\"phone\":\"\",\"groups_names\":[\"\",\"\\n\"],"
        "\"groups_ids\":[-1],\"event\":\"contact adding\"}"),
      S("\"event\":\"contact adding\",\"email\":null,\"phone\":\"\","
        "\"groups_names\":[\"\",\"\\n\"],\"groups_ids\":[-1]"), 0 },

    /* names of events */

    { "a complaint may begin with U+0441", NULL,
      S("{\"event\":\"\xd1\x81omplaint\"," MESSAGE "}"),
      S("\"event\":\"complaint\"," MESSAGE), 0 },

    { "a complaint may begin with \\u0441", NULL,
      S("{\"event\":\"\\u0441omplaint\"," MESSAGE "}"),
      S("\"event\":\"complaint\"," MESSAGE), 0 },

    { "a complaint may begin with U+0441 when its name comes last", NULL,
      S("{" MESSAGE ",\"event\":\"\\u0441omplaint\"}"),
      S("\"event\":\"complaint\"," MESSAGE), 0 },

    { "a complaint may be Latin", NULL,
      S("{\"event\":\"complaint\"," MESSAGE "}"),
      S("\"event\":\"complaint\"," MESSAGE), 0 },

    { "any letter of any name may be a Cyrillic one that looks like it", NULL,
      S("{\"event\":\"m\xd0\xb5ss\xd0\xb0g\\u0435 \xd0\xbe\xd1\x80\xd0\xb5n\","
        MESSAGE "}"),
      S("\"event\":\"message open\"," MESSAGE), 0 },

    { "a name spelled with escapes is the name", NULL,
      S("{\"event\":\"\\u0063ompl\\u0061int\"," MESSAGE "}"),
      S("\"event\":\"complaint\"," MESSAGE), 0 },

    { "a declared name in Cyrillic letters is found in Latin ones", &named,
      S("{\"event\":\"whatsapp read\",\"id\":1}"),
      S("\"event\":\"wh\xd0\xb0ts\xd0\xb0pp r\xd0\xb5\xd0\xb0" "d\","
        "\"id\":1"), 0 },

    { "a declared name is found in a third spelling", &named,
      S("{\"event\":\"wh\xd0\xb0tsa\xd1\x80p read\",\"id\":1}"),
      S("\"event\":\"wh\xd0\xb0ts\xd0\xb0pp r\xd0\xb5\xd0\xb0" "d\","
        "\"id\":1"), 0 },

    { "an event of the list is accepted", &listed,
      S("{\"event\":\"complaint\"," MESSAGE "}"),
      S("\"event\":\"complaint\"," MESSAGE), 0 },

    { "an event of the list is accepted in its other spelling", &listed,
      S("{\"event\":\"\xd1\x81omplaint\"," MESSAGE "}"),
      S("\"event\":\"complaint\"," MESSAGE), 0 },

    { "an unknown event of the list is accepted if unknown ones are", &listed,
      S("{\"event\":\"hello\",\"x\":1}"),
      S("\"event\":\"hello\",\"extra\":{\"x\":1}"), 0 },

    { "an unknown event of the list is accepted in its other spelling", &listed,
      S("{\"event\":\"AB \xd0\xbe\\u0440en\"}"),
      S("\"event\":\"AB \xd0\xbe\xd1\x80" "en\""), 0 },

    { "an unknown event of 320 bytes is accepted if the list has it",
      &listed_long,
      S("{\"event\":\"" LONG80 LONG80 LONG80 LONG80 "\"}"),
      S("\"event\":\"" LONG80 LONG80 LONG80 LONG80 "\""), 0 },

    /* unknown events */

    { "an unknown event keeps its members as extra ones", &unknown,
      S("{\"event\":\"whatsapp sent\",\"message_id\":\"x\",\"to\":null}"),
      S("\"event\":\"whatsapp sent\","
        "\"extra\":{\"message_id\":\"x\",\"to\":null}"), 0 },

    { "an unknown event may be all there is", &unknown,
      S("{\"event\":\"hello\"}"), S("\"event\":\"hello\""), 0 },

    { "an unknown event may have an empty name", &unknown,
      S("{\"event\":\"\"}"), S("\"event\":\"\""), 0 },

    { "an unknown event's name is escaped", &unknown,
      S("{\"a\":1,\"event\":\"\\u0022\\u005c\\n\\/\\u0441\",\"b\":2}"),
      S("\"event\":\"\\\"\\\\\\n/\xd1\x81\",\"extra\":{\"a\":1,\"b\":2}"),
      0 },

    { "there is no control character in an unknown event's name", &unknown,
      S("{\"a\":1,\"event\":\"\xc2\x9b\x7f\xe2\x80\xa8\",\"b\":2}"),
      S("\"event\":\"\\u009b\\u007f\\u2028\",\"extra\":{\"a\":1,\"b\":2}"),
      0 },

    { "an unknown event may have a name of 320 bytes", &unknown,
      S("{\"event\":\"" LONG80 LONG80 LONG80 LONG80 "\"}"),
      S("\"event\":\"" LONG80 LONG80 LONG80 LONG80 "\""), 0 },

    { "an unknown event keeps its members where extra ones are refused",
      &unknown_reject,
      S("{\"a\":1,\"event\":\"hello\",\"b\":[{}]}"),
      S("\"event\":\"hello\",\"extra\":{\"a\":1,\"b\":[{}]}"), 0 },

    { "an unknown event keeps its members where extra ones are dropped",
      &unknown_drop,
      S("{\"a\":1,\"event\":\"hello\",\"b\":[{}]}"),
      S("\"event\":\"hello\",\"extra\":{\"a\":1,\"b\":[{}]}"), 0 },

    { "a known event is checked if unknown ones are accepted", &unknown,
      S("{\"event\":\"\xd1\x81omplaint\",\"x\":1," MESSAGE "}"),
      S("\"event\":\"complaint\"," MESSAGE ",\"extra\":{\"x\":1}"), 0 },

    /* declared events */

    { "a declared event may have fields of every type", &typed,
      S("{\"event\":\"typed\",\"s\":\"\\u0073\",\"i\":-0,\"n\":1.50,"
        "\"b\":false,\"ss\":[\"a\",\"\"],\"ii\":[1,22],\"a\":[1,{\"b\":[]}]}"),
      S("\"event\":\"typed\",\"s\":\"s\",\"i\":-0,\"n\":1.50,\"b\":false,"
        "\"ss\":[\"a\",\"\"],\"ii\":[1,22],\"a\":[1,{\"b\":[]}]"), 0 },

    { "a number may be an integer, and any value false", &typed,
      S("{\"a\":false,\"ii\":[],\"ss\":[],\"b\":true,\"n\":7,\"i\":7,"
        "\"s\":\"\",\"event\":\"typed\"}"),
      S("\"event\":\"typed\",\"s\":\"\",\"i\":7,\"n\":7,\"b\":true,\"ss\":[],"
        "\"ii\":[],\"a\":false"), 0 },

    { "any value may be a string, and a number have an exponent", &typed,
      S("{\"event\":\"typed\",\"s\":\"\",\"i\":1,\"n\":1e5,\"b\":true,"
        "\"ss\":[],\"ii\":[],\"a\":\"\\u0061\"}"),
      S("\"event\":\"typed\",\"s\":\"\",\"i\":1,\"n\":1e5,\"b\":true,"
        "\"ss\":[],\"ii\":[],\"a\":\"a\""), 0 },

    { "optional fields may be absent", &typed,
      S("{\"event\":\"optional\"}"), S("\"event\":\"optional\""), 0 },

    { "optional fields may be null, and are null in the line", &typed,
      S("{\"a\":null,\"s\":null,\"event\":\"optional\",\"i\":null,\"n\":null,"
        "\"b\":null,\"ss\":null,\"ii\":null}"),
      S("\"event\":\"optional\",\"s\":null,\"i\":null,\"n\":null,\"b\":null,"
        "\"ss\":null,\"ii\":null,\"a\":null"), 0 },

    { "null in an optional array may come before the name", &typed,
      S("{\"ss\":null,\"ii\":null,\"event\":\"optional\"}"),
      S("\"event\":\"optional\",\"ss\":null,\"ii\":null"), 0 },

    { "optional fields may be there", &typed,
      S("{\"event\":\"optional\",\"ss\":[\"x\"],\"a\":{\"b\":null}}"),
      S("\"event\":\"optional\",\"ss\":[\"x\"],\"a\":{\"b\":null}"), 0 },

    { "a declared event may have no fields", &typed,
      S("{\"event\":\"bare\",\"x\":1}"),
      S("\"event\":\"bare\",\"extra\":{\"x\":1}"), 0 },

    { "names of a declared event are escaped", &named,
      S("{\"event\":\"na\\\"me\\\\d\\n\",\"=a\":{},\"a/b~c\\\"d\\\\e\\nf\":1,"
        "\"\\u0441\":\"\"}"),
      S("\"event\":\"na\\\"me\\\\d\\n\",\"a/b~c\\\"d\\\\e\\nf\":1,"
        "\"\xd1\x81\":\"\",\"=a\":{}"), 0 },

    { "there is no control character in the names of a declared event", &raw,
      S("{\"\xc2\x85\":1,\"\x7f\":\"\",\"event\":\"\xe2\x80\xa9\","
        "\"\xe2\x80\xa8\":[]}"),
      S("\"event\":\"\\u2029\",\"\\u007f\":\"\",\"\\u0085\":1,"
        "\"\\u2028\":[]"), 0 },

    { "names of a declared event may be spelled with escapes", &raw,
      S("{\"event\":\"\\u2029\",\"\\u007F\":\"\",\"\\u0085\":1,"
        "\"\\u2028\":[]}"),
      S("\"event\":\"\\u2029\",\"\\u007f\":\"\",\"\\u0085\":1,"
        "\"\\u2028\":[]"), 0 },

    { "a built-in event may be declared again", &replaced,
      S("{\"event\":\"complaint\",\"message_id\":\"4\",\"why\":\"w\"}"),
      S("\"event\":\"complaint\",\"why\":\"w\",\"message_id\":\"4\""), 0 },

    { "a built-in event that is declared again has both spellings", &replaced,
      S("{\"event\":\"\xd1\x81omplaint\",\"why\":\"w\",\"message_id\":\"\"}"),
      S("\"event\":\"complaint\",\"why\":\"w\",\"message_id\":\"\""), 0 },

    { "a built-in event that is declared again loses its rules", &replaced,
      S("{\"event\":\"contact adding\",\"email\":\"\"}"),
      S("\"event\":\"contact adding\",\"email\":\"\""), 0 },

    { "an event that shares its fields with a replaced one keeps them",
      &replaced,
      S("{\"event\":\"message open\"," MESSAGE "}"),
      S("\"event\":\"message open\"," MESSAGE), 0 },

    /* test deliveries; vendor.c tests those of the vendor's page */

    { "a test is recognised by its message in any event", NULL,
      S("{\"event\":\"complaint\",\"message_id\":77,\"message_uid\":\"" UID
        "\",\"sending_type\":\"s\",\"name\":\"n\",\"from\":\"f\",\"to\":\"t\","
        "\"x\":1}"),
      S("\"event\":\"complaint\",\"message_id\":77,\"message_uid\":\"" UID
        "\",\"sending_type\":\"s\",\"name\":\"n\",\"from\":\"f\",\"to\":\"t\","
        "\"extra\":{\"x\":1}"), 1 },

    { "a test is known by its message spelled with escapes", NULL,
      S("{\"event\":\"complaint\",\"message_id\":77,\"message_uid\":"
        "\"\\u0030123456789\\u005f012_012_01234\",\"sending_type\":\"s\","
        "\"name\":\"n\",\"from\":\"f\",\"to\":\"t\"}"),
      S("\"event\":\"complaint\",\"message_id\":77,\"message_uid\":\"" UID
        "\",\"sending_type\":\"s\",\"name\":\"n\",\"from\":\"f\",\"to\":\"t\""),
      1 },

    { "a message with another uid is not a test delivery", NULL,
      S("{\"event\":\"complaint\",\"message_id\":4,\"message_uid\":\"" UID "5"
        "\",\"sending_type\":\"s\",\"name\":\"Complaint in message (test)\","
        "\"from\":\"f\",\"to\":\"t\"}"),
      S("\"event\":\"complaint\",\"message_id\":4,\"message_uid\":\"" UID "5"
        "\",\"sending_type\":\"s\",\"name\":\"Complaint in message (test)\","
        "\"from\":\"f\",\"to\":\"t\""), 0 },

    { "the uid in another field does not make a test delivery", NULL,
      S("{" SUBSCRIBE ",\"message_uid\":\"" UID "\"}"),
      S(SUBSCRIBE ",\"extra\":{\"message_uid\":\"" UID "\"}"), 0 },

    { "the uid in an unknown event does not make a test delivery", &unknown,
      S("{\"event\":\"hello\",\"message_uid\":\"" UID "\"}"),
      S("\"event\":\"hello\",\"extra\":{\"message_uid\":\"" UID "\"}"), 0 },

    { "a subscription is a test by its group", NULL,
      S("{\"event\":\"mailing group subscribe\",\"email\":\"e\","
        "\"group_id\":4,\"group_name\":\"Person subscribe (test)\","
        "\"channel\":\"c\"}"),
      S("\"event\":\"mailing group subscribe\",\"email\":\"e\","
        "\"group_id\":4,\"group_name\":\"Person subscribe (test)\","
        "\"channel\":\"c\""), 1 },

    { "a group of nearly that name does not make a test delivery", NULL,
      S("{\"event\":\"mailing group unsubscribe\",\"email\":\"e\","
        "\"group_id\":4,\"group_name\":\"person unsubscribe (test)\","
        "\"channel\":\"c\"}"),
      S("\"event\":\"mailing group unsubscribe\",\"email\":\"e\","
        "\"group_id\":4,\"group_name\":\"person unsubscribe (test)\","
        "\"channel\":\"c\""), 0 },

    { "a contact is a test by phone and groups, without an address", NULL,
      S("{\"phone\":\"80123456789\"," IDS ",\"groups_names\" : [ "
        "\"test\\u005fgroup_0\" , \"test_group_1\" ],"
        "\"event\":\"contact adding\"}"),
      S("\"event\":\"contact adding\",\"phone\":\"80123456789\"," NAMES ","
        IDS), 1 },

    { "a contact with another phone is not a test delivery", NULL,
      S("{\"event\":\"contact adding\",\"phone\":\"8012345678\"," NAMES ","
        IDS "}"),
      S("\"event\":\"contact adding\",\"phone\":\"8012345678\"," NAMES ","
        IDS), 0 },

    { "a contact without a phone is not a test delivery", NULL,
      S("{\"event\":\"contact adding\",\"email\":\"user@example.com\","
        "\"phone\":null," NAMES "," IDS "}"),
      S("\"event\":\"contact adding\",\"email\":\"user@example.com\","
        "\"phone\":null," NAMES "," IDS), 0 },

    { "a contact with one more group is not a test delivery", NULL,
      S("{\"event\":\"contact adding\",\"phone\":\"80123456789\","
        "\"groups_names\":[\"test_group_0\",\"test_group_1\",\"x\"]," IDS "}"),
      S("\"event\":\"contact adding\",\"phone\":\"80123456789\","
        "\"groups_names\":[\"test_group_0\",\"test_group_1\",\"x\"]," IDS),
      0 },

    { "a contact with one group less is not a test delivery", NULL,
      S("{\"event\":\"contact adding\",\"phone\":\"80123456789\","
        "\"groups_names\":[\"test_group_0\"]," IDS "}"),
      S("\"event\":\"contact adding\",\"phone\":\"80123456789\","
        "\"groups_names\":[\"test_group_0\"]," IDS), 0 },

    { "a contact whose only group has a comma in its name is not a test", NULL,
      S("{\"event\":\"contact adding\",\"phone\":\"80123456789\","
        "\"groups_names\":[\"test_group_0\\\",\\\"test_group_1\"]," IDS "}"),
      S("\"event\":\"contact adding\",\"phone\":\"80123456789\","
        "\"groups_names\":[\"test_group_0\\\",\\\"test_group_1\"]," IDS), 0 },

    { "a declared event is a test by its message", &tested,
      S("{\"event\":\"whatsapp sent\",\"message_uid\":\"" UID "\"}"),
      S("\"event\":\"whatsapp sent\",\"message_uid\":\"" UID "\""), 1 },

    { "a declared event is a test by its group", &tested,
      S("{\"group_name\":\"Person subscribe (test)\","
        "\"event\":\"group seen\"}"),
      S("\"event\":\"group seen\",\"group_name\":\"Person subscribe (test)\""),
      1 },

    { "a declared event with another group is not a test delivery", &tested,
      S("{\"group_name\":[\"Person subscribe (test)\"],"
        "\"event\":\"group seen\"}"),
      S("\"event\":\"group seen\","
        "\"group_name\":[\"Person subscribe (test)\"]"), 0 },

    { "phone and groups in a declared event do not make a test", &tested,
      S("{\"event\":\"contact seen\",\"phone\":\"80123456789\"," NAMES "}"),
      S("\"event\":\"contact seen\",\"phone\":\"80123456789\"," NAMES), 0 },

    { "a contact that is declared again is a test by phone and groups",
      &tested,
      S("{\"event\":\"contact adding\",\"phone\":\"80123456789\"," NAMES
        "}"),
      S("\"event\":\"contact adding\"," NAMES ",\"phone\":\"80123456789\""),
      1 },

    { "a contact that is declared again without groups is not a test", &tested,
      S("{\"event\":\"contact adding\",\"phone\":\"80123456789\"}"),
      S("\"event\":\"contact adding\",\"phone\":\"80123456789\""), 0 },

    { "phone and groups in an unknown event do not make a test", &unknown,
      S("{\"event\":\"contact\",\"phone\":\"80123456789\"," NAMES "}"),
      S("\"event\":\"contact\",\"extra\":{\"phone\":\"80123456789\"," NAMES
        "}"), 0 }
};


static void table_events(void);
static void long_strings(void);
static size_t repeat(unsigned char *p, const char *unit, size_t n);


int
main(void)
{
    table_events();
    long_strings();

    return tap_done();
}


static void
table_events(void)
{
    size_t         i;
    unit_setup_t   setup;

    for (i = 0; i < sizeof(events) / sizeof(events[0]); i++) {

        unit_setup(&setup, events[i].conf);

        tap_ok(unit_accepted(&setup, &events[i].body, &events[i].line,
                             events[i].test),
               "%s", events[i].title);

        unit_teardown(&setup);
    }
}


/* Values and names of sizes at which a buffer of yajl grows, and others. */

static void
long_strings(void)
{
    size_t          i, j, n;
    enkod_str_t     body, line;
    unit_setup_t    setup;
    unsigned char  *in, *out;

    static const struct {
        const char  *title;
        const char  *body;
        const char  *line;
    } units[] = {
        { "without escapes", "abcdefg", "abcdefg" },
        { "with escapes", "a\\u00e9b\\n\\\"", "a\xc3\xa9" "b\\n\\\"" },
        { "of escapes", "\\u0001\\/", "\\u0001/" }
    };
    static const size_t  sizes[] = { 2030, 2060, 4090, 5000, 17000, 24000 };

    unit_setup(&setup, NULL);

    in = malloc(200000);
    out = malloc(200000);
    if (in == NULL || out == NULL) {
        abort();
    }

    for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        for (j = 0; j < sizeof(sizes) / sizeof(sizes[0]); j++) {

            n = sizes[j] / strlen(units[i].line) + 1;

            body.data = in;
            body.len = repeat(in, "{\"event\":\"mailing group subscribe\","
                                  GROUP ",\"x\":\"", 1);
            body.len += repeat(in + body.len, units[i].body, n);
            body.len += repeat(in + body.len, "\",\"y", 1);
            body.len += repeat(in + body.len, units[i].body, n / 2);
            body.len += repeat(in + body.len, "\":[1, \"z\"]}", 1);

            line.data = out;
            line.len = repeat(out, "\"event\":\"mailing group subscribe\","
                                   GROUP ",\"extra\":{\"x\":\"", 1);
            line.len += repeat(out + line.len, units[i].line, n);
            line.len += repeat(out + line.len, "\",\"y", 1);
            line.len += repeat(out + line.len, units[i].line, n / 2);
            line.len += repeat(out + line.len, "\":[1,\"z\"]}", 1);

            tap_ok(unit_accepted(&setup, &body, &line, 0),
                   "strings %s of %lu bytes and more are not changed",
                   units[i].title, (unsigned long) sizes[j]);
        }
    }

    free(in);
    free(out);

    unit_teardown(&setup);
}


static size_t
repeat(unsigned char *p, const char *unit, size_t n)
{
    size_t  i, len;

    len = strlen(unit);

    for (i = 0; i < n; i++) {
        memcpy(p + i * len, unit, len);
    }

    return n * len;
}
