/*
 * The chart: a column for each few steps of the hour, stacked by event, and
 * below it, on a scale of its own, what was refused and what failed.
 */

const SVG = "http://www.w3.org/2000/svg";

/* The order of the stack, and of the colours in page.css. */
const ORDER = ["message sent", "message open", "message clicked",
               "mailing group subscribe", "contact adding",
               "mailing group unsubscribe", "delivery bounce", "complaint"];

/* space for the scales, and the height of the lower part, in pixels */
const LEFT = 44;
const RIGHT = 4;
const TOP = 10;
const BOTTOM = 22;
const LOWER = 46;
const GAP = 26;


function svgElement(name, attributes = {}, parent) {
    const element = document.createElementNS(SVG, name);

    setAttributes(element, attributes);
    parent?.append(element);

    return element;
}


function setAttributes(element, attributes) {
    for (const name in attributes) {
        const value = String(attributes[name]);

        if (element.getAttribute(name) !== value) {
            element.setAttribute(name, value);
        }
    }
}


/* Events in the order of the stack: those that are built in, others, "other". */

function inOrder(names) {
    const place = (name) => name === "other" ? 1000
        : ORDER.includes(name) ? ORDER.indexOf(name) : 100;

    return [...names].sort((a, b) => place(a) - place(b));
}


/* The number of the colour of each event: 8 … 11 are for declared events. */

function colors(names) {
    const result = {};
    let next = 0;

    for (const name of inOrder(names)) {
        result[name] = name === "other" ? 12
            : ORDER.includes(name) ? ORDER.indexOf(name) : 8 + next++ % 4;
    }

    return result;
}


/* The end of a scale from 0, and the distance of its lines: 1, 2 or 5 × 10^n. */

function scaleOf(highest, lines) {
    const rough = (highest || 1) / lines;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 5, 10].find((n) => n * power >= rough);

    return { step, end: step * Math.ceil((highest || 1) / step) };
}


function column(x, width, y, height) {
    return `M${x} ${y.toFixed(1)}h${width}v${height.toFixed(1)}h${-width}z`;
}


class Chart {

    constructor(svg, plot, tip) {
        this.svg = svg;
        this.plot = plot;
        this.tip = tip;
        this.at = null;
        this.paths = new Map();

        this.grid = svgElement("g", { class: "grid" }, svg);
        this.bars = svgElement("g", { class: "bars" }, svg);
        this.cursor = svgElement("line", { class: "cursor" }, svg);
        this.empty = svgElement("text", { class: "empty" }, svg);

        new ResizeObserver(() => this.draw()).observe(plot);

        plot.addEventListener("pointermove", (e) => this.point(e));
        plot.addEventListener("pointerdown", (e) => this.point(e));
        plot.addEventListener("pointerleave", () => this.leave());
        plot.addEventListener("blur", () => this.leave());
        plot.addEventListener("focus", () => this.describe());
        plot.addEventListener("keydown", (e) => this.key(e));
    }

    show(history, names) {
        this.history = history;
        this.names = inOrder(names);
        this.draw();
    }

    /*
     * Steps become columns of at least six pixels.  A column holds the same
     * steps as long as it is in sight, so steps are numbered from the epoch;
     * the first one begins at this.phase, in milliseconds.
     */

    group() {
        const { history } = this;
        const room = this.plot.clientWidth - LEFT - RIGHT;
        const size = [1, 2, 3, 6, 12].find((n) =>
            room * n / history.steps >= 6) ?? 30;

        const length = history.step * 1000;
        const off = (history.end - this.phase) / length;

        if (!(Math.abs(off - Math.round(off)) < 0.1)) {
            this.phase = history.end % length;
        }

        const last = Math.round((history.end - this.phase) / length);
        const first = last - history.steps;
        const startOf = (number) => number * history.step + this.phase / 1000;
        const groups = [];

        for (let i = 0; i < history.steps; i++) {
            const number = Math.floor((first + i) / size);

            if (groups.at(-1)?.number !== number) {
                groups.push({ number, from: i, steps: 0,
                              start: startOf(first + i) });
            }

            groups.at(-1).steps++;
        }

        /* a column at the left edge that has almost gone says little */
        if (groups[0].steps < size && groups.length > 1) {
            groups.shift();
        }

        for (const group of groups) {
            const perSecond = (series) => series
                ? series.slice(group.from, group.from + group.steps)
                  .reduce((a, b) => a + b, 0) / group.steps / history.step : 0;

            group.end = group.start + group.steps * history.step;
            group.values = this.names.map((name) =>
                perSecond(history.events[name]));
            group.total = group.values.reduce((a, b) => a + b, 0);

            /* they are few: per minute */
            group.refused = 60 * perSecond(history.refusals);
            group.failed = 60 * perSecond(history.failures);
        }

        this.size = size;
        this.room = room;
        this.first = startOf(first);
        this.groups = groups;
    }

    x(time) {
        const { history } = this;

        return LEFT + (time - this.first) / history.steps / history.step
               * this.room;
    }

    draw() {
        if (!this.history || this.plot.clientWidth === 0) {
            return;
        }

        this.group();

        const height = this.plot.clientHeight;
        const floor = height - BOTTOM;
        const upper = { top: TOP, height: floor - LOWER - GAP - TOP };
        const lower = { top: floor - LOWER, height: LOWER };
        const highest = (value) => Math.max(...this.groups.map(value));

        Object.assign(upper, scaleOf(highest((group) => group.total),
                                     upper.height > 200 ? 5 : 3));
        Object.assign(lower, scaleOf(highest((group) =>
            group.refused + group.failed), 1));

        setAttributes(this.svg, { width: this.plot.clientWidth, height });

        this.drawScales(upper, lower, floor);
        this.drawColumns(upper, lower);
        this.mark();
    }

    drawScales(upper, lower, floor) {
        const right = LEFT + this.room;
        const lines = [];

        for (const part of [upper, lower]) {
            for (let n = 0; n <= part.end * 1.001; n += part.step) {
                const y = part.top + part.height * (1 - n / part.end);

                lines.push(["line", { x1: LEFT, x2: right, y1: Math.round(y) + 0.5,
                                      y2: Math.round(y) + 0.5,
                                      class: n ? "" : "zero" }]);

                if (part === upper || n) {
                    lines.push(["text", { x: LEFT - 8, y: y + 4, class: "y" },
                                format("axis", () =>
                                    new Intl.NumberFormat(language,
                                        { notation: "compact" })).format(n)]);
                }
            }
        }

        lines.push(["text", { x: LEFT, y: lower.top - 8, class: "part" },
                    text("chart.not")]);

        const distance = this.room > 700 ? 600 : this.room > 400 ? 900 : 1200;
        const end = this.first + this.history.steps * this.history.step;

        for (let t = Math.ceil(this.first / distance) * distance; t <= end;
             t += distance)
        {
            const x = this.x(t);

            lines.push(["line", { x1: x, x2: x, y1: floor, y2: floor + 4,
                                  class: "zero" }]);

            if (x < LEFT + 14 || x > right - 14) {
                continue;
            }

            lines.push(["text", { x, y: floor + 18, class: "x" },
                        clock(t * 1000)]);
        }

        this.reuse(this.grid, lines);
    }

    /* Sets the children of a group, in place where they are of the same kind. */

    reuse(parent, wanted) {
        wanted.forEach(([name, attributes, content], i) => {
            let element = parent.children[i];

            if (element?.nodeName !== name) {
                const fresh = svgElement(name);

                element ? element.replaceWith(fresh) : parent.append(fresh);
                element = fresh;
            }

            setAttributes(element, attributes);

            if (content !== undefined && element.textContent !== content) {
                element.textContent = content;
            }
        });

        while (parent.children.length > wanted.length) {
            parent.lastChild.remove();
        }
    }

    drawColumns(upper, lower) {
        const color = colors(this.names);
        const shapes = this.names.map(() => "");
        let refused = "";
        let failed = "";

        for (const group of this.groups) {
            const x = Math.round(this.x(group.start) * 2) / 2;
            const width = Math.max(1,
                Math.round((this.x(group.end) - x) * 2) / 2 - 1);
            let y = upper.top + upper.height;

            group.values.forEach((value, i) => {
                const height = value / upper.end * upper.height;

                y -= height;

                if (value > 0) {
                    shapes[i] += column(x, width, y, Math.max(height, 0.5));
                }
            });

            y = lower.top + lower.height;

            if (group.failed > 0) {
                const height = group.failed / lower.end * lower.height;

                y -= height;
                failed += column(x, width, y, height);
            }

            if (group.refused > 0) {
                const height = group.refused / lower.end * lower.height;

                refused += column(x, width, y - height, height);
            }
        }

        this.reuse(this.bars, [
            ...this.names.map((name, i) => ["path",
                { d: shapes[i], class: "c" + color[name], "data-event": name }]),
            ["path", { d: refused, class: "refused", "data-event": "" }],
            ["path", { d: failed, class: "failed", "data-event": "" }]
        ]);

        const nothing = this.groups.every((group) => group.total === 0);

        setAttributes(this.empty, { x: LEFT + this.room / 2,
                                    y: upper.top + upper.height / 2 });
        this.empty.textContent = nothing ? text("chart.empty") : "";
    }

    /* Only the columns of that event in full colour; null: all of them. */

    highlight(name) {
        this.svg.classList.toggle("dim", name !== null);

        for (const path of this.bars.children) {
            path.classList.toggle("bright", path.dataset.event === name);
        }
    }

    /* The column to read: a time, in seconds. */

    select(index) {
        const i = Math.max(0, Math.min(this.groups.length - 1, index));

        this.at = this.groups[i].start;
        this.mark();
    }

    selected() {
        return this.at === null ? -1
            : this.groups.findIndex((group) => group.end > this.at);
    }

    point(e) {
        if (!this.groups) {
            return;
        }

        const x = e.clientX - this.plot.getBoundingClientRect().left;

        this.select(this.groups.findIndex((group) => this.x(group.end) > x));
    }

    leave() {
        this.at = null;
        this.mark();
    }

    describe() {
        if (this.groups && this.at === null) {
            this.select(this.groups.length - 1);
        }
    }

    key(e) {
        const i = this.selected();
        const moves = { ArrowLeft: i - 1, ArrowDown: i - 1, ArrowRight: i + 1,
                        ArrowUp: i + 1, PageUp: i + 10, PageDown: i - 10,
                        Home: 0, End: this.groups.length - 1 };

        if (e.key === "Escape") {
            this.leave();

        } else if (e.key in moves) {
            this.select(i < 0 ? this.groups.length - 1 : moves[e.key]);
            e.preventDefault();
        }
    }

    /* The line through the column that is read, and its numbers. */

    mark() {
        const i = this.selected();
        const group = this.groups?.[i];

        this.tip.hidden = !group;
        this.cursor.style.display = group ? "" : "none";

        setAttributes(this.plot, {
            "aria-valuemax": (this.groups?.length ?? 1) - 1,
            "aria-valuenow": group ? i : (this.groups?.length ?? 1) - 1
        });

        if (!group) {
            this.plot.setAttribute("aria-valuetext", this.summary());
            return;
        }

        const x = (this.x(group.start) + this.x(group.end)) / 2;

        setAttributes(this.cursor, { x1: x, x2: x, y1: TOP,
                                     y2: this.plot.clientHeight - BOTTOM });

        const color = colors(this.names);
        const time = clock(group.start * 1000, true) + " – "
                     + clock(group.end * 1000, true);

        const rows = this.names
            .map((name, k) => [eventName(name), group.values[k],
                               "c" + color[name]])
            .filter(([, value]) => value > 0)
            .reverse();

        rows.push([text("chart.total"), group.total, "sum"]);

        if (group.refused > 0) {
            rows.push([text("chart.refused"), group.refused, "refused"]);
        }

        if (group.failed > 0) {
            rows.push([text("chart.failed"), group.failed, "failed"]);
        }

        this.plot.setAttribute("aria-valuetext", time + ": " + rows
            .map(([name, value]) => name + " " + rate(value)).join(", "));

        this.fillTip(time, rows);

        const left = x > this.plot.clientWidth / 2
            ? x - this.tip.offsetWidth - 12 : x + 12;

        this.tip.style.left = Math.max(0, left) + "px";
    }

    fillTip(time, rows) {
        const title = document.createElement("b");

        title.textContent = time;

        this.tip.replaceChildren(title, ...rows.map(([name, value, kind]) => {
            const row = document.createElement("div");

            for (const content of ["", name, rate(value)]) {
                row.append(document.createElement("span"));
                row.lastChild.textContent = content;
            }

            row.firstChild.className = "key " + kind;

            return row;
        }));
    }

    /* For a screen reader, while no column is chosen. */

    summary() {
        const last = this.groups?.at(-1);

        return last ? text("chart.total") + " " + rate(last.total) : "";
    }
}
