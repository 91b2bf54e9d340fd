/** The spans of requests, as a collector gets them from the built program. */
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, describe, expect, it } from 'vitest';
import { Backend } from '../support/backend.ts';
import { Collector, type Span } from '../support/collector.ts';
import { startGateway, type TestGateway, testPreamble } from '../support/gateway.ts';
import { until } from '../support/until.ts';

const secret = '0123456789abcdef0123456789abcdef';
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const bodyOf = (claims: object): string =>
  part({ iss: 'main', sub: 'alice-claim', exp: Math.floor(Date.now() / 1000) + 600, ...claims });

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const jwks = JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'EdDSA' }] });

/** Known to no cache, so that a worker has to look at it. */
function token(claims: object = {}): string {
  const signed = `${part({ alg: 'EdDSA', kid: 'k1' })}.${bodyOf({ iss: 'keys', ...claims })}`;
  return `${signed}.${sign(null, Buffer.from(signed), privateKey).toString('base64url')}`;
}

function hmacToken(claims: object = {}): string {
  const signed = `${part({ alg: 'HS256' })}.${bodyOf(claims)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

const collector = await Collector.start();
const backend = await Backend.replying(({ target }) => {
  const status = target.startsWith('/orders/broken') ? '500 Broken' : '200 OK';
  return `HTTP/1.1 ${status}\r\nContent-Length: 2\r\n\r\nok`;
});
const hookHeads: IncomingHttpHeaders[] = [];
const hook = createServer(({ headers }, response) => {
  hookHeads.push(headers);
  response.writeHead(204).end();
});
await once(hook.listen(0, '127.0.0.1'), 'listening');
const hookUrl = `http://127.0.0.1:${(hook.address() as AddressInfo).port}`;
const nobody = createServer();
await once(nobody.listen(0, '127.0.0.1'), 'listening');
const closedPort = (nobody.address() as AddressInfo).port;
nobody.close();

const configOf = (tracing: string, mode = 'always'): string =>
  testPreamble.replace(
    /^listener: .*$/m,
    `listener: { host: 127.0.0.1, port: 0, threads: 1, trace_context: ${mode} }`,
  ) +
  `log: { access: all }
metrics: { exemplars: true }
decision: { peers: [127.0.0.1], mounts: [{ mode: nginx }] }
tracing: ${tracing}
issuers:
  main: { issuer: main, algorithms: [HS256], keys: { secret_env: GW_SECRET } }
  keys: { issuer: keys, algorithms: [EdDSA], keys: { jwks_file: keys.json } }
upstreams:
  orders: { urls: ["${backend.url}"] }
  closed: { urls: ["http://127.0.0.1:${closedPort}"] }
access_hooks:
  team: { url: "${hookUrl}" }
routes:
  - { path: "/orders/{id}", issuers: [main, keys], upstream: orders }
  - { path: /asked, issuer: main, upstream: orders, access_hook: team }
  - { path: /closed, public: true, upstream: closed }
  - { path: /open, public: true, upstream: orders }
  - { path: /hello, public: true, respond: { status: 200, body: hello } }
`;
const options = {
  env: { GW_SECRET: secret, COLLECTOR: 'x-key=top-s3cret,x-team=a%20b' },
  files: { 'keys.json': jwks },
};
const start = (tracing: string, mode?: string): Promise<TestGateway> =>
  startGateway(configOf(tracing, mode), options);
const otlp = (more = ''): string =>
  `{ exporter: otlp, endpoint: "${collector.endpoint}", interval_ms: 20${more} }`;

const gateways: TestGateway[] = [];
async function running(tracing: string, mode?: string): Promise<TestGateway> {
  const gateway = await start(tracing, mode);
  gateways.push(gateway);
  return gateway;
}
afterAll(async () => {
  for (const gateway of gateways) gateway.signal('SIGKILL');
  await Promise.all(gateways.map(({ exited }) => exited));
  await Promise.all([backend.close(), collector.stop()]);
  hook.closeAllConnections();
  hook.close();
});

const get = (gateway: TestGateway, path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${gateway.url}${path}`, { headers });
const bearer = (text: string): Record<string, string> => ({ authorization: `Bearer ${text}` });
const parentOf = (path: string): string | undefined =>
  backend.requests.find(({ target }) => target.startsWith(path))?.values('traceparent')[0];
const lineOf = (gateway: TestGateway, path: string) =>
  until(`the access line of ${path}`, () =>
    gateway.logs.find(({ msg, path: logged }) => msg === 'request' && logged === path),
  );

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const above = `00-${traceId}-00f067aa0ba902b7-01`;

describe('with an exporter', async () => {
  const gateway = await running(otlp(', headers_env: COLLECTOR'));

  it('a forwarded request has a span, and one below it for the call, whose id goes upstream', async () => {
    await get(gateway, '/orders/first?page=2', bearer(token()));
    const server = await collector.server('/orders/first');
    expect(server).toMatchObject({
      name: 'GET /orders/{id}',
      parentId: '',
      isError: false,
      scope: 'sallyport',
      attributes: {
        'http.request.method': 'GET',
        'http.route': '/orders/{id}',
        'http.response.status_code': 200,
        'url.scheme': 'http',
        'server.address': '127.0.0.1',
        'server.port': Number(new URL(gateway.url).port),
        'network.protocol.version': '1.1',
      },
      resource: { 'service.name': 'sallyport' },
    });
    const client = childOf(server, 'GET');
    const verify = childOf(server, 'verify token');
    expect(client).toMatchObject({
      kind: 'client',
      traceId: server.traceId,
      isError: false,
      events: ['response head'],
      attributes: {
        'http.response.status_code': 200,
        'peer.service': 'orders',
        'http.request.method': 'GET',
      },
    });
    expect(verify).toMatchObject({ kind: 'internal', isError: false });
    expect(verify.attributes['sallyport.verify.batch_tokens']).toBe(1);
    expect(verify.attributes['sallyport.verify.queue_ms']).toBeGreaterThanOrEqual(0);
    expect(parentOf('/orders/first')).toBe(`00-${server.traceId}-${client.spanId}-01`);
    for (const { startMs, endMs } of [client, verify]) {
      expect(startMs).toBeGreaterThanOrEqual(server.startMs);
      expect(endMs).toBeGreaterThanOrEqual(startMs);
      expect(endMs).toBeLessThanOrEqual(server.endMs);
    }
    expect(Math.abs(server.endMs - Date.now())).toBeLessThan(60_000);
  });

  it('a token that is known is not verified, and has no span for it', async () => {
    const known = token({ jti: 'again' });
    await get(gateway, '/orders/again-1', bearer(known));
    await get(gateway, '/orders/again-2', bearer(known));
    const second = await collector.server('/orders/again-2');
    expect(collector.below(second).map(({ name }) => name)).toEqual(['GET']);
  });

  it('the access line names the trace that was begun here', async () => {
    await get(gateway, '/hello');
    const { traceId: begun } = await collector.server('/hello');
    expect(await lineOf(gateway, '/hello')).toMatchObject({ trace_id: begun });
  });

  it('a bucket of the durations shows the trace of a request that is recorded', async () => {
    await get(gateway, '/hello');
    const exemplar = await until('an exemplar', async () => {
      const headers = { accept: 'application/openmetrics-text; version=1.0.0' };
      const text = await (await fetch(`${gateway.adminUrl}/metrics`, { headers })).text();
      return /route="\/hello".* # \{trace_id="([0-9a-f]{32})"\}/.exec(text)?.[1];
    });
    await until('its span', () => collector.spans.some(({ traceId: sent }) => sent === exemplar));
  });

  it('a question of another proxy has a span, with the verification that it waited for', async () => {
    const question = { 'x-original-method': 'GET', 'x-original-uri': '/orders/asked-about?secret=1' };
    await get(gateway, '/-/decide/nginx', { ...bearer(token({ jti: 'asked' })), ...question });
    const server = await collector.server('/orders/asked-about');
    expect(server.attributes).toMatchObject({
      'http.route': '/orders/{id}',
      'http.response.status_code': 200,
    });
    expect(childOf(server, 'verify token').attributes['sallyport.verify.batch_tokens']).toBe(1);
  });

  it('a caller that is in a trace goes on in it, tracestate and all', async () => {
    await get(gateway, '/orders/parent', {
      ...bearer(hmacToken()),
      traceparent: above,
      tracestate: 'a=1,b=2',
    });
    const server = await collector.server('/orders/parent');
    expect(server).toMatchObject({ traceId, parentId: '00f067aa0ba902b7', state: 'a=1,b=2' });
    const client = childOf(server, 'GET');
    const request = backend.requests.find(({ target }) => target === '/orders/parent')!;
    expect(request.values('traceparent')).toEqual([`00-${traceId}-${client.spanId}-01`]);
    expect(request.values('tracestate')).toEqual(['a=1,b=2']);
  });

  it('a trace that its caller does not record is not recorded here, and goes on upstream', async () => {
    const unrecorded = above.replace(/01$/, '00');
    await get(gateway, '/orders/unrecorded', { ...bearer(hmacToken()), traceparent: unrecorded });
    await get(gateway, '/orders/after', bearer(hmacToken()));
    await collector.server('/orders/after');
    expect(parentOf('/orders/unrecorded')).toBe(unrecorded);
    expect(await lineOf(gateway, '/orders/unrecorded')).toMatchObject({ trace_id: traceId });
    expect(
      collector.spans.filter(({ attributes }) => attributes['url.path'] === '/orders/unrecorded'),
    ).toEqual([]);
  });

  it.each(['garbage', `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`, `ff${above.slice(2)}`])(
    'traceparent %s begins a new trace',
    async (traceparent) => {
      const path = `/orders/${Buffer.from(traceparent).toString('hex').slice(0, 40)}`;
      await get(gateway, path, { ...bearer(hmacToken()), traceparent, tracestate: 'a=1' });
      const server = await collector.server(path);
      expect(server).toMatchObject({ parentId: '', state: '' });
      expect(server.traceId).not.toBe(traceId);
    },
  );

  it('a refusal is named, and is an error only where something failed', async () => {
    await get(gateway, '/orders/none');
    expect(await collector.server('/orders/none')).toMatchObject({
      isError: false,
      attributes: { 'http.response.status_code': 401, 'error.type': 'credentials_missing' },
    });
    await get(gateway, '/nowhere');
    const nowhere = await collector.server('/nowhere');
    expect(nowhere).toMatchObject({
      name: 'GET',
      isError: false,
      attributes: { 'error.type': 'route_not_found' },
    });
    expect(nowhere.attributes).not.toHaveProperty('http.route');
    await get(gateway, '/closed');
    const closed = await collector.server('/closed');
    expect(closed).toMatchObject({
      isError: true,
      attributes: { 'http.response.status_code': 502, 'error.type': 'upstream_unreachable' },
    });
    expect(childOf(closed, 'GET')).toMatchObject({
      isError: true,
      attributes: { 'error.type': 'upstream_unreachable' },
    });
    await get(gateway, '/orders/broken', bearer(hmacToken()));
    const broken = await collector.server('/orders/broken');
    expect(broken).toMatchObject({ isError: true, attributes: { 'error.type': '500' } });
  });

  it('a forged token shows in its verification', async () => {
    await get(gateway, '/orders/forged', bearer(token({ jti: 'x' }).replace(/.{8}$/, 'AAAAAAAA')));
    const server = await collector.server('/orders/forged');
    expect(childOf(server, 'verify token').attributes).toMatchObject({ 'error.type': 'token_signature' });
  });

  it('an access hook is asked within the trace of its request, tracestate and all', async () => {
    const headers = { ...bearer(hmacToken({ sub: 'traced' })), traceparent: above, tracestate: 'vendor=x' };
    await get(gateway, '/asked?of=a-trace', headers);
    const { traceparent, tracestate } = hookHeads.at(-1)!;
    const server = await until('the span', () =>
      collector.spans.find((span) => span.name === 'GET /asked' && span.traceId === traceId),
    );
    expect([traceparent, tracestate]).toEqual([`00-${traceId}-${server.spanId}-01`, 'vendor=x']);
    expect(childOf(server, 'access hook').parentId).toBe(server.spanId);
  });

  it('an access hook that was asked has a span', async () => {
    await get(gateway, '/asked', bearer(hmacToken()));
    const server = await collector.server('/asked');
    expect(childOf(server, 'access hook').attributes).toMatchObject({ 'sallyport.hook': 'team' });
  });

  it('the collector gets its fields, which are in no line of the log', async () => {
    expect(collector.heads[0]).toMatchObject({ 'x-key': 'top-s3cret', 'x-team': 'a b' });
    expect(JSON.stringify(gateway.logs)).not.toContain('top-s3cret');
  });

  it('no token, claim value or query is in anything that is sent', () => {
    const sent = collector.bodies.join('\n');
    expect(sent).not.toMatch(/eyJ|alice-claim|page=2|Bearer/);
    expect(sent).not.toContain(new URL(backend.url).port);
  });

  it('what was sent is counted', async () => {
    await until('all is counted', async () => (await exported(gateway)) >= collector.spans.length);
    expect(await gateway.metric('sallyport_trace_spans_total', 'outcome="dropped"')).toBe(0);
    expect(await gateway.metric('sallyport_trace_spans_total', 'outcome="failed"')).toBe(0);
  });
});

const exported = (gateway: TestGateway): Promise<number> =>
  gateway.metric('sallyport_trace_spans_total', 'outcome="exported"');

describe('the caller', () => {
  it('is believed only with a good token where the mode is `authenticated`', async () => {
    const gateway = await running(otlp(), 'authenticated');
    await get(gateway, '/orders/good', { ...bearer(token()), traceparent: above });
    expect(await collector.server('/orders/good')).toMatchObject({ traceId, parentId: '00f067aa0ba902b7' });
    for (const [path, headers] of [
      ['/orders/bad', bearer(token().replace(/.{8}$/, 'AAAAAAAA'))],
      ['/open', {}],
    ] as const) {
      await get(gateway, path, { ...headers, traceparent: above });
      const server = await collector.server(path);
      expect(server.parentId).toBe('');
      expect(server.traceId).not.toBe(traceId);
    }
    expect(parentOf('/open')).not.toContain(traceId);
  });

  it('is never believed where the mode is `never`', async () => {
    const gateway = await running(otlp(), 'never');
    await get(gateway, '/orders/never', { ...bearer(token()), traceparent: above });
    expect((await collector.server('/orders/never')).traceId).not.toBe(traceId);
    expect(parentOf('/orders/never')).not.toContain(traceId);
  });
});

describe('sampling', () => {
  it('`sample: 0` records nothing but what callers record, and says so upstream', async () => {
    const gateway = await running(otlp(', sample: 0'));
    await get(gateway, '/orders/unsampled', bearer(hmacToken()));
    await get(gateway, '/orders/sampled', { ...bearer(hmacToken()), traceparent: above });
    await collector.server('/orders/sampled');
    expect(parentOf('/orders/unsampled')).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    expect(collector.spans.some(({ attributes }) => attributes['url.path'] === '/orders/unsampled')).toBe(
      false,
    );
    const line = await lineOf(gateway, '/orders/unsampled');
    expect(parentOf('/orders/unsampled')).toContain(String(line['trace_id']));
  });
});

function childOf(server: Span, name: string): Span {
  const found = collector.below(server).find((span) => span.name === name);
  expect(found, `${name} below ${server.name}`).toBeDefined();
  return found!;
}
