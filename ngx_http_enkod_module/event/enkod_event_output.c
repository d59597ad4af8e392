
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The output of an event: its name, its fields, and its members as they are
 * written into a line.
 */


#include "enkod_memory.h"
#include "enkod_state.h"


static unsigned char *enkod_event_write_fields(const enkod_event_t *event,
    unsigned char *p);
static unsigned char *enkod_event_write_extra(const enkod_event_t *event,
    unsigned char *p);
static size_t enkod_event_move(enkod_member_t *member, size_t from, size_t to);


const enkod_shape_t *
enkod_event_shape(const enkod_event_t *event)
{
    return event->shape;
}


int
enkod_event_test(const enkod_event_t *event)
{
    return event->test;
}


enkod_str_t
enkod_event_name(const enkod_event_t *event)
{
    enkod_str_t      name = enkod_string("");
    enkod_member_t  *member;

    if (event->shape) {
        name.data = event->shape->json.data + 1;
        name.len = event->shape->json.len - 2;

    } else if (event->name_known && event->settings->accept_unknown) {
        member = &event->members[event->name_index];

        name.data = event->text + member->value + 1;
        name.len = member->end - member->value - 2;
    }

    return name;
}


enkod_str_t
enkod_event_field(const enkod_event_t *event, const enkod_field_t *field)
{
    unsigned         i;
    enkod_str_t      value;
    enkod_member_t  *member;

    value.len = 0;
    value.data = NULL;

    i = event->by_field[field - event->shape->fields];

    if (i == ENKOD_ABSENT) {
        return value;
    }

    member = &event->members[i];

    if (member->kind == ENKOD_IS_NULL) {
        return value;
    }

    value.data = event->text + member->value;
    value.len = member->end - member->value;

    if (member->kind == ENKOD_IS_STRING && field->type == ENKOD_STRING) {
        value.data++;
        value.len -= 2;
    }

    return value;
}


size_t
enkod_event_length(const enkod_event_t *event)
{
    size_t           len;
    unsigned         i, extra;
    enkod_member_t  *member;

    len = sizeof(ENKOD_EVENT_NAME "\"\"") - 1 + enkod_event_name(event).len;
    extra = 0;

    if (event->in_order) {
        return len + event->text_len - event->members[0].end;
    }

    for (i = 0; i < event->nmembers; i++) {
        member = &event->members[i];

        if (member->field == ENKOD_FIELD_EXTRA) {
            extra = 1;

        } else if (member->field >= ENKOD_MAX_MEMBERS) {
            continue;
        }

        len += member->end - member->start;
    }

    /* the comma of the first extra field is written before "extra" */

    return len + (extra ? sizeof(ENKOD_EVENT_EXTRA "}") - sizeof(",") : 0);
}


unsigned char *
enkod_event_write(const enkod_event_t *event, unsigned char *p)
{
    size_t       len;
    enkod_str_t  name;

    name = enkod_event_name(event);

    memcpy(p, ENKOD_EVENT_NAME "\"", sizeof(ENKOD_EVENT_NAME "\"") - 1);
    p += sizeof(ENKOD_EVENT_NAME "\"") - 1;
    memcpy(p, name.data, name.len);
    p += name.len;
    *p++ = '"';

    if (event->in_order) {
        len = event->text_len - event->members[0].end;
        memcpy(p, event->text + event->members[0].end, len);
        return p + len;
    }

    if (event->shape) {
        p = enkod_event_write_fields(event, p);
    }

    return enkod_event_write_extra(event, p);
}


/* Fields that came in the order of the table are copied in one piece. */

static unsigned char *
enkod_event_write_fields(const enkod_event_t *event, unsigned char *p)
{
    size_t                 start, end;
    unsigned               i;
    const enkod_member_t  *member;

    start = 0;
    end = 0;

    for (i = 0; i < event->shape->nfields; i++) {

        if (event->by_field[i] == ENKOD_ABSENT) {
            continue;
        }

        member = &event->members[event->by_field[i]];

        if (member->start != end) {
            memcpy(p, event->text + start, end - start);
            p += end - start;
            start = member->start;
        }

        end = member->end;
    }

    memcpy(p, event->text + start, end - start);

    return p + (end - start);
}


static unsigned char *
enkod_event_write_extra(const enkod_event_t *event, unsigned char *p)
{
    unsigned               i, first;
    const enkod_member_t  *member;

    first = 1;

    for (i = 0; i < event->nmembers; i++) {
        member = &event->members[i];

        if (member->field != ENKOD_FIELD_EXTRA) {
            continue;
        }

        if (first) {
            memcpy(p, ENKOD_EVENT_EXTRA, sizeof(ENKOD_EVENT_EXTRA) - 1);
            p += sizeof(ENKOD_EVENT_EXTRA) - 1;
        }

        /* the first one without its comma, which is before "extra" */

        memcpy(p, event->text + member->start + first,
               member->end - member->start - first);
        p += member->end - member->start - first;

        first = 0;
    }

    if (!first) {
        *p++ = '}';
    }

    return p;
}


/* Sets the offsets of the members to where enkod_event_write() put them. */

void
enkod_event_borrow_text(enkod_event_t *event, unsigned char *p)
{
    size_t           place;
    unsigned         i, first;
    enkod_member_t  *member;

    if (event->text == event->arena + ENKOD_ARENA_SIZE) {
        /* the buffer is part of the event: there is nothing to free */
        return;
    }

    place = sizeof(ENKOD_EVENT_NAME) - 1;

    member = &event->members[event->name_index];

    if (event->shape == NULL) {
        enkod_event_move(member, member->value, place);
    }

    place += enkod_event_name(event).len + sizeof("\"\"") - 1;

    member->end = place;

    for (i = 0; event->shape && i < event->shape->nfields; i++) {

        if (event->by_field[i] != ENKOD_ABSENT) {
            member = &event->members[event->by_field[i]];
            place = enkod_event_move(member, member->start, place);
        }
    }

    first = 1;

    for (i = 0; i < event->nmembers; i++) {
        member = &event->members[i];

        if (member->field != ENKOD_FIELD_EXTRA) {
            continue;
        }

        if (first) {
            /* member->start is then the brace, in place of the comma */
            place += sizeof(ENKOD_EVENT_EXTRA) - sizeof("{");
            first = 0;
        }

        place = enkod_event_move(member, member->start, place);
    }

    if (!event->text_borrowed) {
        enkod_memory_release(event, event->text);
    }

    event->text = p;
    event->text_len = place;
    event->text_borrowed = 1;
}


/* Moves the offsets of a member by to - from; returns the member's new end. */

static size_t
enkod_event_move(enkod_member_t *member, size_t from, size_t to)
{
    member->value = member->value - from + to;
    member->end = member->end - from + to;
    member->start = member->start - from + to;

    return member->end;
}
