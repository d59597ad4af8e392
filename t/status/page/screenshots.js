/*
 * Makes the pictures of the documentation anew, in docs/:
 *
 *     make test-status TESTS=t/status/heavy/page.t
 *     NODE_PATH=build/npm/node_modules node t/status/page/screenshots.js
 */

"use strict";

const path = require("node:path");

const { launch, open, sleep } = require("./browser.js");
const { FIXTURES } = require("./fixtures.js");
const { serve } = require("./server.js");

const DOCS = path.join(__dirname, "../../../docs");

(async () => {
    const server = await serve(0, () => FIXTURES.full(Date.now()));
    const browser = await launch([
        `--host-resolver-rules=MAP hooks.example.com 127.0.0.1:${
            server.address().port}`
    ]);

    for (const dark of [false, true]) {
        const page = await open(browser, "http://hooks.example.com/enkod/status",
                                { dark, width: 1440 });

        await sleep(7000);
        await page.screenshot({
            path: `${DOCS}/status-page${dark ? "-dark" : ""}.png`,
            fullPage: true
        });
    }

    await browser.close();
    server.close();
})();
