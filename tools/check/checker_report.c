
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * What the program says: defects as they are found, and at the end how many
 * there were of what.
 */


#include "checker.h"

#include <errno.h>


static void checker_count_name(checker_tally_t *tally,
    const enkod_str_t *name);
static int checker_name_cmp(const void *one, const void *two);


void
checker_count(checker_t *checker, const checker_verdict_t *verdict)
{
    checker_tally_t  *tally;

    tally = &checker->tally;

    switch (verdict->kind) {

    case CHECKER_IS_EVENT:
        tally->tests += verdict->test;
        checker_count_name(tally, &verdict->name);
        break;

    case CHECKER_IS_REFUSAL:
        tally->refusals++;
        tally->codes[verdict->code]++;
        break;

    case CHECKER_IS_EMPTY:
        tally->empty++;
        break;

    case CHECKER_IS_PIECE:
    case CHECKER_IS_DEFECT:
        /* counted where it is reported */
        break;
    }
}


/*
 * Names of unknown events are the sender's: there may be as many as lines, and
 * not all of them are kept.
 */

static void
checker_count_name(checker_tally_t *tally, const enkod_str_t *name)
{
    size_t           i;
    uint32_t         hash;
    checker_name_t  *slot;

    hash = 2166136261U;

    for (i = 0; i < name->len; i++) {
        hash = (hash ^ name->data[i]) * 16777619U;
    }

    for (i = hash; /* void */ ; i++) {

        slot = &tally->names[i % CHECKER_NAME_SLOTS];

        if (slot->count == 0) {
            break;
        }

        if (slot->len == name->len
            && memcmp(slot->data, name->data, name->len) == 0)
        {
            slot->count++;
            return;
        }
    }

    if (tally->nnames == CHECKER_MAX_NAMES || name->len > CHECKER_MAX_NAME) {
        tally->others++;
        return;
    }

    slot->data = malloc(name->len + 1);

    if (slot->data == NULL) {
        tally->others++;
        return;
    }

    memcpy(slot->data, name->data, name->len);
    slot->len = name->len;
    slot->count = 1;

    tally->nnames++;
}


void
checker_defect(checker_t *checker, const char *name, unsigned long long line,
    off_t offset, const char *text)
{
    checker->tally.defects++;

    if (checker->status == CHECKER_OK) {
        checker->status = CHECKER_DEFECTS;
    }

    checker_print(name, line, offset, text);
}


/* no defect: the module may leave one behind */

void
checker_piece(checker_t *checker, const char *name, unsigned long long line,
    off_t offset, const char *text)
{
    checker->tally.pieces++;

    checker_print(name, line, offset, text);
}


void
checker_print(const char *name, unsigned long long line, off_t offset,
    const char *text)
{
    (void) printf("%s:%llu: offset %lld: %s\n", name, line, (long long) offset,
                  text);

    if (ferror(stdout)) {
        /* nobody reads it, and SIGPIPE is ignored */
        exit(CHECKER_ERROR);
    }
}


void
checker_summary(checker_t *checker)
{
    unsigned          i, n;
    checker_name_t   *name;
    checker_tally_t  *tally;

    tally = &checker->tally;

    (void) printf("%s: %llu\n", checker->bodies ? "bodies" : "lines",
                  tally->lines);

    /* nothing is looked up any more */

    n = 0;

    for (i = 0; i < CHECKER_NAME_SLOTS; i++) {
        if (tally->names[i].count) {
            tally->names[n++] = tally->names[i];
        }
    }

    qsort(tally->names, n, sizeof(checker_name_t), checker_name_cmp);

    for (i = 0; i < n; i++) {
        name = &tally->names[i];

        /* as JSON has it: no control character is in it */
        (void) printf("  \"%.*s\": %llu\n", (int) name->len, name->data,
                      name->count);
    }

    if (tally->others) {
        (void) printf("  others: %llu\n", tally->others);
    }

    (void) printf("tests: %llu\n", tally->tests);

    if (!checker->bodies) {
        (void) printf("rejected: %llu\n", tally->refusals);

        for (i = 0; i < ENKOD_NERRORS; i++) {
            if (tally->codes[i]) {
                (void) printf("  %s: %llu\n", enkod_error_get(i)->code,
                              tally->codes[i]);
            }
        }

        (void) printf("empty lines: %llu\n", tally->empty);
        (void) printf("pieces: %llu\n", tally->pieces);
    }

    if (checker->repair) {
        (void) printf("line feeds added: %llu\n", tally->ended);
        (void) printf("cut off: %llu\n", tally->cut);
    }

    (void) printf("defects: %llu\n", tally->defects);
}


static int
checker_name_cmp(const void *one, const void *two)
{
    int                    rc;
    size_t                 len;
    const checker_name_t  *a = one;
    const checker_name_t  *b = two;

    len = (a->len < b->len) ? a->len : b->len;
    rc = memcmp(a->data, b->data, len);

    if (rc == 0 && a->len != b->len) {
        rc = (a->len < b->len) ? -1 : 1;
    }

    return rc;
}


void
checker_error(checker_t *checker, int err, const char *fmt, ...)
{
    va_list  args;

    checker->status = CHECKER_ERROR;

    (void) fflush(stdout);

    (void) fprintf(stderr, "enkod-check: ");

    va_start(args, fmt);
    (void) vfprintf(stderr, fmt, args);
    va_end(args);

    (void) fprintf(stderr, err ? ": %s\n" : "\n", strerror(err));
}


unsigned char *
checker_room(checker_buf_t *buf, size_t size, size_t keep)
{
    size_t          n;
    unsigned char  *p;

    if (size <= buf->size) {
        return buf->data;
    }

    for (n = buf->size ? buf->size : 65536; n < size; n *= 2) { /* void */ }

    if (keep == 0) {
        free(buf->data);
        buf->data = NULL;
    }

    p = realloc(buf->data, n);

    if (p == NULL) {
        (void) fflush(stdout);
        (void) fprintf(stderr, "enkod-check: no memory for %zu bytes\n", n);
        exit(CHECKER_ERROR);
    }

    buf->data = p;
    buf->size = n;

    return p;
}
