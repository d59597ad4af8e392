/* Fills the panels below the verdict. */

/* "3 s ago", by the clock of the server */

function since(at) {
    return ago((Date.parse(json.now) - at) / 1000);
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
        head.append(make("i", "key"), make("span", "name"));

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
        head.title = text(gloss) === gloss ? "" : text(gloss);
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
        const history = addUpHistory(json, new Set([keyOf(receiver)]));
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
