
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * enkod-replay: sends the lines that enkod_spool or enkod_log has written to a
 * URL, one request for each, in their order.  A run that was stopped, in
 * whatever way, is resumed after the last line that was delivered.  See
 * docs/enkod-replay.md.
 *
 * replay_run replays one file: replay_input has its lines, replay_line finds
 * the parts of a line, replay_selection chooses, replay_body and replay_send
 * make a request of it, and replay_position keeps how far that has come.
 * replay_drain does this for a file that nginx writes to.
 */


#include "replay_drain.h"
#include "replay_interrupt.h"
#include "replay_options.h"
#include "replay_run.h"
#include "replay_status.h"
#include "../lib/tool_message.h"
#include "../lib/tool_start.h"

#include <curl/curl.h>


int
main(int argc, char **argv)
{
    static replay_run_t      run;
    static replay_options_t  options;

    if (tool_start("enkod-replay") != 0) {
        return REPLAY_ERROR;
    }

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        tool_error(0, "cannot initialize libcurl");
        return REPLAY_ERROR;
    }

    switch (replay_options(&options, argc, argv)) {

    case REPLAY_OPTIONS_HELP:
        return REPLAY_OK;

    case REPLAY_OPTIONS_INVALID:
        return REPLAY_ERROR;

    case REPLAY_OPTIONS_OK:
        break;
    }

    replay_interrupt_init();

    replay_run_init(&run, &options);

    return options.drain ? replay_drain(&run)
                         : replay_run(&run, options.name,
                                      options.position_name);
}
