-- The receiver in nginx with lua and cjson: checks an event, appends its line,
-- answers.  One write() per event, to a file that each worker opens once.

local cjson = require("cjson.safe")

-- as strict as cjson can be
cjson.decode_invalid_numbers(false)
cjson.decode_max_depth(32)
cjson.encode_number_precision(14)

local null = cjson.null

local type = type
local floor = math.floor
local find = string.find
local format = string.format
local gsub = string.gsub
local concat = table.concat
local ngx = ngx

local _M = {}

local file
local second, date


local function is_string(value)
    return type(value) == "string"
end


local function is_string_or_null(value)
    return value == nil or value == null or type(value) == "string"
end


local function is_integer(value)
    return type(value) == "number" and floor(value) == value
end


-- an empty table may be an empty array or an empty object, which look the same

local function array_of(is)
    return function(value)
        if type(value) ~= "table" then
            return false
        end

        local n = 0

        for _ in pairs(value) do
            n = n + 1
            if not is(value[n]) then
                return false
            end
        end

        return true
    end
end


local is_strings = array_of(is_string)
local is_integers = array_of(is_integer)


local function shape(...)
    local fields = { ... }
    local known = { event = true }

    for i = 1, #fields do
        local name, is = fields[i][1], fields[i][2]

        fields[i] = { name = name, is = is, key = format(',"%s":', name),
                      list = is == is_strings or is == is_integers }
        known[name] = true
    end

    return { fields = fields, known = known }
end


local function message(...)
    return shape({ "message_id", is_integer }, { "message_uid", is_string },
                 { "sending_type", is_string }, { "name", is_string },
                 { "from", is_string }, { "to", is_string }, ...)
end


local function group()
    return shape({ "email", is_string }, { "group_id", is_integer },
                 { "group_name", is_string }, { "channel", is_string })
end


local shapes = {
    ["message sent"] = message(),
    ["message open"] = message(),
    ["complaint"] = message(),
    ["delivery bounce"] = message({ "error_message", is_string }),
    ["message clicked"] = message({ "click_url", is_string }),
    ["mailing group subscribe"] = group(),
    ["mailing group unsubscribe"] = group(),
    ["contact adding"] = shape({ "email", is_string_or_null },
                               { "phone", is_string_or_null },
                               { "groups_names", is_strings },
                               { "groups_ids", is_integers }),
}

-- the vendor's spelling has a Cyrillic letter
local names = { ["\209\129omplaint"] = "complaint" }


local function is_valid(event, shape)
    local fields = shape.fields

    for i = 1, #fields do
        if not fields[i].is(event[fields[i].name]) then
            return false
        end
    end

    return event.event ~= "contact adding" or is_string(event.email)
           or is_string(event.phone)
end


local function is_test(event)
    if event.message_uid == "0123456789_012_012_01234"
       or event.group_name == "Person subscribe (test)"
       or event.group_name == "Person unsubscribe (test)"
    then
        return true
    end

    local groups = event.groups_names

    return event.phone == "80123456789" and type(groups) == "table"
           and #groups == 2 and groups[1] == "test_group_0"
           and groups[2] == "test_group_1"
end


local function encode(value)
    local text = cjson.encode(value)

    if find(text, "\\/", 1, true) then
        -- cjson escapes slashes; behind a backslash there is none to undo
        text = gsub(text, "\\(.)", { ["/"] = "/" })
    end

    return text
end


local function received_at()
    local milliseconds = floor(ngx.now() * 1000 + 0.5)
    local now = floor(milliseconds / 1000)

    if now ~= second then
        second = now
        date = os.date("!%Y-%m-%dT%H:%M:%S", now)
    end

    return format("%s.%03dZ", date, milliseconds % 1000)
end


local function line(event, name, shape)
    local var = ngx.var
    local out = { '{"received_at":"', received_at(),
                  '","request_id":"', var.request_id,
                  '","remote_addr":"', var.remote_addr,
                  is_test(event) and '","test":true,"event":"'
                  or '","event":"', name, '"' }
    local n = #out
    local fields = shape.fields

    for i = 1, #fields do
        local field = fields[i]
        local value = event[field.name]

        if value ~= nil then
            out[n + 1] = field.key
            out[n + 2] = field.list and #value == 0 and "[]" or encode(value)
            n = n + 2
        end
    end

    local extra

    for key, value in pairs(event) do
        if not shape.known[key] then
            extra = extra or {}
            extra[key] = value
        end
    end

    if extra then
        out[n + 1] = ',"extra":'
        out[n + 2] = encode(extra)
        n = n + 2
    end

    out[n + 1] = "}\n"

    return concat(out)
end


-- in init_worker_by_lua

function _M.open(path)
    file = assert(io.open(path, "a"))
    file:setvbuf("no")
end


function _M.handle()
    ngx.req.read_body()

    local event = cjson.decode(ngx.req.get_body_data() or "")

    if type(event) ~= "table" then
        return ngx.exit(400)
    end

    local name = names[event.event] or event.event
    local shape = shapes[name]

    if not shape or not is_valid(event, shape) then
        return ngx.exit(422)
    end

    if not file:write(line(event, name, shape)) then
        return ngx.exit(503)
    end

    ngx.header.content_length = 0
    return ngx.exit(200)
end


return _M
