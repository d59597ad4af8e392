
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The speed of a file system when each line is synced by itself.  Appends lines of
 * a given size to a file for some seconds, each followed by fdatasync(), and prints
 * the number of lines, and the median and the 99th percentile of the time that
 * write() and fdatasync() take, in microseconds.
 *
 * usage: fdatasync FILE SIZE SECONDS
 */


#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>


#define MAX_LINES  1000000


static double now(void);
static int compare(const void *one, const void *two);


int
main(int argc, char **argv)
{
    int      fd;
    char    *line;
    size_t   size, n;
    double   start, end, *took;

    if (argc != 4) {
        fprintf(stderr, "usage: fdatasync FILE SIZE SECONDS\n");
        return 2;
    }

    size = strtoul(argv[2], NULL, 10);

    line = malloc(size + 1);
    took = malloc(MAX_LINES * sizeof(double));
    fd = open(argv[1], O_WRONLY|O_APPEND|O_CREAT|O_TRUNC, 0644);

    if (line == NULL || took == NULL || fd == -1) {
        perror(argv[1]);
        return 1;
    }

    memset(line, 'x', size);
    line[size] = '\n';

    end = now() + atof(argv[3]);

    for (n = 0; n < MAX_LINES; n++) {
        start = now();

        if (start > end) {
            break;
        }

        if (write(fd, line, size + 1) != (ssize_t) size + 1
            || fdatasync(fd) == -1)
        {
            perror(argv[1]);
            return 1;
        }

        took[n] = now() - start;
    }

    if (n == 0) {
        fprintf(stderr, "no time for a single line\n");
        return 1;
    }

    qsort(took, n, sizeof(double), compare);

    printf("%zu %.1f %.1f\n", n, took[n / 2] * 1e6, took[n * 99 / 100] * 1e6);

    return 0;
}


static double
now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return ts.tv_sec + ts.tv_nsec / 1e9;
}


static int
compare(const void *one, const void *two)
{
    double  a, b;

    a = *(const double *) one;
    b = *(const double *) two;

    return (a > b) - (a < b);
}
