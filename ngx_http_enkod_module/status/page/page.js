/* Asks for the JSON every other second, and fills the page with it. */

/* milliseconds */
const EVERY = 2000;
const AGAIN = 500;
const PATIENCE = 5000;

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


/* Asking */

async function poll() {
    const mine = request = new AbortController();
    const patience = setTimeout(() => mine.abort(), PATIENCE);
    const begin = performance.now();

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

        /* an answer of thousands of series takes a while */
        const taken = performance.now() - begin;

        schedule(missed === 1 ? AGAIN : Math.max(EVERY, 5 * taken));
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
        const history = addUpHistory(json, new Set(json.receivers.map(keyOf)));

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


function showChosen() {
    const keys = new Set(chosenReceivers().map(keyOf));
    const sum = pastChosen.seen.at(-1).sum;
    const recent = pastChosen.recent();
    const history = addUpHistory(json, keys);

    showFigures(sum, recent, history);
    showEvents(sum, history);
    showRefusals(sum, recent);
    showAnswers(sum, recent);
    showPass(sum, recent);
    chart.show(history, Object.keys(sum.events));
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
