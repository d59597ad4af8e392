-- Makes wrk send the requests in the given files in turn, byte for byte.  Enkod::Wrk
-- reads the line that it prints at the end.

local requests = {}
local last = 0


function init(args)
    for i = 1, #args do
        local file = assert(io.open(args[i], "rb"))
        requests[i] = file:read("*a")
        file:close()
    end
end


function request()
    last = last % #requests + 1
    return requests[last]
end


function done(summary, latency, requests)
    local errors = summary.errors

    io.write(string.format("done requests=%d bytes=%d status=%d other=%d"
                           .. " timeout=%d p50=%.3f p99=%.3f seconds=%.6f\n",
                           summary.requests, summary.bytes, errors.status,
                           errors.connect + errors.read + errors.write,
                           errors.timeout,
                           latency:percentile(50) / 1000,
                           latency:percentile(99) / 1000,
                           summary.duration / 1000000))
end
