/* For the tests of the page: a browser, axe, and what TAP needs. */

"use strict";

const fs = require("node:fs");
const { isDeepStrictEqual } = require("node:util");

let count = 0;
let failed = 0;


function ok(true_, title, why) {
    count++;
    console.log(`${true_ ? "" : "not "}ok ${count} - ${title}`);

    if (!true_) {
        failed++;

        if (why !== undefined) {
            console.log(String(why).replace(/^/gm, "#   "));
        }
    }

    return true_;
}


function is(got, expected, title) {
    return ok(isDeepStrictEqual(got, expected), title,
              `got:      ${JSON.stringify(got)}\n`
              + `expected: ${JSON.stringify(expected)}`);
}


/* Waits until the value is as expected, for half a minute at most. */

async function becomes(get, expected, title) {
    const matches = (value) => expected instanceof RegExp
        ? expected.test(value) : isDeepStrictEqual(value, expected);

    const end = Date.now() + 30000;
    let value;

    do {
        try {
            value = await get();

            if (matches(value)) {
                break;
            }
        } catch (e) {
            value = String(e);
        }

        await sleep(100);
    } while (Date.now() < end);

    return ok(matches(value), title, `got:      ${JSON.stringify(value)}\n`
                                     + `expected: ${expected}`);
}


function sleep(ms) {
    return new Promise((resolve) => setTimeout(resolve, ms));
}


function skip(why) {
    console.log(`1..0 # SKIP ${why}`);
    process.exit(0);
}


/* Runs the tests; an exception fails them. */

async function run(tests) {
    try {
        await tests();
    } catch (e) {
        ok(false, "no exception", e.stack);
    }

    console.log(`1..${count}`);
    process.exit(failed ? 1 : 0);
}


async function launch(more = []) {
    const { chromium } = require("playwright-core");
    const path = ["/usr/lib/chromium/chromium", "/usr/bin/chromium"]
        .find((path) => fs.existsSync(path));

    return chromium.launch({ executablePath: path,
                             args: ["--no-sandbox", "--disable-gpu",
                                    ...more] });
}


/*
 * Opens the page, with a list of what went wrong in it: exceptions, and what
 * the Content-Security-Policy did not allow.
 */

async function open(browser, url, options = {}) {
    const { language = "en-GB", dark, width = 1440, height = 1000 } = options;

    const context = await browser.newContext({
        viewport: { width, height }, locale: language,
        colorScheme: dark ? "dark" : "light", timezoneId: "Europe/Moscow"
    });

    const page = await context.newPage();

    page.faults = [];
    page.on("pageerror", (e) => page.faults.push(e.message));
    page.on("console", (message) => {
        if (message.type() === "error"
            && !message.text().startsWith("Failed to load resource"))
        {
            page.faults.push(message.text());
        }
    });

    await page.goto(url);

    return page;
}


function verdict(page) {
    return page.locator("#verdict").textContent();
}


/* The violations that axe finds and calls serious or critical. */

async function violations(page) {
    await page.evaluate(fs.readFileSync(require.resolve("axe-core/axe.min.js"),
                                        "utf8"));

    /* colours that are in transition have another contrast */
    await sleep(400);

    const { violations } = await page.evaluate(() => window.axe.run());

    return violations
        .filter(({ impact }) => ["serious", "critical"].includes(impact))
        .map(({ id, nodes }) => id + ": " + nodes[0].html + " "
                                + nodes[0].failureSummary);
}


module.exports = { becomes, is, launch, ok, open, run, skip, sleep, verdict,
                   violations };
