
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * One line: the envelope is read here, strictly; what is in it is put together
 * to the body that it came from and given to the event core.  What the core
 * writes for that has to be, byte for byte, what stands in the line.
 *
 * A body has all members on one level, so those of "extra" are put behind the
 * others.  Depth and number of members are then those of the request, and an
 * event that was accepted is accepted here.
 */


#include "checker_line.h"

#include <arpa/inet.h>


#define CHECKER_TIME_LEN      (sizeof("2026-11-23T03:44:01.123Z") - 1)

#define CHECKER_EXTRA         ",\"extra\":{"

/* what members are wrapped in that are not those of an event */
#define CHECKER_WRAP          "{\"event\":\"\","


static int checker_line_envelope(checker_t *checker, checker_line_t *line);
static int checker_line_addr(checker_t *checker, checker_line_t *line);
static int checker_line_event(checker_t *checker, checker_line_t *line,
    int test, const unsigned char *test_at);
static const unsigned char *checker_line_extra(const checker_line_t *line,
    const unsigned char **close);
static int checker_line_content(checker_t *checker, checker_line_t *line,
    const unsigned char *body, size_t len, const checker_map_t *map);
static int checker_line_written(checker_t *checker, checker_line_t *line,
    const unsigned char *p, size_t len, int flat, const checker_map_t *map);
static size_t checker_line_place(const checker_map_t *map, size_t offset);


void
checker_line(checker_t *checker, const unsigned char *p, size_t len,
    off_t base, checker_verdict_t *verdict)
{
    checker_line_t  line;

    verdict->test = 0;
    verdict->broken = 0;
    verdict->piece = 0;
    verdict->copy = 0;

    if (len == 0) {
        verdict->kind = CHECKER_IS_EMPTY;
        return;
    }

    line.start = p;
    line.p = p;
    line.end = p + len;
    line.base = base;
    line.verdict = verdict;

    if (checker_line_read(checker, &line)) {
        return;
    }

    if (verdict->broken) {
        checker_explain(checker, &line);
    }

    verdict->kind = verdict->piece ? CHECKER_IS_PIECE : CHECKER_IS_DEFECT;
}


int
checker_line_is_ours(const unsigned char *p, size_t len)
{
    if (len > sizeof(CHECKER_LINE_START) - 1) {
        len = sizeof(CHECKER_LINE_START) - 1;
    }

    return memcmp(p, CHECKER_LINE_START, len) == 0;
}


/*
 * All functions that read return 1, or 0 once there is a verdict that it is a
 * defect.
 */

int
checker_line_read(checker_t *checker, checker_line_t *line)
{
    int                   test;
    const unsigned char  *p;

    if (!checker_line_envelope(checker, line)) {
        return 0;
    }

    if (checker_scan_has(line, "\"status\":")) {
        return checker_refusal_read(checker, line);
    }

    p = line->p;
    test = checker_scan_has(line, "\"test\":true,");

    if (checker_scan_has(line, "\"pass_status\":")) {

        if (line->end - line->p < 3) {
            return checker_scan_short(line);
        }

        if (checker_line_number(line->p, 3) < 100) {
            return checker_scan_broken(line, line->p,
                                       "\"pass_status\" is no HTTP status");
        }

        line->p += 3;

        if (!checker_scan_expect(line, ",", "a comma")) {
            return 0;
        }
    }

    if (checker_scan_within(line, "\"status\":")
        || checker_scan_within(line, "\"test\":true,")
        || checker_scan_within(line, "\"pass_status\":"))
    {
        return checker_scan_short(line);
    }

    if (!checker_scan_expect(line, "\"event\":", "\"event\" or \"status\"")) {
        return 0;
    }

    line->p -= sizeof("\"event\":") - 1;

    return checker_line_event(checker, line, test, p);
}


static int
checker_line_envelope(checker_t *checker, checker_line_t *line)
{
    const unsigned char  *p;

    if (!checker_scan_expect(line, CHECKER_LINE_START,
                             CHECKER_LINE_START " at the beginning of a line")
        || !checker_line_time(line)
        || !checker_scan_expect(line, "\",\"request_id\":\"", "\"request_id\""))
    {
        return 0;
    }

    p = line->p;

    while (line->p < line->end && *line->p > ' ' && *line->p < 0x7f
           && *line->p != '"' && *line->p != '\\')
    {
        line->p++;
    }

    if (line->p < line->end && (*line->p != '"' || line->p == p)) {
        return checker_scan_broken(line, line->p,
                                   "this cannot be in \"request_id\"");
    }

    return checker_scan_expect(line, "\",\"remote_addr\":\"",
                               "\"remote_addr\"")
           && checker_line_addr(checker, line)
           && checker_scan_expect(line, "\",", "a comma");
}


/* an IP address, or the path of a client's socket, which may be any text */

static int
checker_line_addr(checker_t *checker, checker_line_t *line)
{
    char                  addr[INET6_ADDRSTRLEN];
    size_t                len;
    unsigned char         binary[sizeof(struct in6_addr)];
    const unsigned char  *p, *last;

    static const char  name[] = "\"remote_addr\":\"";

    p = line->p;
    last = checker_scan_string(p, line->end);

    if (last == NULL) {
        return checker_scan_short(line);
    }

    line->p = last;
    len = last - p;

    if (len >= sizeof("unix:") - 1
        && memcmp(p, "unix:", sizeof("unix:") - 1) == 0)
    {
        p -= sizeof(name) - 1;

        return checker_line_members(checker, line, p, last + 1 - p);
    }

    if (len < sizeof(addr)) {
        memcpy(addr, p, len);
        addr[len] = '\0';

        if (strlen(addr) == len
            && (inet_pton(AF_INET, addr, binary) == 1
                || inet_pton(AF_INET6, addr, binary) == 1))
        {
            return 1;
        }
    }

    return checker_scan_broken(line, p, "\"remote_addr\" is no address");
}


/* RFC 3339, UTC, with milliseconds, and a day that there is */

int
checker_line_time(checker_line_t *line)
{
    int                   year, month, days;
    size_t                i;
    const unsigned char  *p;

    static const char  form[] = "0000-00-00T00:00:00.000Z";
    static const int   in_month[] = { 31, 28, 31, 30, 31, 30,
                                      31, 31, 30, 31, 30, 31 };

    p = line->p;

    for (i = 0; i < CHECKER_TIME_LEN; i++) {

        if (p + i == line->end) {
            return checker_scan_short(line);
        }

        if (form[i] == '0' ? p[i] < '0' || p[i] > '9' : p[i] != form[i]) {
            return checker_scan_broken(line, p + i,
                                       "\"received_at\" is no time in UTC, as"
                                       " in 2026-11-23T03:44:01.123Z");
        }
    }

    year = checker_line_number(p, 4);
    month = checker_line_number(p + 5, 2);

    days = (month >= 1 && month <= 12) ? in_month[month - 1] : 0;

    if (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)) {
        days = 29;
    }

    if (checker_line_number(p + 8, 2) < 1
        || checker_line_number(p + 8, 2) > days
        || checker_line_number(p + 11, 2) > 23
        || checker_line_number(p + 14, 2) > 59
        || checker_line_number(p + 17, 2) > 59)
    {
        return checker_scan_broken(line, p,
                                   "\"received_at\" is a time that there is"
                                   " not");
    }

    line->p += CHECKER_TIME_LEN;

    return 1;
}


/* the number that these digits are, or -1 */

int
checker_line_number(const unsigned char *p, unsigned n)
{
    int  value;

    for (value = 0; n; n--, p++) {

        if (*p < '0' || *p > '9') {
            return -1;
        }

        value = 10 * value + (*p - '0');
    }

    return value;
}


/* from "event" on */

static int
checker_line_event(checker_t *checker, checker_line_t *line, int test,
    const unsigned char *test_at)
{
    int                   flat;
    size_t                len, head;
    enkod_str_t           name;
    unsigned char        *body;
    checker_map_t         map;
    const unsigned char  *extra, *close;
    const enkod_shape_t  *shape;

    extra = checker_line_extra(line, &close);

    len = line->end - line->p;
    head = extra ? (size_t) (extra - line->p) : len;

    map.first = line->p - line->start;
    map.skip = 1;
    map.cut = 1 + head;
    map.gap = 0;

    body = checker_room(&checker->body, 1 + len, 0);
    body[0] = '{';
    memcpy(body + 1, line->p, head);

    if (extra == NULL) {
        len = 1 + head;

    } else if (close && close == extra + sizeof(CHECKER_EXTRA) - 1) {
        return checker_scan_bad(line, extra, "an empty \"extra\", which the"
                                " module does not write");

    } else {
        map.gap = sizeof("\"extra\":{") - 1;

        /* the brace that closes it closes the body */

        len = close ? (size_t) (close + 1 - extra)
                    : (size_t) (line->end - extra);
        len -= sizeof(CHECKER_EXTRA) - 1;

        body[1 + head] = ',';
        memcpy(body + 1 + head + 1, extra + sizeof(CHECKER_EXTRA) - 1, len);

        len += 1 + head + 1;
    }

    if (!checker_line_content(checker, line, body, len, &map)) {
        return 0;
    }

    shape = enkod_event_shape(checker->event);
    name = enkod_event_name(checker->event);

    if (close) {

        if (close + 1 == line->end) {
            return checker_scan_short(line);
        }

        if (close[1] != '}' || close + 2 != line->end) {
            close += (close[1] == '}') ? 2 : 1;

            return checker_scan_broken(line, close, "something stands behind"
                                       " \"extra\", which is the end of a"
                                       " line");
        }
    }

    /*
     * An event that is in no row of ours may be in one of nginx.conf: its
     * fields then are members of the line, and tell whether it is a test.
     */

    if (shape) {

        if (!checker_line_written(checker, line, line->p,
                                  line->end - line->p, 0, NULL))
        {
            return 0;
        }

    } else if (!checker_line_written(checker, line, body + 1, len - 1, 1,
                                     &map))
    {
        return 0;
    }

    flat = (extra ? head : head - 1)
           > sizeof("\"event\":\"\"") - 1 + name.len;

    if (test && !enkod_event_test(checker->event) && (shape || !flat)) {
        return checker_scan_bad(line, test_at, "marked as a test delivery,"
                                " which it is not");
    }

    if (!test && enkod_event_test(checker->event)) {
        return checker_scan_bad(line, test_at,
                                "a test delivery without \"test\":true");
    }

    line->verdict->kind = CHECKER_IS_EVENT;
    line->verdict->name = name;
    line->verdict->test = test;

    return 1;
}


/*
 * The comma before member "extra" of the line, if it is an object, and the
 * brace that closes it, or NULL.  What is no JSON may give anything here; the
 * core finds that out.
 */

static const unsigned char *
checker_line_extra(const checker_line_t *line, const unsigned char **close)
{
    size_t                len;
    unsigned              depth;
    const unsigned char  *p, *extra;

    *close = NULL;

    len = sizeof(CHECKER_EXTRA) - 1;

    p = memmem(line->p, line->end - line->p, CHECKER_EXTRA, len);
    if (p == NULL) {
        return NULL;
    }

    /* a member of a member may have that name too */

    extra = NULL;
    depth = 1;

    for (p = line->p; p < line->end; p++) {

        switch (*p) {

        case '"':
            p = checker_scan_string(p + 1, line->end);

            if (p == NULL) {
                return extra;
            }

            break;

        case ',':
            if (extra == NULL && depth == 1 && (size_t) (line->end - p) >= len
                && memcmp(p, CHECKER_EXTRA, len) == 0)
            {
                extra = p;
                p += len - 1;
                depth++;
            }

            break;

        case '{':
        case '[':
            depth++;
            break;

        case '}':
        case ']':
            depth--;

            if (depth == 0) {
                return extra;
            }

            if (extra && depth == 1) {
                *close = p;
                return extra;
            }

            break;
        }
    }

    return extra;
}


/* To the core they are extra members of an event without a name. */

int
checker_line_members(checker_t *checker, checker_line_t *line,
    const unsigned char *p, size_t len)
{
    unsigned char  *body;
    checker_map_t   map;

    map.first = p - line->start;
    map.skip = sizeof(CHECKER_WRAP) - 1;
    map.gap = 0;
    map.cut = 0;

    body = checker_room(&checker->body, map.skip + len + 1, 0);
    memcpy(body, CHECKER_WRAP, map.skip);
    memcpy(body + map.skip, p, len);

    len += map.skip;
    body[len++] = '}';

    return checker_line_content(checker, line, body, len, &map)
           && checker_line_written(checker, line, body + 1, len - 1, 1, &map);
}


/* Gives the body to the core. */

static int
checker_line_content(checker_t *checker, checker_line_t *line,
    const unsigned char *body, size_t len, const checker_map_t *map)
{
    int                     ended;
    char                    where[CHECKER_TEXT_SIZE];
    const char             *sentence;
    const unsigned char    *p;
    const enkod_refusal_t  *refusal;

    refusal = checker_event_check(checker, body, len, &ended);

    if (refusal == NULL) {
        return 1;
    }

    if (ended) {
        return checker_scan_short(line);
    }

    p = line->start + checker_line_place(map, refusal->offset);

    switch (refusal->code) {

    case ENKOD_INVALID_JSON:
        sentence = "this, or what is just before it, is no JSON";
        break;

    case ENKOD_INVALID_UTF8:
        sentence = "this is no UTF-8";
        break;

    case ENKOD_LONE_SURROGATE:
        sentence = "half of a surrogate pair stands before this";
        break;

    default:
        sentence = "the module does not accept this event";
    }

    checker_event_where(refusal, where);

    return checker_scan_broken(line, p, "%s: %s%s",
                               enkod_error_get(refusal->code)->code, sentence,
                               where);
}


/* Whether this is what the core writes; places are those of the body. */

static int
checker_line_written(checker_t *checker, checker_line_t *line,
    const unsigned char *p, size_t len, int flat, const checker_map_t *map)
{
    size_t       n;
    enkod_str_t  text;

    text = checker_event_write(checker, flat);

    if (text.len == len && memcmp(text.data, p, len) == 0) {
        return 1;
    }

    for (n = 0; n < len && n < text.len && p[n] == text.data[n]; n++) {
        /* void */
    }

    p = map ? line->start + checker_line_place(map, 1 + n) : p + n;

    return checker_scan_bad(line, p, "the module writes the same event"
                            " otherwise from here on");
}


/* the place in the line of a byte of the body */

static size_t
checker_line_place(const checker_map_t *map, size_t offset)
{
    if (map->gap && offset > map->cut) {
        offset += map->gap;
    }

    return map->first + (offset > map->skip ? offset - map->skip : 0);
}