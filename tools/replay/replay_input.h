
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The lines of FILE, up to the end that it had when it was opened: what is
 * written to it meanwhile waits for the next run, so that a replay ends even if
 * what it sends comes back into the same file.
 *
 * Offsets are those of the text, which is what gzip has compressed if it has.
 */


#ifndef _REPLAY_INPUT_H_INCLUDED_
#define _REPLAY_INPUT_H_INCLUDED_


#include <sys/types.h>

#include "replay_file.h"
#include "replay_gzip.h"
#include "enkod_str.h"
#include "../lib/tool_lines.h"


typedef struct {
    replay_file_t          file;
    replay_gzip_t         *gzip;        /* NULL if it is not compressed */
    tool_lines_t           lines;
    int                    final;       /* nothing can be added to FILE */
    int                    unended;     /* no line feed is in front of the
                                           next line */
} replay_input_t;


/* Of an input that is not open. */
void replay_input_init(replay_input_t *input);

/*
 * Opens FILE, which no process writes to if "drain" is set.  Returns 0, or -1
 * after a message.
 */
int replay_input_open(replay_input_t *input, const char *name, int drain);

void replay_input_close(replay_input_t *input);

/*
 * Moves from the beginning to the offset of a line.  Returns 1; 0 if it is not
 * after a line feed, unless "unended" says so; or -1 after a message or an
 * interruption.
 */
int replay_input_seek(replay_input_t *input, off_t offset, int unended);

/*
 * Returns 1 and the next line, without its line feed, which lasts until the
 * next call; 0 at the end; or -1 after a message or an interruption.
 */
int replay_input_next(replay_input_t *input, enkod_str_t *line);

/*
 * After the end: what follows the last line feed; its length is returned.
 * replay_input_take_rest() steps over it, as over a line.
 */
size_t replay_input_rest(const replay_input_t *input, enkod_str_t *rest);
void replay_input_take_rest(replay_input_t *input);

/* The offset of the next line. */
off_t replay_input_offset(const replay_input_t *input);

/* The size of the text, or -1 if that is not known. */
off_t replay_input_size(const replay_input_t *input);

/* How many bytes were appended since it was opened. */
off_t replay_input_grown(const replay_input_t *input);


#endif /* _REPLAY_INPUT_H_INCLUDED_ */
