
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * What was compressed by gzip, in one part or in several behind each other (RFC
 * 1952).  An offset is one in the text.
 */


#include "replay.h"

#include <errno.h>
#include <zlib.h>


#define REPLAY_GZIP_SIZE      65536

/* the largest window, and the format of gzip and no other */
#define REPLAY_GZIP_BITS      (15 + 16)


struct replay_gzip_s {
    z_stream               stream;
    int                    begun;       /* a part is not at its end */
    unsigned char          in[REPLAY_GZIP_SIZE];
};


static int replay_gzip_fill(replay_t *replay);
static int replay_gzip_fail(replay_t *replay, const char *why);


int
replay_gzip_open(replay_t *replay)
{
    replay_gzip_t  *gzip;

    gzip = calloc(1, sizeof(replay_gzip_t));

    if (gzip == NULL
        || inflateInit2(&gzip->stream, REPLAY_GZIP_BITS) != Z_OK)
    {
        free(gzip);
        replay_error(replay, 0, "no memory");
        return -1;
    }

    replay->file.gzip = gzip;

    return 0;
}


void
replay_gzip_close(replay_gzip_t *gzip)
{
    if (gzip) {
        (void) inflateEnd(&gzip->stream);
        free(gzip);
    }
}


ssize_t
replay_gzip_read(replay_t *replay, unsigned char *buf, size_t size)
{
    int             rc;
    z_stream       *stream;
    replay_gzip_t  *gzip;

    gzip = replay->file.gzip;
    stream = &gzip->stream;

    stream->next_out = buf;
    stream->avail_out = size;

    while (stream->avail_out == size) {

        if (stream->avail_in == 0) {
            rc = replay_gzip_fill(replay);

            if (rc == -1) {
                return -1;
            }

            if (rc == 0) {
                return gzip->begun ? replay_gzip_fail(replay, "ends too early")
                                   : 0;
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
            return replay_gzip_fail(replay, "is damaged");
        }
    }

    return size - stream->avail_out;
}


/* Returns 0 at the end. */

static int
replay_gzip_fill(replay_t *replay)
{
    ssize_t         n;
    replay_gzip_t  *gzip;

    gzip = replay->file.gzip;

    n = replay_input_read(&replay->file, gzip->in, REPLAY_GZIP_SIZE);

    if (n == -1) {

        if (errno != EINTR) {
            replay_error(replay, errno, "cannot read \"%s\"", replay->name);
        }

        return -1;
    }

    gzip->stream.next_in = gzip->in;
    gzip->stream.avail_in = n;

    return n > 0;
}


static int
replay_gzip_fail(replay_t *replay, const char *why)
{
    replay_error(replay, 0, "\"%s\" %s: it is compressed by gzip, and not as"
                 " a whole", replay->name, why);

    return -1;
}
