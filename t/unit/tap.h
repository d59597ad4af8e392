
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The output of a unit test, in the Test Anything Protocol: a line for each
 * behaviour, and a diagnosis after one that failed.  The plan comes last.
 */


#ifndef _ENKOD_TAP_H_INCLUDED_
#define _ENKOD_TAP_H_INCLUDED_


#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


static unsigned  tap_tests;
static unsigned  tap_failed;


/* The title is a sentence about behaviour; returns "ok". */

__attribute__ ((format (printf, 2, 3)))
static inline int
tap_ok(int ok, const char *fmt, ...)
{
    char        title[512];
    size_t      i;
    va_list     args;

    va_start(args, fmt);
    (void) vsnprintf(title, sizeof(title), fmt, args);
    va_end(args);

    printf("%sok %u - ", ok ? "" : "not ", ++tap_tests);

    /* a bare "#" would begin a directive */

    for (i = 0; title[i] != '\0'; i++) {
        if (title[i] == '#') {
            putchar('\\');
        }

        putchar(title[i]);
    }

    putchar('\n');
    fflush(stdout);

    if (!ok) {
        tap_failed++;
    }

    return ok;
}


__attribute__ ((format (printf, 1, 2)))
static inline void
tap_diag(const char *fmt, ...)
{
    va_list  args;

    fputs("#   ", stderr);

    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);

    fputc('\n', stderr);
}


/* A value of any bytes; a long one is cut. */

static inline void
tap_diag_bytes(const char *what, const void *data, size_t len)
{
    size_t                i;
    const unsigned char  *p;

    p = data;

    fprintf(stderr, "#   %s (%lu): ", what, (unsigned long) len);

    for (i = 0; i < len && i < 600; i++) {

        if (p[i] >= 0x20 && p[i] < 0x7f && p[i] != '\\') {
            fputc(p[i], stderr);

        } else {
            fprintf(stderr, p[i] == '\\' ? "\\\\" : "\\x%02x", p[i]);
        }
    }

    fprintf(stderr, "%s\n", i < len ? " ..." : "");
}


/* The last line, and the exit status of the program. */

static inline int
tap_done(void)
{
    printf("1..%u\n", tap_tests);

    return tap_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}


#endif /* _ENKOD_TAP_H_INCLUDED_ */
