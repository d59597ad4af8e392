
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


#include "replay_interrupt.h"

#include <signal.h>
#include <string.h>


static void replay_interrupt_handler(int signo);


static volatile sig_atomic_t  replay_interrupt_signal;


void
replay_interrupt_init(void)
{
    struct sigaction  sa;

    memset(&sa, 0, sizeof(struct sigaction));

    sa.sa_handler = replay_interrupt_handler;
    sa.sa_flags = SA_RESETHAND;

    (void) sigaction(SIGINT, &sa, NULL);
    (void) sigaction(SIGTERM, &sa, NULL);

    /* a connection, or the reader of our output, that is gone */
    sa.sa_handler = SIG_IGN;
    (void) sigaction(SIGPIPE, &sa, NULL);
}


static void
replay_interrupt_handler(int signo)
{
    replay_interrupt_signal = signo;
}


int
replay_interrupted(void)
{
    return replay_interrupt_signal != 0;
}
