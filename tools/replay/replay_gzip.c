
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#include "replay_gzip.h"
#include "../lib/tool_message.h"

#include <stdlib.h>
#include <zlib.h>


#define REPLAY_GZIP_SIZE      65536

/* the largest window, and the format of gzip and no other */
#define REPLAY_GZIP_BITS      (15 + 16)


struct replay_gzip_s {
    replay_file_t         *file;
    z_stream               stream;
    int                    begun;       /* a member is not at its end */
    unsigned char          in[REPLAY_GZIP_SIZE];
};


static int replay_gzip_fill(replay_gzip_t *gzip);
static int replay_gzip_fail(const replay_gzip_t *gzip, const char *why);


replay_gzip_t *
replay_gzip_create(replay_file_t *file)
{
    replay_gzip_t  *gzip;

    gzip = calloc(1, sizeof(replay_gzip_t));

    if (gzip == NULL
        || inflateInit2(&gzip->stream, REPLAY_GZIP_BITS) != Z_OK)
    {
        free(gzip);
        tool_error(0, "no memory");
        return NULL;
    }

    gzip->file = file;

    return gzip;
}


void
replay_gzip_free(replay_gzip_t *gzip)
{
    if (gzip) {
        (void) inflateEnd(&gzip->stream);
        free(gzip);
    }
}


ssize_t
replay_gzip_read(replay_gzip_t *gzip, unsigned char *buf, size_t size)
{
    int        rc;
    z_stream  *stream;

    stream = &gzip->stream;

    stream->next_out = buf;
    stream->avail_out = size;

    while (stream->avail_out == size) {

        if (stream->avail_in == 0) {
            rc = replay_gzip_fill(gzip);

            if (rc == -1) {
                return -1;
            }

            if (rc == 0) {
                return gzip->begun ? replay_gzip_fail(gzip, "incomplete") : 0;
            }
        }

        if (!gzip->begun) {
            (void) inflateReset(stream);
            gzip->begun = 1;
        }

        rc = inflate(stream, Z_NO_FLUSH);

        if (rc == Z_STREAM_END) {
            gzip->begun = 0;

        } else if (rc != Z_OK && rc != Z_BUF_ERROR) {
            return replay_gzip_fail(gzip, "damaged");
        }
    }

    return size - stream->avail_out;
}


/* Returns 0 at the end. */

static int
replay_gzip_fill(replay_gzip_t *gzip)
{
    ssize_t  n;

    n = replay_file_read(gzip->file, gzip->in, REPLAY_GZIP_SIZE);

    if (n == -1) {
        return -1;
    }

    gzip->stream.next_in = gzip->in;
    gzip->stream.avail_in = n;

    return n > 0;
}


static int
replay_gzip_fail(const replay_gzip_t *gzip, const char *why)
{
    tool_error(0, "\"%s\" is %s gzip data", gzip->file->name, why);

    return -1;
}
