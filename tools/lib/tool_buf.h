
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * A buffer that grows.  It is zeroed before its first use.
 */


#ifndef _TOOL_BUF_H_INCLUDED_
#define _TOOL_BUF_H_INCLUDED_


#include <stddef.h>


typedef struct {
    size_t                 size;
    unsigned char         *data;
} tool_buf_t;


/*
 * Makes the buffer at least "size" bytes long, of which the first "keep" stay.
 * Returns its data, or NULL after a message; what was to stay is still there.
 */
unsigned char *tool_buf_reserve(tool_buf_t *buf, size_t size, size_t keep);

/* Makes it "size" bytes long; otherwise the same. */
unsigned char *tool_buf_resize(tool_buf_t *buf, size_t size, size_t keep);

void tool_buf_free(tool_buf_t *buf);


#endif /* _TOOL_BUF_H_INCLUDED_ */
