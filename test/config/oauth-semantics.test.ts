/** What providers, stores and credential routes have to say, and what contradicts itself. */
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../gateway/config/load.ts';

const store = '  store: { file: ./credentials, key_env: RING }\n';
const device = 'issuer: https://idp.example, client_id: cli, flow: device';

function problems(oauth: string, routes = '[{ prefix: /, public: true, respond: {} }]'): readonly string[] {
  const text = `version: 1
issuers:
  one: { issuer: https://one.example, algorithms: [RS256], keys: { discovery: true } }
  two: { issuer: https://two.example, algorithms: [RS256], keys: { discovery: true } }
upstreams: { api: { urls: ['http://127.0.0.1:3000'] } }
routes: ${routes}
oauth:
${oauth}`;
  const loaded = parseConfig(text, '/etc/sallyport.yaml', {});
  return loaded.ok ? [] : loaded.problems.map(({ path, message }) => `${path}: ${message}`);
}

const provider = (fields: string, name = 'idp'): readonly string[] =>
  problems(`${store}  providers:\n    ${name}: { ${fields} }\n`);

describe('a provider', () => {
  it.each([
    device,
    'endpoints: { device_authorization: https://idp.example/d, token: https://idp.example/t }, client_id: cli, flow: device',
    'issuer: https://idp.example, client_id: cli, flow: code, redirect_uri: http://localhost:8080/callback',
    `${device}, client_auth: { method: client_secret_post, secret_env: SECRET }`,
    `${device}, client_auth: { method: private_key_jwt, key_file: ./key.pem }`,
    'flow: linked, linked: { file: ~/token.json, access_token: token, instruction: Log in there. }',
  ])('{ %s } is good', (fields) => {
    expect(provider(fields)).toEqual([]);
  });

  it.each([
    ['issuer: https://idp.example, flow: device', '`flow: device` needs `client_id`'],
    [
      'endpoints: { device_authorization: https://idp.example/d, token: https://idp.example/t }, client_id: cli, flow: device, scopes: [openid]',
      'the ID tokens of `openid` are judged by their issuer',
    ],
    ['client_id: cli, flow: device', '`flow: device` needs `endpoints.device_authorization`'],
    ['client_id: cli, flow: device', '`flow: device` needs `endpoints.token`'],
    ['issuer: https://idp.example, client_id: cli, flow: code', '`flow: code` needs `redirect_uri`'],
    ['client_id: cli, flow: device_pkce', '`flow: device_pkce` needs `verification_uri`'],
    ['client_id: cli, flow: device_pkce', '`flow: device_pkce` needs `endpoints.device_token`'],
    ['flow: linked', '`flow: linked` needs `linked`'],
    [`${device}, linked: { file: x, access_token: t, instruction: y }`, 'is for `flow: linked`'],
    ['issuer: http://idp.example, client_id: cli, flow: device', 'use https://, or say `allow_http: true`'],
    [`${device}, endpoints: { token: http://idp.example/t }`, 'use https://, or say `allow_http: true`'],
    [
      `${device}, client_auth: { method: client_secret_basic }`,
      'needs one secret: secret_file or secret_env',
    ],
    [
      `${device}, client_auth: { method: client_secret_basic, secret_file: a, secret_env: B }`,
      'needs one secret: secret_file or secret_env',
    ],
    [`${device}, client_auth: { secret_env: B }`, 'none has no use for a secret'],
    [`${device}, client_auth: { method: private_key_jwt }`, 'private_key_jwt needs `key_file`'],
    [`${device}, client_auth: { key_file: a }`, 'is for private_key_jwt'],
    [
      `${device}, interval_seconds_min: 30, interval_seconds_max: 10`,
      'must not be larger than interval_seconds_max',
    ],
    [`${device}, aliases: [idp]`, '"idp" names "idp" already'],
    [`${device}, lifetime_seconds: 901`, 'must be at most 900'],
    [`${device}, flavour: x`, 'flavour'],
  ])('{ %s }: %s', (fields, problem) => {
    expect(provider(fields).join('\n')).toContain(problem);
  });
});

describe('the store', () => {
  it.each([
    ['  store: { file: ./c }\n', 'where does the key ring come from? Give key_file or key_env'],
    ['  store: { file: ./c, key_file: k, key_env: K }\n', 'the key ring comes from one place'],
  ])('%s', (text, problem) => {
    expect(problems(`${text}  providers: {}\n`).join('\n')).toContain(problem);
  });
});

describe('a route with a credential', () => {
  const oauth = `${store}  providers:\n    idp: { ${device} }\n`;

  it.each([
    '{ prefix: /, issuer: one, upstream: api, credential: { provider: idp } }',
    '{ prefix: /, issuer: one, upstream: api, credential: { provider: idp, account: { claim: [team, id] } } }',
    '{ prefix: /, issuers: [one, two], upstream: api, credential: { provider: idp, account: team } }',
    '{ prefix: /, public: true, upstream: api, credential: { provider: idp, account: team } }',
  ])('%s is good', (route) => {
    expect(problems(oauth, `[${route}]`)).toEqual([]);
  });

  it.each([
    ['issuer: one, credential: { provider: ipd }', 'ipd'],
    ['public: true, credential: { provider: idp }', 'A public route has no token'],
    [
      'issuer: one, credential: { provider: idp }, forward: { authorization: true }',
      'the Authorization field is made of the credential already',
    ],
    [
      'issuer: one, credential: { provider: idp }, forward: { set: { Authorization: x } }',
      'the Authorization field is made of the credential already',
    ],
  ])('{ %s } does not compile: %s', (fields, problem) => {
    expect(problems(oauth, `[{ prefix: /, upstream: api, ${fields} }]`).join('\n')).toContain(problem);
  });

  it('below a public group is public, too', () => {
    const routes =
      '[{ prefix: /, public: true, upstream: api, routes: [{ path: /a, credential: { provider: idp } }] }]';
    expect(problems(oauth, routes).join('\n')).toContain('A public route has no token');
  });
});

describe('the allowance of logins', () => {
  it.each([
    ['{ starts: 1440, starts_per_minute: 1 }', []],
    ['{ starts: 10000, starts_per_minute: 7 }', []],
    [
      '{ starts: 1441, starts_per_minute: 1 }',
      ['oauth.limits.starts: the whole allowance would take more than a day to come back'],
    ],
  ])('%s', (limits, expected) => {
    expect(problems(`${store}  limits: ${limits}\n  providers: { idp: { ${device} } }\n`)).toEqual(expected);
  });
});
