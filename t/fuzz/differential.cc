
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Compares the event core with RapidJSON.  The input is a body.  It must be
 * accepted if and only if RapidJSON accepts it as JSON and it fulfils the
 * conditions for an unknown event: an object with a string "event", no name
 * twice, not more members and levels than allowed.  Then RapidJSON must read
 * the same in the text as in the body: every string, every digit of a number,
 * every name, in the order received.
 *
 * RapidJSON is strict, is in Debian, has no code in common with yajl, and its
 * reader reports repeated names, strings with zeros in them, and numbers as
 * text.  Three of its properties need extra code here, see Reader::read() and
 * Reader::String().
 */


#include <set>
#include <string>

#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

extern "C" {
#include "enkod_event.h"
#include "fuzz.h"
}


namespace {

using rapidjson::SizeType;


enum class Verdict { Accept, Refuse, Unknown };


/* The contents of a text: a trace of its values, in the order received. */

class Reader {
public:
    explicit Reader(unsigned levels) : levels_(levels) {}

    Verdict read(const char *text, size_t len);

    const std::string &event() const { return event_; }
    const std::string &others() const { return others_; }

    /* RapidJSON calls these; false stops it */
    bool Null() { return add("null "); }
    bool Bool(bool b) { return add(b ? "true " : "false "); }
    bool RawNumber(const char *p, SizeType len, bool);
    bool String(const char *p, SizeType len, bool);
    bool Key(const char *p, SizeType len, bool);
    bool StartObject();
    bool EndObject(SizeType);
    bool StartArray();
    bool EndArray(SizeType);

    /* required by RapidJSON, but not called */
    bool Int(int) { return false; }
    bool Uint(unsigned) { return false; }
    bool Int64(int64_t) { return false; }
    bool Uint64(uint64_t) { return false; }
    bool Double(double) { return false; }

private:
    bool add(const std::string &text);
    bool enter();

    std::string            event_;      /* the value of member "event" */
    std::string            others_;     /* the other members */
    std::string           *trace_ = &others_;   /* the one that is written */
    std::set<std::string>  names_;      /* of all members */
    unsigned               depth_ = 0;
    unsigned               levels_;     /* the most that are allowed */
};


Verdict
Reader::read(const char *text, size_t len)
{
    rapidjson::Reader        reader;
    rapidjson::MemoryStream  stream(text, len);

    const unsigned  flags = rapidjson::kParseNumbersAsStringsFlag
                            | rapidjson::kParseValidateEncodingFlag
                            | rapidjson::kParseIterativeFlag;

    if (reader.Parse<flags>(stream, *this).IsError()) {

        /* also as text, it refuses a number outside of the range of double */

        return reader.GetParseErrorCode() == rapidjson::kParseErrorNumberTooBig
               ? Verdict::Unknown : Verdict::Refuse;
    }

    /* it takes a zero byte for the end of the text */

    if (stream.Tell() != len) {
        return Verdict::Refuse;
    }

    return event_[0] == 's' ? Verdict::Accept : Verdict::Refuse;
}


bool
Reader::RawNumber(const char *p, SizeType len, bool)
{
    return add("n" + std::string(p, len) + " ");
}


bool
Reader::String(const char *p, SizeType len, bool)
{
    SizeType     i;
    std::string  value(p, len);

    /* it encodes an unpaired low surrogate, as "\udc00" */

    for (i = 0; i + 1 < len; i++) {
        if (value[i] == '\xed' && (value[i + 1] & 0xe0) == 0xa0) {
            return false;
        }
    }

    return add("s" + std::to_string(len) + ":" + value);
}


bool
Reader::Key(const char *p, SizeType len, bool)
{
    std::string  name(p, len);

    if (depth_ == 1) {

        if (!names_.insert(name).second
            || names_.size() > ENKOD_MAX_MEMBERS)
        {
            return false;
        }

        if (name == "event") {
            trace_ = &event_;
            return true;
        }

        trace_ = &others_;
    }

    return String(p, len, false);
}


bool
Reader::StartObject()
{
    if (depth_ == 0) {
        depth_ = 1;
        return true;
    }

    return enter() && add("{");
}


bool
Reader::EndObject(SizeType)
{
    return --depth_ == 0 || add("}");
}


bool
Reader::StartArray()
{
    return enter() && add("[");
}


bool
Reader::EndArray(SizeType)
{
    depth_--;

    return add("]");
}


bool
Reader::enter()
{
    return depth_++ < levels_;
}


/* Nothing is recorded of a body that is not an object. */

bool
Reader::add(const std::string &text)
{
    *trace_ += text;

    return depth_ != 0;
}


void *
take(void *, size_t size)
{
    return fuzz_alloc(size);
}


void
give(void *, void *p)
{
    free(p);
}


/* The text of an accepted event, as an object; empty if it is refused. */

std::string
core(const uint8_t *data, size_t size)
{
    std::string     text;
    enkod_event_t  *event;

    static const enkod_mem_t       mem = { take, give, nullptr };
    static const enkod_schema_t    no_table = {};
    static const enkod_settings_t  settings = {
        &no_table, nullptr, 0, 65536, ENKOD_EXTRA_KEEP, 1
    };

    event = enkod_event_create(&settings, &mem);

    if (enkod_event_feed(event, data, size, 1) == ENKOD_OK
        && enkod_event_finish(event) == ENKOD_OK)
    {
        text.resize(enkod_event_length(event));
        enkod_event_write(event, reinterpret_cast<unsigned char *>(&text[0]));
        text = "{" + text + "}";
    }

    enkod_event_destroy(event);

    return text;
}

}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Verdict      verdict;
    std::string  text, extra;

    /* "extra" is one more level in the text */

    Reader  body(ENKOD_MAX_DEPTH);
    Reader  again(ENKOD_MAX_DEPTH + 1);

    verdict = body.read(reinterpret_cast<const char *>(data), size);
    text = core(data, size);

    if (verdict == Verdict::Unknown) {
        return 0;
    }

    fuzz_must(text.empty() == (verdict == Verdict::Refuse),
              text.empty() ? "what is an event to RapidJSON is accepted"
                           : "what RapidJSON refuses is refused");

    if (text.empty()) {
        return 0;
    }

    if (!body.others().empty()) {
        extra = "s5:extra{" + body.others() + "}";
    }

    fuzz_must(again.read(text.data(), text.size()) == Verdict::Accept
              && again.event() == body.event() && again.others() == extra,
              "RapidJSON reads in the text what it reads in the body");

    return 0;
}
