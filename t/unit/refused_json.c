
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Bodies that are not JSON as the event core accepts it, or exceed a limit: the
 * code, the member, and the byte that decided it.  The file is one table, which
 * is why it is long.
 */


#include "refusal.h"


#define GROUP                                                                 \
    "{\"event\":\"mailing group subscribe\",\"email\":\"e\","                 \
    "\"group_id\":4,\"group_name\":\"g\",\"channel\":\"c\""

/* 64 bytes */
#define LONG                                                                  \
    "0123456789012345678901234567890123456789012345678901234567890123"

/* 10 levels */
#define ARRAYS   "[[[[[[[[[["
#define OBJECTS                                                               \
    "{\"\":{\"\":{\"\":{\"\":{\"\":{\"\":{\"\":{\"\":{\"\":{\"\":"

/* 10 members */
#define MEMBERS(n)                                                            \
    ",\"" n "0\":0,\"" n "1\":0,\"" n "2\":0,\"" n "3\":0,\"" n "4\":0"       \
    ",\"" n "5\":0,\"" n "6\":0,\"" n "7\":0,\"" n "8\":0,\"" n "9\":0"


static const unit_conf_t  reject = { .extra = ENKOD_EXTRA_REJECT };

static const unit_conf_t  drop = { .extra = ENKOD_EXTRA_DROP };

static const unit_conf_t  unknown = { .accept_unknown = 1 };

static const unit_conf_t  raw = {
    .shapes = {
        { "raw", "\xc2\x85\xe2\x80\xa9=integer", NULL }
    }
};

static const unit_conf_t  named = {
    .shapes = {
        { "named", "a/b~c\"d\\e\nf=integer", NULL },
        { "long", LONG "4=integer", NULL }
    }
};

static const unit_conf_t  small = { .max_size = sizeof(GROUP "}") - 1 };

static const unit_conf_t  little = { .max_size = 20, .accept_unknown = 1 };

static const unit_conf_t  tiny = { .max_size = 8 };


static const refusal_t  refusals[] = {

    /* empty_body */

    { "a body without a byte is empty", NULL,
      S(""), S(""), ENKOD_EMPTY_BODY, NOTHING, NULL },

    { "a body of one space is empty", NULL,
      S(" "), S(""), ENKOD_EMPTY_BODY, NOTHING, NULL },

    { "a body of white space of all four kinds is empty", NULL,
      S(" \t\r\n\n\r\t "), S(""), ENKOD_EMPTY_BODY, NOTHING, NULL },

    { "a long body of white space is empty", NULL,
      S("\n                                                            \n"),
      S(""), ENKOD_EMPTY_BODY, NOTHING, NULL },

    /* invalid_json: before the event */

    { "a vertical tab is not white space", NULL,
      S(""), S("\v"), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a form feed is not white space", NULL,
      S(" "), S("\f{}"), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a byte order mark is refused", NULL,
      S("\xef"), S("\xbb\xbf" GROUP "}"), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a byte order mark alone is refused", NULL,
      S("\xef"), S("\xbb\xbf"), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a NUL byte alone is refused", NULL,
      S("\0"), S(""), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a NUL byte before the event is refused", NULL,
      S("\0"), S(GROUP "}"), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a form instead of JSON is refused", NULL,
      S("e"), S("vent=message+open"), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a closing bracket that nothing opened is refused", NULL,
      S("]"), S(""), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a closing brace that nothing opened is refused", NULL,
      S("}"), S(""), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a literal that breaks off is refused", NULL,
      S("tru"), S(""), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a string that breaks off is refused", NULL,
      S("\"mess"), S(""), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "an array that breaks off after an error is refused for the error",
      NULL,
      S("["), S("1,"), ENKOD_NOT_OBJECT, NOTHING, NULL },

    /* invalid_json: in the event */

    { "an event that breaks off after its brace is refused", NULL,
      S("{"), S(""), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "an event without its closing brace is refused", NULL,
      S(GROUP), S(""), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "an event that breaks off after a comma is refused", NULL,
      S(GROUP ","), S(""), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "an event that breaks off in a number is refused", NULL,
      S(GROUP ",\"x\":12"), S(""), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "an event that breaks off in a field of the wrong type is refused", NULL,
      S("{\"event\":\"complaint\",\"message_uid\":1"), S(""),
      ENKOD_INVALID_JSON, NOTHING, NULL },

    { "an event that breaks off in a number's exponent is refused", NULL,
      S(GROUP ",\"x\":12e"), S(""), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "an event that breaks off in an escape is refused", NULL,
      S(GROUP ",\"x\":\"\\"), S(""), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "an event that breaks off in \\u is refused", NULL,
      S(GROUP ",\"x\":\"\\u00"), S(""), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "an event that breaks off in a character of UTF-8 is refused", NULL,
      S(GROUP ",\"x\":\"\xd1"), S(""), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "an event that breaks off between two surrogates is refused", NULL,
      S(GROUP ",\"x\":\"\\ud83d"), S(""), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a trailing comma in the event is refused", NULL,
      S(GROUP ",}"), S(""), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a trailing comma in an array is refused", NULL,
      S(GROUP ",\"x\":[1,]"), S("}"), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a trailing comma in an object is refused", NULL,
      S(GROUP ",\"x\":{\"y\":1,}"), S("}"), ENKOD_INVALID_JSON, NOTHING,
      NULL },

    { "two commas are refused", NULL,
      S(GROUP ",,"), S("\"x\":1}"), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a missing comma is refused", NULL,
      S(GROUP ",\"x\":true \"y"), S("\":1}"), ENKOD_INVALID_JSON, NOTHING,
      NULL },

    { "a missing colon is refused", NULL,
      S(GROUP ",\"x\" 1"), S("}"), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a name without quotes is refused", NULL,
      S("{e"), S("vent:\"message open\"}"), ENKOD_INVALID_JSON, NOTHING,
      NULL },

    { "a name in single quotes is refused", NULL,
      S("{'"), S("event':\"message open\"}"), ENKOD_INVALID_JSON, NOTHING,
      NULL },

    { "a name that is a number is refused", NULL,
      S("{1"), S(":2}"), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a comment of two slashes is refused", NULL,
      S("{"), S("// x\n\"event\":\"message open\"}"), ENKOD_INVALID_JSON,
      NOTHING, NULL },

    { "a comment between slash and star is refused", NULL,
      S(GROUP), S("/* x */}"), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "NaN is refused", NULL,
      S(GROUP ",\"x\":N"), S("aN}"), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "Infinity is refused", NULL,
      S(GROUP ",\"x\":I"), S("nfinity}"), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "minus Infinity is refused", NULL,
      S(GROUP ",\"x\":-"), S("Infinity}"), ENKOD_INVALID_JSON, NOTHING,
      NULL },

    { "True with a capital is refused", NULL,
      S(GROUP ",\"x\":T"), S("rue}"), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a literal with a wrong letter is refused", NULL,
      S(GROUP ",\"x\":nul"), S("k}"), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a literal that is too short is refused", NULL,
      S(GROUP ",\"x\":fals"), S("}"), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a leading zero is refused", NULL,
      S(GROUP ",\"x\":0"), S("1}"), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a leading plus is refused", NULL,
      S(GROUP ",\"x\":+"), S("1}"), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a fraction without digits is refused", NULL,
      S(GROUP ",\"x\":1."), S("}"), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a fraction without an integer is refused", NULL,
      S(GROUP ",\"x\":."), S("5}"), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "an exponent without digits is refused", NULL,
      S(GROUP ",\"x\":1e+"), S("}"), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a minus alone is refused", NULL,
      S(GROUP ",\"x\":-"), S("}"), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a hexadecimal number is refused", NULL,
      S(GROUP ",\"x\":0x"), S("1}"), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a number with letters after it is refused", NULL,
      S(GROUP ",\"x\":12a"), S("bc}"), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "two numbers and a string without a comma are refused", NULL,
      S(GROUP ",\"x\":1 "), S("2\"abc\"}"), ENKOD_INVALID_JSON, NOTHING,
      NULL },

    { "two numbers in an array, followed by a string, are refused", NULL,
      S(GROUP ",\"x\":[1 2"), S("\"abc\"]}"), ENKOD_INVALID_JSON, NOTHING,
      NULL },

    { "a bracket that closes a brace is refused", NULL,
      S(GROUP ",\"x\":{\"y\":1"), S("]}"), ENKOD_INVALID_JSON, NOTHING,
      NULL },

    { "a brace that closes a bracket is refused", NULL,
      S(GROUP ",\"x\":[1}"), S("}"), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a raw line feed in a string is refused", NULL,
      S(GROUP ",\"x\":\"a"), S("\nb\"}"), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a raw tab in a name is refused", NULL,
      S(GROUP ",\"x"), S("\ty\":1}"), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a raw NUL byte in a string is refused", NULL,
      S(GROUP ",\"x\":\"a"), S("\0b\"}"), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a raw U+001F in a string is refused", NULL,
      S(GROUP ",\"x\":\"a"), S("\x1f\"}"), ENKOD_INVALID_JSON, NOTHING,
      NULL },

    { "a raw vertical tab in a string is refused", NULL,
      S(GROUP ",\"x\":\"a"), S("\v\"}"), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a raw form feed in a string is refused", NULL,
      S(GROUP ",\"x\":\"a"), S("\f\"}"), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a raw control character after a backslash is refused", NULL,
      S(GROUP ",\"x\":\"a\\"), S("\n\"}"), ENKOD_INVALID_JSON, NOTHING,
      NULL },

    { "a vertical tab between two members is refused", NULL,
      S(GROUP ","), S("\v\"x\":1}"), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a form feed between a name and its value is refused", NULL,
      S(GROUP ",\"x\":"), S("\f1}"), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a NUL byte between two members is refused", NULL,
      S(GROUP ",\0"), S("\"x\":1}"), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a no-break space between two members is refused", NULL,
      S(GROUP ",\xc2"), S("\xa0\"x\":1}"), ENKOD_INVALID_JSON, NOTHING,
      NULL },

    { "an escape outside of RFC 8259 is refused", NULL,
      S(GROUP ",\"x\":\"\\"), S("x41\"}"), ENKOD_INVALID_JSON, NOTHING,
      NULL },

    { "an escaped single quote is refused", NULL,
      S(GROUP ",\"x\":\"\\"), S("'\"}"), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "an escaped zero is refused", NULL,
      S(GROUP ",\"x\":\"\\"), S("0\"}"), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "\\U with a capital is refused", NULL,
      S(GROUP ",\"x\":\"\\"), S("U0041\"}"), ENKOD_INVALID_JSON, NOTHING,
      NULL },

    { "an escaped letter of two bytes is refused", NULL,
      S(GROUP ",\"x\":\"\\"), S("\xd1\x81\"}"), ENKOD_INVALID_JSON, NOTHING,
      NULL },

    { "\\u with three digits is refused", NULL,
      S(GROUP ",\"x\":\"\\u004"), S("\"}"), ENKOD_INVALID_JSON, NOTHING,
      NULL },

    { "\\u with a letter after f is refused", NULL,
      S(GROUP ",\"x\":\"\\u00"), S("g0\"}"), ENKOD_INVALID_JSON, NOTHING,
      NULL },

    { "\\u with a sign is refused", NULL,
      S(GROUP ",\"x\":\"\\u"), S("+041\"}"), ENKOD_INVALID_JSON, NOTHING,
      NULL },

    { "an escape outside of a string is refused", NULL,
      S("{\\"), S("u0022event\":\"message open\"}"), ENKOD_INVALID_JSON,
      NOTHING, NULL },

    /* invalid_json: after the event */

    { "a second event after the first is refused", NULL,
      S(GROUP "}"), S("{}"), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a comma after the event is refused", NULL,
      S(GROUP "}"), S(","), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a closing brace after the event is refused", NULL,
      S(GROUP "}\n"), S("}"), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a literal after the event is refused", NULL,
      S(GROUP "} "), S("true"), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "half a literal after the event is refused", NULL,
      S(GROUP "} "), S("tr"), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a number after the event is refused", NULL,
      S(GROUP "} "), S("12"), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a string after the event is refused", NULL,
      S(GROUP "} "), S("\"abc\""), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a string that is never closed after the event is refused", NULL,
      S(GROUP "} "), S("\"abc"), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a quote after the event is refused", NULL,
      S(GROUP "}"), S("\""), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a quote and a backslash after the event are refused", NULL,
      S(GROUP "} \n"), S("\"\\"), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a quote after a nested event is refused", NULL,
      S(GROUP ",\"x\":{\"y\":{}}}  "), S("\"}"), ENKOD_INVALID_JSON, NOTHING,
      NULL },

    { "a slash after the event is refused", NULL,
      S(GROUP "}"), S("/"), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a NUL byte after the event is refused", NULL,
      S(GROUP "}"), S("\0"), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a form feed after the event is refused", NULL,
      S(GROUP "}\n"), S("\f"), ENKOD_INVALID_JSON, NOTHING, NULL },

    /* invalid_utf8 */

    { "a lone continuation byte is refused", NULL,
      S(GROUP ",\"x\":\"a"), S("\x80\"}"), ENKOD_INVALID_UTF8, NOTHING,
      NULL },

    { "the byte FF is refused", NULL,
      S(GROUP ",\"x\":\"a"), S("\xff\"}"), ENKOD_INVALID_UTF8, NOTHING,
      NULL },

    { "an overlong NUL is refused", NULL,
      S(GROUP ",\"x\":\""), S("\xc0\x80\"}"), ENKOD_INVALID_UTF8, NOTHING,
      NULL },

    { "an overlong slash is refused", NULL,
      S(GROUP ",\"x\":\""), S("\xc1\xaf\"}"), ENKOD_INVALID_UTF8, NOTHING,
      NULL },

    { "an overlong form of three bytes is refused", NULL,
      S(GROUP ",\"x\":\"\xe0"), S("\x9f\xbf\"}"), ENKOD_INVALID_UTF8,
      NOTHING, NULL },

    { "an overlong form of four bytes is refused", NULL,
      S(GROUP ",\"x\":\"\xf0"), S("\x8f\xbf\xbf\"}"), ENKOD_INVALID_UTF8,
      NOTHING, NULL },

    { "an encoded high surrogate is refused", NULL,
      S(GROUP ",\"x\":\"\xed"), S("\xa0\x80\"}"), ENKOD_INVALID_UTF8,
      NOTHING, NULL },

    { "an encoded low surrogate is refused", NULL,
      S(GROUP ",\"x\":\"\xed"), S("\xbf\xbf\"}"), ENKOD_INVALID_UTF8,
      NOTHING, NULL },

    { "an encoded surrogate pair is refused", NULL,
      S(GROUP ",\"x\":\"\xed"), S("\xa0\xbd\xed\xb8\x80\"}"),
      ENKOD_INVALID_UTF8, NOTHING, NULL },

    { "U+110000 is refused", NULL,
      S(GROUP ",\"x\":\"\xf4"), S("\x90\x80\x80\"}"), ENKOD_INVALID_UTF8,
      NOTHING, NULL },

    { "U+1FFFFF is refused", NULL,
      S(GROUP ",\"x\":\""), S("\xf7\xbf\xbf\xbf\"}"), ENKOD_INVALID_UTF8,
      NOTHING, NULL },

    { "a form of five bytes is refused", NULL,
      S(GROUP ",\"x\":\""), S("\xf8\x88\x80\x80\x80\"}"),
      ENKOD_INVALID_UTF8, NOTHING, NULL },

    { "a character of two bytes that lacks its second is refused", NULL,
      S(GROUP ",\"x\":\"\xd1"), S("\"}"), ENKOD_INVALID_UTF8, NOTHING, NULL },

    { "a character of three bytes that lacks its third is refused", NULL,
      S(GROUP ",\"x\":\"\xe2\x82"), S("z\"}"), ENKOD_INVALID_UTF8, NOTHING,
      NULL },

    { "a character of four bytes that lacks its fourth is refused", NULL,
      S(GROUP ",\"x\":\"\xf0\x9f\x98"), S("\xd1\x81\"}"),
      ENKOD_INVALID_UTF8, NOTHING, NULL },

    { "a character that breaks off before an escape is refused", NULL,
      S(GROUP ",\"x\":\"\xd1"), S("\\n\"}"), ENKOD_INVALID_UTF8, NOTHING,
      NULL },

    { "a bad byte in a name is refused", NULL,
      S(GROUP ",\"x"), S("\xfe\":1}"), ENKOD_INVALID_UTF8, NOTHING, NULL },

    { "a bad byte in the event's name is refused", NULL,
      S("{\"event\":\"\xf1"), S("omplaint\"}"), ENKOD_INVALID_UTF8, NOTHING,
      NULL },

    { "a bad byte after a backslash is refused", NULL,
      S(GROUP ",\"x\":\"\\"), S("\xff\"}"), ENKOD_INVALID_UTF8, NOTHING,
      NULL },

    { "a bad byte before the event is refused", NULL,
      S(""), S("\xff" GROUP "}"), ENKOD_INVALID_UTF8, NOTHING, NULL },

    { "a bad byte after the event is refused", NULL,
      S(GROUP "}\n"), S("\xff"), ENKOD_INVALID_UTF8, NOTHING, NULL },

    { "a bad byte where a value belongs is refused", NULL,
      S(GROUP ",\"x\":"), S("\xff}"), ENKOD_INVALID_UTF8, NOTHING, NULL },

    { "a bad byte after a number is refused", NULL,
      S(GROUP ",\"x\":12"), S("\xff}"), ENKOD_INVALID_UTF8, NOTHING, NULL },

    { "UTF-16 in the byte order of Intel is refused", NULL,
      S(""), S("\xff\xfe{\0\"\0"), ENKOD_INVALID_UTF8, NOTHING, NULL },

    { "UTF-16 without a mark is refused", NULL,
      S("{\0"), S("\"\0e\0"), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a bad byte in a dropped member is refused", &drop,
      S(GROUP ",\"x\":[\"a"), S("\xff\"]}"), ENKOD_INVALID_UTF8, NOTHING,
      NULL },

    { "what is wrong before a bad byte comes first", NULL,
      S("{\"event\":\"nobody\""), S(",\"x\":\"\xff\"}"), ENKOD_UNKNOWN_EVENT,
      S("/event"), NULL },

    { "what is wrong in JSON before a bad byte comes first", NULL,
      S(GROUP "} "), S("\"abc\xff"), ENKOD_INVALID_JSON, NOTHING, NULL },

    /* lone_surrogate */

    { "a low surrogate alone is refused", NULL,
      S(GROUP ",\"x\":\"\\udc0"), S("0\"}"), ENKOD_LONE_SURROGATE, NOTHING,
      NULL },

    { "the last low surrogate alone is refused", NULL,
      S(GROUP ",\"x\":\"\\uDFF"), S("F\"}"), ENKOD_LONE_SURROGATE, NOTHING,
      NULL },

    { "a high surrogate at the end of the string is refused", NULL,
      S(GROUP ",\"x\":\"\\ud800"), S("\"}"), ENKOD_LONE_SURROGATE, NOTHING,
      NULL },

    { "a high surrogate before a letter is refused", NULL,
      S(GROUP ",\"x\":\"\\uDBFF"), S("A\"}"), ENKOD_LONE_SURROGATE, NOTHING,
      NULL },

    { "a high surrogate before a letter of two bytes is refused", NULL,
      S(GROUP ",\"x\":\"\\ud800"), S("\xd1\x81\"}"), ENKOD_LONE_SURROGATE,
      NOTHING, NULL },

    { "a high surrogate before \\n is refused", NULL,
      S(GROUP ",\"x\":\"\\ud800\\"), S("n\"}"), ENKOD_LONE_SURROGATE, NOTHING,
      NULL },

    { "a high surrogate before an escaped quote is refused", NULL,
      S(GROUP ",\"x\":\"\\ud800\\"), S("\"\"}"), ENKOD_LONE_SURROGATE,
      NOTHING, NULL },

    { "a high surrogate before an escaped backslash is refused", NULL,
      S(GROUP ",\"x\":\"\\ud800\\"), S("\\udc00\"}"), ENKOD_LONE_SURROGATE,
      NOTHING, NULL },

    { "a high surrogate before \\u0041 is refused", NULL,
      S(GROUP ",\"x\":\"\\ud800\\u004"), S("1\"}"), ENKOD_LONE_SURROGATE,
      NOTHING, NULL },

    { "two high surrogates before a low one are refused", NULL,
      S(GROUP ",\"x\":\"\\ud83d\\ud83"), S("d\\ude00\"}"),
      ENKOD_LONE_SURROGATE, NOTHING, NULL },

    { "a pair and a low surrogate are refused", NULL,
      S(GROUP ",\"x\":\"\\ud83d\\ude00\\ude0"), S("0\"}"),
      ENKOD_LONE_SURROGATE, NOTHING, NULL },

    { "a pair the wrong way round is refused", NULL,
      S(GROUP ",\"x\":\"\\ude0"), S("0\\ud83d\"}"), ENKOD_LONE_SURROGATE,
      NOTHING, NULL },

    { "a high surrogate before a \\u that is not a low one is refused", NULL,
      S(GROUP ",\"x\":\"\\ud83d\\ude"), S("g0\"}"), ENKOD_INVALID_JSON,
      NOTHING, NULL },

    { "a lone surrogate in a name is refused", NULL,
      S(GROUP ",\"x\\udc0"), S("0\":1}"), ENKOD_LONE_SURROGATE, NOTHING,
      NULL },

    { "a lone surrogate in a nested name is refused", NULL,
      S(GROUP ",\"x\":{\"\\ud800"), S("\":1}}"), ENKOD_LONE_SURROGATE,
      NOTHING, NULL },

    { "a lone surrogate in the event's name is refused", NULL,
      S("{\"event\":\"\\udc0"), S("0\"}"), ENKOD_LONE_SURROGATE, NOTHING,
      NULL },

    { "a lone surrogate in a dropped member is refused", &drop,
      S(GROUP ",\"x\":\"\\ud800"), S("\"}"), ENKOD_LONE_SURROGATE, NOTHING,
      NULL },

    /* duplicate_field */

    { "a field that comes twice is refused", NULL,
      S(GROUP ",\"email\""), S(":\"e\"}"), ENKOD_DUPLICATE_FIELD,
      S("/email"), NULL },

    { "an extra field that comes twice is refused", NULL,
      S(GROUP ",\"x\":1,\"x\""), S(":1}"), ENKOD_DUPLICATE_FIELD, S("/x"),
      NULL },

    { "an extra field that is dropped and comes twice is refused", &drop,
      S(GROUP ",\"x\":{\"y\":[]},\"x\""), S(":1}"), ENKOD_DUPLICATE_FIELD,
      S("/x"), NULL },

    { "a second \"event\" is refused", NULL,
      S(GROUP ",\"event\""), S(":\"mailing group subscribe\"}"),
      ENKOD_DUPLICATE_FIELD, S("/event"), NULL },

    { "a second \"event\" spelled with an escape is refused", NULL,
      S(GROUP ",\"\\u0065vent\""), S(":\"complaint\"}"),
      ENKOD_DUPLICATE_FIELD, S("/event"), NULL },

    { "a name that comes twice, once with escapes, is refused", NULL,
      S("{\"\\u0065m\\u0061il\":\"e\",\"email\""), S(":\"e\"}"),
      ENKOD_DUPLICATE_FIELD, S("/email"), NULL },

    { "a name with a pair of surrogates and raw is one name", NULL,
      S(GROUP ",\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\""), S(":1}"),
      ENKOD_DUPLICATE_FIELD, S("/\xf0\x9f\x98\x80"), NULL },

    { "an empty name that comes twice is refused", NULL,
      S(GROUP ",\"\":1,\"\""), S(":1}"), ENKOD_DUPLICATE_FIELD, S("/"),
      NULL },

    { "a name with NUL that comes twice is refused", NULL,
      S(GROUP ",\"\\u0000\":1,\"\\u0000\""), S(":1}"), ENKOD_DUPLICATE_FIELD,
      S("/\\u0000"), NULL },

    { "a name that comes twice before the event's name is refused", NULL,
      S("{\"x\":1,\"y\":2,\"x\""), S(":3,\"event\":\"complaint\"}"),
      ENKOD_DUPLICATE_FIELD, S("/x"), NULL },

    { "a name that comes twice in an unknown event is refused", &unknown,
      S("{\"event\":\"hello\",\"x\":1,\"x\""), S(":1}"),
      ENKOD_DUPLICATE_FIELD, S("/x"), NULL },

    { "the 13th name that comes again as the 14th is refused", NULL,
      S(GROUP MEMBERS("x") ",\"x9\""), S(":1}"), ENKOD_DUPLICATE_FIELD,
      S("/x9"), NULL },

    /* JSON Pointer */

    { "a slash in a name is ~1 in the pointer", NULL,
      S(GROUP ",\"a/b\\/\":1,\"a/b/\""), S(":1}"), ENKOD_DUPLICATE_FIELD,
      S("/a~1b~1"), NULL },

    { "a tilde in a name is ~0 in the pointer", NULL,
      S(GROUP ",\"~1~\":1,\"~1~\""), S(":1}"), ENKOD_DUPLICATE_FIELD,
      S("/~01~0"), NULL },

    { "quote, backslash and controls are escaped in the pointer", NULL,
      S(GROUP ",\"\\\"\\\\\\n\\u001f\":1,\"\\u0022\\u005C\\u000a\\u001F\""),
      S(":1}"), ENKOD_DUPLICATE_FIELD, S("/\\\"\\\\\\n\\u001f"), NULL },

    { "a name of 64 bytes is shown whole", NULL,
      S(GROUP ",\"" LONG "\":1,\"" LONG "\""), S(":1}"),
      ENKOD_DUPLICATE_FIELD, S("/" LONG), NULL },

    { "a name of 65 bytes is cut after 64", NULL,
      S(GROUP ",\"" LONG "4\":1,\"" LONG "4\""), S(":1}"),
      ENKOD_DUPLICATE_FIELD, S("/" LONG), NULL },

    { "a long name is not cut inside of a character", NULL,
      S(GROUP ",\"0" LONG "\xd1\x81\":1"
        ",\"\xd1\x81\xd1\x81\xd1\x81\xd1\x81\xd1\x81\xd1\x81\xd1\x81\xd1\x81"
        "0123456789012345678901234567890123456789012345\xd1\x81"
        "z\":1"
        ",\"\xd1\x81\xd1\x81\xd1\x81\xd1\x81\xd1\x81\xd1\x81\xd1\x81\xd1\x81"
        "0123456789012345678901234567890123456789012345\xd1\x81"
        "z\""), S(":1}"),
      ENKOD_DUPLICATE_FIELD,
      S("/\xd1\x81\xd1\x81\xd1\x81\xd1\x81\xd1\x81\xd1\x81\xd1\x81\xd1\x81"
        "0123456789012345678901234567890123456789012345\xd1\x81"), NULL },

    { "a long name is not cut before the last byte of a character", NULL,
      S(GROUP ",\"012\xf0\x9f\x98\x80"
        "01234567890123456789012345678901234567890123456789012\xf0\x9f\x98\x80"
        "5\":1"
        ",\"012\xf0\x9f\x98\x80"
        "01234567890123456789012345678901234567890123456789012\xf0\x9f\x98\x80"
        "6\":1"
        ",\"0123\xf0\x9f\x98\x80"
        "01234567890123456789012345678901234567890123456789012\xf0\x9f\x98\x80"
        "\":1"
        ",\"0123\xf0\x9f\x98\x80"
        "01234567890123456789012345678901234567890123456789012\xf0\x9f\x98\x80"
        "\""), S(":1}"),
      ENKOD_DUPLICATE_FIELD,
      S("/0123\xf0\x9f\x98\x80"
        "01234567890123456789012345678901234567890123456789012"), NULL },

    { "a long name is not cut inside of an escape", NULL,
      S(GROUP ",\"01234567890123456789012345678901234567890123456789012345678"
        "\\u0001z\":1,\"012345678901234567890123456789012345678901234567890123"
        "45678\\u0001z\""), S(":1}"), ENKOD_DUPLICATE_FIELD,
      S("/01234567890123456789012345678901234567890123456789012345678"),
      NULL },

    { "a long name is not cut inside of a character of three bytes", NULL,
      S(GROUP ",\"01234567890123456789012345678901234567890123456789012345678901"
        "\xe2\x82\xac\":1,\"0123456789012345678901234567890123456789012345678"
        "9012345678901\xe2\x82\xac\""), S(":1}"), ENKOD_DUPLICATE_FIELD,
      S("/01234567890123456789012345678901234567890123456789012345678901"),
      NULL },

    { "a long name of tildes fits the pointer", NULL,
      S(GROUP ",\"~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~"
        "~~~~~~~~~\":1,\"~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~"
        "~~~~~~~~~~~~~~~~\""), S(":1}"), ENKOD_DUPLICATE_FIELD,
      S("/~0~0~0~0~0~0~0~0~0~0~0~0~0~0~0~0~0~0~0~0~0~0~0~0~0~0~0~0~0~0~0~0"
        "~0~0~0~0~0~0~0~0~0~0~0~0~0~0~0~0~0~0~0~0~0~0~0~0~0~0~0~0~0~0~0~0"),
      NULL },

    { "there is no control character in a pointer", &reject,
      S(GROUP ",\"\x7f/\xc2\x9b\xc2\xa0\xe2\x80\xa8\""), S(":1}"),
      ENKOD_UNKNOWN_FIELD, S("/\\u007f~1\\u009b\xc2\xa0\\u2028"), NULL },

    { "a name that grows when escaped is cut after 64 bytes of that", &reject,
      S(GROUP ",\"0123\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f" "a\""),
      S(":1}"),
      ENKOD_UNKNOWN_FIELD,
      S("/0123\\u007f\\u007f\\u007f\\u007f\\u007f\\u007f\\u007f\\u007f"
        "\\u007f\\u007f"), NULL },

    { "there is no control character in a missing field's pointer", &raw,
      S("{\"event\":\"raw\"}"), S(""), ENKOD_MISSING_FIELD,
      S("/\\u0085\\u2029"), "integer" },

    { "a name with a control character is the same in both spellings", NULL,
      S(GROUP ",\"\xc2\x85\":1,\"\\u0085\""), S(":1}"),
      ENKOD_DUPLICATE_FIELD, S("/\\u0085"), NULL },

    { "a declared name is escaped in the pointer of a wrong type", &named,
      S("{\"event\":\"named\",\"a/b~c\\\"d\\\\e\\nf\":true"), S("}"),
      ENKOD_WRONG_TYPE, S("/a~1b~0c\\\"d\\\\e\\nf"), "integer" },

    { "a declared name is escaped in the pointer of a missing field", &named,
      S("{\"event\":\"named\"}"), S(""), ENKOD_MISSING_FIELD,
      S("/a~1b~0c\\\"d\\\\e\\nf"), "integer" },

    { "a declared name is cut in the pointer of a missing field", &named,
      S("{\"event\":\"long\"}"), S(""), ENKOD_MISSING_FIELD, S("/" LONG),
      "integer" },

    /* too_deep, counting the event object */

    { "33 levels of arrays are too deep", NULL,
      S(GROUP ",\"x\":" ARRAYS ARRAYS ARRAYS "[["), S("[]"),
      ENKOD_TOO_DEEP, S("/x"), NULL },

    { "33 levels of objects are too deep", NULL,
      S(GROUP ",\"x\":" OBJECTS OBJECTS OBJECTS "{\"\":{"), S("}"),
      ENKOD_TOO_DEEP, S("/x"), NULL },

    { "33 levels of both are too deep", NULL,
      S(GROUP ",\"x\":" ARRAYS OBJECTS ARRAYS "[{"), S("}"),
      ENKOD_TOO_DEEP, S("/x"), NULL },

    { "33 levels are too deep in a dropped member too", &drop,
      S(GROUP ",\"x\":" ARRAYS ARRAYS ARRAYS "[["), S("[]"),
      ENKOD_TOO_DEEP, S("/x"), NULL },

    { "33 levels are too deep before the event's name", NULL,
      S("{\"x\":" ARRAYS ARRAYS ARRAYS "[["), S("[]"),
      ENKOD_TOO_DEEP, S("/x"), NULL },

    { "33 levels are too deep in an unknown event", &unknown,
      S("{\"event\":\"hello\",\"y\":[[]],\"x\":" ARRAYS ARRAYS ARRAYS "[["),
      S("[]"), ENKOD_TOO_DEEP, S("/x"), NULL },

    /* too_many_fields */

    { "the 65th member is one too many", NULL,
      S(GROUP MEMBERS("a") MEMBERS("b") MEMBERS("c") MEMBERS("d")
        MEMBERS("e") ",\"f0\":0,\"f1\":0,\"f2\":0,\"f3\":0,\"f4\":0"
        ",\"f5\":0,\"f6\":0,\"f7\":0,\"f8\":0,\"f9\""),
      S(":0}"), ENKOD_TOO_MANY_FIELDS, NOTHING, NULL },

    { "the 65th member is one too many if it would be dropped", &drop,
      S(GROUP MEMBERS("a") MEMBERS("b") MEMBERS("c") MEMBERS("d")
        MEMBERS("e") ",\"f0\":0,\"f1\":0,\"f2\":0,\"f3\":0,\"f4\":0"
        ",\"f5\":0,\"f6\":0,\"f7\":0,\"f8\":0,\"f9\""),
      S(":0}"), ENKOD_TOO_MANY_FIELDS, NOTHING, NULL },

    { "the 65th member is one too many where \"event\" is the last", NULL,
      S("{\"x\":0" MEMBERS("a") MEMBERS("b") MEMBERS("c") MEMBERS("d")
        MEMBERS("e") MEMBERS("f") ",\"g0\":0,\"g1\":0,\"g2\":0,\"event\""),
      S(":\"complaint\"}"), ENKOD_TOO_MANY_FIELDS, NOTHING, NULL },

    /* too_large */

    { "a body of one byte more than the maximum is too large", &small,
      S(GROUP "}"), S(" "), ENKOD_TOO_LARGE, NOTHING, NULL },

    { "white space of more than the maximum is too large", &tiny,
      S("        "), S(" "), ENKOD_TOO_LARGE, NOTHING, NULL },

    { "a string of more than the maximum is too large", &tiny,
      S("{\"event\""), S(":\"message open\"}"), ENKOD_TOO_LARGE, NOTHING,
      NULL },

    { "an error before the maximum comes before what is too large", &tiny,
      S("{,"), S("             "), ENKOD_INVALID_JSON, NOTHING, NULL },

    { "a bad byte before the maximum comes before what is too large", &tiny,
      S("{\"a"), S("\xff          "), ENKOD_INVALID_UTF8, NOTHING, NULL },

    { "another thing than an object comes before what is too large", &tiny,
      S("["), S("            "), ENKOD_NOT_OBJECT, NOTHING, NULL },

    { "a string after the event comes before what is too large", &little,
      S("{\"event\":\"z\"} "), S("\"aaaaaaaaaaaa"), ENKOD_INVALID_JSON, NOTHING,
      NULL },

    { "a bad byte after the maximum is not checked", &tiny,
      S("{       "), S("\xff"), ENKOD_TOO_LARGE, NOTHING, NULL }
};


int
main(void)
{
    refusal_test(refusals, sizeof(refusals) / sizeof(refusals[0]));

    return tap_done();
}
