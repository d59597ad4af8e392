/*
 * What somebody has to know first.  A finding has a tone, and is worse than
 * another one if its tone stands behind that of the other in TONES.
 */

const TONES = ["ok", "note", "quiet", "attention", "trouble"];

const UPSTREAM = ["upstream_failed", "upstream_timeout", "upstream_busy"];


/* All findings, the worst first. */

function judge(json, sum, past, history) {
    const now = Date.parse(json.now);
    const recent = past.recent();
    const found = [
        ...fileFindings(json, now, history),
        ...failureFindings(json, sum, past, history),
        ...refusalFindings(json, sum, recent, history),
        ...silenceFindings(json, sum, now, history)
    ];

    /* that is said already where events go there, or are not kept */
    const spools = found.some((one) => one.key === "spooled");
    const fails = found.some((one) => one.tone === "trouble");

    return found
        .filter((one) => !(spools && one.tone === "note")
                         && !(fails && one.tone === "quiet"))
        .sort((a, b) => TONES.indexOf(b.tone) - TONES.indexOf(a.tone));
}


function fileFindings(json, now, history) {
    const found = [];

    for (const file of json.files) {
        const name = file.file.replace(/.*\//, "");

        if (file.error !== null) {
            found.push({
                tone: file.use === "reject" ? "attention" : "trouble",
                key: "file " + file.file,
                title: text("file.title", { file: name }),
                line: file.file + ": " + text("files.error", {
                    error: file.error,
                    ago: ago((now - Date.parse(file.error_at)) / 1000)
                })
            });

            continue;
        }

        const grows = growth(file, history);

        if (file.free_bytes !== null && grows > 0
            && file.free_bytes / grows < HOUR)
        {
            found.push({
                tone: "attention",
                key: "space " + file.file,
                title: text("space.title", { size: bytes(file.free_bytes) }),
                line: text("space.line", {
                    file: file.file,
                    time: duration(file.free_bytes / grows)
                })
            });
        }

        if (file.use === "spool" && file.size_bytes > 0) {
            found.push({
                tone: "note",
                key: "spool " + file.file,
                title: text("spool.title", { size: bytes(file.size_bytes) }),
                line: text("spool.line")
            });
        }
    }

    return found;
}


/* Events that were fine and were not delivered, or not kept. */

function failureFindings(json, sum, past, history) {
    const recent = past.recent();
    const n = recentNumber(history, recent, "failures");
    const codes = Object.keys(recent.failures)
        .filter((code) => recent.failures[code] > 0);

    /* the title of a file that cannot be written says as much */
    const file = json.files.some((file) => file.error !== null
                                           && file.use !== "reject");

    const upstream = codes.some((code) => UPSTREAM.includes(code));
    const found = [];

    if (recent.spooled > 0) {
        found.push({
            tone: "attention",
            key: "spooled",
            title: text("spooled.title"),
            line: text("spooled.line", { n: recent.spooled,
                                         time: duration(recent.seconds) })
        });
    }

    if (n > 0 && (upstream || !file)) {
        const line = codeLine(json, "failures", n, sum, recent) + " "
                     + text("failed.line");

        found.push(isOver(sum, past, history)
            ? { tone: "attention", key: "failed", line,
                title: text("over.title") }
            : { tone: "trouble", key: "failures", line,
                title: text(upstream ? "upstream.title" : "failed.title") });
    }

    return found;
}


/* A whole step without a failure, and an event that was kept since. */

function isOver(sum, past, history) {
    const steps = history.steps - 1
                  - history.failures.findLastIndex((n) => n > 0);
    const failedAt = history.end - steps * history.step * 1000;

    return steps > 0 && sum.lastAt > failedAt
           && total(past.recent(2 * history.step).failures) === 0;
}


/* How many in the last minutes: a step that is not complete is not in history. */

function recentNumber(history, recent, kind) {
    return Math.max(lastSum(history, history[kind], RECENT),
                    total(recent[kind]));
}


function refusalFindings(json, sum, recent, history) {
    const n = recentNumber(history, recent, "refusals");

    return n === 0 ? [] : [{
        tone: "attention",
        key: "refusals",
        title: text("refused.title"),
        line: codeLine(json, "refusals", n, sum, recent)
    }];
}


/*
 * Which codes, as far as the page has seen them come, or since the start; and
 * where, if it is one receiver of several.
 */

function codeLine(json, kind, n, sum, recent) {
    const known = total(recent[kind]) >= n ? recent[kind] : sum[kind];
    const list = Object.entries(known)
        .filter(([, n]) => n > 0)
        .sort(([, a], [, b]) => b - a)
        .map(([code, n]) => number(n) + " " + code)
        .join(", ");

    const where = json.receivers.length === 1 ? []
        : json.history.receivers.filter((receiver) =>
            (receiver[kind] ?? []).slice(-RECENT / json.history.step_seconds)
            .some((n) => n > 0));

    const line = text(total(known) > n ? "codes.start" : "codes.recent",
                      { n, time: duration(RECENT), list });

    return line + (where.length === 1
        ? ", " + text("at.line", { receiver: nameOf(where[0]) }) : "") + ".";
}


function silenceFindings(json, sum, now, history) {
    if (sum.lastAt === null) {
        return [{ tone: "quiet", key: "never", title: text("never.title"),
                  line: text("never.line") }];
    }

    const age = (now - sum.lastAt) / 1000;

    if (age < 60) {
        return [{ tone: "ok", key: "ok", title: text("ok.title"), line: null }];
    }

    const title = text("quiet.title", { time: duration(age) });
    const pause = longestPause(history);

    if (pause === null) {
        return [{ tone: "attention", key: "silent", title,
                  line: text("silent.hour") }];
    }

    if (age > Math.max(RECENT, 3 * pause)) {
        return [{ tone: "attention", key: "silent", title,
                  line: text("silent.line", {
                      time: duration(Math.max(pause, history.step)) }) }];
    }

    return [{ tone: "quiet", key: "quiet", title, line: text("quiet.line") }];
}


/* In seconds, before the last event of the hour; null if there was none. */

function longestPause(history) {
    const last = history.all.findLastIndex((n) => n > 0);
    let longest = 0;
    let length = 0;

    for (let i = 0; i <= last; i++) {
        length = history.all[i] > 0 ? 0 : length + 1;
        longest = Math.max(longest, length);
    }

    return last < 0 ? null : longest * history.step;
}
