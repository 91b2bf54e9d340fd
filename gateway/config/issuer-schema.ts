/** Issuers: whose tokens are accepted, by which keys and algorithms, and where their claims are. */
import { z } from 'zod';
import { clientAuth } from './oauth-schema.ts';
import { algorithmName, claimPath, count, httpUrl } from './scalars.ts';
import { section } from './section.ts';
import { sharedSecret } from './shared-secret-schema.ts';
import { renewal } from './signer-schema.ts';

const keys = section({
  jwks_uri: httpUrl.optional().describe('Where the key set is published.'),
  discovery: z
    .literal(true)
    .optional()
    .describe('Find the key set by OpenID Connect Discovery from `issuer`.'),
  jwks_file: z.string().min(1).optional().describe('A key set on disk; watched.'),
  ...sharedSecret,
  allow_http: z.boolean().default(false).describe('Permit http:// to hosts that are not loopback.'),
  refresh_seconds: count(1, 86_400).default(300).describe('Background refresh, with jitter.'),
  max_stale_seconds: count(0, 31_536_000)
    .default(86_400)
    .describe('How long old keys serve while refreshes fail; then 503.'),
  unknown_kid_interval_seconds: count(1, 3600)
    .default(10)
    .describe('At most one fetch for unknown kids in this time.'),
  timeout_ms: count(100, 60_000).default(5000).describe('Longest wait for a key set.'),
  max_bytes: count(256, 16_777_216).default(262_144).describe('Largest key set document.'),
});

const introspection = section({
  endpoint: httpUrl.optional().describe('Where tokens are asked about.'),
  discovery: z
    .literal(true)
    .optional()
    .describe('Find the endpoint by discovery from `issuer` (OpenID Connect, RFC 8414).'),
  client_id: z.string().min(1).describe('Our identity at the issuer.'),
  client_auth: clientAuth.prefault({}).describe('How we prove it.'),
  ttl_seconds: count(1, 86_400)
    .default(60)
    .describe(
      'How long an answer is believed, and no longer than `exp`: a revoked token may be used so long.',
    ),
  negative_ttl_seconds: count(0, 3600)
    .default(10)
    .describe('How long a token stays refused that was not active.'),
  timeout_ms: count(100, 60_000).default(5000).describe('Longest wait for an answer; above it 503.'),
  max_concurrent: count(1, 1024)
    .default(64)
    .describe('Questions under way at once, of all listener threads.'),
  queue_max: count(0, 1_000_000).default(1024).describe('Questions that may wait for that; above it 503.'),
  cache_entries: count(2, 10_000_000).default(10_000).describe('Answers that are kept.'),
  allow_http: z.boolean().default(false).describe('Permit http:// to hosts that are not loopback.'),
});

const tokenTypes = section({
  claim: z.string().min(1).default('scope').describe('The claim that says the type: one string.'),
  values: z.array(z.string().min(1)).min(1).max(31).describe('The known types.'),
  default: z.string().min(1).describe('Type of a token without the claim, and of a route that names none.'),
});

export const issuer = section({
  issuer: z
    .string()
    .min(1)
    .optional()
    .describe('`iss`, compared byte for byte. Without it `iss` is not looked at.'),
  audiences: z
    .array(z.string().min(1))
    .default([])
    .describe('Accepted `aud`; one must be there. Empty: not looked at.'),
  algorithms: z
    .array(algorithmName)
    .default([])
    .describe('The accepted algorithms; HS and public ones never together. None: no JWTs are taken.'),
  keys: keys
    .prefault({})
    .describe(
      'Where the keys come from: exactly one of jwks_uri, discovery, jwks_file, secret_file, secret_env.',
    ),
  introspection: introspection
    .optional()
    .describe(
      'Ask it about tokens that are no JWTs (RFC 7662). One issuer of the configuration can have this.',
    ),
  leeway_seconds: count(0, 300).default(10).describe('Tolerance of exp, nbf and iat.'),
  typ: z
    .array(z.string().min(1))
    .optional()
    .describe('Accepted `typ` of the header (RFC 9068: at+jwt). Default: JWT, at+jwt or none.'),
  required_claims: z.array(z.string().min(1)).default([]).describe('Claims that must be there besides exp.'),
  scope_claims: z
    .array(claimPath)
    .default(['scope', 'scp'])
    .describe('Where scopes are: a space-separated string, or an array for any but `scope`.'),
  subject_claim: z.string().min(1).default('sub').describe('The claim that names the subject.'),
  subject_format: z
    .enum(['any', 'uuid'])
    .default('any')
    .describe(
      '`uuid`: the subject must be a UUID; it is compared in its canonical form, lower case with hyphens.',
    ),
  max_token_bytes: count(256, 65_536).default(8192).describe('Longest token; above it 401 without any work.'),
  certificate_bound: z
    .boolean()
    .default(false)
    .describe('Refuse tokens that are bound to no client certificate (RFC 8705).'),
  require_kid: z
    .boolean()
    .default(false)
    .describe('Refuse tokens without a kid even when the set has one key.'),
  renewal: renewal.optional().describe('Make tokens anew before they expire.'),
  token_types: tokenTypes.optional().describe('Kinds of tokens that routes tell apart.'),
});
