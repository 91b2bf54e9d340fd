/** What the built program writes about requests: what an operator needs, and never what must not be written. */
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { connect } from 'node:net';
import * as fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { freePort } from '../../gateway/port.ts';
import { Backend } from '../support/backend.ts';
import { Collector } from '../support/collector.ts';
import { type LogLine, startGateway, testPreamble } from '../support/gateway.ts';
import { until } from '../support/until.ts';

/** In everything of a request that may be secret. */
const mark = 'sw0rdf1sh';
const secret = '0123456789abcdef0123456789abcdef';
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'EdDSA' }] };

const claimsOf = (iss: string, more: object): string =>
  part({ iss, sub: `${mark}-alice`, exp: Math.floor(Date.now() / 1000) + 600, note: mark, ...more });
function signed(more: object = {}): string {
  const text = `${part({ alg: 'EdDSA', kid: 'k1' })}.${claimsOf('keys', more)}`;
  return `${text}.${sign(null, Buffer.from(text), privateKey).toString('base64url')}`;
}
function shared(more: object = {}): string {
  const text = `${part({ alg: 'HS256' })}.${claimsOf('main', more)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

const collector = await Collector.start();
const backend = await Backend.replying(
  () => 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: a=sw0rdf1sh\r\n\r\nok',
);
const closedPort = await freePort('127.0.0.1', 0);
const gateway = await startGateway(
  `${testPreamble}log: { access: all }
tracing: { exporter: otlp, endpoint: "${collector.endpoint}", interval_ms: 20 }
issuers:
  main: { issuer: main, algorithms: [HS256], keys: { secret_env: GW_SECRET } }
  keys: { issuer: keys, algorithms: [EdDSA], keys: { jwks_file: keys.json } }
upstreams:
  orders: { urls: ["${backend.url}"] }
  closed: { urls: ["http://127.0.0.1:${closedPort}"] }
routes:
  - { path: "/orders/{id}", issuers: [main, keys], upstream: orders, forward: { claims: { x-user: sub } } }
  - { path: "/admin/{id}", issuers: [main, keys], upstream: orders, scopes: { all: [admin] } }
  - { path: "/closed/{id}", issuers: [main, keys], upstream: closed }
  - { path: "/open/{id}", public: true, upstream: orders }
`,
  { env: { GW_SECRET: secret }, files: { 'keys.json': JSON.stringify(jwks) } },
);
afterAll(async () => {
  gateway.signal('SIGKILL');
  await Promise.all([gateway.exited, backend.close(), collector.stop()]);
});

const lineOf = (path: string): Promise<LogLine> =>
  until(`the line of ${path}`, () =>
    gateway.logs.find(({ msg, path: logged }) => msg === 'request' && logged === path),
  );

async function get(path: string, token: string | null): Promise<LogLine> {
  await fetch(gateway.url + path, { headers: token === null ? {} : { authorization: `Bearer ${token}` } });
  return lineOf(path);
}

it('a line says the decision, its reason, the key and who it was about', async () => {
  const allowed = await get('/orders/1', signed());
  expect(allowed).toMatchObject({
    method: 'GET',
    route: '/orders/{id}',
    status: 200,
    decision: 'allowed',
    reason: null,
    issuer: 'keys',
    kid: 'k1',
    upstream: 'orders',
    client: '127.0.0.1',
  });
  expect(allowed['sub_hash']).toMatch(/^[0-9a-f]{16}$/);
  expect(allowed['upstream_ms']).toBeGreaterThan(0);
  expect(await get('/admin/1', signed())).toMatchObject({
    status: 403,
    decision: 'denied',
    reason: 'scope_insufficient',
    sub_hash: allowed['sub_hash'],
  });
  const other = await get('/admin/2', shared());
  expect(other).toMatchObject({ issuer: 'main', kid: null });
  expect(other['sub_hash']).not.toBe(allowed['sub_hash']);
  expect(await get('/orders/2', null)).toMatchObject({
    decision: 'denied',
    reason: 'credentials_missing',
    issuer: null,
    sub_hash: null,
  });
  expect(await get('/closed/1', shared())).toMatchObject({
    status: 502,
    decision: 'allowed',
    reason: 'upstream_unreachable',
  });
});

const token = fc.oneof(
  fc.constant(null),
  fc.nat().map((jti) => signed({ jti })),
  fc.nat().map((jti) => shared({ jti })),
  fc.nat().map((jti) => signed({ jti }).replace(/.{6}$/, 'AAAAAA')),
  fc.nat().map((jti) => shared({ jti, exp: 1 })),
  fc.constantFrom(mark, `eyJ${mark}.${mark}.x`, `${mark}.${mark}.${mark}`, `${signed()},${mark}`),
);
const scheme = fc.constantFrom('Bearer', 'Bearer', 'Bearer', 'bearer', 'Basic', mark);
const credentials = fc.tuple(scheme, token);
const request = fc.record({
  method: fc.constantFrom('GET', 'PUT', 'POST', 'PURGE', 'HEAD'),
  path: fc.constantFrom(
    '/orders/x',
    '/admin/x',
    '/closed/x',
    '/open/x',
    '/nowhere',
    '//orders',
    '/orders/%2e',
  ),
  query: fc.constantFrom(
    '',
    `?access_token=${mark}`,
    `?q=${mark}`,
    `?${mark}`,
    `??${mark}`,
    `?a=1&b=${mark}#`,
  ),
  tokens: fc.oneof(
    { weight: 6, arbitrary: credentials.map((one) => [one]) },
    { weight: 1, arbitrary: fc.array(credentials, { maxLength: 2 }) },
  ),
  fields: fc.subarray([
    `Cookie: session=${mark}`,
    `X-Api-Key: ${mark}`,
    `User-Agent: ${mark}`,
    `Referer: https://a.example/?code=${mark}`,
    `X-User: ${mark}`,
    `X-Request-Id: ${mark}`,
  ]),
  malformed: fc.constantFrom(...Array.from({ length: 9 }, () => ''), `Bad Field: ${mark}`),
  body: fc.constantFrom(null, null, mark, `{"password":"${mark}"}`),
});

it('no token, claim value, query, field or body is in a line, a span or a metric, whatever comes', async () => {
  const mix = fc.sample(request, { numRuns: 400, seed: 7 });
  for (const { method, path, query, tokens, fields, malformed, body } of mix) {
    const lines = [
      `${method} ${path}${query} HTTP/1.1`,
      'Host: gw',
      'Connection: close',
      ...tokens.flatMap(([name, text]) => (text === null ? [] : [`Authorization: ${name} ${text}`])),
      ...fields,
      ...(malformed === '' ? [] : [malformed]),
      ...(body === null ? [] : [`Content-Length: ${body.length}`]),
    ];
    await exchange(`${lines.join('\r\n')}\r\n\r\n${body ?? ''}`);
  }
  await get('/open/last', null);
  await collector.server('/open/last');
  const written = gateway.logs.map((line) => JSON.stringify(line)).join('\n');
  const reasons = new Set(gateway.logs.map(({ reason }) => reason));
  for (const reason of [
    'token_signature',
    'token_expired',
    'credentials_ambiguous',
    'route_not_found',
    'upstream_unreachable',
  ])
    expect(reasons).toContain(reason);
  for (const said of [written, collector.bodies.join('\n'), await gateway.metrics()]) {
    expect(said.length).toBeGreaterThan(1000);
    expect(said).not.toContain(mark);
    expect(said).not.toMatch(/eyJ/);
  }
});

it('what an upstream does again and again is one line in a while', async () => {
  await Promise.all(Array.from({ length: 20 }, (_, i) => get(`/closed/again-${i}`, shared())));
  const failures = gateway.logs.filter(({ msg }) => msg === 'a call to an upstream failed');
  expect(failures.length).toBeGreaterThan(0);
  // One every ten seconds.
  expect(failures.length).toBeLessThan(5);
});

/** Sends bytes, and settles when the gateway is through with the connection. */
function exchange(bytes: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1', () =>
      socket.write(bytes, 'latin1'),
    );
    socket.on('error', () => {});
    socket.on('close', () => resolve());
    socket.resume();
  });
}
