
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


#include "checker.h"

#include <arpa/inet.h>


#define CHECKER_TIME_LEN      (sizeof("2026-11-23T03:44:01.123Z") - 1)

/* what a refusal is wrapped in, to be checked as an event */
#define CHECKER_WRAP          "{\"event\":\"\","

#define CHECKER_EXTRA         ",\"extra\":{"

/* an address, or "unix:" */
#define CHECKER_ADDR_SIZE     INET6_ADDRSTRLEN


typedef struct {
    const unsigned char   *start;
    const unsigned char   *p;       /* what was read so far */
    const unsigned char   *end;
    off_t                  base;
    checker_verdict_t     *verdict;
} checker_line_t;


/* a body made of pieces of a line, and where these pieces come from */

typedef struct {
    size_t                 first;   /* place in the line of the body's byte
                                       "skip" */
    size_t                 skip;
    size_t                 cut;     /* bytes of the body before the gap */
    size_t                 gap;
} checker_map_t;


static int checker_line_read(checker_t *checker, checker_line_t *line);
static int checker_line_envelope(checker_line_t *line);
static int checker_line_time(checker_line_t *line);
static int checker_line_number(const unsigned char *p, unsigned n);
static int checker_line_event(checker_t *checker, checker_line_t *line,
    int test, const unsigned char *test_at);
static const unsigned char *checker_line_extra(const checker_line_t *line,
    const unsigned char **close);
static int checker_line_refusal(checker_t *checker, checker_line_t *line);
static int checker_line_code(checker_line_t *line, unsigned status,
    const unsigned char *status_at);
static int checker_line_base64(checker_line_t *line,
    const unsigned char *last);
static int checker_line_content(checker_t *checker, checker_line_t *line,
    const unsigned char *body, size_t len, const checker_map_t *map);
static int checker_line_written(checker_t *checker, checker_line_t *line,
    const unsigned char *p, size_t len, int flat, const checker_map_t *map);
static size_t checker_line_place(const checker_map_t *map, size_t offset);
static int checker_line_has(checker_line_t *line, const char *text);
static int checker_line_within(const checker_line_t *line, const char *text);
static int checker_line_expect(checker_line_t *line, const char *text,
    const char *what);
static const unsigned char *checker_line_string(const unsigned char *p,
    const unsigned char *end);
static int checker_line_short(checker_line_t *line);
static int checker_line_bad(checker_line_t *line, const unsigned char *p,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static int checker_line_broken(checker_line_t *line, const unsigned char *p,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void checker_line_say(checker_verdict_t *verdict, size_t offset,
    const char *fmt, va_list args);
static void checker_line_explain(checker_t *checker, checker_line_t *line);
static const unsigned char *checker_line_next(const unsigned char *p,
    const unsigned char *end);
static const char *checker_line_whole(checker_t *checker,
    const unsigned char *p, const unsigned char *end);


void
checker_line(checker_t *checker, const unsigned char *p, size_t len,
    off_t base, checker_verdict_t *verdict)
{
    checker_line_t  line;

    verdict->test = 0;
    verdict->broken = 0;

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

    verdict->kind = CHECKER_IS_DEFECT;

    if (verdict->broken) {
        checker_line_explain(checker, &line);
    }
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

static int
checker_line_read(checker_t *checker, checker_line_t *line)
{
    int                   test;
    const unsigned char  *p;

    if (!checker_line_envelope(line)) {
        return 0;
    }

    if (checker_line_has(line, "\"status\":")) {
        return checker_line_refusal(checker, line);
    }

    p = line->p;
    test = checker_line_has(line, "\"test\":true,");

    if (checker_line_has(line, "\"pass_status\":")) {

        if (line->end - line->p < 3) {
            return checker_line_short(line);
        }

        if (checker_line_number(line->p, 3) < 100) {
            return checker_line_broken(line, line->p,
                                       "\"pass_status\" is no HTTP status");
        }

        line->p += 3;

        if (!checker_line_expect(line, ",", "a comma")) {
            return 0;
        }
    }

    if (checker_line_within(line, "\"status\":")
        || checker_line_within(line, "\"test\":true,")
        || checker_line_within(line, "\"pass_status\":"))
    {
        return checker_line_short(line);
    }

    if (!checker_line_expect(line, "\"event\":", "\"event\" or \"status\"")) {
        return 0;
    }

    line->p -= sizeof("\"event\":") - 1;

    return checker_line_event(checker, line, test, p);
}


static int
checker_line_envelope(checker_line_t *line)
{
    char                  addr[CHECKER_ADDR_SIZE];
    size_t                len;
    unsigned char         binary[sizeof(struct in6_addr)];
    const unsigned char  *p;

    if (!checker_line_expect(line, CHECKER_LINE_START,
                             CHECKER_LINE_START " at the beginning of a line")
        || !checker_line_time(line)
        || !checker_line_expect(line, "\",\"request_id\":\"", "\"request_id\""))
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
        return checker_line_broken(line, line->p, "this cannot be in \"request_id\"");
    }

    if (!checker_line_expect(line, "\",\"remote_addr\":\"",
                             "\"remote_addr\""))
    {
        return 0;
    }

    p = line->p;

    while (line->p < line->end && *line->p != '"') {
        line->p++;
    }

    if (line->p == line->end) {
        return checker_line_short(line);
    }

    len = line->p - p;

    if (len < CHECKER_ADDR_SIZE) {
        memcpy(addr, p, len);
        addr[len] = '\0';
    }

    if (len >= CHECKER_ADDR_SIZE
        || strlen(addr) != len
        || (inet_pton(AF_INET, addr, binary) != 1
            && inet_pton(AF_INET6, addr, binary) != 1
            && strcmp(addr, "unix:") != 0))
    {
        return checker_line_broken(line, p, "\"remote_addr\" is no address");
    }

    return checker_line_expect(line, "\",", "a comma");
}


/* RFC 3339, UTC, with milliseconds, and a day that there is */

static int
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
            return checker_line_short(line);
        }

        if (form[i] == '0' ? p[i] < '0' || p[i] > '9' : p[i] != form[i]) {
            return checker_line_broken(line, p + i,
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
        return checker_line_broken(line, p,
                                   "\"received_at\" is a time that there is"
                                   " not");
    }

    line->p += CHECKER_TIME_LEN;

    return 1;
}


/* the number that these digits are, or -1 */

static int
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
        return checker_line_bad(line, extra, "an empty \"extra\", which the"
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
            return checker_line_short(line);
        }

        if (close[1] != '}' || close + 2 != line->end) {
            close += (close[1] == '}') ? 2 : 1;

            return checker_line_broken(line, close, "something stands behind"
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
        return checker_line_bad(line, test_at, "marked as a test delivery,"
                                " which it is not");
    }

    if (!test && enkod_event_test(checker->event)) {
        return checker_line_bad(line, test_at,
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
            p = checker_line_string(p + 1, line->end);

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


/* a line of enkod_reject_log, from the status on */

static int
checker_line_refusal(checker_t *checker, checker_line_t *line)
{
    int                   base64;
    size_t                len;
    unsigned              status;
    unsigned char        *body;
    checker_map_t         map;
    const unsigned char  *p, *last;

    p = line->p;

    if (line->end - p < 3) {
        return checker_line_short(line);
    }

    status = checker_line_number(p, 3);

    if (status != 400 && status != 422) {
        return checker_line_broken(line, p,
                                   "\"status\" is neither 400 nor 422");
    }

    line->p += 3;

    if (!checker_line_expect(line, ",\"code\":\"", "\"code\"")
        || !checker_line_code(line, status, p))
    {
        return 0;
    }

    if (checker_line_has(line, "\",\"field\":\"")) {

        last = checker_line_string(line->p, line->end);

        if (last == NULL) {
            return checker_line_short(line);
        }

        if (*line->p != '/') {
            return checker_line_broken(line, line->p, "\"field\" is no JSON"
                                       " Pointer to a member");
        }

        line->p = last;
    }

    base64 = checker_line_has(line, "\",\"body_base64\":\"");

    if (checker_line_within(line, "\",\"field\":\"")
        || checker_line_within(line, "\",\"body_base64\":\""))
    {
        return checker_line_short(line);
    }

    if (!base64
        && !checker_line_expect(line, "\",\"body\":\"",
                                "\"field\", \"body\" or \"body_base64\""))
    {
        return 0;
    }

    last = checker_line_string(line->p, line->end);

    if (last == NULL) {
        return checker_line_short(line);
    }

    if (base64 && !checker_line_base64(line, last)) {
        return 0;
    }

    line->p = last;

    if (!checker_line_expect(line, "\"}", "the end of the line")) {
        return 0;
    }

    if (line->p != line->end) {
        return checker_line_broken(line, line->p, "something stands behind the"
                                   " body, which is the end of a line");
    }

    /* is it JSON, and written as the module does? */

    p -= sizeof("\"status\":") - 1;

    map.first = p - line->start;
    map.skip = sizeof(CHECKER_WRAP) - 1;
    map.gap = 0;
    map.cut = 0;

    len = map.skip + (line->end - p);

    body = checker_room(&checker->body, len, 0);
    memcpy(body, CHECKER_WRAP, map.skip);
    memcpy(body + map.skip, p, line->end - p);

    if (!checker_line_content(checker, line, body, len, &map)
        || !checker_line_written(checker, line, body + 1, len - 1, 1, &map))
    {
        return 0;
    }

    line->verdict->kind = CHECKER_IS_REFUSAL;

    return 1;
}


static int
checker_line_code(checker_line_t *line, unsigned status,
    const unsigned char *status_at)
{
    size_t                n;
    unsigned              i;
    const unsigned char  *end;
    const enkod_error_t  *error;

    end = checker_line_string(line->p, line->end);

    if (end == NULL) {
        return checker_line_short(line);
    }

    n = end - line->p;

    for (i = ENKOD_OK + 1; i < ENKOD_NERRORS; i++) {

        error = enkod_error_get(i);

        if (strlen(error->code) != n || memcmp(error->code, line->p, n) != 0) {
            continue;
        }

        if (error->status != status) {
            return checker_line_bad(line, status_at, "\"status\" is %u, but"
                                    " that of \"%s\" is %u", status,
                                    error->code, error->status);
        }

        line->verdict->code = i;
        line->p = end;

        return 1;
    }

    return checker_line_broken(line, line->p, "\"code\" is none of the"
                               " module's");
}


/* RFC 4648, section 4; a body that is not valid UTF-8 is not empty */

static int
checker_line_base64(checker_line_t *line, const unsigned char *last)
{
    const unsigned char  *p;

    for (p = line->p; p < last; p++) {

        if (!((*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z')
              || (*p >= '0' && *p <= '9') || *p == '+' || *p == '/'))
        {
            break;
        }
    }

    if (p == line->p
        || (last - line->p) % 4 != 0
        || last - p > 2
        || (p < last && *p != '=')
        || (last - p == 2 && p[1] != '='))
    {
        return checker_line_broken(line, p, "\"body_base64\" is no base64");
    }

    return 1;
}


/* Gives the body to the core. */

static int
checker_line_content(checker_t *checker, checker_line_t *line,
    const unsigned char *body, size_t len, const checker_map_t *map)
{
    int                     ended;
    const char             *sentence;
    const unsigned char    *p;
    const enkod_refusal_t  *refusal;

    refusal = checker_event_check(checker, body, len, &ended);

    if (refusal == NULL) {
        return 1;
    }

    if (ended) {
        return checker_line_short(line);
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

    return checker_line_broken(line, p, "%s: %s%s%.*s%s%s%s",
                               enkod_error_get(refusal->code)->code, sentence,
                               refusal->field.len ? ", field \"" : "",
                               (int) refusal->field.len,
                               refusal->field.len
                                   ? (const char *) refusal->field.data : "",
                               refusal->field.len ? "\"" : "",
                               refusal->expected ? ", expected: " : "",
                               refusal->expected ? refusal->expected : "");
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

    return checker_line_bad(line, p, "the module writes the same event"
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


/* Steps over the text if it stands here. */

static int
checker_line_has(checker_line_t *line, const char *text)
{
    size_t  len;

    len = strlen(text);

    if ((size_t) (line->end - line->p) < len
        || memcmp(line->p, text, len) != 0)
    {
        return 0;
    }

    line->p += len;

    return 1;
}


/* Whether the line breaks off in this text. */

static int
checker_line_within(const checker_line_t *line, const char *text)
{
    size_t  len;

    len = line->end - line->p;

    return len < strlen(text) && memcmp(line->p, text, len) == 0;
}


static int
checker_line_expect(checker_line_t *line, const char *text, const char *what)
{
    for ( /* void */ ; *text; text++) {

        if (line->p == line->end) {
            return checker_line_short(line);
        }

        if (*line->p != (unsigned char) *text) {
            return checker_line_broken(line, line->p, "this is not what the"
                                       " module writes here: %s", what);
        }

        line->p++;
    }

    return 1;
}


/* The quote that ends a string, or NULL. */

static const unsigned char *
checker_line_string(const unsigned char *p, const unsigned char *end)
{
    for ( /* void */ ; p < end; p++) {

        if (*p == '"') {
            return p;
        }

        if (*p == '\\') {
            p++;
        }
    }

    return NULL;
}


static int
checker_line_short(checker_line_t *line)
{
    return checker_line_broken(line, line->end, "the line breaks off after"
                               " %zu bytes", (size_t) (line->end - line->start));
}


/* It is a line, but not a good one. */

static int
checker_line_bad(checker_line_t *line, const unsigned char *p,
    const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    checker_line_say(line->verdict, p - line->start, fmt, args);
    va_end(args);

    return 0;
}


/* It may be no line, or several. */

static int
checker_line_broken(checker_line_t *line, const unsigned char *p,
    const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    checker_line_say(line->verdict, p - line->start, fmt, args);
    va_end(args);

    line->verdict->broken = 1;

    return 0;
}


static void
checker_line_say(checker_verdict_t *verdict, size_t offset, const char *fmt,
    va_list args)
{
    verdict->offset = offset;
    verdict->broken = 0;

    (void) vsnprintf(verdict->text, CHECKER_TEXT_SIZE, fmt, args);
}


/*
 * What is no line often is what a crash leaves behind: NUL bytes where a file
 * system had no data yet, or the beginning of a line with another line behind
 * it.  That says more than the byte at which it was noticed.
 */

static void
checker_line_explain(checker_t *checker, checker_line_t *line)
{
    char                  behind[160];
    size_t                nuls, lines;
    const char           *first, *other;
    const unsigned char  *p, *nul, *start, *last, *end;

    end = line->end;

    start = checker_line_next(line->start + 1, end);
    last = start;
    lines = 1;

    for (p = start; p; p = checker_line_next(p + 1, end)) {
        last = p;
        lines++;
    }

    other = start ? checker_line_whole(checker, last, end) : NULL;

    nul = memchr(line->start, '\0', end - line->start);

    if (nul) {
        nuls = 0;

        for (p = nul; p < end; p++) {
            nuls += (*p == '\0');
        }

        behind[0] = '\0';

        if (last > nul) {
            (void) snprintf(behind, sizeof(behind), "; the line that begins at"
                            " offset %lld is %s",
                            (long long) line->base + (last - line->start),
                            other);
        }

        (void) checker_line_bad(line, nul, "NUL bytes, %zu of them%s", nuls,
                                behind);
        return;
    }

    if (start == NULL) {
        return;
    }

    first = checker_line_whole(checker, line->start, start);

    if (lines == 2) {
        (void) checker_line_bad(line, start, "two lines in one: the first is"
                                " %s, the other begins here and is %s",
                                first, other);
        return;
    }

    (void) checker_line_bad(line, start, "%zu lines in one: the first is %s,"
                            " the next begins here, the last at offset %lld"
                            " and is %s", lines, first,
                            (long long) line->base + (last - line->start),
                            other);
}


/* The next place from p on where a line begins, or NULL. */

static const unsigned char *
checker_line_next(const unsigned char *p, const unsigned char *end)
{
    size_t             len;
    checker_line_t     line;
    checker_verdict_t  verdict;

    len = sizeof(CHECKER_LINE_START) - 1;

    for ( /* void */ ; p < end; p++) {

        p = memmem(p, end - p, CHECKER_LINE_START, len);
        if (p == NULL) {
            return NULL;
        }

        line.start = p;
        line.p = p + len;
        line.end = end;
        line.verdict = &verdict;

        /* not a member of that name */

        if (checker_line_time(&line) || verdict.offset == (size_t) (end - p)) {
            return p;
        }
    }

    return NULL;
}


static const char *
checker_line_whole(checker_t *checker, const unsigned char *p,
    const unsigned char *end)
{
    checker_line_t     line;
    checker_verdict_t  verdict;

    line.start = p;
    line.p = p;
    line.end = end;
    line.base = 0;
    line.verdict = &verdict;

    return checker_line_read(checker, &line) ? "whole" : "not whole";
}
