
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The check of one event, as yajl calls it while it reads: values and nesting
 * here, members in enkod_member.c.  A callback returns 1 to go on, and 0 to
 * stop yajl, after a refusal or at the end of the event.
 */


#include "enkod_check.h"
#include "enkod_member.h"
#include "enkod_refusal.h"
#include "enkod_state.h"
#include "enkod_text.h"


static int enkod_check_null(void *ctx);
static int enkod_check_boolean(void *ctx, int value);
static int enkod_check_number(void *ctx, const char *p, size_t len);
static int enkod_check_string(void *ctx, const unsigned char *p, size_t len);
static int enkod_check_start_map(void *ctx);
static int enkod_check_key(void *ctx, const unsigned char *p, size_t len);
static int enkod_check_end_map(void *ctx);
static int enkod_check_start_array(void *ctx);
static int enkod_check_end_array(void *ctx);
static int enkod_check_unexpected(enkod_event_t *event, enkod_kind_e kind)
    enkod_noinline;
static int enkod_check_nested_value(enkod_event_t *event, enkod_kind_e kind);
static int enkod_check_nested_key(enkod_event_t *event,
    const unsigned char *p, size_t len) enkod_noinline;
static int enkod_check_open(enkod_event_t *event, enkod_kind_e kind);
static int enkod_check_close(enkod_event_t *event, unsigned char bracket);
static inline int enkod_check_field_equals(const enkod_event_t *event,
    unsigned field, const enkod_str_t *value);


/* before a value of any kind; a field of a known type is the common case */
#define enkod_check_value(event, is)                                          \
    ((event)->expected & enkod_kind_bit(is)                                   \
     ? ((event)->member->kind = (is), 1)                                      \
     : enkod_check_unexpected(event, is))


const yajl_callbacks  enkod_check_callbacks = {
    enkod_check_null,
    enkod_check_boolean,
    NULL,                       /* numbers come as text */
    NULL,
    enkod_check_number,
    enkod_check_string,
    enkod_check_start_map,
    enkod_check_key,
    enkod_check_end_map,
    enkod_check_start_array,
    enkod_check_end_array
};


static int
enkod_check_null(void *ctx)
{
    enkod_event_t *event = ctx;

    return enkod_check_value(event, ENKOD_IS_NULL)
           && enkod_text_add(event, "null", 4);
}


static int
enkod_check_boolean(void *ctx, int value)
{
    enkod_event_t *event = ctx;

    return enkod_check_value(event, ENKOD_IS_BOOLEAN)
           && (value ? enkod_text_add(event, "true", 4)
                     : enkod_text_add(event, "false", 5));
}


static int
enkod_check_number(void *ctx, const char *p, size_t len)
{
    enkod_event_t *event = ctx;

    size_t        i;
    enkod_kind_e  kind;

    kind = ENKOD_IS_INTEGER;

    for (i = 0; i < len; i++) {
        if (p[i] == '.' || p[i] == 'e' || p[i] == 'E') {
            kind = ENKOD_IS_NUMBER;
            break;
        }
    }

    return enkod_check_value(event, kind)
           && enkod_text_add(event, p, len);
}


static int
enkod_check_string(void *ctx, const unsigned char *p, size_t len)
{
    enkod_event_t *event = ctx;

    if (!enkod_check_value(event, ENKOD_IS_STRING)
        || !enkod_text_quote(event, p, len))
    {
        return 0;
    }

    /* the value of "event" is a string, so this is not a nested value */

    if (event->member->field == ENKOD_FIELD_EVENT_NAME) {
        return enkod_member_name_event(event, p, len);
    }

    return 1;
}


static int
enkod_check_start_map(void *ctx)
{
    return enkod_check_open(ctx, ENKOD_IS_OBJECT);
}


static int
enkod_check_key(void *ctx, const unsigned char *p, size_t len)
{
    enkod_event_t *event = ctx;

    return event->depth == 1 ? enkod_member_start(event, p, len)
                             : enkod_check_nested_key(event, p, len);
}


static int
enkod_check_end_map(void *ctx)
{
    enkod_event_t *event = ctx;

    if (event->depth == 1) {
        event->depth = 0;
        event->complete = enkod_member_complete(event);

        /* stops yajl; enkod_event_check_trailing() checks what follows */
        return 0;
    }

    return enkod_check_close(event, '}');
}


static int
enkod_check_start_array(void *ctx)
{
    return enkod_check_open(ctx, ENKOD_IS_ARRAY);
}


static int
enkod_check_end_array(void *ctx)
{
    return enkod_check_close(ctx, ']');
}


/* A value whose kind is not in event->expected. */

static int
enkod_check_unexpected(enkod_event_t *event, enkod_kind_e kind)
{
    if (event->depth == 0) {
        return enkod_refuse(event, ENKOD_NOT_OBJECT);
    }

    if (event->depth > 1) {
        return enkod_check_nested_value(event, kind);
    }

    event->member->kind = kind;

    if (event->field) {
        return enkod_refuse_member(event, ENKOD_WRONG_TYPE, event->member,
                                   ENKOD_NO_ELEMENT,
                                   enkod_type_name(event->field->type));
    }

    if (event->member->field == ENKOD_FIELD_EVENT_NAME) {
        return enkod_refuse_member(event, ENKOD_MISSING_EVENT, event->member,
                                   ENKOD_NO_ELEMENT, "string");
    }

    return 1;
}


/* A value within an array or an object that is the value of a member. */

static int
enkod_check_nested_value(enkod_event_t *event, enkod_kind_e kind)
{
    uint32_t         bit;
    enkod_member_t  *member;

    bit = (uint32_t) 1 << (event->depth - 1);

    if (event->object & bit) {
        /* the comma was written before the key */
        return 1;
    }

    if ((event->comma & bit) && !enkod_text_add(event, ",", 1)) {
        return 0;
    }

    event->comma |= bit;

    if (event->depth > 2) {
        return 1;
    }

    member = event->member;

    if (kind != ENKOD_IS_STRING
        && member->first_non_string == ENKOD_NO_ELEMENT)
    {
        member->first_non_string = event->element;
    }

    if (kind != ENKOD_IS_INTEGER
        && member->first_non_integer == ENKOD_NO_ELEMENT)
    {
        member->first_non_integer = event->element;
    }

    event->element++;

    if (event->field == NULL) {
        return 1;
    }

    return enkod_member_check_elements(event, member, event->field);
}


static int
enkod_check_nested_key(enkod_event_t *event, const unsigned char *p, size_t len)
{
    uint32_t  bit;

    bit = (uint32_t) 1 << (event->depth - 1);

    if ((event->comma & bit) && !enkod_text_add(event, ",", 1)) {
        return 0;
    }

    event->comma |= bit;

    return enkod_text_quote(event, p, len)
           && enkod_text_add(event, ":", 1);
}


static int
enkod_check_open(enkod_event_t *event, enkod_kind_e kind)
{
    uint32_t  bit;

    if (event->depth == 0 && kind == ENKOD_IS_OBJECT) {
        event->depth = 1;
        return 1;
    }

    if (!enkod_check_value(event, kind)) {
        return 0;
    }

    if (event->depth == ENKOD_MAX_DEPTH) {
        return enkod_refuse_member(event, ENKOD_TOO_DEEP, event->member,
                                   ENKOD_NO_ELEMENT, NULL);
    }

    if (event->depth == 1) {
        event->element = 0;
        event->member->first_non_string = ENKOD_NO_ELEMENT;
        event->member->first_non_integer = ENKOD_NO_ELEMENT;
    }

    event->expected = 0;

    bit = (uint32_t) 1 << event->depth++;

    event->comma &= ~bit;

    if (kind == ENKOD_IS_OBJECT) {
        event->object |= bit;
        return enkod_text_add(event, "{", 1);
    }

    event->object &= ~bit;

    return enkod_text_add(event, "[", 1);
}


static int
enkod_check_close(enkod_event_t *event, unsigned char bracket)
{
    event->depth--;

    return enkod_text_add(event, &bracket, 1);
}


/* The test button sends the bodies that the vendor's page shows. */

int
enkod_check_test_delivery(const enkod_event_t *event)
{
    const enkod_shape_t  *shape;

    static const enkod_str_t  message_uid =
                               enkod_string("\"0123456789_012_012_01234\"");
    static const enkod_str_t  subscribe =
                                 enkod_string("\"Person subscribe (test)\"");
    static const enkod_str_t  unsubscribe =
                               enkod_string("\"Person unsubscribe (test)\"");
    static const enkod_str_t  phone = enkod_string("\"80123456789\"");
    static const enkod_str_t  groups_names =
                           enkod_string("[\"test_group_0\",\"test_group_1\"]");

    shape = event->shape;

    if (shape == NULL) {
        return 0;
    }

    return enkod_check_field_equals(event, shape->message_uid, &message_uid)
           || enkod_check_field_equals(event, shape->group_name, &subscribe)
           || enkod_check_field_equals(event, shape->group_name, &unsubscribe)
           || (enkod_check_field_equals(event, shape->phone, &phone)
               && enkod_check_field_equals(event, shape->groups_names,
                                           &groups_names));
}


static inline int
enkod_check_field_equals(const enkod_event_t *event, unsigned field,
    const enkod_str_t *value)
{
    enkod_str_t            text;
    const enkod_member_t  *member;

    if (field == event->shape->nfields
        || event->by_field[field] == ENKOD_ABSENT)
    {
        return 0;
    }

    member = &event->members[event->by_field[field]];

    text.data = event->text + member->value;
    text.len = member->end - member->value;

    return enkod_str_equal(&text, value);
}
