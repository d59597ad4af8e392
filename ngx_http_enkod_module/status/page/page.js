/* Asks for the JSON every other second, and fills the page with it. */

const EVERY = 2000;
const AGAIN = 500;
const PATIENCE = 5000;

const byId = (id) => document.getElementById(id);

let json = null;            /* the last answer */
let arrived = 0;            /* when it came, by the clock of this page */
let failure = null;         /* why there is none now: a text and its values */
let missed = 0;             /* how many answers in a row */
let paused = false;         /* by the button */
let chosen = "";            /* the key of a receiver, or all */
let timer = null;
let request = null;

let pastAll = new Past();
let pastChosen = new Past();
let chart = null;


function setText(element, content) {
    if (element.textContent !== content) {
        element.textContent = content;
    }
}


function make(name, className, content) {
    const element = document.createElement(name);

    if (className) {
        element.className = className;
    }

    if (content !== undefined) {
        element.textContent = content;
    }

    return element;
}


/* Works without a storage: a browser may refuse it. */

function remember(name, value) {
    try {
        localStorage.setItem("enkod." + name, value);
    } catch {}
}


function remembered(name) {
    try {
        return localStorage.getItem("enkod." + name);
    } catch {
        return null;
    }
}


function eventName(name) {
    return name === "other" ? text("events.other") : name;
}


/*
 * Makes the children of a list those of the keys, in that order, and leaves
 * those alone that are there already.
 */

function keyed(list, keys, build) {
    const old = new Map([...list.children].map((child) =>
        [child.dataset.key, child]));

    keys.forEach((key, i) => {
        let child = old.get(key);

        if (!child) {
            child = build(key);
            child.dataset.key = key;
        }

        if (list.children[i] !== child) {
            list.insertBefore(child, list.children[i] ?? null);
        }

        old.delete(key);
    });

    for (const child of old.values()) {
        child.remove();
    }

    return [...list.children];
}


/* Asking */

async function poll() {
    const mine = request = new AbortController();
    const patience = setTimeout(() => mine.abort(), PATIENCE);

    try {
        const response = await fetch(location.href, {
            headers: { Accept: "application/json" },
            cache: "no-store", signal: mine.signal
        });

        if (!response.ok) {
            throw { name: "gone.status", status: response.status };
        }

        let answer;

        try {
            answer = await response.json();
        } catch (e) {
            throw e instanceof SyntaxError ? { name: "gone.format" } : e;
        }

        take(answer);
        failure = null;
        missed = 0;

    } catch (e) {
        if (request !== mine) {
            return;
        }

        /* a connection may break when a worker exits */
        if (missed++ > 0) {
            failure = e.name?.startsWith("gone.") ? e
                                                  : { name: "gone.network" };
        }

    } finally {
        clearTimeout(patience);
    }

    if (request === mine) {
        request = null;
        show();
        schedule(missed === 1 ? AGAIN : EVERY);
    }
}


function schedule(delay) {
    clearTimeout(timer);
    timer = null;

    if (!paused && !document.hidden) {
        timer = setTimeout(poll, delay);
    }
}


/* Stops or goes on, as the button and the tab have it. */

function resume() {
    request?.abort();
    request = null;

    if (!paused && !document.hidden) {
        poll();

    } else {
        schedule();
    }

    showLive();
}


function take(answer) {
    if (json && json.started_at !== answer.started_at) {
        pastAll = new Past();
        pastChosen = new Past();
    }

    json = answer;
    arrived = Date.now();

    if (!json.receivers.some((receiver) => keyOf(receiver) === chosen)) {
        choose("");
    }

    const now = Date.parse(json.now);

    pastAll.push(now, addUp(json.receivers));
    pastChosen.push(now, addUp(chosenReceivers()));
}


function chosenReceivers() {
    return json.receivers.filter((receiver) =>
        chosen === "" || keyOf(receiver) === chosen);
}


function choose(key) {
    if (key !== chosen) {
        chosen = key;
        pastChosen = new Past();
        remember("receiver", key);

        if (json) {
            pastChosen.push(Date.parse(json.now), addUp(chosenReceivers()));
        }
    }
}


/* Showing */

function show() {
    showLive();

    if (json) {
        const all = pastAll.seen.at(-1).sum;
        const history = addUpHistory(json.history,
                                     new Set(json.receivers.map(keyOf)));

        byId("panels").hidden = false;

        showVerdict(judge(json, all, pastAll, history), all,
                    history);
        showChosen();
        showReceivers();
        showFiles(history);
        showFoot();

    } else {
        showVerdict([]);
    }
}


function showLive() {
    const gone = json ? (Date.now() - arrived) / 1000 : 0;
    const state = document.hidden ? "hidden" : paused ? "paused"
        : failure ? "gone" : json ? "on" : "wait";

    byId("live").dataset.state = state;
    setText(byId("live-text"), text("live." + state,
                                    { time: duration(Math.round(gone)) }));
    setText(byId("pause"), text(paused ? "resume" : "pause"));

    document.documentElement.dataset.live = state;
    showTitle();
}


function showTitle() {
    const tone = document.documentElement.dataset.tone;
    const sign = document.hidden || paused ? "⏸ "
        : { ok: "✓ ", quiet: "", attention: "▲ ", trouble: "✖ ",
            gone: "? " }[tone] ?? "";

    document.title = sign + byId("verdict").textContent + " – enKod";
}


function showVerdict(found, sum, history) {
    let head = found[0];
    let lines;

    if (failure) {
        lines = [text(failure.name, failure)];

        if (json) {
            lines.push(text("gone.line", { time: clock(arrived, true) }));
        }

        head = { tone: "gone", key: "gone", title: text("gone.title") };

    } else if (!json) {
        head = { tone: "wait", key: "wait", title: text("wait.title") };
        lines = [];

    } else {
        lines = facts(found, sum, history);
    }

    const root = document.documentElement;

    if (root.dataset.verdict !== head.key) {
        root.dataset.verdict = head.key;
        setText(byId("announce"), head.title);
    }

    root.dataset.tone = head.tone;
    setText(byId("verdict"), head.title);

    document.querySelectorAll(".verdict .line").forEach((line, i) => {
        setText(line, lines[i] ?? "");
    });

    showIcon(head.tone);
    showTitle();
}


/* Three lines: more about the first finding, the others, and what came last. */

function facts(found, sum, history) {
    const [head, ...others] = found;
    const lines = head.line ? [head.line] : [];
    const more = others.filter((one) => one.key !== "ok");

    for (const one of more) {
        lines.push(one.title + (one.line ? ". " + one.line : "."));
    }

    if (lines.length > 3) {
        lines[2] += " · " + text("more", { n: lines.length - 3 });
        lines.length = 3;
    }

    if (sum.lastAt !== null) {
        lines.push(text("last.line", { event: eventName(sum.lastEvent),
                                       ago: since(sum.lastAt) }));
        lines.push(text("since.line", { n: sum.kept,
                                        since: date(Date.parse(json.started_at)) }));

    } else if (sum.probes > 0) {
        lines.push(text("probes.line", { n: sum.probes }));
    }

    if (json.files.some((file) => file.free_bytes !== null)
        && json.files.every((file) => file.error === null))
    {
        const least = Math.min(...json.files.map((file) =>
            file.free_bytes ?? Infinity));
        const lasts = Math.min(...json.files.map((file) =>
            (file.free_bytes ?? Infinity) / growth(file, history)));

        lines.push(lasts < Infinity
            ? text("writable.lasts", { time: duration(lasts) })
            : text("writable.line", { size: bytes(least) }));
    }

    return lines;
}


/* A coloured dot, for the list of tabs. */

function showIcon(tone) {
    const color = getComputedStyle(document.documentElement)
        .getPropertyValue("--tone").trim();

    const shape = { trouble: "<rect width='16' height='16' fill='C'/>",
                    attention: "<path d='M8 0l8 16H0z' fill='C'/>" }[tone]
                  ?? "<circle cx='8' cy='8' r='7' fill='C'/>";

    const href = "data:image/svg+xml," + encodeURIComponent(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'>"
        + shape.replace("C", color) + "</svg>");

    setAttributes(byId("icon"), { href });
}


/* "3 s ago", by the clock of the server */

function since(at) {
    return ago((Date.parse(json.now) - at) / 1000);
}


function showChosen() {
    const keys = new Set(chosenReceivers().map(keyOf));
    const sum = pastChosen.seen.at(-1).sum;
    const recent = pastChosen.recent();
    const history = addUpHistory(json.history, keys);

    showFigures(sum, recent, history);
    showEvents(sum, history);
    showRefusals(sum, recent);
    showAnswers(sum, recent);
    showPass(sum, recent);
    chart.show(history, Object.keys(sum.events));
}


function showFigures(sum, recent, history) {
    /* until there is a difference to something earlier, the last step */
    const lately = pastChosen.recent(10);

    setText(byId("rate"), rate(lately.seconds >= 4
        ? lately.kept / lately.seconds : history.all.at(-1) / history.step));

    const refused = lastSum(history, history.refusals, HOUR);
    const failed = lastSum(history, history.failures, HOUR);

    setText(byId("hour"), count(lastSum(history, history.all, HOUR)));
    setText(byId("refused"), count(refused) + " · " + count(failed));
    byId("refused").className = failed ? "trouble" : refused ? "attention" : "";

    setText(byId("p99"), seconds(quantile(
        recent.answer.total >= 20 ? recent.answer : sum.answer, 0.99)));
}


function showEvents(sum, history) {
    const names = inOrder(Object.keys(sum.events));
    const color = colors(names);

    const rows = keyed(byId("events"), names, (name) => {
        const row = make("tr");
        const head = make("th");
        const spark = make("td", "spark");

        head.scope = "row";
        head.append(make("i", "key"), make("span", "name"),
                    make("small", "gloss"));

        svgElement("path", {}, svgElement("svg",
            { viewBox: "0 0 120 22", preserveAspectRatio: "none",
              "aria-hidden": "true" }, spark));

        row.append(head, make("td", "last"), spark, make("td", "n hour"),
                   make("td", "n"), make("td", "n"), make("td", "n"),
                   make("td", "n"));

        row.addEventListener("pointerenter", () => chart.highlight(name));
        row.addEventListener("pointerleave", () => chart.highlight(null));

        return row;
    });

    names.forEach((name, i) => {
        const { results, lastAt } = sum.events[name];
        const [head, last, spark, hour, ...counts] = rows[i].children;
        const series = history.events[name] ?? [];
        const gloss = "event." + name;

        head.firstChild.className = "key c" + color[name];
        setText(head.children[1], eventName(name));
        setText(head.children[2], text(gloss) === gloss ? "" : text(gloss));
        setText(last, lastAt === null ? text("events.never") : since(lastAt));
        setText(hour, count(lastSum(history, series, HOUR)));

        ["accepted", "spooled", "duplicate", "test"].forEach((result, k) => {
            setText(counts[k], count(results[result]));
            counts[k].classList.toggle("zero", results[result] === 0);
        });

        hour.classList.toggle("zero", series.length === 0);
        rows[i].classList.toggle("never", lastAt === null);

        setAttributes(spark.firstChild.firstChild,
                      { d: sparkline(series), class: "c" + color[name] });
    });
}


/* A column for each minute, of 120 by 22 */

function sparkline(series) {
    const sums = new Array(60).fill(0);

    series.forEach((n, i) => sums[Math.floor(i * 60 / series.length)] += n);

    const highest = Math.max(...sums);

    return sums.map((n, i) => n === 0 ? "" : column(i * 2, 1.5,
        22 - Math.max(1.5, n / highest * 22), Math.max(1.5, n / highest * 22)))
        .join("");
}


function showRefusals(sum, recent) {
    const list = [];

    for (const kind of ["failures", "refusals"]) {
        for (const code in sum[kind]) {
            if (sum[kind][code] > 0) {
                list.push({ code, kind, n: sum[kind][code],
                            recent: recent[kind][code] ?? 0 });
            }
        }
    }

    list.sort((a, b) => (b.recent > 0) - (a.recent > 0)
                        || a.kind.localeCompare(b.kind) || b.n - a.n);

    byId("refusals-none").hidden = list.length > 0;

    const items = keyed(byId("refusals"), list.map(({ code }) => code), () => {
        const item = make("li");
        const head = make("p", "head");

        head.append(make("span", "n"), make("code"), make("small"));
        item.append(head, make("p", "advice"));

        return item;
    });

    list.forEach((one, i) => {
        const [n, code, lately] = items[i].firstChild.children;
        const advice = "code." + one.code;

        items[i].className = "reason " + one.kind.slice(0, -1);
        setText(n, count(one.n));
        setText(code, one.code);
        setText(lately, one.recent > 0 ? text("refusals.recent",
            { n: one.recent, time: duration(recent.seconds) }) : "");
        setText(items[i].lastChild,
                text(text(advice) === advice ? "code.other" : advice));
    });
}


function showAnswers(sum, recent) {
    for (const [id, histogram] of [["recent", recent.answer],
                                   ["all", sum.answer]])
    {
        for (const q of [50, 95, 99]) {
            setText(byId(id + "-p" + q), seconds(quantile(histogram, q / 100)));
        }
    }

    setText(byId("recent-name"), text("answers.recent",
        { time: duration(Math.max(recent.seconds, EVERY / 1000)) }));

    setText(byId("waiting"), count(sum.waiting));

    const { counts, bounds } = sum.answer;
    const highest = Math.max(...counts, 1);
    const width = 340 / counts.length;

    chart.reuse(byId("histogram"), counts.map((n, i) => {
        const height = n === 0 ? 1 : Math.max(2, n / highest * 92);

        return ["rect", { x: i * width + 1, y: 96 - height, width: width - 2,
                          height, class: n ? "" : "zero" }];
    }));

    const { total } = sum.answer;

    setAttributes(byId("histogram"), { "aria-label": text("answers.title")
        + ": " + count(total) });

    [0, 5, 10, 15].forEach((i, k) => {
        setText(byId("scale-" + k), bounds[i] ? seconds(bounds[i]) : "");
    });
}


function showPass(sum, recent) {
    byId("panels").classList.toggle("alone", !sum.passes);
    byId("pass").hidden = !sum.passes;

    const all = total(sum.pass) || 1;

    for (const outcome of ["delivered", "failed", "timeout", "busy"]) {
        const n = sum.pass[outcome] ?? 0;
        const part = document.querySelector("#pass-bar ." + outcome);

        setText(byId("pass-" + outcome), count(n));
        part.hidden = n === 0;
        part.style.flexGrow = Math.max(n / all, 0.01);
    }

    const times = recent.passTime.total >= 20 ? recent.passTime : sum.passTime;
    const spools = json.files.filter((file) => file.use === "spool");

    setText(byId("pass-p50"), seconds(quantile(times, 0.5)));
    setText(byId("pass-p99"), seconds(quantile(times, 0.99)));
    setText(byId("spooled"), count(sum.spooled));
    setText(byId("spool"), spools.length === 0 ? "–"
        : bytes(spools.reduce((n, file) => n + (file.size_bytes ?? 0), 0)));
}


function showReceivers() {
    const several = json.receivers.length > 1;
    const select = byId("receiver");

    byId("receivers-card").hidden = !several;
    byId("choice").hidden = !several;

    if (!several) {
        return;
    }

    const options = keyed(select, ["", ...json.receivers.map(keyOf)],
        (key) => {
            const option = make("option");

            option.value = key;

            return option;
        });

    setText(options[0], text("receiver.all"));
    json.receivers.forEach((receiver, i) =>
        setText(options[i + 1], nameOf(receiver)));

    if (select.value !== chosen) {
        select.value = chosen;
    }

    const rows = keyed(byId("receivers"), json.receivers.map(keyOf), (key) => {
        const row = make("tr");
        const head = make("th");
        const button = make("button", "link");

        head.scope = "row";
        button.type = "button";
        button.addEventListener("click", () => {
            choose(chosen === key ? "" : key);
            show();
        });

        head.append(button);
        row.append(head, make("td", "last"), make("td", "n"), make("td", "n"),
                   make("td", "n"), make("td", "n"));

        return row;
    });

    json.receivers.forEach((receiver, i) => {
        const sum = addUp([receiver]);
        const history = addUpHistory(json.history, new Set([keyOf(receiver)]));
        const [head, last, ...counts] = rows[i].children;

        setText(head.firstChild, nameOf(receiver));
        head.firstChild.setAttribute("aria-pressed",
                                     chosen === keyOf(receiver));
        setText(last, sum.lastAt === null ? text("events.never")
                                          : since(sum.lastAt));

        [lastSum(history, history.all, HOUR), total(sum.refusals),
         total(sum.failures), sum.waiting].forEach((n, k) => {
            setText(counts[k], count(n));
            counts[k].classList.toggle("zero", n === 0);
        });
    });
}


function showFiles(history) {
    byId("files-none").hidden = json.files.length > 0;

    const labels = ["size", "free", "lasts", "lines", "errors", "syncs"];

    const items = keyed(byId("files"),
        json.files.map((file) => file.use + " " + file.file), () => {
            const item = make("li");
            const head = make("p", "head");
            const pairs = make("dl", "pairs");

            head.append(make("span", "path"), make("span", "tag"),
                        make("span", "state"));

            for (let i = 0; i < labels.length; i++) {
                const pair = make("div");

                pair.append(make("dt"), make("dd"));
                pairs.append(pair);
            }

            item.append(head, pairs);

            return item;
        });

    json.files.forEach((file, i) => {
        const [path, tag, state] = items[i].firstChild.children;
        const grows = growth(file, history);
        const errors = file.write_errors + file.sync_errors;
        const time = emptyHistogram();

        if (file.sync_seconds) {
            addHistogram(time, file.sync_seconds);
        }

        const values = [
            bytes(file.size_bytes), bytes(file.free_bytes),
            grows > 0 && file.free_bytes !== null
                ? duration(file.free_bytes / grows) : "–",
            count(file.lines), count(errors),
            file.sync ? seconds(quantile(time, 0.99)) : "–"
        ];

        items[i].classList.toggle("trouble", file.error !== null);
        setText(path, file.file);
        setText(tag, text("files." + file.use)
                     + (file.sync ? ", " + text("files.sync") : ""));
        setText(state, file.error !== null
            ? text("files.error", { error: file.error,
                                    ago: since(Date.parse(file.error_at)) })
            : text(file.lines > 0 ? "files.good" : "files.unused"));

        labels.forEach((label, k) => {
            const [name, value] = items[i].lastChild.children[k].children;

            setText(name, text("files." + label));
            setText(value, values[k]);
            value.classList.toggle("trouble", label === "errors" && errors > 0);
        });
    });
}


function showFoot() {
    setText(byId("about"), text("foot.about", {
        version: json.version, nginx: json.nginx, yajl: json.yajl,
        workers: text("foot.workers", { n: json.workers }),
        since: date(Date.parse(json.started_at))
    }));
}


function speak(wanted) {
    language = wanted in TEXTS ? wanted : "en";
    plural = new Intl.PluralRules(language);
    formats = {};

    document.documentElement.lang = language;

    for (const element of document.querySelectorAll("[data-text]")) {
        setText(element, text(element.dataset.text));
    }

    for (const button of document.querySelectorAll("[data-language]")) {
        button.setAttribute("aria-pressed",
                            button.dataset.language === language);
    }

    show();
}


function start() {
    chart = new Chart(byId("svg"), byId("plot"), byId("tip"));
    chosen = remembered("receiver") ?? "";

    setText(byId("host"), location.host);
    setText(byId("curl"), "curl -H 'Accept: application/json' "
                          + location.origin + location.pathname);

    byId("receiver").addEventListener("change", (e) => {
        choose(e.target.value);
        show();
    });

    byId("pause").addEventListener("click", () => {
        paused = !paused;
        resume();
    });

    for (const button of document.querySelectorAll("[data-language]")) {
        button.addEventListener("click", () => {
            remember("language", button.dataset.language);
            speak(button.dataset.language);
        });
    }

    document.addEventListener("visibilitychange", resume);
    setInterval(showLive, 1000);

    speak(remembered("language")
          ?? (navigator.language.startsWith("ru") ? "ru" : "en"));
    poll();
}


start();
