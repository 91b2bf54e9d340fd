/** A WebSocket through the gateway: opened as the upstream opens it, passed both ways, closed as either end closes it. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { mint } from '../hardening/arena.ts';
import { testPreamble } from '../support/gateway.ts';
import { until } from '../support/until.ts';
import { roundTrip, type Stage, startStage } from './stage.ts';

const routes = `
  - { id: live, path: /live, upstream: live, scopes: { all: [orders:read] }, websocket: { max_message_bytes: 100000 }, forward: { claims: { x-user: sub } } }
  - { id: open, path: /open, upstream: live, public: true, websocket: {} }
  - { id: plain, path: /plain, upstream: live, public: true }
`;

let stage: Stage;
beforeAll(async () => {
  stage = await startStage(routes, `${testPreamble}log: { access: all }\n`);
});
afterAll(() => stage.stop());
beforeEach(() => {
  stage.upstream.choose = () => false;
  stage.upstream.onOpen = null;
  stage.upstream.decline = null;
});

describe('opening', () => {
  it('lets in whom the route permits, and tells the upstream who that is', async () => {
    const { client, end } = await stage.open('/live?room=7', {
      token: mint(),
      headers: { 'x-user': 'somebody-else' },
    });
    const { headers, url } = stage.upstream.requests.at(-1)!;
    expect(url).toBe('/live?room=7');
    expect(headers).toMatchObject({ 'x-user': 'user-1', upgrade: 'websocket' });
    expect(headers.authorization).toBeUndefined();
    expect(client.answer.headers['x-request-id']).toBe(headers['x-request-id']);
    await roundTrip({ client });
    expect(end.texts).toEqual(['are you there']);
    client.socket.close();
  });

  it.each([
    ['no token', {}, '401 credentials_missing'],
    ['an expired token', { token: mint({ exp: 1000, iat: 10 }) }, '401 token_expired'],
    ['a token without the scope', { token: mint({ scope: 'other' }) }, '403 scope_insufficient'],
  ])('answers %s as any request, and asks the upstream nothing', async (_, knock, refusal) => {
    const before = stage.upstream.requests.length;
    expect(await stage.knock('/live', knock)).toBe(refusal);
    expect(stage.upstream.requests.length).toBe(before);
  });

  it('loses none of 200, whether another one is open or not', async () => {
    const lasting = await stage.open('/open');
    for (let i = 0; i < 200; i += 1) {
      if (i === 100) {
        lasting.client.socket.close();
        await lasting.end.ended();
      }
      const pair = await stage.open('/open');
      await roundTrip(pair);
      pair.client.socket.close(1000);
      expect(await pair.end.ended()).toBe('1000');
    }
  });

  it('H7: refuses an upgrade on a route that does not offer it', async () => {
    expect(await stage.knock('/plain')).toBe('501 upgrade_unsupported');
    expect(await stage.knock('/nowhere')).toBe('404 route_not_found');
  });

  it('RFC 6455 section 4.2.2: gives the caller the subprotocol that the upstream chose', async () => {
    stage.upstream.choose = (offered) => (offered.has('chat.2') ? 'chat.2' : false);
    const { client } = await stage.open('/open', { protocols: ['chat.1', 'chat.2'] });
    expect(client.socket.protocol).toBe('chat.2');
    expect(stage.upstream.requests.at(-1)!.headers['sec-websocket-protocol']).toBe('chat.1, chat.2');
    client.socket.close();
  });

  it('offers no extension and accepts none, whatever both ends could do', async () => {
    const { client } = await stage.open('/open');
    expect(client.socket.extensions).toBe('');
    expect(stage.upstream.requests.at(-1)!.headers['sec-websocket-extensions']).toBeUndefined();
    client.socket.close();
  });

  it("passes on the upstream's own answer when it declines", async () => {
    stage.upstream.decline = 'HTTP/1.1 404 Not Found\r\nContent-Length: 7\r\nX-Why: none\r\n\r\nno room';
    expect(await stage.knock('/open')).toBe('404 no room');
  });

  it('passes on a long answer of it whole, to a caller that takes its time', async () => {
    const body = 'n'.repeat(8_000_000);
    stage.upstream.decline = `HTTP/1.1 403 Forbidden\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    expect((await stage.knock('/open')) === `403 ${body}`).toBe(true);
  });

  it.each([
    [
      'a 101 with another accept key',
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAA\r\n\r\n',
    ],
    ['what is no HTTP', 'SSH-2.0-dropbear\r\n\r\n'],
    ['a length that is none', 'HTTP/1.1 200 OK\r\nContent-Length: 1e3\r\n\r\n'],
  ])('U3: answers 502 when the upstream says %s', async (_, bytes) => {
    stage.upstream.decline = bytes;
    expect(await stage.knock('/open')).toBe('502 upstream_invalid');
    stage.upstream.decline = null;
    const healthy = await stage.open('/open');
    await roundTrip(healthy);
    healthy.client.socket.close();
  });

  it('answers a plain request on the same route as ever', async () => {
    const response = await fetch(`${stage.gateway.url}/open`);
    expect([response.status, await response.text()]).toEqual([200, 'ok']);
  });
});

describe('passing', () => {
  it('keeps text text and binary binary, both ways, in order', async () => {
    const { client } = await stage.open('/open');
    const sent = Array.from({ length: 200 }, (_, i) => ({
      text: `${i} ↯ ${'x'.repeat(i * 37)}`,
      isBinary: i % 3 === 0,
    }));
    for (const { text, isBinary } of sent) client.socket.send(text, { binary: isBinary });
    await until('all came back', () => client.messages.length === sent.length);
    expect(client.messages).toEqual(sent);
    client.socket.close();
  });

  it('passes on pings: the upstream hears the answer of the caller, the caller is answered', async () => {
    const { client, end } = await stage.open('/open');
    end.socket.ping('from upstream');
    await until('the pong went all the way', () => end.pongs.includes('from upstream'));
    expect(client.pings).toEqual(['from upstream']);
    client.socket.ping('from the caller');
    await until('the caller is answered', () => client.pongs.includes('from the caller'));
    await until('the upstream was asked', () => end.pings.includes('from the caller'));
    client.socket.close();
  });

  it('closes 1009 what is larger than the route allows, at both ends', async () => {
    const { client, end } = await stage.open('/live', { token: mint() });
    client.socket.send('x'.repeat(100_000));
    await until('the largest came back', () => client.texts[0]?.length === 100_000);
    client.socket.send('x'.repeat(100_001));
    expect([await client.ended(), await end.ended()]).toEqual([
      '1009 message too big',
      '1009 message too big',
    ]);
  });

  it('closes 1011 when the upstream sends more than that', async () => {
    const { client, end } = await stage.open('/live', { token: mint() });
    end.socket.send('x'.repeat(100_001));
    expect([await client.ended(), await end.ended()]).toEqual(['1011 upstream failed', '1009']);
  });
});

describe('closing', () => {
  it.each([
    [1000, 'done'],
    [1001, ''],
    [4321, 'of our own'],
  ])("passes on the caller's %i", async (code, reason) => {
    const { client, end } = await stage.open('/open');
    client.socket.close(code, reason);
    expect(await end.ended()).toBe(`${code} ${reason}`.trim());
  });

  it.each([
    [1000, 'done'],
    [1012, 'restart'],
    [3001, 'registered'],
    [4321, ''],
  ])("passes on the upstream's %i", async (code, reason) => {
    const { client, end } = await stage.open('/open');
    end.socket.close(code, reason);
    expect(await client.ended()).toBe(`${code} ${reason}`.trim());
  });

  it('passes on a close without a code, from either end', async () => {
    const one = await stage.open('/open');
    one.client.socket.close();
    expect(await one.end.ended()).toBe('1005');
    const other = await stage.open('/open');
    other.end.socket.close();
    expect(await other.client.ended()).toBe('1005');
  });

  it('tells the caller 1011 when the upstream breaks off, and breaks off the upstream when the caller does', async () => {
    const one = await stage.open('/open');
    one.end.socket.terminate();
    expect(await one.client.ended()).toBe('1011 upstream failed');
    const other = await stage.open('/open');
    other.client.socket.terminate();
    expect(await other.end.ended()).toBe('1006');
  });

  it('writes one access line for each, at its end', async () => {
    const { client } = await stage.open('/open?secret=1');
    await roundTrip({ client }, 'four');
    client.socket.close(1000);
    const id = client.answer.headers['x-request-id'];
    const line = await until('the line', () => stage.gateway.logs.find((each) => each['request_id'] === id));
    expect(line).toMatchObject({
      method: 'GET', route: 'open', path: '/open', status: 101, close_code: 1000, bytes_in: 4, bytes_out: 4,
    }); // prettier-ignore
    expect(stage.gateway.logs.filter((each) => each['request_id'] === id)).toHaveLength(1);
  });

  it('counts connections, messages and endings', async () => {
    await until('all are closed', async () => (await stage.metric('sallyport_websocket_connections')) === 0);
    const before = await stage.metric('sallyport_http_connections');
    const { client } = await stage.open('/open');
    expect(await stage.metric('sallyport_websocket_connections')).toBe(1);
    expect(await stage.metric('sallyport_websocket_opened_total', 'route="open"')).toBeGreaterThan(5);
    client.socket.close();
    await until('it is closed', async () => (await stage.metric('sallyport_websocket_connections')) === 0);
    expect(await stage.metric('sallyport_http_connections')).toBeLessThanOrEqual(before);
    expect(
      await stage.metric('sallyport_websocket_closed_total', 'route="open"', 'end="normal"'),
    ).toBeGreaterThan(3);
    expect(await stage.metric('sallyport_websocket_messages_total', 'direction="out"')).toBeGreaterThan(200);
    expect(await stage.metric('sallyport_websocket_bytes_total', 'direction="in"')).toBeGreaterThan(200_000);
  });
});
