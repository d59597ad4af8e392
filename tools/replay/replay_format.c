
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#include "replay_format.h"

#include <string.h>


static const char *replay_format_text(const unsigned char *p, size_t len);


/* gzip is the one that is read */

static const struct {
    const char  *magic;
    size_t       len;
    const char  *what;
} replay_formats[] = {
    { "\x1f\x8b", 2, NULL },
    { "BZh", 3, "is compressed by bzip2" },
    { "\xfd" "7zXZ", 5, "is compressed by xz" },
    { "\x5d\0\0", 3, "is compressed by lzma" },
    { "\x28\xb5\x2f\xfd", 4, "is compressed by zstd" },
    { "\x04\x22\x4d\x18", 4, "is compressed by lz4" },
    { "LZIP", 4, "is compressed by lzip" },
    { "\x1f\x9d", 2, "is compressed by compress" },
    { "PK\3\4", 4, "is compressed by zip" },
    { "7z\xbc\xaf\x27\x1c", 6, "is compressed by 7-zip" },
    { "\0\0\0{", 4, "is UTF-32 and not UTF-8" },
    { "{\0\0\0", 4, "is UTF-32 and not UTF-8" },
    { "\0{", 2, "is UTF-16 and not UTF-8" },
    { "{\0", 2, "is UTF-16 and not UTF-8" },
    { "\xff\xfe", 2, "is UTF-16 or UTF-32 and not UTF-8" },
    { "\xfe\xff", 2, "is UTF-16 and not UTF-8" },
    { "\xef\xbb\xbf", 3, "begins with a byte order mark, and no file of the"
                         " module does" }
};


const char *
replay_format(const unsigned char *head, size_t len, int *gzip)
{
    size_t  i;

    *gzip = 0;

    for (i = 0; i < sizeof(replay_formats) / sizeof(replay_formats[0]); i++) {

        if (len >= replay_formats[i].len
            && memcmp(head, replay_formats[i].magic, replay_formats[i].len)
               == 0)
        {
            *gzip = (i == 0);
            return replay_formats[i].what;
        }
    }

    return replay_format_text(head, len);
}


static const char *
replay_format_text(const unsigned char *p, size_t len)
{
    const unsigned char  *end;

    for (end = p + len; p < end; p++) {

        if (*p == '[') {
            return "is a JSON array and not a line for each event";
        }

        if (*p != ' ' && *p != '\t' && *p != '\r' && *p != '\n') {
            break;
        }
    }

    return NULL;
}
