
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The members of an event object: which field each of them is, and which fields
 * are missing.  Most events have their name first, and then the fields in the
 * order of the table.  The code for these is short, and what only other events
 * need is not inlined into it.
 */


#include "enkod_member.h"
#include "enkod_refusal.h"
#include "enkod_state.h"
#include "enkod_text.h"


static int enkod_member_start_unknown(enkod_event_t *event,
    enkod_member_t *member, const unsigned char *p, size_t len)
    enkod_noinline;
static void enkod_member_end(enkod_event_t *event);
static inline const enkod_field_t *enkod_member_find_field(
    enkod_event_t *event, const unsigned char *p, size_t len);
static const enkod_field_t *enkod_member_search_fields(enkod_event_t *event,
    const unsigned char *p, size_t len) enkod_noinline;
static inline int enkod_member_set_field(enkod_event_t *event,
    enkod_member_t *member, const enkod_field_t *field);
static int enkod_member_set_extra(enkod_event_t *event,
    enkod_member_t *member);
static int enkod_member_grow(enkod_event_t *event) enkod_noinline;
static int enkod_member_check_unique(enkod_event_t *event,
    const enkod_member_t *member);
static int enkod_member_event_allowed(enkod_event_t *event,
    const enkod_str_t *name);
static int enkod_member_match_field(enkod_event_t *event,
    enkod_member_t *member);
static int enkod_member_check_type(enkod_event_t *event,
    enkod_member_t *member);


int
enkod_member_start(enkod_event_t *event, const unsigned char *p, size_t len)
{
    enkod_member_t       *member;
    const enkod_field_t  *field;

    field = event->shape ? enkod_member_find_field(event, p, len) : NULL;

    if (event->nmembers == event->members_size
        && !enkod_member_grow(event))
    {
        return 0;
    }

    enkod_member_end(event);

    member = &event->members[event->nmembers++];

    member->start = event->text_len;

    event->field = field;

    if (field == NULL) {
        return enkod_member_start_unknown(event, member, p, len);
    }

    if (!enkod_text_append(event, field->key.data, field->key.len)) {
        return 0;
    }

    member->value = event->text_len;

    event->member = member;
    event->expected = field->kinds;

    return enkod_member_set_field(event, member, field);
}


/* A member that is not a field, or not known to be one yet. */

static int
enkod_member_start_unknown(enkod_event_t *event, enkod_member_t *member,
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
    member->field = ENKOD_FIELD_UNDECIDED;

    /* may turn out to be a field of an array type, whatever its value is */
    member->first_non_string = ENKOD_NO_ELEMENT;
    member->first_non_integer = ENKOD_NO_ELEMENT;

    event->member = member;
    event->expected = 0;

    name.data = p;
    name.len = len;

    if (enkod_str_equal(&name, &event_name)) {

        if (event->has_event) {
            return enkod_refuse_member(event, ENKOD_DUPLICATE_FIELD, member,
                                       ENKOD_NO_ELEMENT, NULL);
        }

        event->has_event = 1;
        event->name_index = event->nmembers - 1;
        event->expected = enkod_kind_bit(ENKOD_IS_STRING);
        member->field = ENKOD_FIELD_EVENT_NAME;

        return 1;
    }

    if (event->name_known && !enkod_member_set_extra(event, member)) {
        return 0;
    }

    event->skip_value = (member->field == ENKOD_FIELD_DROPPED);

    return enkod_member_check_unique(event, member);
}


/* The last member is complete, if there is one. */

static void
enkod_member_end(enkod_event_t *event)
{
    event->skip_value = 0;

    if (event->member) {
        event->member->end = event->text_len;
    }
}


/*
 * The field of that name, or NULL.  Fields mostly come in the order of the
 * table, so the one after the field that was found last is tried first.
 */

static inline const enkod_field_t *
enkod_member_find_field(enkod_event_t *event, const unsigned char *p,
    size_t len)
{
    const enkod_field_t  *next;

    if (event->next_field < event->shape->nfields) {
        next = &event->shape->fields[event->next_field];

        if (next->name.len == len
            && enkod_bytes_equal(next->name.data, p, len))
        {
            event->next_field++;
            return next;
        }
    }

    return enkod_member_search_fields(event, p, len);
}


static const enkod_field_t *
enkod_member_search_fields(enkod_event_t *event, const unsigned char *p,
    size_t len)
{
    unsigned              i, n;
    enkod_str_t           name;
    const enkod_shape_t  *shape;

    name.data = p;
    name.len = len;

    shape = event->shape;
    i = event->next_field;

    for (n = 0; n < shape->nfields; n++, i++) {

        if (i == shape->nfields) {
            i = 0;
            event->in_order = 0;
        }

        if (enkod_str_equal(&name, &shape->fields[i].name)) {
            event->next_field = i + 1;
            return &shape->fields[i];
        }
    }

    event->in_order = 0;

    return NULL;
}


/* The member is that field; an event has each field once. */

static inline int
enkod_member_set_field(enkod_event_t *event, enkod_member_t *member,
    const enkod_field_t *field)
{
    unsigned  i;

    i = field - event->shape->fields;

    if (event->by_field[i] != ENKOD_ABSENT) {
        return enkod_refuse_member(event, ENKOD_DUPLICATE_FIELD, member,
                                   ENKOD_NO_ELEMENT, NULL);
    }

    event->by_field[i] = member - event->members;
    member->field = i;

    return 1;
}


/* The member is not a field of the event. */

static int
enkod_member_set_extra(enkod_event_t *event, enkod_member_t *member)
{
    if (event->shape == NULL
        || event->settings->extra == ENKOD_EXTRA_KEEP)
    {
        member->field = ENKOD_FIELD_EXTRA;
        return 1;
    }

    if (event->settings->extra == ENKOD_EXTRA_REJECT) {
        return enkod_refuse_member(event, ENKOD_UNKNOWN_FIELD, member,
                                   ENKOD_NO_ELEMENT, NULL);
    }

    member->field = ENKOD_FIELD_DROPPED;

    return 1;
}


static int
enkod_member_grow(enkod_event_t *event)
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


/* Members that are not fields must not have the same name either. */

static int
enkod_member_check_unique(enkod_event_t *event, const enkod_member_t *member)
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
                                       ENKOD_NO_ELEMENT, NULL);
        }
    }

    return 1;
}


int
enkod_member_name_event(enkod_event_t *event, const unsigned char *p,
    size_t len)
{
    unsigned         i;
    enkod_str_t      name;
    enkod_member_t  *member;

    name.data = p;
    name.len = len;

    event->name_known = 1;
    event->shape = enkod_schema_find(event->settings->schema, &name);

    member = &event->members[event->name_index];
    member->end = event->text_len;

    if (!enkod_member_event_allowed(event, &name)) {
        return enkod_refuse_member(event, ENKOD_EVENT_NOT_ALLOWED,
                                   member, ENKOD_NO_ELEMENT, NULL);
    }

    if (event->shape) {
        memset(event->by_field, ENKOD_ABSENT, event->shape->nfields);
        event->in_order = (event->name_index == 0);

    } else if (!event->settings->accept_unknown) {
        return enkod_refuse_member(event, ENKOD_UNKNOWN_EVENT,
                                   member, ENKOD_NO_ELEMENT, NULL);
    }

    for (i = 0; i < event->nmembers - 1; i++) {

        member = &event->members[i];

        if (!enkod_member_match_field(event, member)
            || !enkod_member_check_type(event, member))
        {
            return 0;
        }
    }

    return 1;
}


static int
enkod_member_event_allowed(enkod_event_t *event, const enkod_str_t *name)
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


/* Which field a member is that came before the event's name. */

static int
enkod_member_match_field(enkod_event_t *event, enkod_member_t *member)
{
    unsigned              i;
    enkod_str_t           key;
    const enkod_shape_t  *shape;

    shape = event->shape;

    key.data = event->text + member->start;
    key.len = member->value - member->start;

    for (i = 0; shape && i < shape->nfields; i++) {
        if (enkod_str_equal(&key, &shape->fields[i].key)) {
            return enkod_member_set_field(event, member, &shape->fields[i]);
        }
    }

    return enkod_member_set_extra(event, member);
}


/* The type of a member that came before the event's name. */

static int
enkod_member_check_type(enkod_event_t *event, enkod_member_t *member)
{
    const enkod_field_t  *field;

    if (member->field >= ENKOD_MAX_MEMBERS) {
        return 1;
    }

    field = &event->shape->fields[member->field];

    if (!(field->kinds & enkod_kind_bit(member->kind))) {
        return enkod_refuse_member(event, ENKOD_WRONG_TYPE, member,
                                   ENKOD_NO_ELEMENT,
                                   enkod_type_name(field->type));
    }

    return enkod_member_check_elements(event, member, field);
}


int
enkod_member_check_elements(enkod_event_t *event, enkod_member_t *member,
    const enkod_field_t *field)
{
    uint32_t      element;
    enkod_type_e  type;

    if (field->type == ENKOD_STRINGS) {
        element = member->first_non_string;
        type = ENKOD_STRING;

    } else if (field->type == ENKOD_INTEGERS) {
        element = member->first_non_integer;
        type = ENKOD_INTEGER;

    } else {
        return 1;
    }

    if (element == ENKOD_NO_ELEMENT) {
        return 1;
    }

    return enkod_refuse_member(event, ENKOD_WRONG_TYPE, member, element,
                               enkod_type_name(type));
}


int
enkod_member_complete(enkod_event_t *event)
{
    unsigned              i;
    enkod_field_t        *field;
    const enkod_shape_t  *shape;

    static const enkod_str_t  key = enkod_string(",\"event\":");

    enkod_member_end(event);

    if (!event->name_known) {
        return enkod_refuse_field(event, ENKOD_MISSING_EVENT, &key,
                                  "string");
    }

    shape = event->shape;

    if (shape == NULL) {
        return 1;
    }

    for (i = 0; i < shape->any_of; i++) {
        if (event->by_field[i] != ENKOD_ABSENT
            && event->members[event->by_field[i]].kind != ENKOD_IS_NULL)
        {
            break;
        }
    }

    if (shape->any_of && i == shape->any_of) {
        return enkod_refuse_field(event, ENKOD_MISSING_FIELD,
                                  &shape->fields[0].key,
                                  enkod_type_name(shape->fields[0].type));
    }

    if (event->in_order && event->nmembers == shape->nfields + 1) {
        return 1;
    }

    for (i = 0; i < shape->nfields; i++) {
        field = &shape->fields[i];

        if (!field->optional && event->by_field[i] == ENKOD_ABSENT) {
            return enkod_refuse_field(event, ENKOD_MISSING_FIELD,
                                      &field->key,
                                      enkod_type_name(field->type));
        }
    }

    return 1;
}
