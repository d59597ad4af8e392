
/*
 * Copyright (C) 2026 the ngx_http_enkod_module authors
 */


/*
 * The status as Prometheus reads it: the text format 0.0.4, or OpenMetrics 1.0.
 * docs/directives.md has a table of the metrics.
 *
 * The samples of a metric are one block, so the receivers are walked once for
 * each metric.  Their labels are escaped once.
 *
 * The file is longer than others because every metric is here, with its name,
 * unit and help.
 */


#include "ngx_http_enkod_status_view.h"


typedef enum {
    NGX_HTTP_ENKOD_COUNTER = 0,
    NGX_HTTP_ENKOD_GAUGE,
    NGX_HTTP_ENKOD_HISTOGRAM,
    NGX_HTTP_ENKOD_INFO
} ngx_http_enkod_metric_type_e;


typedef struct {
    ngx_str_t                        name;      /* without _total, _info */
    ngx_http_enkod_metric_type_e     type;
    ngx_str_t                        unit;      /* at the end of the name, or
                                                   empty */
    ngx_str_t                        help;
    size_t                           offset;    /* of the number */
} ngx_http_enkod_metric_t;


typedef struct {
    ngx_http_enkod_text_t           *text;
    ngx_http_enkod_snapshot_t       *snapshot;
    ngx_str_t                       *receivers; /* labels of each */
    ngx_str_t                       *files;     /* likewise */
    ngx_uint_t                       openmetrics;
    const ngx_http_enkod_metric_t   *metric;    /* of the last sample */
} ngx_http_enkod_prometheus_t;


static ngx_int_t ngx_http_enkod_prometheus_init(
    ngx_http_enkod_prometheus_t *out);
static ngx_int_t ngx_http_enkod_prometheus_labels(ngx_pool_t *pool,
    ngx_str_t *labels, const char *name, ngx_str_t *value, const char *name2,
    ngx_str_t *value2);
static void ngx_http_enkod_prometheus_events(ngx_http_enkod_prometheus_t *out);
static void ngx_http_enkod_prometheus_event(ngx_http_enkod_prometheus_t *out,
    ngx_str_t *labels, ngx_http_enkod_snapshot_event_t *event);
static void ngx_http_enkod_prometheus_last(ngx_http_enkod_prometheus_t *out);
static void ngx_http_enkod_prometheus_errors(ngx_http_enkod_prometheus_t *out,
    const ngx_http_enkod_metric_t *metric, ngx_uint_t failures);
static void ngx_http_enkod_prometheus_receivers(
    ngx_http_enkod_prometheus_t *out, const ngx_http_enkod_metric_t *metric);
static void ngx_http_enkod_prometheus_answers(ngx_http_enkod_prometheus_t *out);
static void ngx_http_enkod_prometheus_passes(ngx_http_enkod_prometheus_t *out);
static void ngx_http_enkod_prometheus_files(ngx_http_enkod_prometheus_t *out);
static void ngx_http_enkod_prometheus_build(ngx_http_enkod_prometheus_t *out,
    ngx_http_enkod_view_t *view);

static void ngx_http_enkod_prometheus_times(ngx_http_enkod_prometheus_t *out,
    const ngx_http_enkod_metric_t *metric, ngx_str_t *labels,
    ngx_http_enkod_snapshot_times_t *times);
static void ngx_http_enkod_prometheus_number(ngx_http_enkod_prometheus_t *out,
    const ngx_http_enkod_metric_t *metric, ngx_str_t *labels, uint64_t n);
static void ngx_http_enkod_prometheus_begin(ngx_http_enkod_prometheus_t *out,
    const ngx_http_enkod_metric_t *metric, const char *suffix,
    ngx_str_t *labels);
static void ngx_http_enkod_prometheus_label(ngx_http_enkod_prometheus_t *out,
    const char *name, ngx_str_t *value);
static void ngx_http_enkod_prometheus_end(ngx_http_enkod_prometheus_t *out,
    uint64_t n, ngx_uint_t places);
static void ngx_http_enkod_prometheus_header(ngx_http_enkod_prometheus_t *out,
    const ngx_http_enkod_metric_t *metric);


static ngx_str_t  ngx_http_enkod_metric_types[] = {
    ngx_string("counter"),
    ngx_string("gauge"),
    ngx_string("histogram"),
    ngx_string("info")
};


/* as the members of the enumerations */

static ngx_str_t  ngx_http_enkod_metric_results[] = {
    ngx_string("accepted"),
    ngx_string("spooled"),
    ngx_string("test"),
    ngx_string("duplicate")
};

static ngx_str_t  ngx_http_enkod_metric_outcomes[] = {
    ngx_string("delivered"),
    ngx_string("failed"),
    ngx_string("timeout"),
    ngx_string("busy")
};


static const ngx_http_enkod_metric_t  ngx_http_enkod_metric_events = {
    ngx_string("enkod_events"), NGX_HTTP_ENKOD_COUNTER, ngx_null_string,
    ngx_string("Events answered with 200."), 0
};

static const ngx_http_enkod_metric_t  ngx_http_enkod_metric_refusals = {
    ngx_string("enkod_refusals"), NGX_HTTP_ENKOD_COUNTER, ngx_null_string,
    ngx_string("Requests refused with 4xx."), 0
};

static const ngx_http_enkod_metric_t  ngx_http_enkod_metric_failures = {
    ngx_string("enkod_failures"), NGX_HTTP_ENKOD_COUNTER, ngx_null_string,
    ngx_string("Events that could not be stored, answered with 5xx."), 0
};

static const ngx_http_enkod_metric_t  ngx_http_enkod_metric_probes = {
    ngx_string("enkod_probes"), NGX_HTTP_ENKOD_COUNTER, ngx_null_string,
    ngx_string("GET and HEAD requests."),
    offsetof(ngx_http_enkod_snapshot_receiver_t, probes)
};

static const ngx_http_enkod_metric_t  ngx_http_enkod_metric_received = {
    ngx_string("enkod_received_bytes"), NGX_HTTP_ENKOD_COUNTER,
    ngx_string("bytes"),
    ngx_string("Bytes of bodies that were read, refused ones included."),
    offsetof(ngx_http_enkod_snapshot_receiver_t, received)
};

static const ngx_http_enkod_metric_t  ngx_http_enkod_metric_last = {
    ngx_string("enkod_last_event_timestamp_seconds"), NGX_HTTP_ENKOD_GAUGE,
    ngx_string("seconds"),
    ngx_string("When the last event was answered with 200."), 0
};

static const ngx_http_enkod_metric_t  ngx_http_enkod_metric_answers = {
    ngx_string("enkod_answer_seconds"), NGX_HTTP_ENKOD_HISTOGRAM,
    ngx_string("seconds"),
    ngx_string("Time from the last byte of a body to the answer."), 0
};

static const ngx_http_enkod_metric_t  ngx_http_enkod_metric_waiting = {
    ngx_string("enkod_waiting_events"), NGX_HTTP_ENKOD_GAUGE, ngx_null_string,
    ngx_string("Events that are being written or passed on."),
    offsetof(ngx_http_enkod_snapshot_receiver_t, waiting)
};

static const ngx_http_enkod_metric_t  ngx_http_enkod_metric_pass = {
    ngx_string("enkod_pass"), NGX_HTTP_ENKOD_COUNTER, ngx_null_string,
    ngx_string("Subrequests of enkod_pass."), 0
};

static const ngx_http_enkod_metric_t  ngx_http_enkod_metric_passes = {
    ngx_string("enkod_pass_seconds"), NGX_HTTP_ENKOD_HISTOGRAM,
    ngx_string("seconds"),
    ngx_string("Time that a subrequest of enkod_pass took."), 0
};

static const ngx_http_enkod_metric_t  ngx_http_enkod_metric_files[] = {

    { ngx_string("enkod_file_lines"), NGX_HTTP_ENKOD_COUNTER, ngx_null_string,
      ngx_string("Lines written to a file."),
      offsetof(ngx_http_enkod_snapshot_file_t, lines) },

    { ngx_string("enkod_file_bytes"), NGX_HTTP_ENKOD_COUNTER,
      ngx_string("bytes"),
      ngx_string("Bytes of the lines written to a file."),
      offsetof(ngx_http_enkod_snapshot_file_t, bytes) },

    { ngx_string("enkod_file_writes"), NGX_HTTP_ENKOD_COUNTER, ngx_null_string,
      ngx_string("Attempts to write to a file, each of one or more lines."),
      offsetof(ngx_http_enkod_snapshot_file_t, writes) },

    { ngx_string("enkod_file_write_errors"), NGX_HTTP_ENKOD_COUNTER,
      ngx_null_string,
      ngx_string("Attempts to write to a file that failed."),
      offsetof(ngx_http_enkod_snapshot_file_t, write_errors) },

    { ngx_string("enkod_file_syncs"), NGX_HTTP_ENKOD_COUNTER, ngx_null_string,
      ngx_string("Attempts to sync a file."),
      offsetof(ngx_http_enkod_snapshot_file_t, syncs) },

    { ngx_string("enkod_file_sync_errors"), NGX_HTTP_ENKOD_COUNTER,
      ngx_null_string,
      ngx_string("Attempts to sync a file that failed."),
      offsetof(ngx_http_enkod_snapshot_file_t, sync_errors) }
};

/* of these, those of a file that is synced */
#define NGX_HTTP_ENKOD_METRIC_SYNCS   4
#define NGX_HTTP_ENKOD_METRIC_NFILES  6

static const ngx_http_enkod_metric_t  ngx_http_enkod_metric_syncs = {
    ngx_string("enkod_file_sync_seconds"), NGX_HTTP_ENKOD_HISTOGRAM,
    ngx_string("seconds"),
    ngx_string("Time that a sync of a file took."), 0
};

static const ngx_http_enkod_metric_t  ngx_http_enkod_metric_size = {
    ngx_string("enkod_file_size_bytes"), NGX_HTTP_ENKOD_GAUGE,
    ngx_string("bytes"),
    ngx_string("Size of a file."),
    offsetof(ngx_http_enkod_snapshot_file_t, size)
};

static const ngx_http_enkod_metric_t  ngx_http_enkod_metric_free = {
    ngx_string("enkod_file_free_bytes"), NGX_HTTP_ENKOD_GAUGE,
    ngx_string("bytes"),
    ngx_string("Free space of the file system of a file."),
    offsetof(ngx_http_enkod_snapshot_file_t, free)
};

static const ngx_http_enkod_metric_t  ngx_http_enkod_metric_build = {
    ngx_string("enkod_build"), NGX_HTTP_ENKOD_INFO, ngx_null_string,
    ngx_string("Versions of the module, of nginx and of yajl."), 0
};

static const ngx_http_enkod_metric_t  ngx_http_enkod_metric_start = {
    ngx_string("enkod_start_time_seconds"), NGX_HTTP_ENKOD_GAUGE,
    ngx_string("seconds"),
    ngx_string("When counting began."), 0
};


ngx_int_t
ngx_http_enkod_view_prometheus(ngx_http_enkod_view_t *view,
    ngx_uint_t openmetrics)
{
    ngx_http_enkod_prometheus_t  out;

    ngx_memzero(&out, sizeof(ngx_http_enkod_prometheus_t));

    out.text = &view->text;
    out.snapshot = view->snapshot;
    out.openmetrics = openmetrics;

    if (ngx_http_enkod_prometheus_init(&out) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_enkod_prometheus_events(&out);
    ngx_http_enkod_prometheus_errors(&out, &ngx_http_enkod_metric_refusals, 0);
    ngx_http_enkod_prometheus_errors(&out, &ngx_http_enkod_metric_failures, 1);
    ngx_http_enkod_prometheus_receivers(&out, &ngx_http_enkod_metric_probes);
    ngx_http_enkod_prometheus_receivers(&out, &ngx_http_enkod_metric_received);
    ngx_http_enkod_prometheus_last(&out);
    ngx_http_enkod_prometheus_answers(&out);
    ngx_http_enkod_prometheus_receivers(&out, &ngx_http_enkod_metric_waiting);
    ngx_http_enkod_prometheus_passes(&out);
    ngx_http_enkod_prometheus_files(&out);
    ngx_http_enkod_prometheus_build(&out, view);

    if (openmetrics) {
        ngx_http_enkod_text_literal(out.text, "# EOF\n");
    }

    return NGX_OK;
}


/* NGX_ERROR if there is no memory. */

static ngx_int_t
ngx_http_enkod_prometheus_init(ngx_http_enkod_prometheus_t *out)
{
    ngx_uint_t                           i, n;
    ngx_pool_t                          *pool;
    ngx_http_enkod_snapshot_file_t      *file;
    ngx_http_enkod_snapshot_receiver_t  *receiver;

    pool = out->text->pool;
    file = out->snapshot->files;
    receiver = out->snapshot->receivers;

    n = out->snapshot->nreceivers + out->snapshot->nfiles;

    out->receivers = ngx_pcalloc(pool, (n + 1) * sizeof(ngx_str_t));
    if (out->receivers == NULL) {
        return NGX_ERROR;
    }

    out->files = out->receivers + out->snapshot->nreceivers;

    for (i = 0; i < out->snapshot->nreceivers; i++) {
        if (ngx_http_enkod_prometheus_labels(pool, &out->receivers[i],
                                             "server", &receiver[i].server,
                                             "location", &receiver[i].location)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    for (i = 0; i < out->snapshot->nfiles; i++) {
        if (ngx_http_enkod_prometheus_labels(pool, &out->files[i],
                                             "file", &file[i].name,
                                             "use", &file[i].use)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* NGX_ERROR if there is no memory. */

static ngx_int_t
ngx_http_enkod_prometheus_labels(ngx_pool_t *pool, ngx_str_t *labels,
    const char *name, ngx_str_t *value, const char *name2, ngx_str_t *value2)
{
    u_char  *p;

    p = ngx_pnalloc(pool, ngx_strlen(name) + ngx_strlen(name2)
                          + NGX_HTTP_ENKOD_TEXT_GROWS
                            * (value->len + value2->len)
                          + sizeof("=\"\",=\"\"") - 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    labels->data = p;

    p = ngx_cpymem(p, name, ngx_strlen(name));
    p = ngx_cpymem(p, "=\"", 2);
    p = ngx_http_enkod_text_copy_label(p, value);
    p = ngx_cpymem(p, "\",", 2);
    p = ngx_cpymem(p, name2, ngx_strlen(name2));
    p = ngx_cpymem(p, "=\"", 2);
    p = ngx_http_enkod_text_copy_label(p, value2);
    *p++ = '"';

    labels->len = p - labels->data;

    return NGX_OK;
}


static void
ngx_http_enkod_prometheus_events(ngx_http_enkod_prometheus_t *out)
{
    ngx_uint_t                           i, n;
    ngx_http_enkod_snapshot_receiver_t  *receiver;

    receiver = out->snapshot->receivers;

    for (i = 0; i < out->snapshot->nreceivers; i++) {
        for (n = 0; n < receiver[i].nevents; n++) {
            ngx_http_enkod_prometheus_event(out, &out->receivers[i],
                                            &receiver[i].events[n]);
        }
    }
}


static void
ngx_http_enkod_prometheus_event(ngx_http_enkod_prometheus_t *out,
    ngx_str_t *labels, ngx_http_enkod_snapshot_event_t *event)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_ENKOD_STATUS_NRESULTS; i++) {

        if (i != NGX_HTTP_ENKOD_STATUS_ACCEPTED && event->results[i] == 0) {
            continue;
        }

        ngx_http_enkod_prometheus_begin(out, &ngx_http_enkod_metric_events,
                                        "_total", labels);
        ngx_http_enkod_prometheus_label(out, ",event=\"", &event->name);
        ngx_http_enkod_prometheus_label(out, ",result=\"",
                                        &ngx_http_enkod_metric_results[i]);
        ngx_http_enkod_prometheus_end(out, event->results[i], 0);
    }
}


static void
ngx_http_enkod_prometheus_errors(ngx_http_enkod_prometheus_t *out,
    const ngx_http_enkod_metric_t *metric, ngx_uint_t failures)
{
    ngx_uint_t                           i, n;
    ngx_http_enkod_snapshot_error_t     *error;
    ngx_http_enkod_snapshot_receiver_t  *receiver;

    receiver = out->snapshot->receivers;
    error = out->snapshot->errors;

    for (i = 0; i < out->snapshot->nreceivers; i++) {
        for (n = 0; n < out->snapshot->nerrors; n++) {

            if (ngx_http_enkod_view_is_failure(&error[n]) != failures) {
                continue;
            }

            ngx_http_enkod_prometheus_begin(out, metric, "_total",
                                            &out->receivers[i]);
            ngx_http_enkod_prometheus_label(out, ",code=\"", &error[n].code);
            ngx_http_enkod_prometheus_end(out, receiver[i].errors[n], 0);
        }
    }
}


/* A metric that has one number for each receiver. */

static void
ngx_http_enkod_prometheus_receivers(ngx_http_enkod_prometheus_t *out,
    const ngx_http_enkod_metric_t *metric)
{
    char                                *p;
    ngx_uint_t                           i;
    ngx_http_enkod_snapshot_receiver_t  *receiver;

    receiver = out->snapshot->receivers;

    for (i = 0; i < out->snapshot->nreceivers; i++) {
        p = (char *) &receiver[i] + metric->offset;

        ngx_http_enkod_prometheus_number(out, metric, &out->receivers[i],
                                         *(uint64_t *) p);
    }
}


static void
ngx_http_enkod_prometheus_last(ngx_http_enkod_prometheus_t *out)
{
    ngx_uint_t                           i, n;
    ngx_http_enkod_snapshot_event_t     *event;
    ngx_http_enkod_snapshot_receiver_t  *receiver;

    receiver = out->snapshot->receivers;

    for (i = 0; i < out->snapshot->nreceivers; i++) {

        event = receiver[i].events;

        for (n = 0; n < receiver[i].nevents; n++) {

            if (event[n].last == 0) {
                continue;
            }

            ngx_http_enkod_prometheus_begin(out, &ngx_http_enkod_metric_last,
                                            "", &out->receivers[i]);
            ngx_http_enkod_prometheus_label(out, ",event=\"", &event[n].name);
            ngx_http_enkod_prometheus_end(out, event[n].last, 3);
        }
    }
}


static void
ngx_http_enkod_prometheus_answers(ngx_http_enkod_prometheus_t *out)
{
    ngx_uint_t                           i;
    ngx_http_enkod_snapshot_receiver_t  *receiver;

    receiver = out->snapshot->receivers;

    for (i = 0; i < out->snapshot->nreceivers; i++) {
        ngx_http_enkod_prometheus_times(out, &ngx_http_enkod_metric_answers,
                                        &out->receivers[i],
                                        &receiver[i].answers);
    }
}


static void
ngx_http_enkod_prometheus_passes(ngx_http_enkod_prometheus_t *out)
{
    ngx_str_t                           *outcome;
    ngx_uint_t                           i, n;
    ngx_http_enkod_snapshot_receiver_t  *receiver;

    receiver = out->snapshot->receivers;

    for (i = 0; i < out->snapshot->nreceivers; i++) {

        if (!receiver[i].pass) {
            continue;
        }

        for (n = 0; n < NGX_HTTP_ENKOD_STATUS_NOUTCOMES; n++) {
            outcome = &ngx_http_enkod_metric_outcomes[n];

            ngx_http_enkod_prometheus_begin(out, &ngx_http_enkod_metric_pass,
                                            "_total", &out->receivers[i]);
            ngx_http_enkod_prometheus_label(out, ",outcome=\"", outcome);
            ngx_http_enkod_prometheus_end(out, receiver[i].outcomes[n], 0);
        }
    }

    for (i = 0; i < out->snapshot->nreceivers; i++) {

        if (receiver[i].pass) {
            ngx_http_enkod_prometheus_times(out, &ngx_http_enkod_metric_passes,
                                            &out->receivers[i],
                                            &receiver[i].passes);
        }
    }
}


static void
ngx_http_enkod_prometheus_files(ngx_http_enkod_prometheus_t *out)
{
    char                            *p;
    ngx_uint_t                       i, n;
    ngx_http_enkod_snapshot_file_t  *file;
    const ngx_http_enkod_metric_t   *metric;

    metric = ngx_http_enkod_metric_files;
    file = out->snapshot->files;

    for (i = 0; i < NGX_HTTP_ENKOD_METRIC_NFILES; i++) {
        for (n = 0; n < out->snapshot->nfiles; n++) {

            if (i >= NGX_HTTP_ENKOD_METRIC_SYNCS && !file[n].sync) {
                continue;
            }

            p = (char *) &file[n] + metric[i].offset;

            ngx_http_enkod_prometheus_number(out, &metric[i], &out->files[n],
                                             *(uint64_t *) p);
        }
    }

    for (n = 0; n < out->snapshot->nfiles; n++) {
        if (file[n].sync) {
            ngx_http_enkod_prometheus_times(out, &ngx_http_enkod_metric_syncs,
                                            &out->files[n],
                                            &file[n].sync_times);
        }
    }

    for (n = 0; n < out->snapshot->nfiles; n++) {
        if (file[n].size >= 0) {
            ngx_http_enkod_prometheus_number(out, &ngx_http_enkod_metric_size,
                                             &out->files[n], file[n].size);
        }
    }

    for (n = 0; n < out->snapshot->nfiles; n++) {
        if (file[n].free >= 0) {
            ngx_http_enkod_prometheus_number(out, &ngx_http_enkod_metric_free,
                                             &out->files[n], file[n].free);
        }
    }
}


static void
ngx_http_enkod_prometheus_build(ngx_http_enkod_prometheus_t *out,
    ngx_http_enkod_view_t *view)
{
    static ngx_str_t  none = ngx_null_string;

    ngx_http_enkod_prometheus_begin(out, &ngx_http_enkod_metric_build, "_info",
                                    &none);
    ngx_http_enkod_prometheus_label(out, "version=\"", &view->version);
    ngx_http_enkod_prometheus_label(out, ",nginx=\"", &view->nginx);
    ngx_http_enkod_prometheus_label(out, ",yajl=\"", &view->yajl);
    ngx_http_enkod_prometheus_end(out, 1, 0);

    /* a sample without labels */

    ngx_http_enkod_prometheus_header(out, &ngx_http_enkod_metric_start);
    ngx_http_enkod_text_str(out->text, &ngx_http_enkod_metric_start.name);
    ngx_http_enkod_text_literal(out->text, " ");
    ngx_http_enkod_text_decimal(out->text, out->snapshot->started, 3);
    ngx_http_enkod_text_literal(out->text, "\n");
}


static void
ngx_http_enkod_prometheus_times(ngx_http_enkod_prometheus_t *out,
    const ngx_http_enkod_metric_t *metric, ngx_str_t *labels,
    ngx_http_enkod_snapshot_times_t *times)
{
    uint64_t     bound;
    ngx_uint_t   i;

    for (i = 0; i < NGX_HTTP_ENKOD_STATUS_NBUCKETS; i++) {

        ngx_http_enkod_prometheus_begin(out, metric, "_bucket", labels);

        if (i < NGX_HTTP_ENKOD_STATUS_NBUCKETS - 1) {
            bound = ngx_http_enkod_status_bounds[i];

            ngx_http_enkod_text_literal(out->text, ",le=\"");
            ngx_http_enkod_text_decimal(out->text, bound, 6);

            /* as OpenMetrics wants it, and as Prometheus 3 stores it */
            ngx_http_enkod_text_add(out->text, (u_char *) ".0",
                                    bound % 1000000 ? 0 : 2);
            ngx_http_enkod_text_literal(out->text, "\"");

        } else {
            ngx_http_enkod_text_literal(out->text, ",le=\"+Inf\"");
        }

        ngx_http_enkod_prometheus_end(out, times->buckets[i], 0);
    }

    ngx_http_enkod_prometheus_begin(out, metric, "_sum", labels);
    ngx_http_enkod_prometheus_end(out, times->sum, 6);

    ngx_http_enkod_prometheus_begin(out, metric, "_count", labels);
    ngx_http_enkod_prometheus_end(out, times->buckets[i - 1], 0);
}


/* A sample without more labels. */

static void
ngx_http_enkod_prometheus_number(ngx_http_enkod_prometheus_t *out,
    const ngx_http_enkod_metric_t *metric, ngx_str_t *labels, uint64_t n)
{
    ngx_http_enkod_prometheus_begin(out, metric,
                        metric->type == NGX_HTTP_ENKOD_COUNTER ? "_total" : "",
                        labels);
    ngx_http_enkod_prometheus_end(out, n, 0);
}


/*
 * A sample: ngx_http_enkod_prometheus_begin(), more labels, then
 * ngx_http_enkod_prometheus_end(), whose number has "places" decimal places.
 */

static void
ngx_http_enkod_prometheus_begin(ngx_http_enkod_prometheus_t *out,
    const ngx_http_enkod_metric_t *metric, const char *suffix,
    ngx_str_t *labels)
{
    ngx_http_enkod_prometheus_header(out, metric);

    ngx_http_enkod_text_str(out->text, &metric->name);
    ngx_http_enkod_text_add(out->text, (const u_char *) suffix,
                            ngx_strlen(suffix));
    ngx_http_enkod_text_literal(out->text, "{");
    ngx_http_enkod_text_str(out->text, labels);
}


/* "name" begins with a comma, if it is not the first, and ends with a quote. */

static void
ngx_http_enkod_prometheus_label(ngx_http_enkod_prometheus_t *out,
    const char *name, ngx_str_t *value)
{
    ngx_http_enkod_text_add(out->text, (const u_char *) name,
                            ngx_strlen(name));
    ngx_http_enkod_text_label(out->text, value);
    ngx_http_enkod_text_literal(out->text, "\"");
}


static void
ngx_http_enkod_prometheus_end(ngx_http_enkod_prometheus_t *out, uint64_t n,
    ngx_uint_t places)
{
    ngx_http_enkod_text_literal(out->text, "} ");
    ngx_http_enkod_text_decimal(out->text, n, places);
    ngx_http_enkod_text_literal(out->text, "\n");
}


/*
 * The lines before the first sample of a metric.  In OpenMetrics they have its
 * name without the suffix; the text format does not know suffixes, units and
 * the type "info".
 */

static void
ngx_http_enkod_prometheus_header(ngx_http_enkod_prometheus_t *out,
    const ngx_http_enkod_metric_t *metric)
{
    ngx_str_t               suffix, *type;
    ngx_http_enkod_text_t  *text;

    if (metric == out->metric) {
        return;
    }

    out->metric = metric;
    text = out->text;

    type = &ngx_http_enkod_metric_types[metric->type];
    ngx_str_null(&suffix);

    if (!out->openmetrics) {

        if (metric->type == NGX_HTTP_ENKOD_COUNTER) {
            ngx_str_set(&suffix, "_total");

        } else if (metric->type == NGX_HTTP_ENKOD_INFO) {
            ngx_str_set(&suffix, "_info");
            type = &ngx_http_enkod_metric_types[NGX_HTTP_ENKOD_GAUGE];
        }
    }

    ngx_http_enkod_text_literal(text, "# HELP ");
    ngx_http_enkod_text_str(text, &metric->name);
    ngx_http_enkod_text_str(text, &suffix);
    ngx_http_enkod_text_literal(text, " ");
    ngx_http_enkod_text_str(text, &metric->help);

    ngx_http_enkod_text_literal(text, "\n# TYPE ");
    ngx_http_enkod_text_str(text, &metric->name);
    ngx_http_enkod_text_str(text, &suffix);
    ngx_http_enkod_text_literal(text, " ");
    ngx_http_enkod_text_str(text, type);

    if (out->openmetrics && metric->unit.len) {
        ngx_http_enkod_text_literal(text, "\n# UNIT ");
        ngx_http_enkod_text_str(text, &metric->name);
        ngx_http_enkod_text_literal(text, " ");
        ngx_http_enkod_text_str(text, &metric->unit);
    }

    ngx_http_enkod_text_literal(text, "\n");
}
