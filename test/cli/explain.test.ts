import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { createServer } from 'node:http';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../gateway/core/clock.ts';
import type { GrantedTokens } from '../../gateway/oauth/credential.ts';
import { makeRingEntry } from '../../gateway/oauth/store/key-ring.ts';
import { openCredentialStore } from '../../gateway/oauth/store/open.ts';
import { run, type Ran } from './memory-terminal.ts';

const folder = await mkdtemp(join(tmpdir(), 'sallyport-explain-'));
const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const keySet = JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'EdDSA' }] });
const fetched: string[] = [];
const server = createServer((request, response) => {
  fetched.push(request.url ?? '');
  response.end(keySet);
});
await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
const { port } = server.address() as AddressInfo;
afterAll(async () => {
  server.close();
  await rm(folder, { recursive: true });
});

const now = 1_700_000_000;
const secret = '0123456789abcdef0123456789abcdef';
const config = join(folder, 'gw.yaml');
await writeFile(join(folder, 'jwks.json'), keySet);
await writeFile(
  config,
  `version: 1
issuers:
  shared: { issuer: shared, audiences: [orders], algorithms: [HS256], keys: { secret_env: GW_SECRET } }
  file: { issuer: file, algorithms: [EdDSA], keys: { jwks_file: jwks.json } }
  remote: { issuer: remote, algorithms: [EdDSA], keys: { jwks_uri: "http://127.0.0.1:${port}/jwks" } }
upstreams: { orders: { urls: ["http://127.0.0.1:3000"] } }
routes:
  - prefix: /orders
    issuers: [shared, file, remote]
    upstream: orders
    scopes: { all: [orders:read] }
    routes:
      - { path: "/{id}", methods: [PATCH], scopes: { all: [orders:write], any: [a, b] }, subject: { param: id } }
      - { path: /health, methods: [GET], public: true, respond: { status: 204 } }
  - { prefix: /odd, upstream: orders, public: true, allow_in_path: [semicolon] }
`,
);

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const claims = (iss: string, more: object = {}) => ({
  iss,
  aud: 'orders',
  sub: '5',
  exp: now + 60,
  scope: 'orders:read',
  ...more,
});

function hmacToken(more: object = {}): string {
  const signed = `${part({ alg: 'HS256' })}.${part(claims('shared', more))}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

function publicToken(iss: string): string {
  const signed = `${part({ alg: 'EdDSA', kid: 'k' })}.${part(claims(iss))}`;
  return `${signed}.${sign(null, Buffer.from(signed), privateKey).toString('base64url')}`;
}

interface Report {
  readonly route: { readonly id: string; readonly at: string } | null;
  readonly checks: readonly { readonly check: string; readonly passed: boolean; readonly detail: string }[];
  readonly verified: boolean;
  readonly answer: {
    readonly served: boolean;
    readonly code?: string;
    readonly status: number | null;
    readonly upstream?: string;
    readonly allow?: string[];
  };
}

const explain = (args: readonly string[], input = ''): Promise<Ran> =>
  run(['explain', '-c', config, '--now', String(now), ...args], { env: { GW_SECRET: secret }, input });

async function report(...args: readonly string[]): Promise<Report> {
  const { code, out, err } = await explain([...args, '--format', 'json']);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return JSON.parse(out) as Report;
}

const failed = ({ checks }: Report): string[] =>
  checks.filter(({ passed }) => !passed).map(({ check }) => check);

describe('what ends before a token is looked at', () => {
  test.each<[string[], string, number]>([
    [['--path', '/nope'], 'route_not_found', 404],
    [['--path', '/orders/5', '--method', 'brew'], 'method_not_supported', 501],
    [['--path', '/orders/../x'], 'path_not_canonical', 400],
    [['--path', '/orders/a;b'], 'path_not_canonical', 400],
    [['--path', 'http://evil/'], 'target_invalid', 400],
    [['--path', `/${'a'.repeat(9000)}`], 'target_too_long', 414],
    [['--path', '/orders/5'], 'credentials_missing', 401],
    [['--path', '/orders/5', '--token', 'Bearer '], 'credentials_missing', 401],
  ])('%j is %s', async (args, code, status) => {
    expect((await report(...args)).answer).toMatchObject({ served: false, code, status });
  });

  test('an odd path form that the route allows is told', async () => {
    const { answer, checks } = await report('--path', '/odd/a;b');
    expect(answer.served).toBe(true);
    expect(checks.find(({ check }) => check === 'path form')).toMatchObject({ passed: true });
  });
});

test('a public route serves without a token', async () => {
  const { route, answer } = await report('--path', '/orders/health');
  expect(route).toMatchObject({ id: 'GET /orders/health', at: 'routes[0].routes[1]' });
  expect(answer).toEqual({ served: true, upstream: null, status: 204 });
});

describe('with a token', () => {
  test('every check is told, also those behind the first that fails', async () => {
    const answer = await report('--path', '/orders/7', '--method', 'PATCH', '--token', hmacToken());
    expect(answer.answer).toMatchObject({ served: false, code: 'scope_insufficient', status: 403 });
    expect(failed(answer)).toEqual(['scopes', 'subject']);
    expect(answer.checks.find(({ check }) => check === 'scopes')?.detail).toBe(
      'lacking: orders:write; one of a, b',
    );
    expect(answer.checks.find(({ check }) => check === 'subject')?.detail).toBe(
      'must be {id}, which is "7"; the token has "5"',
    );
  });

  test('a good one is forwarded, whether given as an argument or on standard input', async () => {
    const token = hmacToken({ scope: 'orders:read orders:write b' });
    const { answer } = await report('--path', '/orders/5', '--method', 'patch', '--token', token);
    expect(answer).toEqual({ served: true, upstream: 'orders', status: null });
    const { out } = await explain(['--path', '/orders/5', '--token', '-'], `Bearer ${token}\n`);
    expect(out).toContain('forwarded to the upstream orders\n');
  });

  test.each<[string, object, string]>([
    ['expired', { exp: now - 10 }, 'token_expired'],
    ['for others', { aud: 'else' }, 'token_audience'],
    ['of tomorrow', { nbf: now + 86_400 }, 'token_not_yet_valid'],
  ])('one that is %s is refused by the gateway’s own checks', async (_, more, code) => {
    expect((await report('--path', '/orders/5', '--token', hmacToken(more))).answer).toMatchObject({
      status: 401,
      code,
    });
  });

  test('a forged one is refused by its signature, and never printed', async () => {
    const token = `${hmacToken().slice(0, -4)}AAAA`;
    const { out } = await explain(['--path', '/orders/5', '--token', token]);
    expect(out).toContain('FAIL token');
    expect(out).toContain('401 token_signature');
    expect(out).not.toContain(token.split('.')[1]);
  });

  test('keys come from files beside the configuration', async () => {
    expect(await report('--path', '/orders/5', '--token', publicToken('file'))).toMatchObject({
      verified: true,
      answer: { served: true },
    });
  });

  test('key sets are fetched with --online only; without it the answer says what it stands on', async () => {
    const token = publicToken('remote');
    const offline = await report('--path', '/orders/5', '--token', token);
    expect(fetched).toEqual([]);
    expect(offline).toMatchObject({ verified: false, answer: { served: true } });
    const { out } = await explain(['--path', '/orders/5', '--token', token]);
    expect(out).toContain('the signature was NOT checked');
    expect(out).toContain('forwarded to the upstream orders, provided that the signature holds');
    const online = await report('--path', '/orders/5', '--token', token, '--online');
    expect(fetched).toEqual(['/jwks']);
    expect(online).toMatchObject({ verified: true, answer: { served: true } });
  });

  test('keys that cannot be had are a 503, with the reason', async () => {
    const { out } = await run(['explain', '-c', config, '--path', '/orders/5', '--token', hmacToken()]);
    expect(out).toContain('503 keys_unavailable');
    expect(out).toContain('the environment variable is not set');
  });
});

test('the exit code follows the answer when asked to', async () => {
  expect((await explain(['--path', '/nope'])).code).toBe(0);
  expect((await explain(['--path', '/nope', '--exit-code'])).code).toBe(1);
  expect((await explain(['--path', '/orders/health', '--exit-code'])).code).toBe(0);
});

test('the text names the route, where its settings come from, and the answer', async () => {
  const { out } = await explain(['--path', '/orders/5', '--method', 'DELETE']);
  expect(out).toContain('written  routes[0]');
  const { out: patch } = await explain(['--path', '/orders/5', '--method', 'PATCH']);
  expect(patch).toContain('route    PATCH /orders/{id}');
  expect(patch).toContain('upstream from routes[0]');
  expect(patch).toContain(
    'asks for a token of shared or file or remote, scopes orders:read and orders:write, scope a or b',
  );
  expect(patch).toContain('401 credentials_missing: A bearer token is required.\n');
});

test('405 tells which methods there are', async () => {
  const { answer } = await report('--path', '/orders/health', '--method', 'GET');
  expect(answer.served).toBe(true);
  const file = join(folder, 'methods.yaml');
  await writeFile(
    file,
    'version: 1\nroutes: [{ path: /a, methods: [GET, PUT], public: true, respond: {} }]\n',
  );
  const { out } = await run(['explain', '-c', file, '--path', '/a', '--method', 'POST']);
  expect(out).toContain('405 method_not_allowed');
  expect(out).toContain('Allow: GET, HEAD, PUT\n');
});

test('a bad configuration is exit code 2, with its problems', async () => {
  const file = join(folder, 'bad.yaml');
  await writeFile(file, 'version: 1\nroutes: 5\n');
  const { code, out, err } = await run(['explain', '-c', file, '--path', '/']);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toContain(':2:9: routes: must be a list');
});

describe('a route with a stored credential', () => {
  const env = { GW_SECRET: secret, RING: makeRingEntry(now * 1000) };
  const file = join(folder, 'logins.yaml');
  const store = join(folder, 'credentials');
  const asked = async (): Promise<Report> => {
    const args = ['explain', '-c', file, '--now', String(now), '--path', '/api', '--format', 'json'];
    const { code, out, err } = await run([...args, '--token', hmacToken()], { env });
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).not.toMatch(/access-1|refresh-1/);
    return JSON.parse(out) as Report;
  };
  const tokens = (more: Partial<GrantedTokens>): GrantedTokens => ({
    kind: 'tokens',
    accessToken: 'access-1',
    tokenType: 'bearer',
    refreshToken: 'refresh-1',
    scope: null,
    subject: null,
    obtainedAtMs: (now - 60) * 1000,
    expiresAtMs: (now + 30) * 1000,
    refusal: null,
    ...more,
  });
  const refusal = { code: 'invalid_grant', atMs: now * 1000 };

  test('whose store is not there yet is told so', async () => {
    const text = await readFile(config, 'utf8');
    const more = `  - { prefix: /api, issuer: shared, upstream: orders, credential: { provider: idp } }
oauth:
  store: { file: ${store}, key_env: RING }
  providers: { idp: { issuer: "https://idp.example", client_id: cli, flow: device } }
`;
    await writeFile(file, text + more);
    const { answer, checks } = await asked();
    expect(answer).toMatchObject({ served: false, status: 503, code: 'oauth_store_unavailable' });
    expect(checks.at(-1)?.detail).toContain('idp of shared/5: ');
  });

  test.each<[string, GrantedTokens | null, string | null, string]>([
    ['not there', null, 'credential_absent', 'no login is stored'],
    ['fresh', tokens({}), null, 'stored, expires 30 s from now; it is renewed in time'],
    [
      'expired',
      tokens({ expiresAtMs: (now - 5) * 1000 }),
      null,
      'stored, expired 5 s ago; it is renewed in time',
    ],
    [
      'expired for good',
      tokens({ expiresAtMs: (now - 5) * 1000, refreshToken: null }),
      'credential_refused',
      'stored, expired 5 s ago; it cannot be renewed',
    ],
    [
      'refused',
      tokens({ expiresAtMs: (now - 5) * 1000, refusal }),
      'credential_refused',
      'stored, expired 5 s ago; the provider refused to renew it (invalid_grant)',
    ],
  ])('that is %s says whose it is and how it stands', async (_, grant, code, detail) => {
    const parts = { env, clock: systemClock, warn: () => {} };
    const opened = await openCredentialStore({ file: store, keyEnv: 'RING' }, parts);
    const id = { provider: 'idp', account: 'shared/5' };
    if (grant === null) await opened.delete(id);
    else await opened.write({ id, grant }, 1n, 'replace');
    await opened.close();
    const { answer, checks } = await asked();
    expect(checks.at(-1)).toMatchObject({ check: 'credential', detail: `idp of shared/5: ${detail}` });
    expect(answer).toMatchObject(code === null ? { served: true } : { served: false, code });
  });
});

test('where each token type came from is told, and the status is that of the error profile', async () => {
  const file = join(folder, 'types.yaml');
  await writeFile(
    file,
    `version: 1
listener: { error_profile: plain }
error_profiles: { plain: { body: detail } }
issuers:
  shared:
    issuer: shared
    algorithms: [HS256]
    keys: { secret_env: GW_SECRET }
    token_types: { values: [execution, workload, callback], default: execution }
upstreams: { app: { urls: ["http://127.0.0.1:3000"] } }
routes:
  - prefix: /ti
    upstream: app
    closed: true
    token_types: [execution]
    routes:
      - { path: /run, token_types: [workload, execution] }
  - { path: /other, upstream: app }
`,
  );
  const ask = (path: string, token: string): Promise<Ran> =>
    run(['explain', '-c', file, '--now', String(now), '--path', path, '--token', token], {
      env: { GW_SECRET: secret },
    });
  const onRun = await ask('/ti/run', hmacToken({ scope: 'callback' }));
  expect(onRun.out).toContain('token type execution from routes[0], routes[0].routes[0]\n');
  expect(onRun.out).toContain('token type workload from routes[0].routes[0]\n');
  expect(onRun.out).toContain('the token is of type callback; allowed: execution, workload');
  const other = await ask('/other', hmacToken({ scope: undefined }));
  expect(other.out).toContain('token type execution from issuers.shared.token_types.default\n');
  const expired = await ask('/other', hmacToken({ scope: undefined, exp: now - 60 }));
  expect(expired.out).toContain('403 token_expired');
});
