
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#include "tool_clock.h"

#include <time.h>


double
tool_clock(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return ts.tv_sec + ts.tv_nsec / 1e9;
}


void
tool_sleep(double seconds)
{
    struct timespec  ts;

    ts.tv_sec = (time_t) seconds;
    ts.tv_nsec = (long) ((seconds - ts.tv_sec) * 1e9);

    (void) nanosleep(&ts, NULL);
}
