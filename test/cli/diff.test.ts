import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { run, type Ran } from './memory-terminal.ts';

const folder = await mkdtemp(join(tmpdir(), 'sallyport-diff-'));
afterAll(() => rm(folder, { recursive: true }));

const base = `version: 1
listener: { trusted_proxies: [10.0.0.1] }
issuers:
  main:
    issuer: https://main
    audiences: [orders, carts]
    algorithms: [RS256, ES256]
    typ: [at+jwt]
    required_claims: [jti]
    require_kid: true
    leeway_seconds: 10
    keys: { jwks_uri: https://main/jwks, max_stale_seconds: 600 }
    token_types: { claim: kind, values: [execution, workload], default: execution }
  spare:
    issuer: https://spare
    algorithms: [RS256]
    keys: { jwks_uri: https://spare/jwks }
    token_types: { values: [execution], default: execution }
upstreams: { orders: { urls: ["http://127.0.0.1:3000"] } }
scopes: { implies: { admin: [write] } }
identity_headers: [x-role]
access_hooks: { team: { url: https://team/check } }
routes:
  - path: /orders/{id}
    methods: [GET]
    issuers: [main]
    audiences: [orders]
    upstream: orders
    scopes: { all: [write], any: [a, b] }
    token_types: [execution]
    subject: { param: id }
    claims: [{ claim: team, values: [a, b] }]
    access_hook: team
    max_body_bytes: 100
    limits: { rate: { requests: 10, per_seconds: 60, burst: 5, by: route } }
    allow_in_path: [semicolon]
    forward: { claims: { x-user: { claim: sub, required: true } } }
  - path: /other
    issuer: spare
    upstream: orders
`;

let files = 0;
async function diff(old: string, now: string, ...flags: string[]): Promise<Ran> {
  const [one, other] = [join(folder, `${++files}.yaml`), join(folder, `${++files}.yaml`)];
  await writeFile(one, old);
  await writeFile(other, now);
  const { code, out, err } = await run(['diff', one, other, ...flags]);
  return { code, out: out.replaceAll(one, 'old').replaceAll(other, 'new'), err };
}

interface Report {
  readonly version: number;
  readonly loosened: number;
  readonly changes: readonly { effect: string; subject: string; setting: string; detail: string; old: string | null; new: string | null }[];
} // prettier-ignore

async function changesOf(old: string, now: string): Promise<string[]> {
  const { out } = await diff(old, now, '--json');
  return (JSON.parse(out) as Report).changes.map(({ effect, setting }) => `${effect} ${setting}`);
}

describe('what is loosened one way is tightened the other way', () => {
  test.each([
    ['a scope is dropped', 'all: [write], any', 'any', 'scopes'],
    ['one more scope will do', 'any: [a, b]', 'any: [a, b, c]', 'scopes'],
    ['a scope grants one that is required', 'admin: [write]', 'admin: [write], root: [write]', 'scopes'],
    ['an audience is added', 'audiences: [orders]', 'audiences: [orders, carts]', 'audiences'],
    ['a token type is added', 'token_types: [execution]', 'token_types: [execution, workload]', 'token_types'],
    ['an issuer is added', 'issuers: [main]', 'issuers: [main, spare]', 'issuers'],
    ['the subject is not bound', '    subject: { param: id }\n', '', 'subject'],
    ['a method is added', 'methods: [GET]', 'methods: [GET, PUT]', 'routes'],
    ['a path is added', '  - path: /other', '  - { path: /more, issuer: spare, upstream: orders }\n  - path: /other', 'routes'],
    ['a parameter takes more than one segment', 'path: /other', 'path: /{of*}', 'routes'],
    ['a larger body', 'max_body_bytes: 100', 'max_body_bytes: 101', 'max_body_bytes'],
    ['any body', '    max_body_bytes: 100\n', '', 'max_body_bytes'],
    ['a faster rate', 'requests: 10,', 'requests: 11,', 'limits.rate'],
    ['a larger burst', 'burst: 5', 'burst: 6', 'limits.rate'],
    ['any rate', '    limits: { rate: { requests: 10, per_seconds: 60, burst: 5, by: route } }\n', '', 'limits.rate'],
    ['an odd path', 'allow_in_path: [semicolon]', 'allow_in_path: [semicolon, encoded_slash]', 'allow_in_path'],
    ['a hook is not asked', '    access_hook: team\n', '', 'access_hook'],
    ['a yes is kept for longer', 'https://team/check', 'https://team/check, allowed_seconds: 60', 'team.allowed_seconds'],
    ['a claim may be one more text', 'values: [a, b]', 'values: [a, b, c]', 'claims'],
    ['a claim may be absent', 'values: [a, b]', 'values: [a, b], absent: pass', 'claims'],
    ['a claim is not compared', '    claims: [{ claim: team, values: [a, b] }]\n', '', 'claims'],
    ['a claim need not be there', 'required: true', 'required: false', 'forward'],
    ['an algorithm', 'algorithms: [RS256, ES256]', 'algorithms: [RS256, ES256, EdDSA]', 'algorithms'],
    ['another typ', 'typ: [at+jwt]', 'typ: [at+jwt, application/JWT]', 'typ'],
    ['a required claim', 'required_claims: [jti]', 'required_claims: []', 'required_claims'],
    ['a kid', 'require_kid: true', 'require_kid: false', 'require_kid'],
    ['the leeway', 'leeway_seconds: 10', 'leeway_seconds: 11', 'leeway_seconds'],
    ['old keys', 'max_stale_seconds: 600', 'max_stale_seconds: 601', 'keys.max_stale_seconds'],
    ['a longer token', '    require_kid', '    max_token_bytes: 9000\n    require_kid', 'max_token_bytes'],
    ['a proxy that is believed', '[10.0.0.1]', '[10.0.0.1, 10.0.0.2]', 'trusted_proxies'],
    ['a field with certificates that is believed', 'trusted_proxies', 'trust_client_cert: true, trusted_proxies', 'trust_client_cert'],
    ['a larger head', 'listener: {', 'listener: { max_header_bytes: 20000,', 'max_header_bytes'],
    ['an identity field of callers', 'identity_headers: [x-role]', 'identity_headers: []', 'identity_headers'],
  ])('%s', async (_, from, to, setting) => {
    expect(base).toContain(from);
    const now = base.replace(from, to);
    expect(await changesOf(base, now)).toContain(`loosened ${setting}`);
    const back = await changesOf(now, base);
    expect(back).toContain(`tightened ${setting}`);
    expect(back.filter((change) => change.startsWith('loosened'))).toEqual([]);
  }); // prettier-ignore

  test('a public route, which takes no settings of tokens with it', async () => {
    const open = base.replace(/ {4}issuers: \[main\]\n {4}audiences: .*\n/, '    public: true\n')
      .replace(/ {4}scopes: .*\n {4}token_types: .*\n {4}subject: .*\n {4}claims: .*\n {4}access_hook: .*\n/, '').replace(/ {4}forward: .*\n/, ''); // prettier-ignore
    expect(await changesOf(base, open)).toContain('loosened public');
    expect(await changesOf(open, base)).toContain('tightened public');
  });

  test('a closed prefix that is opened', async () => {
    const closed = `${base}  - { prefix: /, issuer: spare, upstream: orders, routes: [{ prefix: /in, closed: true, routes: [{ path: /a }] }] }\n`;
    const opened = closed.replace('closed: true, ', '');
    const { out, code } = await diff(closed, opened);
    expect({ code, out }).toEqual({
      code: 2,
      out: expect.stringContaining('/in is served now, by the upstream orders'),
    });
  });
});

test('bound tokens that are no longer asked for, by a route or by its issuer', async () => {
  const asked = base.replace('listener: {', 'listener: { trust_client_cert: true,');
  const byRoute = asked.replace(
    '    access_hook: team\n',
    '    access_hook: team\n    certificate_bound: true\n',
  );
  const byIssuer = asked.replace('    require_kid', '    certificate_bound: true\n    require_kid');
  for (const bound of [byRoute, byIssuer]) {
    expect(await changesOf(bound, asked)).toEqual(['loosened certificate_bound']);
    expect(await changesOf(asked, bound)).toEqual(['tightened certificate_bound']);
  }
  expect(await changesOf(byRoute, byIssuer)).toEqual([]);
});

describe('what cannot be compared is loosened both ways', () => {
  test.each([
    ['another bound parameter', 'path: /orders/{id}', 'path: /orders/{id}/{of}', 'param: id', 'param: of', 'subject'],
    ['another hook', 'https://team/check', 'https://team/other', '', '', 'team.url'],
    ['other keys', 'https://main/jwks', 'https://main/keys', '', '', 'keys'],
    ['another claim for scopes', '    require_kid', '    scope_claims: [scp]\n    require_kid', '', '', 'scope_claims'],
    ['another subject', '    require_kid', '    subject_claim: uid\n    require_kid', '', '', 'subject_claim'],
    ['another claim for types', 'claim: kind', 'claim: sort', '', '', 'token_types'],
  ])('%s', async (title, from, to, alsoFrom, alsoTo, setting) => {
    const old = title.startsWith('another bound') ? base.replace(from, to) : base;
    const now = base.replace(from, to).replace(alsoFrom, alsoTo);
    expect(await changesOf(old, now)).toContain(`loosened ${setting}`);
    expect(await changesOf(now, old)).toContain(`loosened ${setting}`);
  }); // prettier-ignore
});

describe('what is the same is no difference', () => {
  test.each([
    ['another order', base.replace(/( {2}- path: \/orders[\s\S]*?)( {2}- path: \/other[\s\S]*)/, '$2$1')],
    ['another name of an issuer', base.replaceAll(/\bmain\b(?!\/|\n {4}aud)/g, 'prime').replaceAll('https://prime', 'https://main')],
    ['names of parameters', base.replaceAll(/\{id\}|param: id/g, (text) => text.replace('id', 'order'))],
    ['a scope that is granted by the other in one list', base.replace('any: [a, b]', 'any: [b, a]')],
    ['settings of a parent', base.replace('  - path: /other\n    issuer: spare\n    upstream: orders\n',
      '  - { prefix: /other, closed: true, issuer: spare, upstream: orders, routes: [{ path: "" }] }\n')],
  ])('%s', async (_, now) => {
    expect(now).not.toBe(base);
    const effects = (await changesOf(base, now)).filter((change) => !change.startsWith('changed'));
    expect(effects).toEqual([]);
  }); // prettier-ignore
});

test('another upstream changes what happens, not who is accepted: exit code 0', async () => {
  const two = base.replace('upstreams: {', 'upstreams: { next: { urls: ["http://127.0.0.1:3001"] },');
  const { out, code } = await diff(base, two.replace(/(issuer: spare\n {4}upstream: )orders/, '$1next'));
  expect({ code, out }).toEqual({
    code: 0,
    out: expect.stringContaining('upstream: answered by the upstream next, no longer by the upstream orders'),
  });
});

test('--json has a version, counts and the lines of both files', async () => {
  const { out, code } = await diff(base, base.replace('max_body_bytes: 100', 'max_body_bytes: 200'), '--json');
  expect(code).toBe(2);
  expect(JSON.parse(out)).toEqual({
    version: 1, loosened: 1, tightened: 0, changed: 0,
    changes: [
      { effect: 'loosened', subject: 'GET,HEAD /orders/{id}', setting: 'max_body_bytes', detail: '100 became 200', old: 'old:24', new: 'new:24' },
    ],
  });
}); // prettier-ignore

test('nothing differs: exit code 0, and it says so', async () => {
  expect(await diff(base, base)).toEqual({ code: 0, err: '', out: expect.stringContaining('No difference') });
});

test('a configuration that cannot be used is exit code 1, because 2 says that something is loosened', async () => {
  const { code, out, err } = await diff(base, base.replace('version: 1', 'version: 7'));
  expect({ code, out }).toEqual({ code: 1, out: '' });
  expect(err).toContain('version: must be 1');
});
