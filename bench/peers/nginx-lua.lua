-- Bearer tokens in Lua (lua-nginx-module): RS256 by OpenSSL, then issuer, audience, expiry and scope. Debian has no library of
-- JSON Web Tokens for it, so this is what one would write: claims of verified tokens are kept until they expire, in the worker's
-- own memory, where LuaJIT finds them without a copy.
local base64 = require("ngx.base64")
local cjson = require("cjson.safe")
local digest = require("openssl.digest")
local lrucache = require("resty.lrucache")
local pkey = require("openssl.pkey")

local bearer = {}
local known = lrucache.new(10000)
local rules, key

-- `file`: the rules as JSON, with the public key in PEM.
function bearer.configure(file)
  rules = cjson.decode(io.open(file):read("*a"))
  key = pkey.new(rules.key)
end

local function decode(part)
  return cjson.decode(base64.decode_base64url(part) or "")
end

-- The claims of a token that is genuine and for us, or nil.
local function verify(token)
  local header, payload, signature = token:match("^([^.]+)%.([^.]+)%.([^.]+)$")
  if not header then return nil end
  local head, claims = decode(header), decode(payload)
  if not head or not claims or head.alg ~= "RS256" then return nil end
  local signed = digest.new("sha256"):update(header .. "." .. payload)
  local bytes = base64.decode_base64url(signature)
  if not bytes or not key:verify(bytes, signed) then return nil end
  if claims.iss ~= rules.issuer or claims.aud ~= rules.audience then return nil end
  return claims
end

function bearer.status()
  local token = (ngx.var.http_authorization or ""):match("^Bearer (.+)$")
  if not token then return 401 end
  local claims = known:get(token)
  if not claims then
    claims = verify(token)
    if not claims or claims.exp <= ngx.time() then return 401 end
    known:set(token, claims, claims.exp - ngx.time())
  end
  local scopes = " " .. (claims.scope or "") .. " "
  return scopes:find(" " .. rules.scope .. " ", 1, true) and 204 or 403
end

return bearer
