-- Sends COUNT tokens of a file in turn, behind the first SKIPPED ones, and says what came of it as one line of JSON:
-- wrk -s wrk.lua URL -- FILE SKIPPED COUNT close|keep
local tokens, first, count, before, after
local turn = 0

function init(args)
  tokens = io.open(args[1])
  for _ = 1, tonumber(args[2]) do tokens:read("*l") end
  first = tokens:seek()
  count = tonumber(args[3])
  local headers = { ["Authorization"] = "Bearer TOKEN" }
  if args[4] == "close" then headers["Connection"] = "close" end
  before, after = wrk.format("GET", nil, headers):match("^(.*)TOKEN(.*)$")
end

-- Read when it is needed: a million requests are more than LuaJIT can keep.
function request()
  if turn == count then
    tokens:seek("set", first)
    turn = 0
  end
  turn = turn + 1
  return before .. tokens:read("*l") .. after
end

-- All counts are of the whole run; durations and latencies are in microseconds.
function done(summary, latency)
  local errors = summary.errors
  local curve = {}
  for _, percent in ipairs({ 1, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.95, 99.99 }) do
    curve[#curve + 1] = string.format("[%s,%d]", percent, latency:percentile(percent))
  end
  curve[#curve + 1] = string.format("[100,%d]", latency.max)
  io.write(string.format(
    'result {"answered":%d,"us":%d,"refused":%d,"cut":%d,"failed":%d,"latencyUs":[%s]}\n',
    summary.requests, summary.duration, errors.status, errors.read,
    errors.connect + errors.write + errors.timeout, table.concat(curve, ",")
  ))
end
