#!/usr/bin/env node
/* The status page with answers of all kinds, in Chromium. */

"use strict";

const fs = require("node:fs");

const { becomes, is, launch, ok, open, run, sleep, verdict, violations }
    = require("../page/browser.js");
const { FIXTURES } = require("../page/fixtures.js");
const { serve } = require("../page/server.js");

const VERDICTS = {
    "full": "Receiving",
    "empty": "No event yet",
    "refusals": "Events are being refused",
    "disk-full": "events.jsonl cannot be written",
    "disk-low": "Disk almost full: 11 MB free",
    "upstream": "Events go to the spool",
    "silent": "Nothing for 14 min",
    "receivers": "Events are being refused",
    "twelve-events": "Receiving"
};

run(async () => {
    let answer = () => undefined;
    const server = await serve(0, (...args) => answer(...args));
    const base = `http://127.0.0.1:${server.address().port}/`;
    const browser = await launch();

    /* what the page says */

    for (const name in VERDICTS) {
        const page = await open(browser, base + name);

        await becomes(() => verdict(page), VERDICTS[name],
                      `the verdict on "${name}"`);

        is(await violations(page), [], `axe finds nothing serious in "${name}"`);
        is(page.faults, [], `no script fails in "${name}", and the policy allows`
                            + ` what the page does`);

        await page.context().close();
    }

    /* sizes, colours and languages */

    for (const width of [360, 390, 820, 1280, 1920]) {
        const page = await open(browser, base + "receivers",
                                { width, dark: true, language: "ru-RU" });

        await becomes(() => verdict(page), "События отвергаются",
                      `in Russian, ${width} pixels wide`);
        is(await page.evaluate(() => document.documentElement.scrollWidth
                                     <= innerWidth), true,
           "the page is not wider than the window");
        is(await violations(page), [], "axe finds nothing serious in the dark");

        await page.context().close();
    }

    for (const width of [360, 420]) {
        const page = await open(browser, base + "full", { width });

        await becomes(() => page.locator(".events tbody tr").count(), 9,
                      `events, ${width} pixels wide`);
        is(await page.evaluate(() =>
            [...document.querySelectorAll(".events tbody .name")]
                .filter((name) => name.getBoundingClientRect().height
                                  > name.closest("tr").clientHeight)
                .map((name) => name.textContent)), [],
           "no name is higher than its row");

        await page.context().close();
    }

    /* texts */

    {
        const page = await open(browser, base + "full");
        const [en, ru] = await page.evaluate(() =>
            [TEXTS.en, TEXTS.ru].map((texts) => Object.keys(texts)
                .filter((name) => !name.startsWith("event."))));

        is(ru, en, "there are the same texts in English and Russian");

        const codes = fs.readFileSync(__dirname + "/../../../ngx_http_enkod_module"
                                      + "/event/enkod_error.c", "utf8")
            .match(/\{ "\w+", \d+,/g).map((row) => row.match(/\w+/)[0]);

        is(codes.filter((code) => !en.includes("code." + code)), [],
           "the page says what to do about each code");

        await page.locator("[data-language=ru]").click();
        await becomes(() => verdict(page), "События приходят",
                      "a button switches the language");
        is(await page.locator("html").getAttribute("lang"), "ru",
           "the document says its language");

        await page.reload();
        await becomes(() => verdict(page), "События приходят",
                      "the language is remembered");

        await page.context().close();
    }

    /* colours */

    for (const dark of [false, true]) {
        const page = await open(browser, base + "full", { dark });
        const colors = await page.evaluate(() => [...Array(13).keys()].map((n) =>
            getComputedStyle(document.documentElement)
                .getPropertyValue("--c" + n).trim()));
        const card = await page.evaluate(() =>
            getComputedStyle(document.documentElement)
                .getPropertyValue("--card").trim());

        is(colors.filter((color) => contrast(color, card) < 3), [],
           `colours of events have a contrast of 3:1 ${dark ? "in the dark"
                                                            : "in the light"}`);

        for (const kind in VISION) {
            const close = [];

            colors.slice(0, 8).forEach((color, i) => {
                if (i && distance(colors[i - 1], color, VISION[kind]) < 15) {
                    close.push([i - 1, i]);
                }
            });

            is(close, [], `neighbours in the stack differ with ${kind}`);
        }

        await page.context().close();
    }

    /* it does not move */

    {
        const page = await open(browser, base + "full", { height: 2000 });

        await becomes(() => verdict(page), "Receiving", "a page that lives");
        await page.evaluate(() => {
            window.shift = 0;
            new PerformanceObserver((list) => {
                for (const entry of list.getEntries()) {
                    window.shift += entry.value;
                }
            }).observe({ type: "layout-shift", buffered: false });
        });

        const places = () => page.locator(".card, h2, thead").evaluateAll(
            (all) => all.map((one) => {
                const { x, y, width, height } = one.getBoundingClientRect();

                return [one.className || one.id, x, y, width, height].join(" ");
            }));

        const before = await places();

        for (const name of ["refusals", "disk-full", "silent", "upstream"]) {
            answer = () => ({ ...FIXTURES[name](Date.now()), files:
                              FIXTURES.full(Date.now()).files.map((file) =>
                                  name === "disk-full" && file.use === "log"
                                  ? { ...file, error: "No space left on device",
                                      error_at: new Date().toISOString() }
                                  : file),
                              receivers: FIXTURES[name](Date.now()).receivers
                                  .map((receiver) => ({ ...receiver, pass:
                                      FIXTURES.full(Date.now()).receivers[0]
                                          .pass })) });
            await sleep(2500);

            is(await places(), before, `nothing moves with "${name}"`);
        }

        answer = () => undefined;
        await becomes(() => verdict(page), "Receiving", "the trouble is over");

        const shift = await page.evaluate(() => window.shift);

        /* lines of the verdict and reasons of refusals change places */
        ok(shift < 0.02, "the layout does not shift while it lives",
           `shift ${shift}`);

        await page.context().close();
    }

    /* it pauses, and goes on by itself */

    {
        let asked = 0;

        answer = () => void asked++;

        const page = await open(browser, base + "full");
        const live = () => page.locator("#live-text").textContent();

        await becomes(live, "live", "a page that is asked for");

        answer = () => ({ status: 502, body: "<html>" });
        await becomes(() => verdict(page), "No answer from this server",
                      "the server answers 502");
        await becomes(() => page.locator(".line").first().textContent(),
                      "It answers with status 502.", "the status is said");
        is(await violations(page), [], "axe finds nothing serious then");

        answer = () => ({ body: "<html>" });
        await becomes(() => page.locator(".line").first().textContent(),
                      "It answers with something that is not JSON.",
                      "the server answers with HTML");

        answer = () => void asked++;
        await becomes(() => verdict(page), "Receiving",
                      "the page goes on when the server does");

        await page.context().setOffline(true);
        await becomes(() => verdict(page), "No answer from this server",
                      "the server is gone");
        await becomes(live, /^no answer for \d+ sec$/, "since when is said");
        await page.context().setOffline(false);
        await becomes(() => verdict(page), "Receiving", "it is there again");

        const hide = (hidden) => page.evaluate((hidden) => {
            Object.defineProperty(document, "hidden",
                                  { value: hidden, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }, hidden);

        await hide(true);
        is(await live(), "paused while the tab is hidden",
           "a hidden tab is paused");
        await sleep(500);
        asked = 0;
        await sleep(4500);
        is(asked, 0, "a hidden tab does not ask");
        await hide(false);
        await becomes(() => asked > 0, true, "it asks when it is shown");

        await page.locator("#pause").click();
        await becomes(live, "paused", "the button pauses");
        await sleep(500);
        asked = 0;
        await sleep(3000);
        is(asked, 0, "a paused page does not ask");
        await page.locator("#pause").click();
        await becomes(live, "live", "the button resumes");

        answer = () => undefined;
        await page.context().close();
    }

    /* keyboard */

    {
        const page = await open(browser, base + "receivers");
        const order = [];

        await becomes(() => page.locator("#receivers tr").count(), 4,
                      "a page with receivers");

        for (let i = 0; i < 12; i++) {
            await page.keyboard.press("Tab");
            order.push(await page.evaluate(() => document.activeElement.id
                || document.activeElement.dataset.language
                || document.activeElement.className));
        }

        is(order.slice(0, 8), ["receiver", "pause", "en", "ru", "plot", "scroll",
                               "scroll", "scroll"], "the order of the keyboard");

        await page.locator("#plot").focus();
        await page.keyboard.press("Home");

        const first = await page.locator("#plot").getAttribute("aria-valuetext");

        await page.keyboard.press("ArrowRight");
        ok(/^\d\d:\d\d:\d\d – \d\d:\d\d:\d\d: .*message sent [\d.]+/.test(first),
           "the chart says what is in a column", first);
        ok(first !== await page.locator("#plot").getAttribute("aria-valuetext"),
           "arrows go to another column");
        await page.keyboard.press("Escape");
        is(await page.locator("#tip").isVisible(), false, "Escape closes it");

        await page.getByRole("button", { name: "hooks.example.com/enkod/lists" })
            .press("Enter");
        await becomes(() => page.locator("#events .name").allTextContents(),
                      ["mailing group subscribe", "contact adding",
                       "mailing group unsubscribe", "other events"],
                      "one receiver is chosen");
        await becomes(() => verdict(page), "Events are being refused",
                      "the verdict is on all receivers");

        await page.reload();
        await becomes(() => page.locator("#receiver").inputValue(),
                      "hooks.example.com /enkod/lists", "it is remembered");

        await page.context().close();
    }

    /* nothing of the answer becomes HTML */

    {
        const evil = "/<img src=x onerror=alert(1)>";

        answer = () => {
            const json = FIXTURES.receivers(Date.now());

            json.receivers[0].location = evil;
            json.receivers[0].events[evil] = json.receivers[0].events.other;
            json.files[0].file = json.files[0].error = evil;
            json.files[0].error_at = json.now;
            json.version = evil;

            return json;
        };

        const page = await open(browser, base + "evil");

        await becomes(() => page.locator("#receivers th").first().textContent(),
                      "hooks.example.com" + evil, "HTML in the answer is text");
        is(await page.locator("img").count(), 0, "it makes no element");
        is(page.faults, [], "and no error");

        answer = () => undefined;
        await page.context().close();
    }

    await browser.close();
    server.close();
});


/* WCAG 2, relative luminance */

function linear(color) {
    return color.match(/\w\w/g).map((hex) => {
        const c = parseInt(hex, 16) / 255;

        return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
}


function contrast(one, other) {
    const [a, b] = [one, other].map((color) => {
        const [red, green, blue] = linear(color);

        return 0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05;
    }).sort((a, b) => b - a);

    return a / b;
}


/* Machado, Oliveira, Fernandes 2009, of full severity */

const VISION = {
    "deuteranopia": [[0.367322, 0.860646, -0.227968],
                     [0.280085, 0.672501, 0.047413],
                     [-0.011820, 0.042940, 0.968881]],
    "protanopia": [[0.152286, 1.052583, -0.204868],
                   [0.114503, 0.786281, 0.099216],
                   [-0.003882, -0.048116, 1.051998]],
    "tritanopia": [[1.255528, -0.076749, -0.178779],
                   [-0.078411, 0.930809, 0.147602],
                   [0.004733, 0.691367, 0.303900]],
    "normal vision": [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
};


/* The distance of two colours in CIELAB, as somebody sees them. */

function distance(one, other, matrix) {
    const [a, b] = [one, other].map((color) => {
        const rgb = linear(color);
        const [red, green, blue] = matrix.map((row) =>
            Math.max(0, row.reduce((sum, n, i) => sum + n * rgb[i], 0)));

        const f = (t) => t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116;
        const x = f((0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505);
        const y = f(0.2126 * red + 0.7152 * green + 0.0722 * blue);
        const z = f((0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089);

        return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
    });

    return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}
