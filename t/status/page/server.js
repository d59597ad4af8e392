/*
 * Serves the page and, in the place of nginx, the fixture that the path names:
 * http://127.0.0.1:8099/full.  To look at the page while it is written:
 *
 *     node t/status/page/server.js [PORT]
 */

"use strict";

const { execFileSync } = require("node:child_process");
const http = require("node:http");
const path = require("node:path");

const { FIXTURES } = require("./fixtures.js");

const ROOT = path.join(__dirname, "../../..");
const SOURCE = path.join(ROOT, "ngx_http_enkod_module/status/page");


/* answer(name, request): what else to answer, or undefined */

function serve(port, answer = () => undefined) {
    const tool = path.join(ROOT, "tools/build/page");

    const policy = () => execFileSync(tool, [SOURCE], { encoding: "utf8" })
        .match(/page_csp = ngx_string\(\n([^]*?)\);\n/)[1]
        .match(/"[^"]*"/g).map((part) => part.slice(1, -1)).join("");

    const server = http.createServer((request, response) => {
        const name = request.url.slice(1).split("?")[0];

        if (request.headers.accept !== "application/json") {
            response.setHeader("Content-Type", "text/html; charset=utf-8");
            response.setHeader("Content-Security-Policy", policy());
            response.end(execFileSync(tool, ["--html", SOURCE]));

            return;
        }

        const other = answer(name, request);
        const fixture = other ?? FIXTURES[name]?.(Date.now());

        response.statusCode = fixture?.status ?? (fixture ? 200 : 404);
        response.setHeader("Content-Type", "application/json");
        response.end(fixture?.body ?? JSON.stringify(fixture ?? null));
    });

    return new Promise((resolve) =>
        server.listen(port, "127.0.0.1", () => resolve(server)));
}


module.exports = { serve };

if (require.main === module) {
    serve(Number(process.argv[2] ?? 8099));
}
