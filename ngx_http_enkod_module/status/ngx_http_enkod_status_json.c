
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The status as JSON.  docs/status.schema.json describes it; members are added,
 * but never changed or removed.
 */


#include "ngx_http_enkod_status_view.h"


typedef struct {
    ngx_str_t                    begin;     /* comma and name */
    size_t                       offset;    /* of the number */
} ngx_http_enkod_json_number_t;


static void ngx_http_enkod_json_receiver(ngx_http_enkod_view_t *view,
    ngx_http_enkod_snapshot_receiver_t *receiver);
static void ngx_http_enkod_json_key(ngx_http_enkod_text_t *text,
    ngx_http_enkod_snapshot_receiver_t *receiver);
static void ngx_http_enkod_json_event(ngx_http_enkod_text_t *text,
    ngx_http_enkod_snapshot_event_t *event);
static void ngx_http_enkod_json_errors(ngx_http_enkod_view_t *view,
    ngx_http_enkod_snapshot_receiver_t *receiver, ngx_uint_t failures);
static void ngx_http_enkod_json_file(ngx_http_enkod_text_t *text,
    ngx_http_enkod_snapshot_file_t *file);
static void ngx_http_enkod_json_history(ngx_http_enkod_text_t *text,
    ngx_http_enkod_snapshot_receiver_t *receiver);
static void ngx_http_enkod_json_series(ngx_http_enkod_text_t *text,
    uint32_t *history);
static void ngx_http_enkod_json_numbers(ngx_http_enkod_text_t *text,
    void *object, const ngx_http_enkod_json_number_t *numbers, ngx_uint_t n);
static void ngx_http_enkod_json_histogram(ngx_http_enkod_text_t *text,
    ngx_http_enkod_snapshot_times_t *times);
static void ngx_http_enkod_json_string(ngx_http_enkod_text_t *text,
    ngx_str_t *value);
static void ngx_http_enkod_json_time(ngx_http_enkod_text_t *text,
    uint64_t msec);
static void ngx_http_enkod_json_size(ngx_http_enkod_text_t *text, off_t size);


#define ngx_http_enkod_json_nelts(table)                                      \
    (sizeof(table) / sizeof(ngx_http_enkod_json_number_t))


#define ngx_http_enkod_json_result(name, result)                              \
    { ngx_string(name), offsetof(ngx_http_enkod_snapshot_event_t, results)    \
                        + result * sizeof(uint64_t) }

static const ngx_http_enkod_json_number_t  ngx_http_enkod_json_results[] = {
    ngx_http_enkod_json_result("\"accepted\":", NGX_HTTP_ENKOD_STATUS_ACCEPTED),
    ngx_http_enkod_json_result(",\"spooled\":", NGX_HTTP_ENKOD_STATUS_SPOOLED),
    ngx_http_enkod_json_result(",\"test\":", NGX_HTTP_ENKOD_STATUS_TEST),
    ngx_http_enkod_json_result(",\"duplicate\":",
                               NGX_HTTP_ENKOD_STATUS_DUPLICATE)
};


#define ngx_http_enkod_json_outcome(name, outcome)                            \
    { ngx_string(name), offsetof(ngx_http_enkod_snapshot_receiver_t, outcomes)\
                        + outcome * sizeof(uint64_t) }

static const ngx_http_enkod_json_number_t  ngx_http_enkod_json_outcomes[] = {
    ngx_http_enkod_json_outcome("\"delivered\":",
                                NGX_HTTP_ENKOD_STATUS_DELIVERED),
    ngx_http_enkod_json_outcome(",\"failed\":", NGX_HTTP_ENKOD_STATUS_FAILED),
    ngx_http_enkod_json_outcome(",\"timeout\":", NGX_HTTP_ENKOD_STATUS_TIMEOUT),
    ngx_http_enkod_json_outcome(",\"busy\":", NGX_HTTP_ENKOD_STATUS_BUSY)
};


static const ngx_http_enkod_json_number_t  ngx_http_enkod_json_counters[] = {
    { ngx_string(",\"probes\":"),
      offsetof(ngx_http_enkod_snapshot_receiver_t, probes) },
    { ngx_string(",\"received_bytes\":"),
      offsetof(ngx_http_enkod_snapshot_receiver_t, received) },
    { ngx_string(",\"waiting\":"),
      offsetof(ngx_http_enkod_snapshot_receiver_t, waiting) }
};


static const ngx_http_enkod_json_number_t  ngx_http_enkod_json_files[] = {
    { ngx_string(",\"lines\":"),
      offsetof(ngx_http_enkod_snapshot_file_t, lines) },
    { ngx_string(",\"bytes\":"),
      offsetof(ngx_http_enkod_snapshot_file_t, bytes) },
    { ngx_string(",\"writes\":"),
      offsetof(ngx_http_enkod_snapshot_file_t, writes) },
    { ngx_string(",\"write_errors\":"),
      offsetof(ngx_http_enkod_snapshot_file_t, write_errors) },
    { ngx_string(",\"syncs\":"),
      offsetof(ngx_http_enkod_snapshot_file_t, syncs) },
    { ngx_string(",\"sync_errors\":"),
      offsetof(ngx_http_enkod_snapshot_file_t, sync_errors) }
};


void
ngx_http_enkod_view_json(ngx_http_enkod_view_t *view)
{
    ngx_uint_t                  i;
    ngx_http_enkod_text_t      *text;
    ngx_http_enkod_snapshot_t  *snapshot;

    text = &view->text;
    snapshot = view->snapshot;

    ngx_http_enkod_text_literal(text, "{\"schema\":1,\"version\":");
    ngx_http_enkod_json_string(text, &view->version);
    ngx_http_enkod_text_literal(text, ",\"nginx\":");
    ngx_http_enkod_json_string(text, &view->nginx);
    ngx_http_enkod_text_literal(text, ",\"yajl\":");
    ngx_http_enkod_json_string(text, &view->yajl);

    ngx_http_enkod_text_literal(text, ",\"now\":");
    ngx_http_enkod_json_time(text, snapshot->now);
    ngx_http_enkod_text_literal(text, ",\"started_at\":");
    ngx_http_enkod_json_time(text, snapshot->started);
    ngx_http_enkod_text_literal(text, ",\"workers\":");
    ngx_http_enkod_text_number(text, snapshot->workers);

    ngx_http_enkod_text_literal(text, ",\"receivers\":[");

    for (i = 0; i < snapshot->nreceivers; i++) {
        ngx_http_enkod_text_add(text, (u_char *) ",", i ? 1 : 0);
        ngx_http_enkod_json_receiver(view, &snapshot->receivers[i]);
    }

    ngx_http_enkod_text_literal(text, "],\"files\":[");

    for (i = 0; i < snapshot->nfiles; i++) {
        ngx_http_enkod_text_add(text, (u_char *) ",", i ? 1 : 0);
        ngx_http_enkod_json_file(text, &snapshot->files[i]);
    }

    ngx_http_enkod_text_literal(text, "],\"zones\":[],"
                                      "\"history\":{\"step_seconds\":");
    ngx_http_enkod_text_number(text, NGX_HTTP_ENKOD_STATUS_STEP);
    ngx_http_enkod_text_literal(text, ",\"end_at\":");
    ngx_http_enkod_json_time(text, snapshot->end);
    ngx_http_enkod_text_literal(text, ",\"steps\":");
    ngx_http_enkod_text_number(text, NGX_HTTP_ENKOD_STATUS_NSTEPS);

    ngx_http_enkod_text_literal(text, ",\"receivers\":[");

    for (i = 0; i < snapshot->nreceivers; i++) {
        ngx_http_enkod_text_add(text, (u_char *) ",", i ? 1 : 0);
        ngx_http_enkod_json_history(text, &snapshot->receivers[i]);
    }

    ngx_http_enkod_text_literal(text, "]}}\n");
}


static void
ngx_http_enkod_json_receiver(ngx_http_enkod_view_t *view,
    ngx_http_enkod_snapshot_receiver_t *receiver)
{
    ngx_uint_t              i;
    ngx_http_enkod_text_t  *text;

    text = &view->text;

    ngx_http_enkod_json_key(text, receiver);

    ngx_http_enkod_text_literal(text, ",\"events\":{");

    for (i = 0; i < receiver->nevents; i++) {
        ngx_http_enkod_text_add(text, (u_char *) ",", i ? 1 : 0);
        ngx_http_enkod_json_event(text, &receiver->events[i]);
    }

    ngx_http_enkod_text_literal(text, "},\"refusals\":{");
    ngx_http_enkod_json_errors(view, receiver, 0);
    ngx_http_enkod_text_literal(text, "},\"failures\":{");
    ngx_http_enkod_json_errors(view, receiver, 1);
    ngx_http_enkod_text_literal(text, "}");

    ngx_http_enkod_json_numbers(text, receiver, ngx_http_enkod_json_counters,
                      ngx_http_enkod_json_nelts(ngx_http_enkod_json_counters));

    ngx_http_enkod_text_literal(text, ",\"answer_seconds\":");
    ngx_http_enkod_json_histogram(text, &receiver->answers);

    if (receiver->pass) {
        ngx_http_enkod_text_literal(text, ",\"pass\":{");
        ngx_http_enkod_json_numbers(text, receiver,
                      ngx_http_enkod_json_outcomes,
                      ngx_http_enkod_json_nelts(ngx_http_enkod_json_outcomes));
        ngx_http_enkod_text_literal(text, ",\"seconds\":");
        ngx_http_enkod_json_histogram(text, &receiver->passes);
        ngx_http_enkod_text_literal(text, "}");
    }

    ngx_http_enkod_text_literal(text, "}");
}


/* The beginning of an object. */

static void
ngx_http_enkod_json_key(ngx_http_enkod_text_t *text,
    ngx_http_enkod_snapshot_receiver_t *receiver)
{
    ngx_http_enkod_text_literal(text, "{\"server\":");
    ngx_http_enkod_json_string(text, &receiver->server);
    ngx_http_enkod_text_literal(text, ",\"location\":");
    ngx_http_enkod_json_string(text, &receiver->location);
}


static void
ngx_http_enkod_json_event(ngx_http_enkod_text_t *text,
    ngx_http_enkod_snapshot_event_t *event)
{
    ngx_http_enkod_json_string(text, &event->name);
    ngx_http_enkod_text_literal(text, ":{");
    ngx_http_enkod_json_numbers(text, event, ngx_http_enkod_json_results,
                       ngx_http_enkod_json_nelts(ngx_http_enkod_json_results));
    ngx_http_enkod_text_literal(text, ",\"last_at\":");
    ngx_http_enkod_json_time(text, event->last);
    ngx_http_enkod_text_literal(text, "}");
}


static void
ngx_http_enkod_json_errors(ngx_http_enkod_view_t *view,
    ngx_http_enkod_snapshot_receiver_t *receiver, ngx_uint_t failures)
{
    ngx_uint_t                        i, n;
    ngx_http_enkod_text_t            *text;
    ngx_http_enkod_snapshot_error_t  *error;

    text = &view->text;
    error = view->snapshot->errors;
    n = 0;

    for (i = 0; i < view->snapshot->nerrors; i++) {

        if (ngx_http_enkod_view_is_failure(&error[i]) != failures) {
            continue;
        }

        ngx_http_enkod_text_add(text, (u_char *) ",", n++ ? 1 : 0);
        ngx_http_enkod_json_string(text, &error[i].code);
        ngx_http_enkod_text_literal(text, ":");
        ngx_http_enkod_text_number(text, receiver->errors[i]);
    }
}


static void
ngx_http_enkod_json_file(ngx_http_enkod_text_t *text,
    ngx_http_enkod_snapshot_file_t *file)
{
    ngx_http_enkod_text_literal(text, "{\"file\":");
    ngx_http_enkod_json_string(text, &file->name);
    ngx_http_enkod_text_literal(text, ",\"use\":");
    ngx_http_enkod_json_string(text, &file->use);

    if (file->sync) {
        ngx_http_enkod_text_literal(text, ",\"sync\":true");

    } else {
        ngx_http_enkod_text_literal(text, ",\"sync\":false");
    }

    ngx_http_enkod_json_numbers(text, file, ngx_http_enkod_json_files,
                         ngx_http_enkod_json_nelts(ngx_http_enkod_json_files));

    if (file->sync) {
        ngx_http_enkod_text_literal(text, ",\"sync_seconds\":");
        ngx_http_enkod_json_histogram(text, &file->sync_times);
    }

    ngx_http_enkod_text_literal(text, ",\"size_bytes\":");
    ngx_http_enkod_json_size(text, file->size);
    ngx_http_enkod_text_literal(text, ",\"free_bytes\":");
    ngx_http_enkod_json_size(text, file->free);

    ngx_http_enkod_text_literal(text, ",\"error\":");

    if (file->err) {
        ngx_http_enkod_text_literal(text, "\"");
        ngx_http_enkod_text_error(text, file->err);
        ngx_http_enkod_text_literal(text, "\"");

    } else {
        ngx_http_enkod_text_literal(text, "null");
    }

    ngx_http_enkod_text_literal(text, ",\"error_at\":");
    ngx_http_enkod_json_time(text, file->err ? file->failed : 0);
    ngx_http_enkod_text_literal(text, "}");
}


static void
ngx_http_enkod_json_history(ngx_http_enkod_text_t *text,
    ngx_http_enkod_snapshot_receiver_t *receiver)
{
    ngx_uint_t                        i, n;
    ngx_http_enkod_snapshot_event_t  *event;

    ngx_http_enkod_json_key(text, receiver);

    ngx_http_enkod_text_literal(text, ",\"events\":{");

    event = receiver->events;
    n = 0;

    for (i = 0; i < receiver->nevents; i++) {

        if (event[i].history) {
            ngx_http_enkod_text_add(text, (u_char *) ",", n++ ? 1 : 0);
            ngx_http_enkod_json_string(text, &event[i].name);
            ngx_http_enkod_text_literal(text, ":");
            ngx_http_enkod_json_series(text, event[i].history);
        }
    }

    ngx_http_enkod_text_literal(text, "}");

    if (receiver->refusals) {
        ngx_http_enkod_text_literal(text, ",\"refusals\":");
        ngx_http_enkod_json_series(text, receiver->refusals);
    }

    if (receiver->failures) {
        ngx_http_enkod_text_literal(text, ",\"failures\":");
        ngx_http_enkod_json_series(text, receiver->failures);
    }

    ngx_http_enkod_text_literal(text, "}");
}


static void
ngx_http_enkod_json_series(ngx_http_enkod_text_t *text, uint32_t *history)
{
    u_char      *p;
    ngx_uint_t   i;

    p = ngx_http_enkod_text_reserve(text, sizeof("[]")
                         + NGX_HTTP_ENKOD_STATUS_NSTEPS * sizeof("4294967295"));
    *p++ = '[';

    for (i = 0; i < NGX_HTTP_ENKOD_STATUS_NSTEPS; i++) {

        if (i) {
            *p++ = ',';
        }

        if (history[i] < 10) {
            /* most are */
            *p++ = (u_char) ('0' + history[i]);

        } else {
            p = ngx_http_enkod_text_digits(p, history[i]);
        }
    }

    *p++ = ']';

    ngx_http_enkod_text_written(text, p);
}


static void
ngx_http_enkod_json_numbers(ngx_http_enkod_text_t *text, void *object,
    const ngx_http_enkod_json_number_t *numbers, ngx_uint_t n)
{
    char        *p = object;
    ngx_uint_t   i;

    for (i = 0; i < n; i++) {
        ngx_http_enkod_text_str(text, &numbers[i].begin);
        ngx_http_enkod_text_number(text,
                                   *(uint64_t *) (p + numbers[i].offset));
    }
}


static void
ngx_http_enkod_json_histogram(ngx_http_enkod_text_t *text,
    ngx_http_enkod_snapshot_times_t *times)
{
    uint64_t    *buckets;
    ngx_uint_t   i;

    buckets = times->buckets;

    ngx_http_enkod_text_literal(text, "{\"count\":");
    ngx_http_enkod_text_number(text,
                               buckets[NGX_HTTP_ENKOD_STATUS_NBUCKETS - 1]);
    ngx_http_enkod_text_literal(text, ",\"sum\":");
    ngx_http_enkod_text_decimal(text, times->sum, 6);
    ngx_http_enkod_text_literal(text, ",\"buckets\":[");

    for (i = 0; i < NGX_HTTP_ENKOD_STATUS_NBUCKETS - 1; i++) {
        ngx_http_enkod_text_literal(text, "{\"le\":");
        ngx_http_enkod_text_decimal(text, ngx_http_enkod_status_bounds[i], 6);
        ngx_http_enkod_text_literal(text, ",\"count\":");
        ngx_http_enkod_text_number(text, buckets[i]);
        ngx_http_enkod_text_literal(text, "},");
    }

    ngx_http_enkod_text_literal(text, "{\"le\":null,\"count\":");
    ngx_http_enkod_text_number(text, buckets[i]);
    ngx_http_enkod_text_literal(text, "}]}");
}


static void
ngx_http_enkod_json_string(ngx_http_enkod_text_t *text, ngx_str_t *value)
{
    ngx_http_enkod_text_literal(text, "\"");
    ngx_http_enkod_text_json(text, value);
    ngx_http_enkod_text_literal(text, "\"");
}


static void
ngx_http_enkod_json_time(ngx_http_enkod_text_t *text, uint64_t msec)
{
    if (msec == 0) {
        ngx_http_enkod_text_literal(text, "null");
        return;
    }

    ngx_http_enkod_text_literal(text, "\"");
    ngx_http_enkod_text_time(text, msec);
    ngx_http_enkod_text_literal(text, "\"");
}


static void
ngx_http_enkod_json_size(ngx_http_enkod_text_t *text, off_t size)
{
    if (size < 0) {
        ngx_http_enkod_text_literal(text, "null");
        return;
    }

    ngx_http_enkod_text_number(text, size);
}
