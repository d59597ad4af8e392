
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The reader of a line's envelope, enkod_line_read().  An envelope that is
 * accepted is the one that enkod_line_envelope_write() makes of its pieces.
 * Every beginning of it is a line that breaks off.  An error does not depend on
 * the bytes after it, and what breaks off can be continued.
 *
 * An input is the beginning of a line.
 */


#include <string.h>

#include "enkod_line.h"

#include "fuzz.h"


/* as far as a byte after "offset" may have been needed to find the error */
#define LOOKAHEAD  ENKOD_TIME_LEN


static void check_good(const enkod_line_t *line, const uint8_t *data,
    size_t size);
static void check_error(const enkod_line_t *line, enkod_line_error_e error,
    const uint8_t *data, size_t size);
static enkod_line_error_e read_part(enkod_line_t *line, const uint8_t *data,
    size_t len);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enkod_line_t        line;
    enkod_line_error_e  error;

    error = enkod_line_read(&line, data, size);

    fuzz_must(line.offset <= size, "the offset is in the line");
    fuzz_must((error == ENKOD_LINE_UNEXPECTED) == (line.expected != NULL),
              "what was expected is known if that is the error");

    if (error == ENKOD_LINE_OK) {
        check_good(&line, data, size);

    } else {
        check_error(&line, error, data, size);
    }

    return 0;
}


static void
check_good(const enkod_line_t *line, const uint8_t *data, size_t size)
{
    size_t             len, end;
    enkod_line_t       part;
    unsigned char     *p;
    enkod_envelope_t   envelope;

    memcpy(envelope.received_at, line->received_at.data, ENKOD_TIME_LEN);
    envelope.request_id = line->request_id;
    envelope.remote_addr = line->remote_addr;

    len = enkod_line_envelope_length(&envelope);

    fuzz_must(len == line->members,
              "the envelope has the length of its pieces");

    p = fuzz_alloc(len);

    fuzz_must(enkod_line_envelope_write(p, &envelope) == p + len
              && memcmp(p, data, len) == 0,
              "the envelope is written as it was read");

    free(p);

    end = line->offset + (line->refusal ? sizeof(ENKOD_LINE_STATUS)
                                        : sizeof(ENKOD_LINE_EVENT)) - 1;

    fuzz_must(end <= size
              && memcmp(data + line->offset, line->refusal ? ENKOD_LINE_STATUS
                                                           : ENKOD_LINE_EVENT,
                        end - line->offset) == 0,
              "\"event\" or \"status\" is at the offset");

    len = sizeof(ENKOD_LINE_PASS_STATUS ",") - 1 + ENKOD_STATUS_LEN;

    fuzz_must(line->offset - line->members
              == (line->test ? sizeof(ENKOD_LINE_TEST) - 1 : 0)
                 + (line->pass_status.len ? len : 0),
              "there is nothing else between the envelope and that");

    fuzz_must(line->pass_status.len == 0
              || (line->pass_status.data[0] != '0'
                  && strspn((const char *) line->pass_status.data,
                            "0123456789") == ENKOD_STATUS_LEN),
              "a status has three digits");

    for (len = 0; len < end; len++) {
        fuzz_must(read_part(&part, data, len) == ENKOD_LINE_SHORT
                  && part.offset == len,
                  "a line breaks off wherever it is cut");
    }

    fuzz_must(read_part(&part, data, end) == ENKOD_LINE_OK,
              "the rest of a line is not read");
}


static void
check_error(const enkod_line_t *line, enkod_line_error_e error,
    const uint8_t *data, size_t size)
{
    size_t        len;
    enkod_line_t  part;

    if (error == ENKOD_LINE_SHORT) {
        fuzz_must(line->offset == size, "a line breaks off at its end");
        return;
    }

    fuzz_must(line->offset < size, "there is a byte at fault");

    len = line->offset + LOOKAHEAD;
    len = (len < size) ? len : size;

    fuzz_must(read_part(&part, data, len) == error
              && part.offset == line->offset
              && part.members == line->members,
              "an error does not depend on the bytes after it");

    fuzz_must(read_part(&part, data, line->offset) == ENKOD_LINE_SHORT,
              "before the byte at fault there is no error");
}


/* The beginning of the line, in memory that ends with it. */

static enkod_line_error_e
read_part(enkod_line_t *line, const uint8_t *data, size_t len)
{
    unsigned char       *p;
    enkod_line_error_e   error;

    p = fuzz_alloc(len ? len : 1);
    memcpy(p, data, len);

    error = enkod_line_read(line, p, len);

    free(p);

    return error;
}
