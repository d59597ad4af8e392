/*
 * Answers of enkod_status as a busy server, an empty one, and servers in trouble
 * would give them, for what real traffic does not show within a test.
 */

"use strict";

const STEP = 10;
const STEPS = 360;
const HOUR = STEP * STEPS;

const BOUNDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                0.1, 0.25, 0.5, 1, 2.5, 5, 10];

const REFUSALS = ["empty_body", "invalid_json", "invalid_utf8", "lone_surrogate",
                  "duplicate_field", "too_deep", "too_many_fields", "forbidden",
                  "method_not_allowed", "too_large", "unsupported_encoding",
                  "not_object", "missing_event", "unknown_event",
                  "event_not_allowed", "missing_field", "wrong_type",
                  "unknown_field"];

const FAILURES = ["log_unavailable", "dedup_pending", "upstream_failed",
                  "upstream_timeout", "upstream_busy", "no_memory"];

/* events a second, as one sees them from a sender of newsletters */
const EIGHT = {
    "message sent": 9, "message open": 6.5, "message clicked": 1.9,
    "delivery bounce": 0.45, "complaint": 0.03,
    "mailing group subscribe": 0.2, "mailing group unsubscribe": 0.12,
    "contact adding": 0.35
};


/* a number between 0 and 1 that is always the same for the same arguments */

function noise(...seeds) {
    let n = 2166136261;

    for (const c of seeds.join(" ")) {
        n = Math.imul(n ^ c.charCodeAt(0), 16777619);
    }

    n = Math.imul(n ^ n >>> 15, 0x2c1b3c6d);
    n = Math.imul(n ^ n >>> 12, 0x297a2d39);

    return ((n ^ n >>> 15) >>> 8 & 0xffff) / 65536;
}


/* mailings begin every 23 minutes and are opened and clicked afterwards */

function wave(name, step) {
    const since = step % 138;
    const after = (from, rise, fall) => since < from ? 0
        : since < from + rise ? (since - from) / rise
        : Math.exp(-(since - from - rise) / fall);

    switch (name) {
    case "message sent": return 0.03 + 2.6 * after(0, 3, 14);
    case "message open": return 0.22 + 1.7 * after(5, 12, 45);
    case "message clicked": return 0.2 + 1.7 * after(9, 14, 50);
    case "delivery bounce": return 0.05 + 2.6 * after(2, 4, 18);
    default: return 0.8 + 0.5 * after(10, 20, 40);
    }
}


function eventsIn(name, perSecond, step) {
    const mean = perSecond * STEP * wave(name, step);
    const n = mean * (0.75 + 0.5 * noise(name, step));

    return Math.floor(n + noise(step, name));
}


function histogram(count, median, spread) {
    let sum = 0;

    const share = (x) => {
        const z = Math.log(x / median) / spread;

        return 1 / (1 + Math.exp(-1.7 * z));
    };

    const buckets = BOUNDS.map((le) => ({ le, count: Math.round(count * share(le)) }));

    buckets.push({ le: null, count });
    sum = count * median * 1.2;

    return { count, sum, buckets };
}


function zeros(names) {
    return Object.fromEntries(names.map((name) => [name, 0]));
}


/* A receiver as it is in the JSON, and its part of the history. */

function receiver(now, options) {
    const { server = "_", location = "/enkod", rates = EIGHT, days = 11,
            scale = 1, silentFor = 0, refused = {}, failed = {}, spooled = 0,
            ago = 0, duplicates = 0, pass = null, median = 0.00021, waiting = 0,
            tests = 2 } = options;

    const last = Math.floor(now / 1000 / STEP);
    const quiet = Math.floor(silentFor / STEP);
    const passed = (now / 1000 % STEP) / STEP;
    const events = {};
    const history = { server, location, events: {} };
    let all = 0;

    for (const name of [...Object.keys(rates), "other"]) {
        const perSecond = (rates[name] ?? 0) * scale;
        const series = [];
        let hour = 0;
        let lastAt = null;

        for (let i = 0; i < STEPS; i++) {
            const n = i >= STEPS - quiet || perSecond === 0 ? 0
                : eventsIn(name + location, perSecond, last - STEPS + i);

            series.push(n);
            hour += n;

            if (n > 0) {
                lastAt = (last - STEPS + i + 1) * STEP * 1000
                         - Math.floor(noise(i, name, "at") * 9000);
            }
        }

        /* what has come since the last step */
        const next = quiet || perSecond === 0 ? 0
            : Math.floor(eventsIn(name + location, perSecond, last) * passed);

        if (next > 0) {
            lastAt = now - Math.floor(800 / perSecond);
        }

        /* grows with time, so that differences are those of the series */
        const before = perSecond === 0 || days === 0 ? 0
            : Math.round(perSecond * 0.7 * 86400 * days
                         + perSecond * STEP * (quiet ? 0 : last % 100000));

        const count = hour + next + before;

        if (hour > 0) {
            history.events[name] = series;
        }

        events[name] = {
            accepted: count, spooled: 0, duplicate: 0, test: 0,
            last_at: lastAt && new Date(Math.min(lastAt, now)).toISOString()
        };

        all += count;
    }

    const first = Object.values(events)[0];

    first.spooled = spooled;
    first.duplicate = duplicates;
    first.test = tests;

    const spread = (n, name) => {
        const series = new Array(STEPS).fill(0);

        for (let i = 0; i < n; i++) {
            const at = STEPS - 1 - ago - Math.floor(noise(i, name) ** 2 * 60);

            series[at]++;
        }

        return series;
    };

    const codes = (counts) => Object.values(counts).reduce((a, b) => a + b, 0);

    if (codes(refused)) {
        history.refusals = spread(codes(refused), "refused");
    }

    if (codes(failed)) {
        history.failures = spread(codes(failed), "failed");
    }

    const result = {
        server, location, events,
        refusals: { ...zeros(REFUSALS), ...refused },
        failures: { ...zeros(FAILURES), ...failed },
        probes: all ? 31 : 0, received_bytes: all * 274, waiting,
        answer_seconds: histogram(all, median, 0.6)
    };

    if (pass) {
        result.pass = { failed: 0, timeout: 0, busy: 0, delivered: all, ...pass,
                        seconds: histogram(all, 0.0041, 0.7) };
    }

    return { result, history };
}


function file(options) {
    const lines = options.lines ?? 8134022;
    const result = {
        file: "/var/log/enkod/events.jsonl", use: "log", sync: false, lines,
        bytes: lines * 412, writes: Math.round(lines * 0.83), write_errors: 0,
        syncs: 0, sync_errors: 0, size_bytes: Math.round(lines * 412 * 0.11),
        free_bytes: 412e9, error: null, error_at: null, ...options
    };

    if (result.sync) {
        result.syncs = Math.round(lines * 0.41);
        result.sync_seconds = histogram(result.syncs, 0.0011, 0.5);
    }

    return result;
}


function status(now, receivers, files, startedAt) {
    return {
        schema: 1, version: "0.2.0", nginx: "1.28.0", yajl: "2.1.0",
        now: new Date(now).toISOString(),
        started_at: startedAt ?? "2026-11-18T04:12:55.000Z", workers: 4,
        receivers: receivers.map((one) => one.result), files, zones: [],
        history: {
            step_seconds: STEP, steps: STEPS,
            end_at: new Date(Math.floor(now / 1000 / STEP) * STEP * 1000)
                .toISOString(),
            receivers: receivers.map((one) => one.history)
        }
    };
}


const SPOOL = { file: "/var/log/enkod/spool.jsonl", use: "spool", lines: 0,
                size_bytes: 0 };
const REJECT = { file: "/var/log/enkod/refused.jsonl", use: "reject",
                 lines: 40, size_bytes: 31400 };


const FIXTURES = {

    full: (now) => status(now,
        [receiver(now, { pass: {}, ago: 70,
                         refused: { wrong_type: 3, forbidden: 14 } })],
        [file({ sync: true }), file(REJECT), file({ ...SPOOL, sync: true })]),

    empty: (now) => status(now,
        [receiver(now, { rates: zeros(Object.keys(EIGHT)), days: 0, tests: 0 })],
        [file({ lines: 0, size_bytes: 0 })],
        new Date(now - 93e3).toISOString()),

    refusals: (now) => status(now,
        [receiver(now, { refused: {
            wrong_type: 12, unknown_event: 4, forbidden: 3, invalid_json: 1 } })],
        [file({}), file(REJECT)]),

    "disk-full": (now) => status(now,
        [receiver(now, { failed: { log_unavailable: 214 }, silentFor: 80,
                         waiting: 3 })],
        [file({ write_errors: 214, free_bytes: 0, sync: true,
                error: "No space left on device",
                error_at: new Date(now - 3e3).toISOString() }), file(REJECT)]),

    "disk-low": (now) => status(now, [receiver(now, {})],
        [file({ free_bytes: 11e6 })]),

    upstream: (now) => status(now,
        [receiver(now, { pass: { failed: 213, timeout: 41, busy: 12 },
                         spooled: Math.floor(now / 700) % 1e6 })],
        [file({}), file({ ...SPOOL, lines: 266, size_bytes: 109592 })]),

    silent: (now) => status(now, [receiver(now, { silentFor: 840 })], [file({})]),

    receivers: (now) => status(now, [
        receiver(now, { server: "hooks.example.com", location: "/enkod",
                        rates: { "message sent": 9, "message open": 6.5,
                                 "message clicked": 1.9 } }),
        receiver(now, { server: "hooks.example.com", location: "/enkod/lists",
                        rates: { "mailing group subscribe": 0.2,
                                 "mailing group unsubscribe": 0.12,
                                 "contact adding": 0.35 } }),
        receiver(now, { server: "hooks.example.com", location: "/enkod/trouble",
                        rates: { "delivery bounce": 0.45, "complaint": 0.03 },
                        refused: { missing_field: 7 } }),
        receiver(now, { server: "collector.example.com", location: "/lines",
                        scale: 0.4, pass: {} })
    ], [file({}), file({ ...SPOOL, sync: true })]),

    "twelve-events": (now) => status(now,
        [receiver(now, { rates: { ...EIGHT, "whatsapp sent": 2.2,
                                  "whatsapp read": 1.4, "push sent": 0.8,
                                  "push click": 0.3 } })],
        [file({})])
};


module.exports = { FIXTURES };
