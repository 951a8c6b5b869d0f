-- wrk: GETs of the paths in a file, round and round, with one Accept header. Arguments after `--`: file, accept.
-- Each thread begins somewhere else in the list.

local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init(args)
  local base = string.match(wrk.path, "^(.-)/?$")
  requests = {}
  for path in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format("GET", base .. path, { ["Accept"] = args[2] })
  end
  at = math.floor(number * #requests / 2)
end

function request()
  at = at % #requests + 1
  return requests[at]
end
