// Bearer tokens in njs 0.7.9, the JavaScript that Debian's nginx can load: RS256 by WebCrypto, then issuer, audience, expiry and
// scope. `rules` is preloaded by nginx.ts. Every request gets an engine of its own, and dictionaries that requests share came
// with njs 0.8.0: so neither the imported key nor a verdict can be kept, and each request pays for both.

async function authorize(request) {
  const status = await statusFor(request.headersIn.Authorization || '');
  request.return(status);
}

async function statusFor(authorization) {
  const parts = authorization.startsWith('Bearer ') ? authorization.slice(7).split('.') : [];
  if (parts.length !== 3) return 401;
  let claims;
  try {
    if (decode(parts[0]).alg !== 'RS256') return 401;
    const genuine = await isGenuine(parts);
    if (!genuine) return 401;
    claims = decode(parts[1]);
  } catch (e) {
    return 401;
  }
  if (claims.iss !== rules.issuer || claims.aud !== rules.audience) return 401;
  if (!(claims.exp > Date.now() / 1000)) return 401;
  return (claims.scope || '').split(' ').includes(rules.scope) ? 204 : 403;
}

async function isGenuine(parts) {
  const rs256 = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('spki', Buffer.from(rules.key, 'base64'), rs256, false, [
    'verify',
  ]);
  const signature = Buffer.from(parts[2], 'base64url');
  const verified = await crypto.subtle.verify(rs256, key, signature, Buffer.from(`${parts[0]}.${parts[1]}`));
  return verified;
}

function decode(part) {
  return JSON.parse(Buffer.from(part, 'base64url').toString());
}

export default { authorize };
