-- One request again and again (wrk). Arguments: the body's file, and the file of tokens where each request needs one.
-- Every thread takes its own share of the tokens and stops when they are used up.

local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init(args)
  local file = assert(io.open(args[1], "rb"))
  local body = file:read("*a")
  file:close()
  local headers = { ["Content-Type"] = "application/json" }
  if not args[2] then
    whole = wrk.format("POST", nil, headers, body)
    return
  end
  headers["Authorization"] = "Bearer @"
  local text = wrk.format("POST", nil, headers, body)
  local at = text:find("Bearer @", 1, true) + 6
  head, tail = text:sub(1, at), text:sub(at + 2)
  tokens, used = {}, 0
  local line = 0
  for token in io.lines(args[2]) do
    if line % tonumber(args[3]) == number then
      tokens[#tokens + 1] = token
    end
    line = line + 1
  end
end

function request()
  if whole then
    return whole
  end
  if used == #tokens then
    wrk.thread:stop()
    return head .. "used-up" .. tail
  end
  used = used + 1
  return head .. tokens[used] .. tail
end
