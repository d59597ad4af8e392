
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The check of one event, as yajl calls it while it reads: every function here
 * but the last ones is on the way of a token.  A callback returns 1 to go on,
 * and 0 to stop, after a refusal or at the end of the event.
 */


#include "enkod_internal.h"


static int enkod_check_null(void *ctx);
static int enkod_check_boolean(void *ctx, int value);
static int enkod_check_number(void *ctx, const char *p, size_t len);
static int enkod_check_string(void *ctx, const unsigned char *p, size_t len);
static int enkod_check_start_map(void *ctx);
static int enkod_check_key(void *ctx, const unsigned char *p, size_t len);
static int enkod_check_end_map(void *ctx);
static int enkod_check_start_array(void *ctx);
static int enkod_check_end_array(void *ctx);
static int enkod_check_other(enkod_event_t *event, enkod_kind_e kind)
    enkod_rare;
static int enkod_check_inner(enkod_event_t *event, enkod_kind_e kind);
static int enkod_check_inner_key(enkod_event_t *event,
    const unsigned char *p, size_t len) enkod_rare;
static int enkod_check_open(enkod_event_t *event, enkod_kind_e kind);
static int enkod_check_close(enkod_event_t *event, unsigned char bracket);
static int enkod_check_member(enkod_event_t *event, const unsigned char *p,
    size_t len);
static int enkod_check_no_field(enkod_event_t *event, enkod_member_t *member,
    const unsigned char *p, size_t len) enkod_rare;
static void enkod_check_end_member(enkod_event_t *event);
static inline const enkod_field_t *enkod_check_field(enkod_event_t *event,
    const unsigned char *p, size_t len);
static const enkod_field_t *enkod_check_search(enkod_event_t *event,
    const unsigned char *p, size_t len) enkod_rare;
static inline int enkod_check_take(enkod_event_t *event,
    enkod_member_t *member, const enkod_field_t *field);
static int enkod_check_extra(enkod_event_t *event, enkod_member_t *member);
static int enkod_check_more_members(enkod_event_t *event) enkod_rare;
static int enkod_check_single(enkod_event_t *event,
    const enkod_member_t *member);
static int enkod_check_named(enkod_event_t *event, const unsigned char *p,
    size_t len) enkod_rare;
static int enkod_check_allowed(enkod_event_t *event, const enkod_str_t *name);
static int enkod_check_assign(enkod_event_t *event, enkod_member_t *member);
static int enkod_check_type(enkod_event_t *event, enkod_member_t *member);
static int enkod_check_elements(enkod_event_t *event, enkod_member_t *member,
    const enkod_field_t *field);
static int enkod_check_complete(enkod_event_t *event);
static int enkod_check_is(const enkod_event_t *event, unsigned field,
    const enkod_str_t *value);


/* before a value of any kind; that of a known field is the common case */
#define enkod_check_value(event, is)                                          \
    ((event)->expected & enkod_kind_bit(is)                                   \
     ? ((event)->member->kind = (is), 1)                                      \
     : enkod_check_other(event, is))


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

    /* of the member "event" there is no value within the value */

    if (event->member->field == ENKOD_NAME) {
        return enkod_check_named(event, p, len);
    }

    return 1;
}


static int
enkod_check_start_map(void *ctx)
{
    return enkod_check_open(ctx, ENKOD_IS_OBJECT);
}


/* Within the value of a member there is nothing to check. */

static int
enkod_check_key(void *ctx, const unsigned char *p, size_t len)
{
    enkod_event_t *event = ctx;

    return event->depth == 1 ? enkod_check_member(event, p, len)
                             : enkod_check_inner_key(event, p, len);
}


static int
enkod_check_end_map(void *ctx)
{
    enkod_event_t *event = ctx;

    if (event->depth == 1) {
        event->depth = 0;
        event->complete = enkod_check_complete(event);

        /* what follows is not for yajl */
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


/* A value that is not simply one of the kinds that were expected. */

static int
enkod_check_other(enkod_event_t *event, enkod_kind_e kind)
{
    if (event->depth == 0) {
        return enkod_refuse(event, ENKOD_NOT_OBJECT);
    }

    if (event->depth > 1) {
        return enkod_check_inner(event, kind);
    }

    event->member->kind = kind;

    if (event->field) {
        return enkod_refuse_member(event, ENKOD_WRONG_TYPE, event->member,
                                   ENKOD_NONE,
                                   enkod_type_name(event->field->type));
    }

    if (event->member->field == ENKOD_NAME) {
        return enkod_refuse_member(event, ENKOD_MISSING_EVENT, event->member,
                                   ENKOD_NONE, "string");
    }

    return 1;
}


/* A value within the value of a member; a comma may have to go before it. */

static int
enkod_check_inner(enkod_event_t *event, enkod_kind_e kind)
{
    uint32_t         bit;
    enkod_member_t  *member;

    bit = (uint32_t) 1 << (event->depth - 1);

    if (event->object & bit) {
        /* the key has seen to the comma */
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

    if (kind != ENKOD_IS_STRING && member->not_string == ENKOD_NONE) {
        member->not_string = event->element;
    }

    if (kind != ENKOD_IS_INTEGER && member->not_integer == ENKOD_NONE) {
        member->not_integer = event->element;
    }

    event->element++;

    return event->field ? enkod_check_elements(event, member, event->field)
                        : 1;
}


static int
enkod_check_inner_key(enkod_event_t *event, const unsigned char *p, size_t len)
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
        return enkod_refuse_member(event, ENKOD_TOO_DEEP,
                                   event->member,
                                   ENKOD_NONE, NULL);
    }

    if (event->depth == 1) {
        event->element = 0;
        event->member->not_string = ENKOD_NONE;
        event->member->not_integer = ENKOD_NONE;
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


/* A member of the event begins with its name. */

static int
enkod_check_member(enkod_event_t *event, const unsigned char *p, size_t len)
{
    enkod_member_t       *member;
    const enkod_field_t  *field;

    field = event->shape ? enkod_check_field(event, p, len) : NULL;

    if (event->nmembers == event->members_size
        && !enkod_check_more_members(event))
    {
        return 0;
    }

    enkod_check_end_member(event);

    member = &event->members[event->nmembers++];

    member->start = event->text_len;

    event->field = field;

    if (field == NULL) {
        return enkod_check_no_field(event, member, p, len);
    }

    if (!enkod_text_append(event, field->key.data, field->key.len)) {
        return 0;
    }

    member->value = event->text_len;

    event->member = member;
    event->expected = field->kinds;

    return enkod_check_take(event, member, field);
}


/* ... which is none of a field, as far as is known. */

static int
enkod_check_no_field(enkod_event_t *event, enkod_member_t *member,
    const unsigned char *p, size_t len)
{
    enkod_str_t  name;

    static const enkod_str_t  event_name = enkod_string("event");

    if (!enkod_text_add(event, ",", 1)
        || !enkod_text_quote(event, p, len)
        || !enkod_text_add(event, ":", 1))
    {
        return 0;
    }

    member->value = event->text_len;
    member->field = ENKOD_PENDING;

    /* it may turn out to be an array's field, even if it is null */
    member->not_string = ENKOD_NONE;
    member->not_integer = ENKOD_NONE;

    event->member = member;
    event->expected = 0;

    name.data = p;
    name.len = len;

    if (enkod_str_equal(&name, &event_name)) {

        if (event->has_name) {
            return enkod_refuse_member(event, ENKOD_DUPLICATE_FIELD, member,
                                       ENKOD_NONE, NULL);
        }

        event->has_name = 1;
        event->name = event->nmembers - 1;
        event->expected = enkod_kind_bit(ENKOD_IS_STRING);
        member->field = ENKOD_NAME;

        return 1;
    }

    if (event->named && !enkod_check_extra(event, member)) {
        return 0;
    }

    event->skip = (member->field == ENKOD_DROPPED);

    return enkod_check_single(event, member);
}


/* The member before this one is complete. */

static void
enkod_check_end_member(enkod_event_t *event)
{
    event->skip = 0;

    if (event->member) {
        event->member->end = event->text_len;
    }
}


/*
 * The field of that name, or NULL.  They mostly come in the order of the table,
 * so the search begins behind the one that was found last.
 */

static inline const enkod_field_t *
enkod_check_field(enkod_event_t *event, const unsigned char *p, size_t len)
{
    const enkod_field_t  *next;

    if (event->next < event->shape->nfields) {
        next = &event->shape->fields[event->next];

        if (next->name.len == len
            && enkod_bytes_equal(next->name.data, p, len))
        {
            event->next++;
            return next;
        }
    }

    return enkod_check_search(event, p, len);
}


static const enkod_field_t *
enkod_check_search(enkod_event_t *event, const unsigned char *p, size_t len)
{
    unsigned              i, n;
    enkod_str_t           name;
    const enkod_shape_t  *shape;

    name.data = p;
    name.len = len;

    shape = event->shape;
    i = event->next;

    for (n = 0; n < shape->nfields; n++, i++) {

        if (i == shape->nfields) {
            i = 0;
            event->plain = 0;
        }

        if (enkod_str_equal(&name, &shape->fields[i].name)) {
            event->next = i + 1;
            return &shape->fields[i];
        }
    }

    event->plain = 0;

    return NULL;
}


/* The member is that field. */

static inline int
enkod_check_take(enkod_event_t *event, enkod_member_t *member,
    const enkod_field_t *field)
{
    unsigned  i;

    i = field - event->shape->fields;

    if (event->slots[i] != ENKOD_PENDING) {
        return enkod_refuse_member(event, ENKOD_DUPLICATE_FIELD, member,
                                   ENKOD_NONE, NULL);
    }

    event->slots[i] = member - event->members;
    member->field = i;

    return 1;
}


/* The member is no field of the event. */

static int
enkod_check_extra(enkod_event_t *event, enkod_member_t *member)
{
    if (event->shape == NULL
        || event->settings->extra == ENKOD_EXTRA_KEEP)
    {
        member->field = ENKOD_EXTRA;
        return 1;
    }

    if (event->settings->extra == ENKOD_EXTRA_REJECT) {
        return enkod_refuse_member(event, ENKOD_UNKNOWN_FIELD, member,
                                   ENKOD_NONE, NULL);
    }

    member->field = ENKOD_DROPPED;

    return 1;
}


static int
enkod_check_more_members(enkod_event_t *event)
{
    enkod_member_t  *members;

    if (event->nmembers == ENKOD_MAX_MEMBERS) {
        return enkod_refuse(event, ENKOD_TOO_MANY_FIELDS);
    }

    members = event->mem.alloc(event->mem.ctx,
                               ENKOD_MAX_MEMBERS * sizeof(enkod_member_t));
    if (members == NULL) {
        return enkod_refuse(event, ENKOD_NO_MEMORY);
    }

    memcpy(members, event->members,
           event->nmembers * sizeof(enkod_member_t));

    event->member = &members[event->nmembers - 1];
    event->members = members;
    event->members_size = ENKOD_MAX_MEMBERS;

    return 1;
}


/* No other member that is no field of the shape has the name of this one. */

static int
enkod_check_single(enkod_event_t *event, const enkod_member_t *member)
{
    enkod_str_t            name, other;
    const enkod_member_t  *m;

    name.data = event->text + member->start;
    name.len = member->value - member->start;

    for (m = event->members; m < member; m++) {

        if (m->field < ENKOD_MAX_MEMBERS) {
            continue;
        }

        other.data = event->text + m->start;
        other.len = m->value - m->start;

        if (enkod_str_equal(&name, &other)) {
            return enkod_refuse_member(event, ENKOD_DUPLICATE_FIELD, member,
                                       ENKOD_NONE, NULL);
        }
    }

    return 1;
}


/* The event's name is known, and so is what to think of the members so far. */

static int
enkod_check_named(enkod_event_t *event, const unsigned char *p, size_t len)
{
    unsigned         i;
    enkod_str_t      name;
    enkod_member_t  *member;

    name.data = p;
    name.len = len;

    event->named = 1;
    event->shape = enkod_schema_find(event->settings->schema, &name);

    member = &event->members[event->name];
    member->end = event->text_len;

    if (!enkod_check_allowed(event, &name)) {
        return enkod_refuse_member(event, ENKOD_EVENT_NOT_ALLOWED,
                                   member, ENKOD_NONE, NULL);
    }

    if (event->shape) {
        memset(event->slots, ENKOD_PENDING, event->shape->nfields);
        event->plain = (event->name == 0);

    } else if (!event->settings->accept_unknown) {
        return enkod_refuse_member(event, ENKOD_UNKNOWN_EVENT,
                                   member, ENKOD_NONE, NULL);
    }

    for (i = 0; i < event->nmembers - 1; i++) {

        member = &event->members[i];

        if (!enkod_check_assign(event, member)
            || !enkod_check_type(event, member))
        {
            return 0;
        }
    }

    return 1;
}


static int
enkod_check_allowed(enkod_event_t *event, const enkod_str_t *name)
{
    unsigned                 i;
    const enkod_settings_t  *settings;

    settings = event->settings;

    if (settings->nevents == 0) {
        return 1;
    }

    for (i = 0; i < settings->nevents; i++) {
        if (enkod_schema_same(name, &settings->events[i])) {
            return 1;
        }
    }

    return 0;
}


/* What a member is that came before the event's name. */

static int
enkod_check_assign(enkod_event_t *event, enkod_member_t *member)
{
    unsigned              i;
    enkod_str_t           key;
    const enkod_shape_t  *shape;

    shape = event->shape;

    key.data = event->text + member->start;
    key.len = member->value - member->start;

    for (i = 0; shape && i < shape->nfields; i++) {
        if (enkod_str_equal(&key, &shape->fields[i].key)) {
            return enkod_check_take(event, member, &shape->fields[i]);
        }
    }

    return enkod_check_extra(event, member);
}


/* The value of a member that came before the event's name. */

static int
enkod_check_type(enkod_event_t *event, enkod_member_t *member)
{
    const enkod_field_t  *field;

    if (member->field >= ENKOD_MAX_MEMBERS) {
        return 1;
    }

    field = &event->shape->fields[member->field];

    if (!(field->kinds & enkod_kind_bit(member->kind))) {
        return enkod_refuse_member(event, ENKOD_WRONG_TYPE, member, ENKOD_NONE,
                                   enkod_type_name(field->type));
    }

    return enkod_check_elements(event, member, field);
}


/* The elements of an array, as far as they have come. */

static int
enkod_check_elements(enkod_event_t *event, enkod_member_t *member,
    const enkod_field_t *field)
{
    uint32_t      element;
    enkod_type_e  type;

    if (field->type == ENKOD_STRINGS) {
        element = member->not_string;
        type = ENKOD_STRING;

    } else if (field->type == ENKOD_INTEGERS) {
        element = member->not_integer;
        type = ENKOD_INTEGER;

    } else {
        return 1;
    }

    if (element == ENKOD_NONE) {
        return 1;
    }

    return enkod_refuse_member(event, ENKOD_WRONG_TYPE, member, element,
                               enkod_type_name(type));
}


/* The event object is closed. */

static int
enkod_check_complete(enkod_event_t *event)
{
    unsigned              i;
    enkod_field_t        *field;
    const enkod_shape_t  *shape;

    static const enkod_str_t  key = enkod_string(",\"event\":");

    enkod_check_end_member(event);

    if (!event->named) {
        return enkod_refuse_field(event, ENKOD_MISSING_EVENT, &key,
                                  "string");
    }

    shape = event->shape;

    if (shape == NULL) {
        return 1;
    }

    for (i = 0; i < shape->any_of; i++) {
        if (event->slots[i] != ENKOD_PENDING
            && event->members[event->slots[i]].kind != ENKOD_IS_NULL)
        {
            break;
        }
    }

    if (shape->any_of && i == shape->any_of) {
        return enkod_refuse_field(event, ENKOD_MISSING_FIELD,
                                  &shape->fields[0].key,
                                  enkod_type_name(shape->fields[0].type));
    }

    if (event->plain && event->nmembers == shape->nfields + 1) {
        return 1;
    }

    for (i = 0; i < shape->nfields; i++) {
        field = &shape->fields[i];

        if (!field->optional && event->slots[i] == ENKOD_PENDING) {
            return enkod_refuse_field(event, ENKOD_MISSING_FIELD,
                                      &field->key,
                                      enkod_type_name(field->type));
        }
    }

    return 1;
}


/* the bodies of the vendor's page, which its test button sends */

int
enkod_check_test(const enkod_event_t *event)
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

    return enkod_check_is(event, shape->message_uid, &message_uid)
           || enkod_check_is(event, shape->group_name, &subscribe)
           || enkod_check_is(event, shape->group_name, &unsubscribe)
           || (enkod_check_is(event, shape->phone, &phone)
               && enkod_check_is(event, shape->groups_names, &groups_names));
}


static int
enkod_check_is(const enkod_event_t *event, unsigned field,
    const enkod_str_t *value)
{
    enkod_str_t            text;
    const enkod_member_t  *member;

    if (field == event->shape->nfields
        || event->slots[field] == ENKOD_PENDING)
    {
        return 0;
    }

    member = &event->members[event->slots[field]];

    text.data = event->text + member->value;
    text.len = member->end - member->value;

    return enkod_str_equal(&text, value);
}
