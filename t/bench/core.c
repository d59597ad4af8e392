
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The cost of the event core without a web server.  Each body is checked and its
 * line written many times; for comparison, yajl alone parses the same body with
 * callbacks that do nothing.  Both get a whole body at once, as in nginx nearly
 * always.
 *
 *     core FILE...        prints bytes, and nanoseconds per event of yajl and of
 *                         the core, the medians of interleaved rounds
 *     core -c N FILE...   under callgrind: N events of each; the counts of a body
 *                         are dumped as "yajl FILE" and "core FILE"
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <yajl/yajl_parse.h>

#include "enkod_event.h"

#if defined(__has_include)
#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#endif
#endif

#ifndef CALLGRIND_ZERO_STATS
#define CALLGRIND_ZERO_STATS
#define CALLGRIND_DUMP_STATS_AT(name)  (void) (name)
#endif


#define BENCH_ROUNDS  15
#define BENCH_EVENTS  10000     /* per round */
#define BENCH_POOL    65536


typedef struct {
    const char            *name;
    unsigned char         *data;
    size_t                 len;
} bench_body_t;


/* memory like a request's pool in nginx: freed as a whole at the end */

typedef struct {
    unsigned char         *start;
    unsigned char         *last;
    unsigned char         *end;
} bench_pool_t;


typedef void (*bench_pt)(const bench_body_t *body);


static void bench_time(const bench_body_t *body);
static double bench_round(bench_pt run, const bench_body_t *body);
static double bench_median(double *values, size_t n);
static int bench_compare(const void *one, const void *two);
static void bench_count(const char *what, bench_pt run,
    const bench_body_t *body, long n);
static void bench_yajl(const bench_body_t *body);
static void bench_core(const bench_body_t *body);
static int bench_null(void *ctx);
static int bench_boolean(void *ctx, int value);
static int bench_number(void *ctx, const char *p, size_t len);
static int bench_string(void *ctx, const unsigned char *p, size_t len);
static void bench_read(bench_body_t *body, const char *name);
static void *bench_alloc(void *ctx, size_t size);
static void bench_free(void *ctx, void *p);
static void *bench_malloc(void *ctx, size_t size);
static void bench_malloc_free(void *ctx, void *p);
static void bench_die(const char *what, const char *name);


static const yajl_callbacks  bench_callbacks = {
    bench_null,
    bench_boolean,
    NULL,                       /* numbers come as text */
    NULL,
    bench_number,
    bench_string,
    bench_null,
    bench_string,
    bench_null,
    bench_null,
    bench_null
};

static enkod_schema_t    bench_schema;
static enkod_settings_t  bench_settings;
static enkod_mem_t       bench_mem;
static bench_pool_t      bench_pool;
static unsigned char     bench_line[BENCH_POOL];


int
main(int argc, char **argv)
{
    int           i;
    long          count;
    enkod_mem_t   mem;
    bench_body_t  body;

    count = 0;
    i = 1;

    if (argc > 2 && strcmp(argv[1], "-c") == 0) {
        count = strtol(argv[2], NULL, 10);
        i = 3;
    }

    mem.alloc = bench_malloc;
    mem.free = bench_malloc_free;
    mem.ctx = NULL;

    if (enkod_schema_init(&bench_schema, &mem) != 0) {
        bench_die("no memory", "");
    }

    bench_settings.schema = &bench_schema;
    bench_settings.max_size = BENCH_POOL;

    bench_pool.start = malloc(BENCH_POOL);
    if (bench_pool.start == NULL) {
        bench_die("no memory", "");
    }

    bench_pool.end = bench_pool.start + BENCH_POOL;

    bench_mem.alloc = bench_alloc;
    bench_mem.free = bench_free;
    bench_mem.ctx = &bench_pool;

    for ( /* void */ ; i < argc; i++) {
        bench_read(&body, argv[i]);

        if (count) {
            bench_count("yajl", bench_yajl, &body, count);
            bench_count("core", bench_core, &body, count);

        } else {
            bench_time(&body);
        }

        free(body.data);
    }

    return EXIT_SUCCESS;
}


static void
bench_time(const bench_body_t *body)
{
    size_t  i;
    double  yajl[BENCH_ROUNDS], core[BENCH_ROUNDS];

    for (i = 0; i < BENCH_ROUNDS; i++) {
        yajl[i] = bench_round(bench_yajl, body);
        core[i] = bench_round(bench_core, body);
    }

    printf("%lu %.1f %.1f %s\n", (unsigned long) body->len,
           bench_median(yajl, BENCH_ROUNDS), bench_median(core, BENCH_ROUNDS),
           body->name);
}


static double
bench_round(bench_pt run, const bench_body_t *body)
{
    unsigned         i;
    struct timespec  start, end;

    (void) clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);

    for (i = 0; i < BENCH_EVENTS; i++) {
        run(body);
    }

    (void) clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);

    return ((end.tv_sec - start.tv_sec) * 1e9 + (end.tv_nsec - start.tv_nsec))
           / BENCH_EVENTS;
}


static double
bench_median(double *values, size_t n)
{
    qsort(values, n, sizeof(double), bench_compare);

    return values[n / 2];
}


static int
bench_compare(const void *one, const void *two)
{
    double  a, b;

    a = *(const double *) one;
    b = *(const double *) two;

    return (a > b) - (a < b);
}


static void
bench_count(const char *what, bench_pt run, const bench_body_t *body, long n)
{
    char  title[512];

    (void) snprintf(title, sizeof(title), "%s %s", what, body->name);

    /* the first call, which initializes what is initialized once, does not count */

    run(body);

    CALLGRIND_ZERO_STATS;

    while (n--) {
        run(body);
    }

    CALLGRIND_DUMP_STATS_AT(title);
}


static void
bench_yajl(const bench_body_t *body)
{
    yajl_handle  yajl;

    yajl = yajl_alloc(&bench_callbacks, NULL, NULL);

    if (yajl == NULL
        || yajl_parse(yajl, body->data, body->len) != yajl_status_ok
        || yajl_complete_parse(yajl) != yajl_status_ok)
    {
        bench_die("yajl refuses", body->name);
    }

    yajl_free(yajl);
}


static void
bench_core(const bench_body_t *body)
{
    enkod_event_t  *event;

    bench_pool.last = bench_pool.start;

    event = enkod_event_create(&bench_settings, &bench_mem);

    if (event == NULL
        || enkod_event_feed(event, body->data, body->len, 1) != ENKOD_OK
        || enkod_event_finish(event) != ENKOD_OK
        || enkod_event_length(event) > sizeof(bench_line))
    {
        bench_die("the core refuses", body->name);
    }

    (void) enkod_event_test(event);
    (void) enkod_event_write(event, bench_line);
}


static int
bench_null(void *ctx)
{
    (void) ctx;

    return 1;
}


static int
bench_boolean(void *ctx, int value)
{
    (void) ctx;
    (void) value;

    return 1;
}


static int
bench_number(void *ctx, const char *p, size_t len)
{
    (void) ctx;
    (void) p;
    (void) len;

    return 1;
}


static int
bench_string(void *ctx, const unsigned char *p, size_t len)
{
    (void) ctx;
    (void) p;
    (void) len;

    return 1;
}


static void
bench_read(bench_body_t *body, const char *name)
{
    FILE        *file;
    const char  *slash;

    file = fopen(name, "rb");
    if (file == NULL) {
        bench_die("cannot open", name);
    }

    slash = strrchr(name, '/');

    body->name = slash ? slash + 1 : name;
    body->data = malloc(BENCH_POOL);

    if (body->data == NULL) {
        bench_die("no memory for", name);
    }

    body->len = fread(body->data, 1, BENCH_POOL, file);

    if (body->len == 0 || body->len == BENCH_POOL) {
        bench_die("cannot read", name);
    }

    (void) fclose(file);
}


static void *
bench_alloc(void *ctx, size_t size)
{
    bench_pool_t   *pool = ctx;

    unsigned char  *p;

    size = (size + 15) & ~(size_t) 15;

    if (size > (size_t) (pool->end - pool->last)) {
        return NULL;
    }

    p = pool->last;
    pool->last += size;

    return p;
}


static void
bench_free(void *ctx, void *p)
{
    (void) ctx;
    (void) p;
}


static void *
bench_malloc(void *ctx, size_t size)
{
    (void) ctx;

    return malloc(size);
}


static void
bench_malloc_free(void *ctx, void *p)
{
    (void) ctx;

    free(p);
}


static void
bench_die(const char *what, const char *name)
{
    fprintf(stderr, "core: %s %s\n", what, name);
    exit(EXIT_FAILURE);
}
