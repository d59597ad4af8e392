
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * What a crash does to lines: NUL bytes where a file system had no data yet, or
 * a piece of a line with another line after it.  To say so is worth more than
 * to name the byte at which it was noticed.
 */


#ifndef _CHECK_DAMAGE_H_INCLUDED_
#define _CHECK_DAMAGE_H_INCLUDED_


#include <sys/types.h>

#include "check_core.h"
#include "check_reader.h"


/*
 * Replaces the verdict on a malformed line, which begins at "base" in its file,
 * if the line has such damage.
 */
void check_damage(check_reader_t *reader, check_core_t *core, off_t base);


#endif /* _CHECK_DAMAGE_H_INCLUDED_ */
