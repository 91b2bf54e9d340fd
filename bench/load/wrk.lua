-- Sends the first COUNT tokens of a file in turn, and says what came of it as one line of JSON:
-- wrk -s wrk.lua URL -- FILE COUNT close|keep
local requests = {}
local turn = 0

function init(args)
  local headers = {}
  if args[3] == "close" then headers["Connection"] = "close" end
  for token in io.lines(args[1]) do
    headers["Authorization"] = "Bearer " .. token
    requests[#requests + 1] = wrk.format("GET", nil, headers)
    if #requests == tonumber(args[2]) then break end
  end
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
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
