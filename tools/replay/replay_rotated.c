
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#ifndef _GNU_SOURCE
#define _GNU_SOURCE                 /* asprintf() */
#endif

#include "replay_rotated.h"
#include "../lib/tool_file.h"
#include "../lib/tool_message.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>


#define REPLAY_ROTATED        ".replay."
#define REPLAY_ROTATED_DIGITS 9


static DIR *replay_rotated_folder(const char *name, const char *base);
static int replay_rotated_entry(replay_rotated_t *rotated,
    const char *suffix);
static int replay_rotated_file(replay_rotated_t *rotated,
    unsigned long number);
static int replay_rotated_position(const replay_rotated_t *rotated,
    unsigned long number);
static int replay_rotated_exists(const replay_rotated_t *rotated,
    unsigned long number, struct stat *st);
static int replay_rotated_remove(const char *name);
static int replay_rotated_compare(const void *one, const void *two);


int
replay_rotated_find(replay_rotated_t *rotated, const char *name)
{
    int             rc;
    DIR            *dir;
    size_t          len;
    const char     *base;
    struct dirent  *entry;

    memset(rotated, 0, sizeof(replay_rotated_t));

    rotated->name = name;

    base = strrchr(name, '/');
    base = base ? base + 1 : name;
    len = strlen(base);

    dir = replay_rotated_folder(name, base);

    if (dir == NULL) {
        return -1;
    }

    rc = 0;

    while (rc == 0 && (entry = readdir(dir)) != NULL) {

        if (strncmp(entry->d_name, base, len) == 0) {
            rc = replay_rotated_entry(rotated, entry->d_name + len);
        }
    }

    (void) closedir(dir);

    if (rotated->n) {
        qsort(rotated->numbers, rotated->n, sizeof(unsigned long),
              replay_rotated_compare);
    }

    return rc;
}


static DIR *
replay_rotated_folder(const char *name, const char *base)
{
    DIR   *dir;
    char  *folder;

    folder = (base == name) ? strdup(".") : strndup(name, base - name);

    if (folder == NULL) {
        tool_error(0, "no memory");
        return NULL;
    }

    dir = opendir(folder);

    if (dir == NULL) {
        tool_error(errno, "cannot read the folder \"%s\"", folder);
    }

    free(folder);

    return dir;
}


/* What follows the name of FILE in the name of another file. */

static int
replay_rotated_entry(replay_rotated_t *rotated, const char *suffix)
{
    char           *end;
    size_t          len;
    unsigned long   number;

    len = sizeof(REPLAY_ROTATED) - 1;

    if (strncmp(suffix, REPLAY_ROTATED, len) != 0) {
        return 0;
    }

    suffix += len;

    if (*suffix < '1' || *suffix > '9') {
        return 0;
    }

    number = strtoul(suffix, &end, 10);

    if (end - suffix > REPLAY_ROTATED_DIGITS
        || (*end != '\0' && strcmp(end, ".pos") != 0))
    {
        return 0;
    }

    rotated->last = (number > rotated->last) ? number : rotated->last;

    return (*end == '\0') ? replay_rotated_file(rotated, number)
                          : replay_rotated_position(rotated, number);
}


static int
replay_rotated_file(replay_rotated_t *rotated, unsigned long number)
{
    int             rc;
    struct stat     st;
    unsigned long  *numbers;

    rc = replay_rotated_exists(rotated, number, &st);

    if (rc != 1 || !S_ISREG(st.st_mode)) {
        return (rc == -1) ? -1 : 0;
    }

    numbers = realloc(rotated->numbers,
                      (rotated->n + 1) * sizeof(unsigned long));

    if (numbers == NULL) {
        tool_error(0, "no memory");
        return -1;
    }

    rotated->numbers = numbers;
    rotated->numbers[rotated->n++] = number;

    return 0;
}


/*
 * A position is removed after its file, so one without a file is left over;
 * unless another enkod-replay has it locked and is about to remove it.
 */

static int
replay_rotated_position(const replay_rotated_t *rotated, unsigned long number)
{
    int          rc;
    char        *name;
    struct stat  st;

    rc = replay_rotated_exists(rotated, number, &st);

    if (rc != 0) {
        return (rc == -1) ? -1 : 0;
    }

    name = replay_rotated_name(rotated, number, ".pos");

    if (name == NULL) {
        return -1;
    }

    rc = replay_rotated_remove(name);

    free(name);

    return rc;
}


/* Returns 1, 0 or -1; what cannot be examined exists. */

static int
replay_rotated_exists(const replay_rotated_t *rotated, unsigned long number,
    struct stat *st)
{
    int    rc;
    char  *name;

    name = replay_rotated_name(rotated, number, "");

    if (name == NULL) {
        return -1;
    }

    memset(st, 0, sizeof(struct stat));

    rc = (lstat(name, st) == 0 || errno != ENOENT);

    free(name);

    return rc;
}


static int
replay_rotated_remove(const char *name)
{
    int          fd, rc;
    const char  *error;

    fd = tool_file_open_own(name, O_RDWR, &error);

    if (fd == -1) {
        /* not a position of ours; its number is not used */
        return 0;
    }

    rc = -1;

    if (flock(fd, LOCK_EX|LOCK_NB) == -1) {
        tool_error(0, "\"%s\" is in use by another enkod-replay", name);

    } else if (unlink(name) == -1 && errno != ENOENT) {
        tool_error(errno, "cannot remove \"%s\"", name);

    } else {
        rc = 0;
    }

    (void) close(fd);

    return rc;
}


static int
replay_rotated_compare(const void *one, const void *two)
{
    const unsigned long  *a = one;
    const unsigned long  *b = two;

    return (*a > *b) - (*a < *b);
}


char *
replay_rotated_name(const replay_rotated_t *rotated, unsigned long number,
    const char *suffix)
{
    char  *name;

    if (asprintf(&name, "%s" REPLAY_ROTATED "%lu%s", rotated->name, number,
                 suffix)
        == -1)
    {
        tool_error(0, "no memory");
        return NULL;
    }

    return name;
}


void
replay_rotated_free(replay_rotated_t *rotated)
{
    free(rotated->numbers);

    rotated->numbers = NULL;
    rotated->n = 0;
}
