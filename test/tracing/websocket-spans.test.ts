/** The spans of WebSockets, as a collector gets them from the built program: those of the handshake, over when it is. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Collector } from '../support/collector.ts';
import { testPreamble } from '../support/gateway.ts';
import { roundTrip, type Stage, startStage } from '../websocket/stage.ts';

let collector: Collector;
let stage: Stage;
beforeAll(async () => {
  collector = await Collector.start();
  const tracing = `tracing: { exporter: otlp, endpoint: "${collector.endpoint}", interval_ms: 20 }\n`;
  stage = await startStage(
    `
  - { path: "/open/{room}", upstream: live, public: true, websocket: {} }
  - { path: /closed, upstream: live, issuer: main, websocket: {} }
`,
    `${testPreamble}${tracing}`,
  );
});
afterAll(async () => {
  await stage.stop();
  await collector.stop();
});

it('a WebSocket has a span for its handshake and one below it for the call, whose id goes upstream, while it is open', async () => {
  const opened = await stage.open('/open/one');
  const server = await collector.server('/open/one');
  expect(opened.client.ending).toBeNull();
  expect(server).toMatchObject({
    name: 'GET /open/{room}',
    parentId: '',
    isError: false,
    attributes: {
      'http.request.method': 'GET',
      'http.route': '/open/{room}',
      'http.response.status_code': 101,
    },
  });
  const [call, ...others] = collector.below(server);
  expect(others).toEqual([]);
  expect(call).toMatchObject({
    kind: 'client',
    isError: false,
    attributes: { 'http.response.status_code': 101, 'peer.service': 'live' },
  });
  expect(stage.upstream.requests.at(-1)!.headers.traceparent).toBe(`00-${server.traceId}-${call!.spanId}-01`);
  await roundTrip(opened);
  opened.client.socket.close();
  await opened.client.ended();
  expect(collector.spans.filter(({ attributes }) => attributes['url.path'] === '/open/one')).toHaveLength(1);
});

it('a WebSocket of a caller that is in a trace goes on in it', async () => {
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  const { client } = await stage.open('/open/two', {
    headers: { traceparent: `00-${traceId}-00f067aa0ba902b7-01`, tracestate: 'vendor=x' },
  });
  expect(await collector.server('/open/two')).toMatchObject({ traceId, parentId: '00f067aa0ba902b7' });
  const { traceparent, tracestate } = stage.upstream.requests.at(-1)!.headers;
  expect([traceparent, tracestate]).toEqual([expect.stringContaining(traceId), 'vendor=x']);
  client.socket.close();
});

it('a handshake that is refused has its code, and no call', async () => {
  expect(await stage.knock('/closed')).toBe('401 credentials_missing');
  const server = await collector.server('/closed');
  expect(server).toMatchObject({
    isError: false,
    attributes: { 'http.response.status_code': 401, 'error.type': 'credentials_missing' },
  });
  expect(collector.below(server)).toEqual([]);
});

it('an upstream that declines is in both spans', async () => {
  stage.upstream.decline = 'HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno';
  expect(await stage.knock('/open/three')).toMatch(/^403/);
  stage.upstream.decline = null;
  const server = await collector.server('/open/three');
  expect(server.attributes['http.response.status_code']).toBe(403);
  expect(server.isError).toBe(false);
  expect(collector.below(server)).toMatchObject([
    { kind: 'client', isError: true, attributes: { 'http.response.status_code': 403 } },
  ]);
});
