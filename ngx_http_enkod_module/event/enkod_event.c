
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#include "enkod_internal.h"


static void enkod_event_start(enkod_event_t *event,
    const enkod_settings_t *settings);
static enkod_error_e enkod_event_pass(enkod_event_t *event,
    const unsigned char *p, size_t len, int hold);
static enkod_error_e enkod_event_parse_carry(enkod_event_t *event);
static enkod_error_e enkod_event_parse(enkod_event_t *event,
    const unsigned char *p, size_t len);
static enkod_error_e enkod_event_rest(enkod_event_t *event,
    const unsigned char *p, size_t len);
static enkod_error_e enkod_event_carry(enkod_event_t *event,
    const unsigned char *p, size_t len);
static size_t enkod_event_move(enkod_member_t *member, size_t from, size_t to);
static unsigned char *enkod_event_write_fields(const enkod_event_t *event,
    unsigned char *p);
static unsigned char *enkod_event_write_extra(const enkod_event_t *event,
    unsigned char *p);


size_t
enkod_event_size(void)
{
    return enkod_align(sizeof(enkod_event_t)) + ENKOD_ARENA_SIZE
           + ENKOD_TEXT_SIZE + ENKOD_IMAGE_SIZE;
}


enkod_event_t *
enkod_event_create(const enkod_settings_t *settings, const enkod_mem_t *mem)
{
    void           *block;
    enkod_event_t  *event;

    block = mem->alloc(mem->ctx, enkod_event_size());
    if (block == NULL) {
        return NULL;
    }

    event = enkod_event_init(block, settings, mem);
    if (event == NULL) {
        mem->free(mem->ctx, block);
        return NULL;
    }

    event->created = 1;

    return event;
}


enkod_event_t *
enkod_event_init(void *block, const enkod_settings_t *settings,
    const enkod_mem_t *mem)
{
    enkod_event_t     *event = block;

    jmp_buf            no_memory;
    yajl_alloc_funcs   funcs;

    event->mem = *mem;
    event->arena = (unsigned char *) event + enkod_align(sizeof(enkod_event_t));
    event->image = event->arena + ENKOD_ARENA_SIZE + ENKOD_TEXT_SIZE;

    enkod_event_start(event, settings);

    funcs.malloc = enkod_memory_malloc;
    funcs.realloc = enkod_memory_realloc;
    funcs.free = enkod_memory_free;
    funcs.ctx = event;

    event->no_memory = &no_memory;

    if (setjmp(no_memory) != 0) {
        enkod_event_destroy(event);
        return NULL;
    }

    event->yajl = yajl_alloc(&enkod_check_callbacks, &funcs, event);

    /* the guard does that, and does it strictly */
    yajl_config(event->yajl, yajl_dont_validate_strings, 1);

    event->image_len = 0;

    if (event->blocks == NULL && event->arena_len <= ENKOD_IMAGE_SIZE) {
        event->image_len = event->arena_len;
        memcpy(event->image, event->arena, event->image_len);
    }

    return event;
}


/*
 * yajl cannot be told to begin anew.  But all that it has is in the arena, and
 * when that is as it was, then so is yajl.
 */

enkod_event_t *
enkod_event_renew(enkod_event_t *event, const enkod_settings_t *settings)
{
    enkod_mem_t  mem;

    if (event->image_len == 0) {
        mem = event->mem;
        return enkod_event_init(event, settings, &mem);
    }

    enkod_event_start(event, settings);

    memcpy(event->arena, event->image, event->image_len);
    event->arena_len = event->image_len;

    return event;
}


/* All but yajl. */

static void
enkod_event_start(enkod_event_t *event, const enkod_settings_t *settings)
{
    memset(event, 0, offsetof(enkod_event_t, slots));
    memset(&event->refusal, 0, sizeof(enkod_refusal_t));

    event->settings = settings;
    event->blocks = NULL;
    event->arena_len = 0;
    event->text = event->arena + ENKOD_ARENA_SIZE;
    event->text_size = ENKOD_TEXT_SIZE;
    event->members = event->members_start;
    event->members_size = ENKOD_NMEMBERS;
}


void
enkod_event_destroy(enkod_event_t *event)
{
    enkod_mem_t     mem;
    enkod_block_t  *block, *next;

    mem = event->mem;

    /* all that yajl has is in the arena or in the list of blocks */

    for (block = event->blocks; block; block = next) {
        next = block->next;
        mem.free(mem.ctx, block);
    }

    if (!event->adopted) {
        enkod_memory_release(event, event->text);
    }

    enkod_memory_release(event, event->carry);

    if (event->members != event->members_start) {
        mem.free(mem.ctx, event->members);
    }

    if (event->created) {
        mem.free(mem.ctx, event);
    }
}


enkod_error_e
enkod_event_feed(enkod_event_t *event, const unsigned char *p, size_t len,
    int last)
{
    int            over;
    size_t         n;
    enkod_error_e  rc, error;

    over = (len > event->settings->max_size - event->received);

    if (over) {

        /* what comes before the limit may be wrong in an earlier place */

        len = event->settings->max_size - event->received;
    }

    event->received += len;

    n = enkod_json_guard(&event->guard, p, len, &error);

    /* what comes before a bad byte may be wrong in an earlier place */

    rc = enkod_event_pass(event, p, n, !last && !over && error == ENKOD_OK);

    if (rc != ENKOD_OK) {
        return rc;
    }

    if (error != ENKOD_OK) {
        event->refusal.offset = event->received - len + n;
        event->refusal.code = error;
        return error;
    }

    if (over) {
        event->refusal.offset = event->settings->max_size;
        event->refusal.code = ENKOD_TOO_LARGE;
        return ENKOD_TOO_LARGE;
    }

    if (!event->complete && !event->started) {

        /* an empty body is not the same as one that breaks off */

        event->started = (enkod_json_spaces(p, len) != len);
    }

    return ENKOD_OK;
}


/*
 * yajl reads a token that is cut by the end of a chunk from its beginning with
 * every chunk, and loses its place; so with "hold" such a token is put aside
 * until it is whole, and yajl only ever sees whole ones.  It also copies the
 * first token of all that it is given, whatever its size; so the separator
 * before the token is put aside with it.
 */

static enkod_error_e
enkod_event_pass(enkod_event_t *event, const unsigned char *p, size_t len,
    int hold)
{
    size_t         n;
    enkod_error_e  rc;

    if (event->complete) {
        return enkod_event_rest(event, p, len);
    }

    if (event->token.open) {
        n = enkod_json_token_end(&event->token, p, len);

        if (enkod_event_carry(event, p, n) != ENKOD_OK) {
            return event->refusal.code;
        }

        if (n) {
            /* with nothing to pass, there may be no pointer to add to */
            p += n;
            len -= n;
        }

        if (event->token.open && hold) {
            return ENKOD_OK;
        }

        rc = enkod_event_parse_carry(event);
        if (rc != ENKOD_OK) {
            return rc;
        }
    }

    n = hold ? enkod_json_token_tail(&event->token, p, len) : len;

    rc = enkod_event_parse(event, p, n);
    if (rc != ENKOD_OK || n == len) {
        return rc;
    }

    if (event->complete) {
        return enkod_event_rest(event, p + n, len - n);
    }

    return enkod_event_carry(event, p + n, len - n);
}


static enkod_error_e
enkod_event_parse_carry(enkod_event_t *event)
{
    size_t         blank;
    enkod_error_e  rc;

    blank = 0;

    if (event->token.word && !event->token.open) {

        /* a number has ended, and this is how yajl gets to know it */

        if (enkod_event_carry(event, (const unsigned char *) " ", 1)
            != ENKOD_OK)
        {
            return event->refusal.code;
        }

        blank = 1;
    }

    event->token.word = 0;

    rc = enkod_event_parse(event, event->carry, event->carry_len);

    event->fed -= blank;
    event->carry_len = 0;

    if (event->carry_size > ENKOD_CARRY_SIZE) {
        enkod_memory_release(event, event->carry);
        event->carry = NULL;
        event->carry_size = 0;
    }

    return rc;
}


static enkod_error_e
enkod_event_parse(enkod_event_t *event, const unsigned char *p, size_t len)
{
    size_t       n;
    jmp_buf      no_memory;
    yajl_status  status;

    if (len == 0) {
        return ENKOD_OK;
    }

    if (event->complete) {
        return enkod_event_rest(event, p, len);
    }

    /* the text is hardly ever longer than what it is made of */

    if (!enkod_text_room(event, len)) {
        return event->refusal.code;
    }

    event->chunk = p;
    event->chunk_len = len;

    if (event->guard.controls) {

        /* no string is taken as it stands in the chunk */

        event->chunk_len = 0;
    }

    /* nothing is allocated by yajl when we have returned */
    event->no_memory = &no_memory;  /* cppcheck-suppress autoVariables */

    if (setjmp(no_memory) != 0) {
        event->refusal.code = ENKOD_NO_MEMORY;
        return ENKOD_NO_MEMORY;
    }

    status = yajl_parse(event->yajl, p, len);

    if (event->complete) {

        /* yajl was stopped there */

        n = yajl_get_bytes_consumed(event->yajl);
        event->fed += n;

        return enkod_event_rest(event, p + n, len - n);
    }

    if (status == yajl_status_error) {
        enkod_refuse(event, ENKOD_INVALID_JSON);
    }

    event->fed += len;

    return event->refusal.code;
}


/*
 * Behind the event there may be white space only.  yajl would see to that, but
 * for a string that is never closed, and at some cost.
 */

static enkod_error_e
enkod_event_rest(enkod_event_t *event, const unsigned char *p, size_t len)
{
    size_t  n;

    n = enkod_json_spaces(p, len);

    event->fed += n;

    if (n == len) {
        return ENKOD_OK;
    }

    event->refusal.offset = event->fed;
    event->refusal.code = ENKOD_INVALID_JSON;

    return ENKOD_INVALID_JSON;
}


static enkod_error_e
enkod_event_carry(enkod_event_t *event, const unsigned char *p, size_t len)
{
    if (len == 0) {
        return ENKOD_OK;
    }

    if (event->carry_size - event->carry_len < len
        && !enkod_memory_grow(event, &event->carry, &event->carry_size,
                             event->carry_len, event->carry_len + len))
    {
        return event->refusal.code;
    }

    memcpy(event->carry + event->carry_len, p, len);
    event->carry_len += len;

    return ENKOD_OK;
}


enkod_error_e
enkod_event_finish(enkod_event_t *event)
{
    jmp_buf        no_memory;
    enkod_error_e  rc;

    if (!event->complete) {

        if (!event->started) {
            event->refusal.offset = event->received;
            event->refusal.code = ENKOD_EMPTY_BODY;
            return ENKOD_EMPTY_BODY;
        }

        rc = enkod_event_pass(event, (const unsigned char *) "", 0, 0);
        if (rc != ENKOD_OK) {
            return rc;
        }
    }

    if (event->complete) {
        event->test = enkod_check_test(event);
        return ENKOD_OK;
    }

    /* the event breaks off; but a number alone is JSON */

    event->refusal.code = ENKOD_INVALID_JSON;

    /* nothing is allocated by yajl when we have returned */
    event->no_memory = &no_memory;  /* cppcheck-suppress autoVariables */

    if (setjmp(no_memory) != 0) {
        event->refusal.code = ENKOD_NO_MEMORY;
        return ENKOD_NO_MEMORY;
    }

    if (event->depth == 0) {
        (void) yajl_complete_parse(event->yajl);
    }

    event->refusal.offset = event->received;

    return event->refusal.code;
}


const enkod_refusal_t *
enkod_event_refusal(const enkod_event_t *event)
{
    return &event->refusal;
}


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

    } else if (event->named && event->settings->accept_unknown) {
        member = &event->members[event->name];

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

    i = event->slots[field - event->shape->fields];

    if (i == ENKOD_PENDING) {
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

    len = sizeof("\"event\":\"\"") - 1 + enkod_event_name(event).len;
    extra = 0;

    if (event->plain) {
        return len + event->text_len - event->members[0].end;
    }

    for (i = 0; i < event->nmembers; i++) {
        member = &event->members[i];

        if (member->field == ENKOD_EXTRA) {
            extra = 1;

        } else if (member->field >= ENKOD_MAX_MEMBERS) {
            continue;
        }

        len += member->end - member->start;
    }

    /* the comma before the first extra field is the one before "extra" */

    return len + (extra ? sizeof("\"extra\":{}") - 1 : 0);
}


unsigned char *
enkod_event_write(const enkod_event_t *event, unsigned char *p)
{
    size_t       len;
    enkod_str_t  name;

    name = enkod_event_name(event);

    memcpy(p, "\"event\":\"", sizeof("\"event\":\"") - 1);
    p += sizeof("\"event\":\"") - 1;
    memcpy(p, name.data, name.len);
    p += name.len;
    *p++ = '"';

    if (event->plain) {
        len = event->text_len - event->members[0].end;
        memcpy(p, event->text + event->members[0].end, len);
        return p + len;
    }

    if (event->shape) {
        p = enkod_event_write_fields(event, p);
    }

    return enkod_event_write_extra(event, p);
}


/* The offsets of the members, in the order in which they were written. */

void
enkod_event_adopt(enkod_event_t *event, unsigned char *p)
{
    size_t           place;
    unsigned         i, first;
    enkod_member_t  *member;

    if (event->text == event->arena + ENKOD_ARENA_SIZE) {
        /* which is part of the event: there is nothing to give back */
        return;
    }

    place = sizeof("\"event\":") - 1;

    member = &event->members[event->name];

    if (event->shape == NULL) {
        enkod_event_move(member, member->value, place);
    }

    place += enkod_event_name(event).len + sizeof("\"\"") - 1;

    member->end = place;

    for (i = 0; event->shape && i < event->shape->nfields; i++) {

        if (event->slots[i] != ENKOD_PENDING) {
            member = &event->members[event->slots[i]];
            place = enkod_event_move(member, member->start, place);
        }
    }

    first = 1;

    for (i = 0; i < event->nmembers; i++) {
        member = &event->members[i];

        if (member->field != ENKOD_EXTRA) {
            continue;
        }

        if (first) {
            /* the comma of the first one is not there, nobody looks at it */
            place += sizeof(",\"extra\":") - 1;
            first = 0;
        }

        place = enkod_event_move(member, member->start, place);
    }

    if (!event->adopted) {
        enkod_memory_release(event, event->text);
    }

    event->text = p;
    event->text_len = place;
    event->adopted = 1;
}


/* What stood at "from" stands at "to"; returns the member's end. */

static size_t
enkod_event_move(enkod_member_t *member, size_t from, size_t to)
{
    member->value = member->value - from + to;
    member->end = member->end - from + to;
    member->start = member->start - from + to;

    return member->end;
}


/* Fields that came in the order of the table stand there in one piece. */

static unsigned char *
enkod_event_write_fields(const enkod_event_t *event, unsigned char *p)
{
    size_t                 start, end;
    unsigned               i;
    const enkod_member_t  *member;

    start = 0;
    end = 0;

    for (i = 0; i < event->shape->nfields; i++) {

        if (event->slots[i] == ENKOD_PENDING) {
            continue;
        }

        member = &event->members[event->slots[i]];

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

        if (member->field != ENKOD_EXTRA) {
            continue;
        }

        if (first) {
            memcpy(p, ",\"extra\":{", sizeof(",\"extra\":{") - 1);
            p += sizeof(",\"extra\":{") - 1;
        }

        /* the first one without its comma */

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
