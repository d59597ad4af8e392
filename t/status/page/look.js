/*
 * Opens the page of a URL, and says what is on it: answers each line of its
 * input, a selector, with a line, the texts of these elements as a JSON array.
 * A line "!" is answered with what went wrong in the page so far.
 */

"use strict";

const readline = require("node:readline");

const { launch, open } = require("./browser.js");


(async () => {
    const browser = await launch();
    const page = await open(browser, process.argv[2]);

    for await (const line of readline.createInterface(process.stdin)) {
        const answer = line === "!" ? page.faults
            : await page.locator(line).allTextContents();

        console.log(JSON.stringify(answer));
    }

    await browser.close();
})();
