
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * A file that was taken away from nginx is FILE.replay.N, and its position
 * FILE.replay.N.pos.  Nothing else has such a name, and no other is taken.
 */


#include "replay.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>


#define REPLAY_REST           ".replay."
#define REPLAY_REST_DIGITS    9


static DIR *replay_rests_folder(replay_t *replay, const char *base);
static int replay_rests_entry(replay_t *replay, replay_rests_t *rests,
    const char *suffix);
static int replay_rests_add(replay_t *replay, replay_rests_t *rests,
    unsigned long number);
static int replay_rests_orphan(replay_t *replay, const char *name);
static int replay_rests_compare(const void *one, const void *two);


int
replay_rests_find(replay_t *replay, replay_rests_t *rests)
{
    int             rc;
    DIR            *dir;
    const char     *base;
    struct dirent  *entry;

    memset(rests, 0, sizeof(replay_rests_t));

    rests->name = replay->name;

    base = strrchr(rests->name, '/');
    base = base ? base + 1 : rests->name;

    dir = replay_rests_folder(replay, base);

    if (dir == NULL) {
        return -1;
    }

    rc = 0;

    while (rc == 0 && (entry = readdir(dir)) != NULL) {

        if (strncmp(entry->d_name, base, strlen(base)) == 0) {
            rc = replay_rests_entry(replay, rests,
                                    entry->d_name + strlen(base));
        }
    }

    (void) closedir(dir);

    if (rests->n) {
        qsort(rests->numbers, rests->n, sizeof(unsigned long),
              replay_rests_compare);
    }

    return rc;
}


static DIR *
replay_rests_folder(replay_t *replay, const char *base)
{
    DIR   *dir;
    char  *name;

    name = (base == replay->name) ? strdup(".")
                                  : strndup(replay->name, base - replay->name);

    if (name == NULL) {
        replay_error(replay, 0, "no memory");
        return NULL;
    }

    dir = opendir(name);

    if (dir == NULL) {
        replay_error(replay, errno, "cannot read the folder \"%s\"", name);
    }

    free(name);

    return dir;
}


static int
replay_rests_entry(replay_t *replay, replay_rests_t *rests, const char *suffix)
{
    int             rc;
    char           *name, *end;
    struct stat     st;
    unsigned long   number;

    if (strncmp(suffix, REPLAY_REST, sizeof(REPLAY_REST) - 1) != 0) {
        return 0;
    }

    suffix += sizeof(REPLAY_REST) - 1;

    if (*suffix < '1' || *suffix > '9') {
        return 0;
    }

    number = strtoul(suffix, &end, 10);

    if (end - suffix > REPLAY_REST_DIGITS
        || (*end != '\0' && strcmp(end, ".pos") != 0))
    {
        return 0;
    }

    rests->last = (number > rests->last) ? number : rests->last;

    name = replay_rest_name(replay, rests->name, number, "");

    if (name == NULL) {
        return -1;
    }

    rc = 0;

    if (*end == '\0') {

        if (lstat(name, &st) == 0 && S_ISREG(st.st_mode)) {
            rc = replay_rests_add(replay, rests, number);
        }

    } else if (lstat(name, &st) == -1 && errno == ENOENT) {

        free(name);
        name = replay_rest_name(replay, rests->name, number, ".pos");

        rc = name ? replay_rests_orphan(replay, name) : -1;
    }

    free(name);

    return rc;
}


static int
replay_rests_add(replay_t *replay, replay_rests_t *rests, unsigned long number)
{
    unsigned long  *numbers;

    numbers = realloc(rests->numbers, (rests->n + 1) * sizeof(unsigned long));

    if (numbers == NULL) {
        replay_error(replay, 0, "no memory");
        return -1;
    }

    rests->numbers = numbers;
    rests->numbers[rests->n++] = number;

    return 0;
}


/*
 * A position is removed after its file, so one that is alone is of a file that
 * is done; unless whoever has it locked is about to remove it.
 */

static int
replay_rests_orphan(replay_t *replay, const char *name)
{
    int          fd;
    const char  *error;

    fd = replay_own_open(name, O_RDWR, &error);

    if (fd == -1) {
        /* its number is not used, and nobody else takes it for a position */
        return 0;
    }

    if (flock(fd, LOCK_EX|LOCK_NB) == -1) {
        replay_error(replay, 0, "\"%s\" is in use by another enkod-replay",
                     name);
        (void) close(fd);
        return -1;
    }

    if (unlink(name) == -1 && errno != ENOENT) {
        replay_error(replay, errno, "cannot remove \"%s\"", name);
        (void) close(fd);
        return -1;
    }

    (void) close(fd);

    return 0;
}


static int
replay_rests_compare(const void *one, const void *two)
{
    const unsigned long  *a = one;
    const unsigned long  *b = two;

    return (*a > *b) - (*a < *b);
}


char *
replay_rest_name(replay_t *replay, const char *name, unsigned long number,
    const char *suffix)
{
    char  *rest;

    if (asprintf(&rest, "%s" REPLAY_REST "%lu%s", name, number, suffix) == -1) {
        replay_error(replay, 0, "no memory");
        return NULL;
    }

    return rest;
}
