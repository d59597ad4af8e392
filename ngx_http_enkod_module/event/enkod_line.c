
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * Lines are written: the length is known first, then the bytes are copied to
 * where they are needed, without a format string.
 */


#include "enkod_line.h"


#define enkod_line_literal(p, str)                                            \
    ((unsigned char *) memcpy(p, str, sizeof(str) - 1) + sizeof(str) - 1)


static inline unsigned char *enkod_line_status(unsigned char *p,
    unsigned status);


size_t
enkod_line_envelope_length(const enkod_envelope_t *envelope)
{
    return sizeof(ENKOD_LINE_START) - 1
           + ENKOD_TIME_LEN
           + sizeof(ENKOD_LINE_REQUEST_ID) - 1
           + envelope->request_id.len
           + sizeof(ENKOD_LINE_REMOTE_ADDR) - 1
           + envelope->remote_addr.len
           + sizeof(ENKOD_LINE_MEMBERS) - 1;
}


unsigned char *
enkod_line_envelope_write(unsigned char *p, const enkod_envelope_t *envelope)
{
    p = enkod_line_literal(p, ENKOD_LINE_START);

    memcpy(p, envelope->received_at, ENKOD_TIME_LEN);
    p += ENKOD_TIME_LEN;

    p = enkod_line_literal(p, ENKOD_LINE_REQUEST_ID);

    enkod_bytes_copy(p, envelope->request_id.data, envelope->request_id.len);
    p += envelope->request_id.len;

    p = enkod_line_literal(p, ENKOD_LINE_REMOTE_ADDR);

    enkod_bytes_copy(p, envelope->remote_addr.data, envelope->remote_addr.len);
    p += envelope->remote_addr.len;

    return enkod_line_literal(p, ENKOD_LINE_MEMBERS);
}


size_t
enkod_line_length(const enkod_envelope_t *envelope, const enkod_event_t *event,
    unsigned pass_status)
{
    size_t  len;

    len = enkod_line_envelope_length(envelope)
          + enkod_event_length(event)
          + sizeof("}") - 1;

    if (enkod_event_test(event)) {
        len += sizeof(ENKOD_LINE_TEST) - 1;
    }

    if (pass_status) {
        len += sizeof(ENKOD_LINE_PASS_STATUS) - 1 + ENKOD_STATUS_LEN
               + sizeof(",") - 1;
    }

    return len;
}


unsigned char *
enkod_line_write(unsigned char *p, const enkod_envelope_t *envelope,
    const enkod_event_t *event, unsigned pass_status)
{
    p = enkod_line_envelope_write(p, envelope);

    if (enkod_event_test(event)) {
        p = enkod_line_literal(p, ENKOD_LINE_TEST);
    }

    if (pass_status) {
        p = enkod_line_literal(p, ENKOD_LINE_PASS_STATUS);
        p = enkod_line_status(p, pass_status);
        *p++ = ',';
    }

    p = enkod_event_write(event, p);

    *p++ = '}';

    return p;
}


size_t
enkod_line_refusal_length(const enkod_envelope_t *envelope, enkod_error_e code,
    const enkod_str_t *field, int base64)
{
    size_t  len;

    len = enkod_line_envelope_length(envelope)
          + sizeof(ENKOD_LINE_STATUS) - 1 + ENKOD_STATUS_LEN
          + sizeof(ENKOD_LINE_CODE) - 1
          + strlen(enkod_error_get(code)->code)
          + (base64 ? sizeof(ENKOD_LINE_BODY_BASE64)
                    : sizeof(ENKOD_LINE_BODY)) - 1;

    if (field->len) {
        len += sizeof(ENKOD_LINE_FIELD) - 1 + field->len;
    }

    return len;
}


unsigned char *
enkod_line_refusal_write(unsigned char *p, const enkod_envelope_t *envelope,
    enkod_error_e code, const enkod_str_t *field, int base64)
{
    size_t                len;
    const enkod_error_t  *error;

    error = enkod_error_get(code);

    p = enkod_line_envelope_write(p, envelope);

    p = enkod_line_literal(p, ENKOD_LINE_STATUS);
    p = enkod_line_status(p, error->status);
    p = enkod_line_literal(p, ENKOD_LINE_CODE);

    len = strlen(error->code);
    memcpy(p, error->code, len);
    p += len;

    if (field->len) {
        p = enkod_line_literal(p, ENKOD_LINE_FIELD);
        memcpy(p, field->data, field->len);
        p += field->len;
    }

    return base64 ? enkod_line_literal(p, ENKOD_LINE_BODY_BASE64)
                  : enkod_line_literal(p, ENKOD_LINE_BODY);
}


static inline unsigned char *
enkod_line_status(unsigned char *p, unsigned status)
{
    *p++ = '0' + status / 100 % 10;
    *p++ = '0' + status / 10 % 10;
    *p++ = '0' + status % 10;

    return p;
}
