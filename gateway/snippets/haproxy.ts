/**
 * HAProxy, which has no subrequest of its own: a Lua action asks by `core.httpclient` (since 2.5; in Debian's package).
 * Two files: the configuration, and the Lua that it loads.
 */
import { upstreamField } from '../decision/tag.ts';
import { authorityOf, block, certificateFields, type Front, isTls } from './front.ts';

export function haproxySnippet({ gateway, listen, upstreams, tellsCertificate }: Front): string {
  const backends = upstreams.map((upstream) => {
    const { tag, urls } = upstream;
    const tls = isTls(upstream) ? ' ssl verify required ca-file @system-ca sni req.hdr(host)' : '';
    const servers = urls.map((url, index) => `server s${index} ${authorityOf(url)}${tls}`);
    return `backend sallyport_${tag}
    http-request set-header Host ${urls[0]!.host}
${block('    ', servers)}
`;
  });
  const certificate = tellsCertificate
    ? [
        '# The certificate that the caller has shown, where `bind` has `verify optional` (RFC 9440).',
        'http-request set-header Client-Cert :%[ssl_c_der,base64]: if { ssl_c_used }',
      ]
    : [];
  return `# Sallyport decides, HAProxy forwards. Needs sallyport.lua beside it: \`sallyport snippets haproxy --lua\`.
#
# The decision names the upstream, so that no second table of paths is kept here.
# Routes that the gateway serves itself (respond, oauth, credential) are passed on to it.

global
    lua-load-per-thread sallyport.lua

defaults
    mode http
    timeout connect 2s
    timeout client 60s
    timeout server 60s
    timeout http-request 10s

frontend sallyport_front
    bind ${listen}
${block('    ', certificateFields.map((name) => `http-request del-header ${name}`).concat(certificate))}
    http-request lua.sallyport
    http-request set-header X-Forwarded-For %[src]
    http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]
    http-request set-header X-Forwarded-Host %[req.hdr(host)]
${block(
  '    ',
  upstreams.map(
    ({ tag }) => `use_backend sallyport_${tag} if { var(txn.sallyport_upstream) -m str "${tag}" }`,
  ),
)}
    default_backend sallyport

backend sallyport
    server sallyport ${gateway}

${backends.join('\n')}`;
}

export function haproxyLua({ gateway, mountPath, fields }: Front): string {
  const owned = [...fields, upstreamField].map((name) => name.replaceAll('_', '-'));
  return `-- Asks Sallyport about each request. Loaded by haproxy.cfg, which says the rest.

local decision = "http://${gateway}${mountPath}"

-- Fields that are the gateway's to say, with - for _: taken out of what the caller sent, put in from the decision.
local owned = {
${block(
  '  ',
  owned.map((name) => `["${name}"] = true,`),
)}
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
  local upstream = response.headers["${upstreamField}"]
  if upstream == nil then return end -- The gateway serves it, and takes out what is to be taken out.
  txn:set_var("txn.sallyport_upstream", upstream[0])
  for name, _ in pairs(headers) do
    if owned[(name:gsub("_", "-"))] or name:find("_", 1, true) then txn.http:req_del_header(name) end
  end
  for name, values in pairs(response.headers) do
    if owned[(name:gsub("_", "-"))] and name ~= "${upstreamField}" then txn.http:req_set_header(name, values[0]) end
  end
end, 0)
`;
}
