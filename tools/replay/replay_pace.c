
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#include "replay_pace.h"
#include "../lib/tool_clock.h"


double
replay_pace_wait(const replay_pace_t *pace)
{
    double  now;

    now = tool_clock();

    return (now < pace->due) ? pace->due - now : 0;
}


void
replay_pace_next(replay_pace_t *pace, double rate)
{
    double  now;

    now = tool_clock();

    if (pace->due + 1 / rate > now) {
        pace->due += 1 / rate;

    } else {
        pace->due = now + 1 / rate;
    }
}
