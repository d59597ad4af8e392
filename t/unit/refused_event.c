
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Bodies that are JSON, but not an event that is accepted: the code, the
 * member, the type that was expected, and the byte that decided it.  The file
 * is one table.
 */


#include "refusal.h"


#define MESSAGE                                                               \
    "{\"event\":\"message open\",\"message_id\":4,\"message_uid\":\"u\","     \
    "\"sending_type\":\"instant\",\"name\":\"n\",\"from\":\"f\",\"to\":\"t\""

#define GROUP                                                                 \
    "{\"event\":\"mailing group subscribe\",\"email\":\"e\","                 \
    "\"group_id\":4,\"group_name\":\"g\",\"channel\":\"c\""

#define CONTACT  "{\"event\":\"contact adding\""

/* 64 bytes */
#define LONG                                                                  \
    "0123456789012345678901234567890123456789012345678901234567890123"


static const unit_conf_t  reject = { .extra = ENKOD_EXTRA_REJECT };

static const unit_conf_t  unknown = { .accept_unknown = 1 };

static const unit_conf_t  opens = {
    .events = { "message open", "complaint", "hello" }
};

static const unit_conf_t  opens_unknown = {
    .events = { "message open", "hello" }, .accept_unknown = 1
};

static const unit_conf_t  typed = {
    .shapes = {
        { "typed", "s=string", "i=integer", "n=number", "b=boolean",
          "ss=strings", "ii=integers", "a=any", NULL },
        { "optional", "s=string?", "i=integer?", "n=number?", "b=boolean?",
          "ss=strings?", "ii=integers?", "a=any?", NULL }
    }
};

static const unit_conf_t  replaced = {
    .shapes = { { "complaint", "why=string", NULL } }
};


static const refusal_t  refusals[] = {

    /* not_object */

    { "an empty array is not an object", NULL,
      S("["), S("]"), ENKOD_NOT_OBJECT, NOTHING, NULL },

    { "an array of events is not an object", NULL,
      S(" ["), S(GROUP "}]"), ENKOD_NOT_OBJECT, NOTHING, NULL },

    { "a string is not an object", NULL,
      S("\"message open\""), S(""), ENKOD_NOT_OBJECT, NOTHING, NULL },

    { "a string with white space around it is not an object", NULL,
      S("\n\"\\n\""), S("\n"), ENKOD_NOT_OBJECT, NOTHING, NULL },

    { "an integer is not an object", NULL,
      S("42"), S(""), ENKOD_NOT_OBJECT, NOTHING, NULL },

    { "an integer with a line feed after it is not an object", NULL,
      S("-42"), S("\n"), ENKOD_NOT_OBJECT, NOTHING, NULL },

    { "a number is not an object", NULL,
      S("1.5e-7"), S(""), ENKOD_NOT_OBJECT, NOTHING, NULL },

    { "true is not an object", NULL,
      S("true"), S(""), ENKOD_NOT_OBJECT, NOTHING, NULL },

    { "false is not an object", NULL,
      S("false"), S(" "), ENKOD_NOT_OBJECT, NOTHING, NULL },

    { "null is not an object", NULL,
      S("null"), S(""), ENKOD_NOT_OBJECT, NOTHING, NULL },

    { "an array is not an object although it breaks off", NULL,
      S("["), S(""), ENKOD_NOT_OBJECT, NOTHING, NULL },

    { "null is not an object even where unknown events are accepted", &unknown,
      S("null"), S(""), ENKOD_NOT_OBJECT, NOTHING, NULL },

    /* missing_event */

    { "an empty object has no event", NULL,
      S("{}"), S(""), ENKOD_MISSING_EVENT, S("/event"), "string" },

    { "an object without \"event\" has no event", NULL,
      S("{\"message_id\":4}"), S("\n"), ENKOD_MISSING_EVENT, S("/event"),
      "string" },

    { "an \"event\" inside of a member is not the event", NULL,
      S("{\"x\":{\"event\":\"complaint\"}}"), S(""), ENKOD_MISSING_EVENT,
      S("/event"), "string" },

    { "\"Event\" with a capital is not the event", NULL,
      S("{\"Event\":\"complaint\"}"), S(""), ENKOD_MISSING_EVENT,
      S("/event"), "string" },

    { "null is not an event", NULL,
      S("{\"event\":null"), S("}"), ENKOD_MISSING_EVENT, S("/event"),
      "string" },

    { "a number is not an event", NULL,
      S("{\"event\":4"), S(",\"x\":1}"), ENKOD_MISSING_EVENT, S("/event"),
      "string" },

    { "true is not an event", NULL,
      S("{\"event\":true"), S("}"), ENKOD_MISSING_EVENT, S("/event"),
      "string" },

    { "an array is not an event", NULL,
      S("{\"event\":["), S("\"complaint\"]}"), ENKOD_MISSING_EVENT,
      S("/event"), "string" },

    { "an object is not an event", NULL,
      S("{\"event\":{"), S("}}"), ENKOD_MISSING_EVENT, S("/event"),
      "string" },

    { "null is not an event after other members", NULL,
      S("{\"x\":[\"a\"],\"event\":null"), S("}"), ENKOD_MISSING_EVENT,
      S("/event"), "string" },

    { "an empty object has no event if unknown events are accepted", &unknown,
      S("{ }"), S(""), ENKOD_MISSING_EVENT, S("/event"), "string" },

    { "null is not an event where unknown events are accepted", &unknown,
      S("{\"event\":null"), S("}"), ENKOD_MISSING_EVENT, S("/event"),
      "string" },

    { "an \"event\" spelled with an escape must be a string too", NULL,
      S("{\"\\u0065vent\":1"), S("}"), ENKOD_MISSING_EVENT, S("/event"),
      "string" },

    { "no event is missing before extra fields are refused", &reject,
      S("{\"x\":1}"), S(""), ENKOD_MISSING_EVENT, S("/event"), "string" },

    /* unknown_event */

    { "an event that is not in the table is unknown", NULL,
      S("{\"event\":\"message read\""), S(",\"message_id\":4}"),
      ENKOD_UNKNOWN_EVENT, S("/event"), NULL },

    { "an empty name is unknown", NULL,
      S("{\"event\":\"\""), S("}"), ENKOD_UNKNOWN_EVENT, S("/event"), NULL },

    { "a name with a space after it is unknown", NULL,
      S("{\"event\":\"complaint \""), S("}"), ENKOD_UNKNOWN_EVENT,
      S("/event"), NULL },

    { "a name with capitals is unknown", NULL,
      S("{\"event\":\"Complaint\""), S("}"), ENKOD_UNKNOWN_EVENT,
      S("/event"), NULL },

    { "a name with NUL after it is unknown", NULL,
      S("{\"event\":\"complaint\\u0000\""), S("}"), ENKOD_UNKNOWN_EVENT,
      S("/event"), NULL },

    { "a name with a Cyrillic letter that looks like no Latin one is unknown",
      NULL,
      S("{\"event\":\"\xd0\xb6omplaint\""), S("}"), ENKOD_UNKNOWN_EVENT,
      S("/event"), NULL },

    { "a name with a Greek letter is unknown", NULL,
      S("{\"event\":\"c\xce\xbfmplaint\""), S("}"), ENKOD_UNKNOWN_EVENT,
      S("/event"), NULL },

    { "a name of 320 bytes is unknown", NULL,
      S("{\"event\":\"" LONG LONG LONG LONG LONG "\""), S("}"),
      ENKOD_UNKNOWN_EVENT, S("/event"), NULL },

    { "an unknown name after its members is unknown", NULL,
      S("{\"message_id\":4,\"event\":\"message read\""), S("}"),
      ENKOD_UNKNOWN_EVENT, S("/event"), NULL },

    /* event_not_allowed */

    { "an event of the table that is not in the list is not allowed", &opens,
      S("{\"event\":\"mailing group subscribe\""), S(",\"email\":\"e\"}"),
      ENKOD_EVENT_NOT_ALLOWED, S("/event"), NULL },

    { "an event outside of table and list is not allowed", &opens,
      S("{\"event\":\"message read\""), S(",\"message_id\":4}"),
      ENKOD_EVENT_NOT_ALLOWED, S("/event"), NULL },

    { "an event in the list that is not in the table is unknown", &opens,
      S("{\"event\":\"hello\""), S("}"), ENKOD_UNKNOWN_EVENT, S("/event"),
      NULL },

    { "an unknown event outside of the list is not allowed although unknown "
      "events are taken", &opens_unknown,
      S("{\"event\":\"hallo\""), S("}"), ENKOD_EVENT_NOT_ALLOWED,
      S("/event"), NULL },

    { "a known event outside of the list is not allowed although unknown "
      "events are taken", &opens_unknown,
      S("{\"event\":\"message sent\""), S("}"), ENKOD_EVENT_NOT_ALLOWED,
      S("/event"), NULL },

    { "a name of 320 bytes is not in a list of short ones", &opens_unknown,
      S("{\"event\":\"" LONG LONG LONG LONG LONG "\""), S("}"),
      ENKOD_EVENT_NOT_ALLOWED, S("/event"), NULL },

    { "an empty name is not in the list", &opens_unknown,
      S("{\"x\":1,\"event\":\"\""), S("}"), ENKOD_EVENT_NOT_ALLOWED,
      S("/event"), NULL },

    /* missing_field: the first of the table */

    { "an event without any field lacks the first one", NULL,
      S("{\"event\":\"message open\"}"), S("\n"), ENKOD_MISSING_FIELD,
      S("/message_id"), "integer" },

    { "an event that lacks two fields lacks the first of the table", NULL,
      S("{\"to\":\"t\",\"name\":\"n\",\"event\":\"message sent\","
        "\"message_id\":4,\"sending_type\":\"instant\"}"), S(""),
      ENKOD_MISSING_FIELD, S("/message_uid"), "string" },

    { "an event without its last field lacks it", NULL,
      S("{\"event\":\"delivery bounce\",\"message_id\":4,\"message_uid\":"
        "\"u\",\"sending_type\":\"s\",\"name\":\"n\",\"from\":\"f\","
        "\"to\":\"t\"}"), S(""),
      ENKOD_MISSING_FIELD, S("/error_message"), "string" },

    { "a click without its URL lacks it", NULL,
      S("{\"event\":\"message clicked\",\"message_id\":4,\"message_uid\":"
        "\"u\",\"sending_type\":\"s\",\"name\":\"n\",\"from\":\"f\","
        "\"to\":\"t\",\"error_message\":\"e\"}"), S(""),
      ENKOD_MISSING_FIELD, S("/click_url"), "string" },

    { "a name with capitals is another field", NULL,
      S("{\"event\":\"mailing group unsubscribe\",\"Email\":\"e\","
        "\"group_id\":4,\"group_name\":\"g\",\"channel\":\"c\"}"), S(""),
      ENKOD_MISSING_FIELD, S("/email"), "string" },

    { "a field with a Cyrillic letter in its name is another field", NULL,
      S("{\"event\":\"mailing group unsubscribe\",\"\xd0\xb5mail\":\"e\","
        "\"group_id\":4,\"group_name\":\"g\",\"channel\":\"c\"}"), S(""),
      ENKOD_MISSING_FIELD, S("/email"), "string" },

    { "a contact without groups lacks their names", NULL,
      S(CONTACT ",\"email\":\"e\",\"groups_ids\":[]}"), S(""),
      ENKOD_MISSING_FIELD, S("/groups_names"), "array of strings" },

    { "a contact without ids of groups lacks them", NULL,
      S(CONTACT ",\"email\":\"e\",\"groups_names\":[]}"), S(""),
      ENKOD_MISSING_FIELD, S("/groups_ids"), "array of integers" },

    { "a contact without address and phone lacks the address", NULL,
      S(CONTACT ",\"groups_names\":[],\"groups_ids\":[]}"), S(""),
      ENKOD_MISSING_FIELD, S("/email"), "string" },

    { "a contact without anything lacks the address", NULL,
      S("{\"event\":\"contact adding\"}"), S(""), ENKOD_MISSING_FIELD,
      S("/email"), "string" },

    { "a contact with null for both lacks the address", NULL,
      S(CONTACT ",\"phone\":null,\"email\":null,\"groups_names\":[],"
        "\"groups_ids\":[]}"), S(""),
      ENKOD_MISSING_FIELD, S("/email"), "string" },

    { "a contact with null for one and not the other lacks the address", NULL,
      S(CONTACT ",\"phone\":null,\"groups_names\":[],\"groups_ids\":[]}"),
      S(""), ENKOD_MISSING_FIELD, S("/email"), "string" },

    { "a declared event lacks its first field", &typed,
      S("{\"event\":\"typed\",\"i\":1}"), S(""), ENKOD_MISSING_FIELD, S("/s"),
      "string" },

    { "a declared event lacks a field of any type", &typed,
      S("{\"event\":\"typed\",\"s\":\"\",\"i\":1,\"n\":1,\"b\":true,"
        "\"ss\":[],\"ii\":[]}"), S(""), ENKOD_MISSING_FIELD, S("/a"),
      "any value but null" },

    { "a built-in event that was replaced lacks its new field", &replaced,
      S("{\"event\":\"complaint\",\"message_id\":4}"), S(""),
      ENKOD_MISSING_FIELD, S("/why"), "string" },

    { "an event that was replaced lacks its new field in Cyrillic too",
      &replaced,
      S("{\"event\":\"\\u0441omplaint\"}"), S(""),
      ENKOD_MISSING_FIELD, S("/why"), "string" },

    { "a field inside of another one does not count", NULL,
      S("{\"event\":\"mailing group subscribe\",\"x\":{\"email\":\"e\"},"
        "\"group_id\":4,\"group_name\":\"g\",\"channel\":\"c\"}"), S(""),
      ENKOD_MISSING_FIELD, S("/email"), "string" },

    /* wrong_type */

    { "a string is not an integer", NULL,
      S("{\"event\":\"message open\",\"message_id\":\"4\""), S("}"),
      ENKOD_WRONG_TYPE, S("/message_id"), "integer" },

    { "a fraction is not an integer", NULL,
      S("{\"event\":\"message open\",\"message_id\":4.0"), S("}"),
      ENKOD_WRONG_TYPE, S("/message_id"), "integer" },

    { "an exponent is not an integer", NULL,
      S("{\"event\":\"message open\",\"message_id\":4e2"), S("}"),
      ENKOD_WRONG_TYPE, S("/message_id"), "integer" },

    { "an exponent with a capital is not an integer", NULL,
      S("{\"event\":\"message open\",\"message_id\":-4E+2"), S(" }"),
      ENKOD_WRONG_TYPE, S("/message_id"), "integer" },

    { "a boolean is not an integer", NULL,
      S("{\"event\":\"message open\",\"message_id\":false"), S("}"),
      ENKOD_WRONG_TYPE, S("/message_id"), "integer" },

    { "an array is not an integer, as its bracket shows", NULL,
      S("{\"event\":\"message open\",\"message_id\":["), S("4]}"),
      ENKOD_WRONG_TYPE, S("/message_id"), "integer" },

    { "null is not an integer", NULL,
      S("{\"event\":\"message open\",\"message_id\":null"), S("}"),
      ENKOD_WRONG_TYPE, S("/message_id"), "integer" },

    { "an integer is not a string", NULL,
      S("{\"event\":\"complaint\",\"name\":4"), S("}"),
      ENKOD_WRONG_TYPE, S("/name"), "string" },

    { "an object is not a string, as its brace shows", NULL,
      S("{\"event\":\"complaint\",\"name\":{"), S("}}"),
      ENKOD_WRONG_TYPE, S("/name"), "string" },

    { "null is not a string", NULL,
      S("{\"event\":\"complaint\",\"to\":null"), S("}"),
      ENKOD_WRONG_TYPE, S("/to"), "string" },

    { "true is not a string", NULL,
      S("{\"event\":\"mailing group subscribe\",\"email\":true"), S("}"),
      ENKOD_WRONG_TYPE, S("/email"), "string" },

    { "a wrong type is seen when the event's name comes last", NULL,
      S("{\"message_id\":\"4\",\"event\":\"message open\""), S("}"),
      ENKOD_WRONG_TYPE, S("/message_id"), "integer" },

    { "the first wrong type is named when the event's name comes last", NULL,
      S("{\"name\":\"n\",\"to\":4,\"message_id\":\"4\","
        "\"event\":\"message open\""), S("}"),
      ENKOD_WRONG_TYPE, S("/to"), "string" },

    { "an address of a contact must be a string", NULL,
      S(CONTACT ",\"email\":4"), S("}"), ENKOD_WRONG_TYPE, S("/email"),
      "string" },

    { "a phone of a contact must be a string", NULL,
      S(CONTACT ",\"phone\":80123456789"), S("}"), ENKOD_WRONG_TYPE,
      S("/phone"), "string" },

    { "a string is not an array of strings", NULL,
      S(CONTACT ",\"groups_names\":\"a\""), S("}"), ENKOD_WRONG_TYPE,
      S("/groups_names"), "array of strings" },

    { "an object is not an array of strings", NULL,
      S(CONTACT ",\"groups_names\":{"), S("\"0\":\"a\"}}"),
      ENKOD_WRONG_TYPE, S("/groups_names"), "array of strings" },

    { "null is not an array of strings", NULL,
      S(CONTACT ",\"groups_names\":null"), S("}"), ENKOD_WRONG_TYPE,
      S("/groups_names"), "array of strings" },

    { "an integer among strings is named by its index", NULL,
      S(CONTACT ",\"groups_names\":[\"a\",\"b\",3"), S(",4]}"),
      ENKOD_WRONG_TYPE, S("/groups_names/2"), "string" },

    { "null among strings is named by its index", NULL,
      S(CONTACT ",\"groups_names\":[null"), S("]}"),
      ENKOD_WRONG_TYPE, S("/groups_names/0"), "string" },

    { "an array among strings is named by its index", NULL,
      S(CONTACT ",\"groups_names\":[\"a\",["), S("\"b\"]]}"),
      ENKOD_WRONG_TYPE, S("/groups_names/1"), "string" },

    { "an object among integers is named by its index", NULL,
      S(CONTACT ",\"groups_ids\":[0,{"), S("\"b\":1}]}"),
      ENKOD_WRONG_TYPE, S("/groups_ids/1"), "integer" },

    { "a fraction among integers is named by its index", NULL,
      S(CONTACT ",\"groups_ids\":[0,1,2,3,4,5,6,7,8,9,10.5"), S("]}"),
      ENKOD_WRONG_TYPE, S("/groups_ids/10"), "integer" },

    { "a string among integers is named when the event's name comes last",
      NULL,
      S("{\"groups_ids\":[0,[\"a\"],\"b\"],\"event\":\"contact adding\""),
      S("}"), ENKOD_WRONG_TYPE, S("/groups_ids/1"), "integer" },

    { "an element after a good array of another member is counted from 0",
      NULL,
      S(CONTACT ",\"groups_names\":[\"a\",\"b\"],\"groups_ids\":[\"c\""),
      S("]}"), ENKOD_WRONG_TYPE, S("/groups_ids/0"), "integer" },

    { "a declared string must be one", &typed,
      S("{\"event\":\"typed\",\"s\":1"), S("}"), ENKOD_WRONG_TYPE, S("/s"),
      "string" },

    { "a declared integer must be one", &typed,
      S("{\"event\":\"typed\",\"i\":1.5"), S("}"), ENKOD_WRONG_TYPE, S("/i"),
      "integer" },

    { "a declared number must be one", &typed,
      S("{\"event\":\"typed\",\"n\":\"1\""), S("}"), ENKOD_WRONG_TYPE,
      S("/n"), "number" },

    { "a declared boolean must be one", &typed,
      S("{\"event\":\"typed\",\"b\":0"), S("}"), ENKOD_WRONG_TYPE, S("/b"),
      "boolean" },

    { "declared strings must be some", &typed,
      S("{\"event\":\"typed\",\"ss\":[\"\",false"), S("]}"),
      ENKOD_WRONG_TYPE, S("/ss/1"), "string" },

    { "declared integers must be some", &typed,
      S("{\"event\":\"typed\",\"ii\":[1,-2,3e1"), S("]}"), ENKOD_WRONG_TYPE,
      S("/ii/2"), "integer" },

    { "null is not any value", &typed,
      S("{\"event\":\"typed\",\"a\":null"), S("}"), ENKOD_WRONG_TYPE,
      S("/a"), "any value but null" },

    { "null is not any value when the event's name comes last", &typed,
      S("{\"a\":null,\"event\":\"typed\""), S("}"), ENKOD_WRONG_TYPE,
      S("/a"), "any value but null" },

    { "an optional integer must be one if it is given", &typed,
      S("{\"event\":\"optional\",\"i\":\"\""), S("}"), ENKOD_WRONG_TYPE,
      S("/i"), "integer" },

    { "an optional array may be null, but its elements may not", &typed,
      S("{\"event\":\"optional\",\"ss\":[null"), S("]}"), ENKOD_WRONG_TYPE,
      S("/ss/0"), "string" },

    /* unknown_field */

    { "an extra field is refused if these are", &reject,
      S(GROUP ",\"x\""), S(":1}"), ENKOD_UNKNOWN_FIELD, S("/x"), NULL },

    { "an extra field before the event's name is refused at the name",
      &reject,
      S("{\"x\":1,\"event\":\"complaint\""), S("}"), ENKOD_UNKNOWN_FIELD,
      S("/x"), NULL },

    { "a field of another event is an extra one", &reject,
      S(MESSAGE ",\"click_url\""), S(":\"u\"}"), ENKOD_UNKNOWN_FIELD,
      S("/click_url"), NULL },

    { "an extra field with an empty name is refused", &reject,
      S(GROUP ",\"\""), S(":1}"), ENKOD_UNKNOWN_FIELD, S("/"), NULL },

    { "a duplicate is a duplicate although extra fields are refused", &reject,
      S(GROUP ",\"email\""), S(":1}"), ENKOD_DUPLICATE_FIELD, S("/email"),
      NULL },

    { "a wrong type before an extra field comes first", &reject,
      S("{\"to\":1,\"x\":1,\"event\":\"complaint\""), S("}"),
      ENKOD_WRONG_TYPE, S("/to"), "string" },

    { "an extra field before a wrong type comes first", &reject,
      S("{\"x\":1,\"to\":1,\"event\":\"complaint\""), S("}"),
      ENKOD_UNKNOWN_FIELD, S("/x"), NULL }
};


int
main(void)
{
    refusal_test(refusals, sizeof(refusals) / sizeof(refusals[0]));

    return tap_done();
}
