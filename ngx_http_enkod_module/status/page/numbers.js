/* Numbers, times and sizes, as people of that language write them. */

const YEAR = 31557600;

let formats = {};


/* Intl objects are expensive to make, and are kept. */

function format(name, make) {
    return formats[name] ??= make();
}


function number(n) {
    return format("number", () => new Intl.NumberFormat(language)).format(n);
}


/* Large numbers in short form: a column has room for seven characters. */

function count(n) {
    if (n < 1e6) {
        return number(n);
    }

    return format("compact", () => new Intl.NumberFormat(language,
        { notation: "compact", maximumSignificantDigits: 3 })).format(n);
}


/* Events per second. */

function rate(n) {
    const digits = n === 0 || n >= 100 ? 0 : n >= 10 ? 1 : 2;

    return format("rate" + digits, () => new Intl.NumberFormat(language,
        { minimumFractionDigits: digits, maximumFractionDigits: digits }))
        .format(n);
}


function unit(n, name, digits) {
    return format("unit" + name + digits, () => new Intl.NumberFormat(language,
        { style: "unit", unit: name, unitDisplay: "short",
          maximumSignificantDigits: digits })).format(n);
}


/* A short time: 0.34 ms, 12 ms, 1.5 s. */

function seconds(s) {
    if (s === null) {
        return "–";
    }

    return s < 1 ? unit(s * 1000, "millisecond", 2) : unit(s, "second", 2);
}


/* A long time, in its largest unit: 40 sec, 14 min, 3 hr, 12 days. */

function duration(s) {
    const [n, name] = s < 100 ? [s, "second"]
        : s < 5400 ? [s / 60, "minute"]
        : s < 172800 ? [s / 3600, "hour"]
        : s < 2 * YEAR ? [s / 86400, "day"]
        : [s / YEAR, "year"];

    return format("duration" + name, () => new Intl.NumberFormat(language,
        { style: "unit", unit: name, unitDisplay: s < 172800 ? "short"
          : "long", maximumFractionDigits: 0 })).format(Math.floor(n));
}


function ago(s) {
    const [n, name] = s < 100 ? [s, "second"]
        : s < 5400 ? [s / 60, "minute"]
        : s < 172800 ? [s / 3600, "hour"]
        : [s / 86400, "day"];

    /* "now", but not "yesterday" */
    const numeric = s < 1 ? "auto" : "always";

    return format("ago" + numeric, () => new Intl.RelativeTimeFormat(language,
        { style: "short", numeric }))
        .format(-Math.max(0, Math.floor(n)), name);
}


function bytes(n) {
    if (n === null || n === undefined) {
        return "–";
    }

    if (n === 0) {
        return number(0);
    }

    const names = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
    let i = 0;

    for (; n >= 1000 && i < names.length - 1; i++) {
        n /= 1000;
    }

    return unit(n, names[i], 3);
}


function clock(ms, withSeconds) {
    return format("clock" + withSeconds, () => new Intl.DateTimeFormat(language,
        { hour: "2-digit", minute: "2-digit", hourCycle: "h23",
          second: withSeconds ? "2-digit" : undefined })).format(ms);
}


function date(ms) {
    return format("date", () => new Intl.DateTimeFormat(language,
        { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit",
          hourCycle: "h23" })).format(ms);
}
