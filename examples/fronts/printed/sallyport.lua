-- Asks Sallyport about each request. Loaded by haproxy.cfg, which says the rest.

local decision = "http://127.0.0.1:8080/-/decide/haproxy"

-- Fields that are the gateway's to say, with - for _: taken out of what the caller sent, put in from the decision.
local owned = {
  ["authorization"] = true,
  ["x-user"] = true,
  ["x-sallyport-upstream"] = true,
}

-- What the caller may see of a denial.
local told = { "www-authenticate", "content-type", "cache-control", "retry-after", "allow", "x-request-id" }

local function answer(txn, status, response)
  local reply = txn:reply{ status = status }
  if response == nil then
    reply:add_header("retry-after", "1")
  else
    for _, name in ipairs(told) do
      for _, value in pairs(response.headers[name] or {}) do reply:add_header(name, value) end
    end
    reply:set_body(response.body or "")
  end
  txn:done(reply)
end

core.register_action("sallyport", { "http-req" }, function(txn)
  local headers = txn.http:req_get_headers()
  local asked = {
    ["x-original-method"] = { txn.sf:method() },
    ["x-original-uri"] = { txn.sf:pathq() },
    ["x-forwarded-for"] = { txn.sf:src() },
  }
  if headers["authorization"] ~= nil then
    local values = {}
    for _, value in pairs(headers["authorization"]) do values[#values + 1] = value end
    asked["authorization"] = values
  end

  if headers["client-cert"] ~= nil then asked["client-cert"] = { headers["client-cert"][0] } end

  local response = core.httpclient():get{ url = decision, headers = asked, timeout = 5000 }
  if response == nil or response.status ~= 200 then
    local status = response and response.status or 0
    if status >= 400 and status < 500 then return answer(txn, status, response) end
    return answer(txn, 503, nil)
  end

  -- What was decided is what is forwarded: an absolute form goes on as its path.
  txn.http:req_set_uri(txn.sf:pathq())
  local upstream = response.headers["x-sallyport-upstream"]
  if upstream == nil then return end -- The gateway serves it, and takes out what is to be taken out.
  txn:set_var("txn.sallyport_upstream", upstream[0])
  for name, _ in pairs(headers) do
    if owned[(name:gsub("_", "-"))] or name:find("_", 1, true) then txn.http:req_del_header(name) end
  end
  for name, values in pairs(response.headers) do
    if owned[(name:gsub("_", "-"))] and name ~= "x-sallyport-upstream" then txn.http:req_set_header(name, values[0]) end
  end
end, 0)
