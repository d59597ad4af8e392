/* What the JSON says, added up over receivers and compared with the past. */

const HOUR = 3600;
const RECENT = 300;


function keyOf(receiver) {
    return receiver.server + " " + receiver.location;
}


function nameOf(receiver) {
    return receiver.server === "_" ? receiver.location
                                   : receiver.server + receiver.location;
}


/* A histogram: how many values are in each bucket, not cumulative. */

function emptyHistogram() {
    return { bounds: [], counts: [], total: 0 };
}


function addHistogram(sum, histogram) {
    let before = 0;

    histogram.buckets.forEach((bucket, i) => {
        sum.bounds[i] = bucket.le ?? Infinity;
        sum.counts[i] = (sum.counts[i] ?? 0) + bucket.count - before;
        before = bucket.count;
    });

    sum.total += histogram.count;
}


/*
 * The value that the share q of all values does not exceed, or null.  Within a
 * bucket values are taken to be evenly spread, as Prometheus does.
 */

function quantile(histogram, q) {
    const rank = q * histogram.total;
    let seen = 0;

    for (let i = 0; i < histogram.counts.length; i++) {
        const n = histogram.counts[i];

        if (n > 0 && seen + n >= rank) {
            const from = i ? histogram.bounds[i - 1] : 0;
            const to = histogram.bounds[i];

            return to === Infinity ? from
                                   : from + (to - from) * (rank - seen) / n;
        }

        seen += n;
    }

    return null;
}


function addNumbers(sum, numbers) {
    for (const name in numbers) {
        sum[name] = (sum[name] ?? 0) + numbers[name];
    }
}


function total(numbers) {
    return Object.values(numbers).reduce((a, b) => a + b, 0);
}


/* Everything that these receivers have counted since the start. */

function addUp(receivers) {
    const sum = {
        events: {}, kept: 0, spooled: 0, probes: 0, waiting: 0, lastAt: null,
        lastEvent: null, refusals: {}, failures: {}, answer: emptyHistogram(),
        passes: false, pass: {}, passTime: emptyHistogram()
    };

    for (const receiver of receivers) {
        for (const name in receiver.events) {
            const { last_at, ...results } = receiver.events[name];
            const event = sum.events[name] ??= { results: {}, lastAt: null };
            const at = last_at ? Date.parse(last_at) : null;

            addNumbers(event.results, results);

            event.lastAt = Math.max(event.lastAt, at) || null;

            if (at > sum.lastAt) {
                sum.lastAt = at;
                sum.lastEvent = name;
            }

            sum.kept += results.accepted + results.spooled + results.test;
            sum.spooled += results.spooled;
        }

        addNumbers(sum.refusals, receiver.refusals);
        addNumbers(sum.failures, receiver.failures);
        addHistogram(sum.answer, receiver.answer_seconds);

        sum.probes += receiver.probes;
        sum.waiting += receiver.waiting;

        if (receiver.pass) {
            const { seconds, ...outcomes } = receiver.pass;

            sum.passes = true;
            addNumbers(sum.pass, outcomes);
            addHistogram(sum.passTime, seconds);
        }
    }

    return sum;
}


/* The last hour of these receivers, the oldest step first. */

function addUpHistory(json, keys) {
    const { history } = json;
    const { steps, step_seconds: step } = history;
    const end = Date.parse(history.end_at);
    const zeros = () => new Array(steps).fill(0);
    const sum = { steps, step, end, events: {}, all: zeros(),
                  refusals: zeros(), failures: zeros() };

    /* seconds in which something was counted: fewer after a start */
    sum.covered = Math.max(step, Math.min(steps * step,
        (end - Date.parse(json.started_at)) / 1000));

    const add = (to, from = []) => from.forEach((n, i) =>
        to[steps - from.length + i] += n);

    for (const receiver of history.receivers) {
        if (!keys.has(keyOf(receiver))) {
            continue;
        }

        for (const name in receiver.events) {
            add(sum.events[name] ??= zeros(), receiver.events[name]);
            add(sum.all, receiver.events[name]);
        }

        add(sum.refusals, receiver.refusals);
        add(sum.failures, receiver.failures);
    }

    return sum;
}


/* The sum of the last steps of a series, that many seconds. */

function lastSum(history, series, seconds) {
    return (series ?? []).slice(-Math.ceil(seconds / history.step))
        .reduce((a, b) => a + b, 0);
}


/*
 * The last minutes as this page has seen them, for what has no history in the
 * JSON: codes, outcomes, times.
 */

class Past {

    constructor() {
        this.seen = [];
    }

    push(now, sum) {
        const last = this.seen.at(-1);

        /* counters that fall have been started anew */
        if (last && (now < last.now || sum.kept < last.sum.kept)) {
            this.seen = [];
        }

        this.seen.push({ now, sum });

        while (this.seen[1]?.now <= now - RECENT * 1000) {
            this.seen.shift();
        }
    }

    /* The difference to what was seen that many seconds ago, or at first. */

    recent(seconds = RECENT) {
        const last = this.seen.at(-1);
        const first = this.seen.findLast(
            (one) => one.now <= last.now - seconds * 1000) ?? this.seen[0];

        const minus = (a, b) => {
            const result = {};

            for (const name in a) {
                result[name] = a[name] - (b[name] ?? 0);
            }

            return result;
        };

        const histogram = (a, b) => ({
            bounds: a.bounds,
            counts: a.counts.map((n, i) => n - (b.counts[i] ?? 0)),
            total: a.total - b.total
        });

        const a = last.sum;
        const b = first.sum;

        return {
            seconds: (last.now - first.now) / 1000,
            kept: a.kept - b.kept,
            spooled: a.spooled - b.spooled,
            refusals: minus(a.refusals, b.refusals),
            failures: minus(a.failures, b.failures),
            pass: minus(a.pass, b.pass),
            answer: histogram(a.answer, b.answer),
            passTime: histogram(a.passTime, b.passTime)
        };
    }
}


/* Bytes a second that the events of the last hour have added to a file. */

function growth(file, history) {
    return file.lines === 0 || file.use !== "log" ? 0
        : lastSum(history, history.all, HOUR) * file.bytes / file.lines
          / history.covered;
}
