
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#include "replay_body.h"

#include <string.h>


static void replay_body_add(replay_body_t *body, const unsigned char *p,
    size_t len);
static void replay_body_text(replay_body_t *body, const char *text);


void
replay_body_line(replay_body_t *body, const replay_line_t *line)
{
    const unsigned char  *p;

    memset(body, 0, sizeof(replay_body_t));

    p = line->text.data;

    if (line->status.len) {
        replay_body_add(body, p, line->status.data - p);
        p = line->status.data + line->status.len;
    }

    replay_body_add(body, p, line->text.data + line->text.len - p);
}


void
replay_body_event(replay_body_t *body, const replay_line_t *line)
{
    memset(body, 0, sizeof(replay_body_t));

    replay_body_text(body, "{");
    replay_body_add(body, line->event.data, line->event.len);

    if (line->extra.len) {
        replay_body_text(body, ",");
        replay_body_add(body, line->extra.data, line->extra.len);
    }

    replay_body_text(body, "}");
}


static void
replay_body_add(replay_body_t *body, const unsigned char *p, size_t len)
{
    body->parts[body->nparts].data = p;
    body->parts[body->nparts].len = len;
    body->nparts++;

    body->len += len;
}


static void
replay_body_text(replay_body_t *body, const char *text)
{
    replay_body_add(body, (const unsigned char *) text, strlen(text));
}


size_t
replay_body_read(char *buf, size_t size, size_t n, void *data)
{
    size_t              len, done;
    replay_body_t      *body = data;
    const enkod_str_t  *part;

    size *= n;

    for (done = 0; done < size && body->part < body->nparts; done += len) {

        part = &body->parts[body->part];

        len = part->len - body->offset;

        if (len > size - done) {
            len = size - done;
        }

        memcpy(buf + done, part->data + body->offset, len);

        body->offset += len;

        if (body->offset == part->len) {
            body->part++;
            body->offset = 0;
        }
    }

    return done;
}


int
replay_body_seek(void *data, curl_off_t offset, int origin)
{
    replay_body_t  *body = data;

    if (offset != 0 || origin != SEEK_SET) {
        return CURL_SEEKFUNC_CANTSEEK;
    }

    body->part = 0;
    body->offset = 0;

    return CURL_SEEKFUNC_OK;
}
