
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * FILE: its bytes as they are, and what identifies it.
 */


#ifndef _REPLAY_FILE_H_INCLUDED_
#define _REPLAY_FILE_H_INCLUDED_


#include <sys/types.h>


/* as many bytes of a file identify it */
#define REPLAY_HEAD_SIZE      1024


typedef struct {
    const char            *name;
    int                    fd;
    int                    pipe;        /* standard input; gcc's analyzer
                                           mistakes a bit-field here */
    off_t                  offset;      /* of what is read next */
    off_t                  limit;       /* the size when it was opened */

    dev_t                  dev;
    ino_t                  ino;
    size_t                 head_len;
    size_t                 unread;      /* of the head, from its end */
    unsigned char          head[REPLAY_HEAD_SIZE];
} replay_file_t;


/*
 * Opens a regular file, or standard input as "-", and reads the head; with
 * "nofollow" a symbolic link is an error.  The name must outlive the struct.
 * Returns 0, or -1 after a message.
 */
int replay_file_open(replay_file_t *file, const char *name, int nofollow);

void replay_file_close(replay_file_t *file);

/*
 * As read(2); -1 comes after a message, or without one after an interruption.
 * It does not stop at the limit.
 */
ssize_t replay_file_read(replay_file_t *file, unsigned char *buf, size_t size);

/*
 * Moves to an offset, and returns 1 and the byte in front of it; 0 if the file
 * is shorter; or -1 after a message.
 */
int replay_file_seek(replay_file_t *file, off_t offset, unsigned char *last);

/* How many bytes were appended since it was opened; 0 after a message. */
off_t replay_file_grown(const replay_file_t *file);


#endif /* _REPLAY_FILE_H_INCLUDED_ */
