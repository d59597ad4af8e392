
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#include "tool_buf.h"
#include "tool_message.h"

#include <stdlib.h>


/* the smallest one; sizes double from there */
#define TOOL_BUF_SIZE         65536


unsigned char *
tool_buf_reserve(tool_buf_t *buf, size_t size, size_t keep)
{
    size_t  n;

    if (size <= buf->size) {
        return buf->data;
    }

    for (n = buf->size ? buf->size : TOOL_BUF_SIZE; n < size; n *= 2) {
        /* void */
    }

    return tool_buf_resize(buf, n, keep);
}


unsigned char *
tool_buf_resize(tool_buf_t *buf, size_t size, size_t keep)
{
    unsigned char  *p;

    if (keep == 0) {
        /* realloc() would copy what is not needed */
        tool_buf_free(buf);
    }

    p = realloc(buf->data, size);

    if (p == NULL) {
        tool_error(0, "no memory for %zu bytes", size);
        return NULL;
    }

    buf->data = p;
    buf->size = size;

    return p;
}


void
tool_buf_free(tool_buf_t *buf)
{
    free(buf->data);

    buf->data = NULL;
    buf->size = 0;
}
