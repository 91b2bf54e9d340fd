/** Logins: the credential store, the providers, their flows, and the limits of all of it. */
import { z } from 'zod';
import { claimPath, count, duration, httpUrl, labelName, scopeName, secretText } from './scalars.ts';
import { section } from './section.ts';

/** RFC 6749 appendix A.2: a client secret is visible ASCII; so are parameter names of ours. */
const parameterName = z.string().regex(/^[\x21-\x7e]{1,128}$/, 'must be visible ASCII');

const authJson = section({
  file: z
    .string()
    .min(1)
    .describe(
      'The file; `{account}` in it stands for the account. Its last folder is made when it is not there.',
    ),
  account: z
    .string()
    .min(1)
    .optional()
    .describe('The one account it is for, where the name has no `{account}`.'),
  providers: z
    .record(
      labelName,
      section({
        name: labelName.describe('The name of the provider in `credential_pool`.'),
        base_url: httpUrl.optional().describe('The address of its API, for who reads the file.'),
      }),
    )
    .describe('The providers whose credentials are written, by their names here.'),
});

const store = section({
  file: z.string().min(1).describe('Folder of the encrypted credentials; made when it is not there.'),
  key_file: z.string().min(1).optional().describe('The key ring, as a file.'),
  key_env: z.string().min(1).optional().describe('The key ring, as the name of an environment variable.'),
  auth_json: authJson
    .optional()
    .describe('A further, unencrypted copy of credentials for other programs of this host; mode 0600.'),
});

export const clientAuthMethods = [
  'none',
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
] as const;

export const clientAuth = section({
  method: z
    .enum(clientAuthMethods)
    .default('none')
    .describe('How we prove who we are (RFC 6749 section 2.3, RFC 7523).'),
  secret_file: z.string().min(1).optional().describe('The client secret, as a file.'),
  secret_env: z
    .string()
    .min(1)
    .optional()
    .describe('The client secret, as the name of an environment variable.'),
  key_file: z.string().min(1).optional().describe('The private key of private_key_jwt: PKCS #8, PEM.'),
  key_id: z.string().min(1).optional().describe('The `kid` in its assertions.'),
  algorithm: z
    .enum(['RS256', 'PS256', 'ES256', 'EdDSA'])
    .default('ES256')
    .describe('The algorithm of its assertions.'),
});

const endpoints = section({
  authorization: httpUrl.optional().describe('Where browsers log in. `code`.'),
  device_authorization: httpUrl
    .optional()
    .describe('Where device and user codes are made. `device`, `device_pkce`.'),
  device_token: httpUrl
    .optional()
    .describe(
      'Where it is asked whether the user is done, if that is not the token endpoint. `device_pkce`.',
    ),
  token: httpUrl.optional().describe('Where tokens are granted and renewed.'),
});

const linked = section({
  file: z
    .string()
    .min(1)
    .describe('The file of the other program: JSON. `~/` is the home of the user we run as.'),
  access_token: claimPath.describe('Where the access token stands in it.'),
  refresh_token: claimPath
    .optional()
    .describe('Where its refresh token stands: with one, it may be expired.'),
  expires_at: claimPath.optional().describe('Where the time of expiry stands.'),
  expires_unit: z.enum(['seconds', 'milliseconds']).default('milliseconds').describe('Its unit.'),
  instruction: z
    .string()
    .min(1)
    .max(512)
    .describe('What the user is told to do while there is no credential yet.'),
});

const provider = section({
  flow: z
    .enum(['device', 'code', 'device_pkce', 'linked'])
    .describe(
      'How users log in: by a device code (RFC 8628), in the browser (RFC 6749 section 4.1 with PKCE), by a device code ' +
        'with a PKCE verifier from the server, or by linking a credential that another program keeps on this host.',
    ),
  aliases: z.array(labelName).default([]).describe('Other names for it in requests to start.'),
  issuer: httpUrl
    .optional()
    .describe('Its issuer; the endpoints are discovered there unless they are given (RFC 8414, OpenID).'),
  endpoints: endpoints.prefault({}).describe('Endpoints that are not discovered.'),
  client_id: z.string().min(1).optional().describe('Our identity at the provider.'),
  client_auth: clientAuth.prefault({}).describe('How we prove it.'),
  scopes: z.array(scopeName).default([]).describe('The scopes that are asked for.'),
  parameters: z
    .record(parameterName, secretText(z.string().max(1024)))
    .default({})
    .describe('Further parameters of the request that starts a login: `audience`, `prompt`.'),
  redirect_uri: httpUrl
    .optional()
    .describe('Our callback, as it is registered. `code`; `device_pkce` as the provider has it.'),
  verification_uri: httpUrl.optional().describe('Where users enter the code. `device_pkce`.'),
  linked: linked.optional().describe('The file that another program keeps. `linked`.'),
  lifetime_seconds: count(60, 900)
    .default(900)
    .describe('Longest life of a flow, whatever the provider says.'),
  interval_seconds_min: count(1, 60).default(3).describe('We ask no sooner, whatever the provider says.'),
  interval_seconds_max: count(5, 300)
    .default(60)
    .describe('And no later, `slow_down` and Retry-After aside.'),
  timeout_ms: count(100, 20_000).default(10_000).describe('Longest wait for each answer of the provider.'),
  allow_http: z.boolean().default(false).describe('Permit http:// to hosts that are not loopback.'),
});

const shared = section({
  redis: z
    .string()
    .regex(/^rediss?:\/\/[^\s@]+$/, 'must be a redis:// or rediss:// address without credentials')
    .describe('Redis or Valkey: `redis://`, or `rediss://` for TLS.'),
  username: z.string().min(1).optional().describe('Who we are there.'),
  password_env: z
    .string()
    .min(1)
    .optional()
    .describe('The password, as the name of an environment variable.'),
  prefix: labelName.default('sallyport').describe('Before every key of ours.'),
  lease_ms: duration
    .min(1000)
    .default(15_000)
    .describe('A process that is not heard of for so long has lost the logins and refreshes it led.'),
  timeout_ms: count(100, 10_000).default(2000).describe('Longest wait for an answer; then 503.'),
});

export const oauth = section({
  shared: shared
    .optional()
    .describe(
      'For several processes or machines: starts of device logins and refreshes are once for all that share this server, ' +
        'this prefix and the credential store. Default: once for this process.',
    ),
  store: store.describe('The credential store: a key ring comes from key_file or key_env.'),
  providers: z.record(labelName, provider).describe('Where users log in, by a name of your choice.'),
  limits: section({
    flows: count(1, 65_536)
      .default(1024)
      .describe('Logins under way at once, refreshes aside; above it 503.'),
    keys: count(16, 1_048_576)
      .default(16_384)
      .describe('Accounts of all providers that this process can serve; above it 503.'),
    starts: count(1, 10_000)
      .default(10)
      .describe('Logins that one account or caller may make in a row; above it 429.'),
    starts_per_minute: count(1, 10_000).default(10).describe('How fast that allowance comes back.'),
  })
    .prefault({})
    .describe('Bounds.'),
  refresh: section({
    ahead_seconds: count(0, 3600)
      .default(60)
      .describe('Access tokens are renewed this long before they expire.'),
    jitter_seconds: count(0, 3600).default(15).describe('And up to this much sooner, at random.'),
    timeout_ms: duration
      .min(1000)
      .default(60_000)
      .describe('Longest wait of a request for a refresh; the refresh itself goes on.'),
    retry_after_ms: duration
      .default(2000)
      .describe('Pause after a refresh that failed for a passing reason.'),
  })
    .prefault({})
    .describe('Renewal of access tokens.'),
});
