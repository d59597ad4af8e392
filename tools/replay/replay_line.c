
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#include "replay_line.h"
#include "enkod_error.h"
#include "enkod_json.h"
#include "enkod_line.h"
#include "../lib/tool_json.h"

#include <string.h>
#include <yajl/yajl_parse.h>


#define REPLAY_EXTRA          ",\"extra\":"


static int replay_line_is_json(const enkod_str_t *text);
static const char *replay_line_envelope(replay_line_t *line, size_t *event);
static const char *replay_line_event(replay_line_t *line, size_t offset);
static const char *replay_line_members(replay_line_t *line, tool_json_t *json);


int
replay_line_is_object(const enkod_str_t *text)
{
    size_t  i;

    for (i = 0; i < text->len && memchr(" \t\r", text->data[i], 3); i++) {
        /* void */
    }

    return i < text->len && text->data[i] == '{' && replay_line_is_json(text);
}


/* RFC 8259 with the module's own strictness about UTF-8 and surrogates */

static int
replay_line_is_json(const enkod_str_t *text)
{
    int                 ok;
    yajl_handle         yajl;
    enkod_error_e       error;
    enkod_json_guard_t  guard;

    memset(&guard, 0, sizeof(enkod_json_guard_t));

    if (enkod_json_guard(&guard, text->data, text->len, &error) != text->len) {
        return 0;
    }

    yajl = yajl_alloc(NULL, NULL, NULL);

    if (yajl == NULL) {
        return 0;
    }

    ok = yajl_parse(yajl, text->data, text->len) == yajl_status_ok
         && yajl_complete_parse(yajl) == yajl_status_ok;

    yajl_free(yajl);

    return ok;
}


const char *
replay_line_read(replay_line_t *line, const enkod_str_t *text)
{
    size_t       event;
    const char  *error;

    memset(line, 0, sizeof(replay_line_t));

    line->text = *text;

    error = replay_line_envelope(line, &event);

    return error ? error : replay_line_event(line, event);
}


static const char *
replay_line_envelope(replay_line_t *line, size_t *event)
{
    enkod_line_t          parts;
    enkod_line_error_e    rc;
    const unsigned char  *p;

    rc = enkod_line_read(&parts, line->text.data, line->text.len);

    if (parts.members == 0) {
        return "it is not a line of enkod_spool or enkod_log";
    }

    if (parts.refusal) {
        return "it is a line of enkod_reject_log";
    }

    p = line->text.data + parts.offset;

    if (rc == ENKOD_LINE_BAD_PASS_STATUS
        || (rc != ENKOD_LINE_OK && parts.pass_status.len
            && p == parts.pass_status.data + parts.pass_status.len))
    {
        return "its \"pass_status\" is not an HTTP status";
    }

    if (rc != ENKOD_LINE_OK) {
        return "it has no \"event\"";
    }

    line->time = parts.received_at;

    if (parts.pass_status.len) {
        line->status.len = sizeof(ENKOD_LINE_PASS_STATUS) - 1
                           + parts.pass_status.len + sizeof(",") - 1;
        line->status.data = p - line->status.len;
    }

    *event = parts.offset;

    return NULL;
}


/* from "event", at this offset, to the end of the line */

static const char *
replay_line_event(replay_line_t *line, size_t offset)
{
    tool_json_t           json;
    const unsigned char  *p, *end;

    p = line->text.data + offset;
    end = line->text.data + line->text.len;

    line->event.data = p;

    tool_json_init(&json, p + sizeof(ENKOD_LINE_EVENT) - 1, end, 1);

    if (tool_json_next(&json) != '"') {
        return "it has no \"event\"";
    }

    line->name.data = json.token + 1;
    line->name.len = json.p - 1 - line->name.data;

    return replay_line_members(line, &json);
}


static const char *
replay_line_members(replay_line_t *line, tool_json_t *json)
{
    int                   c;
    size_t                len;
    const unsigned char  *extra;

    len = sizeof(REPLAY_EXTRA) - 1;
    extra = NULL;

    while ((c = tool_json_next(json)) != -1) {

        if (c == ' ' || c == '\t' || c == '\r') {
            return "it has white space in it";
        }

        if (c != ',' || json->depth != 1) {
            continue;
        }

        if (extra) {
            return "there is something after its \"extra\"";
        }

        if ((size_t) (json->end - json->token) > len
            && memcmp(json->token, REPLAY_EXTRA, len) == 0)
        {
            extra = json->token;
        }
    }

    line->event.len = (extra ? extra : json->end - 1) - line->event.data;

    if (extra == NULL) {
        return NULL;
    }

    if (extra[len] != '{') {
        return "its \"extra\" is not an object";
    }

    line->extra.data = extra + len + 1;
    line->extra.len = (json->end - sizeof("}}") + 1) - line->extra.data;

    return NULL;
}
