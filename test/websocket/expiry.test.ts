/** Nothing outlives its token: WebSockets are closed with 4401, event streams end, and a new token in time keeps a WebSocket. */
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { jwkOf, mint, signers } from '../hardening/arena.ts';
import { testPreamble } from '../support/gateway.ts';
import { until } from '../support/until.ts';
import { configOf, roundTrip, type Stage, startStage } from './stage.ts';

const routes = `
  - { id: live, path: /live, upstream: live, scopes: { all: [orders:read] }, websocket: { renew_by: renew } }
  - { id: loose, path: /loose, upstream: live, websocket: {}, end_at_expiry: false }
  - { id: tight, path: /tight, upstream: live, end_at_expiry: true }
`;

/** A time claim some whole seconds from now, and what is left until then. */
const inSeconds = (seconds: number): number => Math.ceil(Date.now() / 1000) + seconds;

let stage: Stage;
beforeAll(async () => {
  stage = await startStage(routes);
});
afterAll(() => stage.stop());
beforeEach(() => {
  stage.upstream.onOpen = null;
});

describe('a WebSocket', () => {
  it('is closed with 4401 within a second of `exp`, though the issuer has 10 s of leeway', async () => {
    const exp = inSeconds(1);
    const { client, end } = await stage.open('/live', { token: mint({ exp }) });
    await roundTrip({ client });
    expect(await client.ended()).toBe('4401 token_expired');
    expect(await end.ended()).toBe('4401 token_expired');
    const lateMs = client.ending!.atMs - exp * 1000;
    expect(lateMs).toBeGreaterThanOrEqual(0);
    expect(lateMs).toBeLessThan(1000);
    expect(await stage.metric('sallyport_websocket_closed_total', 'end="expired"', 'route="live"')).toBe(1);
  });

  it('stays while its token is good, beside one whose token is not', async () => {
    const lasting = await stage.open('/live', { token: mint() });
    const short = await stage.open('/live', { token: mint({ exp: inSeconds(1) }) });
    await short.client.ended();
    await roundTrip(lasting);
    lasting.client.socket.close();
  });

  it('whose token came within the leeway has the rest of it', async () => {
    const exp = inSeconds(-9);
    const { client } = await stage.open('/live', { token: mint({ exp }) });
    expect(await client.ended()).toBe('4401 token_expired');
    expect(client.ending!.atMs - exp * 1000).toBeGreaterThanOrEqual(10_000);
  });
});

describe('renewal in band', () => {
  it('keeps the WebSocket beyond its first token, and is not shown to the upstream', async () => {
    const exp = inSeconds(2);
    const { client, end } = await stage.open('/live', { token: mint({ exp }) });
    const later = inSeconds(600);
    client.socket.send(JSON.stringify({ renew: mint({ exp: later }) }));
    await until('it is told', () => client.texts.includes(JSON.stringify({ renew: { expires_at: later } })));
    await until('the first token is over', () => Date.now() > exp * 1000 + 1000);
    await roundTrip({ client });
    expect(end.texts).toEqual(['are you there']);
    client.socket.close();
  });

  it('ends at the second token too', async () => {
    const { client } = await stage.open('/live', { token: mint() });
    client.socket.send(JSON.stringify({ renew: mint({ exp: inSeconds(1) }) }));
    expect(await client.ended()).toBe('4401 token_expired');
  });

  it.each([
    ['of somebody else', () => mint({ sub: 'user-2' }), '4401 subject_mismatch'],
    ['without the scope', () => mint({ scope: 'other' }), '4401 scope_insufficient'],
    ['that is none', () => 'x', '4401 token_malformed'],
    ['with another signature', () => `${mint().slice(0, -8)}AAAAAAAA`, '4401 token_signature'],
  ])('with a token %s ends it', async (_, token, ending) => {
    const { client } = await stage.open('/live', { token: mint() });
    client.socket.send(JSON.stringify({ renew: token() }));
    expect(await client.ended()).toBe(ending);
  });

  it.each(['{"renew":1}', '{"renew":"a","b":1}', '{"other":"a"}', '{', '[]', ' {"renew":"a"}'])(
    'is not what %s is: the upstream gets it',
    async (text) => {
      const { client } = await stage.open('/live', { token: mint() });
      await roundTrip({ client }, text);
      client.socket.close();
    },
  );

  it('is not looked for where the route does not say so', async () => {
    const { client } = await stage.open('/loose', { token: mint() });
    await roundTrip({ client }, JSON.stringify({ renew: mint() }));
    client.socket.close();
  });
});

describe('answers', () => {
  /** Sends the head of an answer and one event, and no end. */
  const endless = (type: string) => {
    stage.upstream.onRequest = (_, response) => {
      response.writeHead(200, { 'content-type': type });
      response.write('data: 1\n\n');
    };
  };
  const ask = (path: string, exp: number): Promise<Response> =>
    fetch(`${stage.gateway.url}${path}`, { headers: { authorization: `Bearer ${mint({ exp })}` } });

  it('of event streams end in order within a second of `exp`', async () => {
    endless('text/event-stream; charset=utf-8');
    const exp = inSeconds(1);
    const response = await ask('/live', exp);
    expect(await response.text()).toContain('data: 1');
    const lateMs = Date.now() - exp * 1000;
    expect(lateMs).toBeGreaterThanOrEqual(0);
    expect(lateMs).toBeLessThan(1000);
  });

  it('of any other kind are cut where the route says `end_at_expiry`', async () => {
    endless('text/plain');
    const response = await ask('/tight', inSeconds(1));
    await expect(response.text()).rejects.toThrow('terminated');
  });

  it('go on where it says otherwise, and where it says nothing and the answer is no event stream', async () => {
    endless('text/event-stream');
    const exp = inSeconds(1);
    const streams = [await ask('/loose', exp)];
    endless('text/plain');
    streams.push(await ask('/live', exp));
    const readers = streams.map((response) => response.body!.getReader());
    for (const reader of readers) await reader.read();
    const rests = readers.map((reader) => reader.read());
    await until('a second has passed', () => Date.now() > exp * 1000 + 1000);
    const isOver = await Promise.race([...rests, Promise.resolve('still open')]);
    expect(isOver).toBe('still open');
    for (const reader of readers) await reader.cancel();
    await Promise.allSettled(rests);
  });
});

// Last: it takes a key out of the set.
describe('a token whose key is withdrawn', () => {
  it('K4: ends its WebSocket with 4401 within a second of the new key set, and no other', async () => {
    const [gone, stays] = [
      await stage.open('/live', { token: mint({}, {}, signers.es) }),
      await stage.open('/live', { token: mint({}, {}, signers.rs) }),
    ];
    writeFileSync(
      join(dirname(stage.gateway.configFile), 'keys.json'),
      JSON.stringify({ keys: [jwkOf(signers.rs), jwkOf(signers.ed)] }),
    );
    expect(await gone.client.ended()).toBe('4401 token_withdrawn');
    await roundTrip(stays);
  });

  it('a renewal is decided by the configuration in force, and the WebSocket lives through a reload', async () => {
    const { client } = await stage.open('/live', { token: mint() });
    const config = (scope: string): string =>
      configOf(stage.upstream.url, routes.replace('orders:read', scope), testPreamble);
    stage.gateway.writeConfig(config('orders:all'));
    expect((await stage.gateway.reload()).outcome).not.toBe('rejected');
    await roundTrip({ client });
    const later = inSeconds(300);
    client.socket.send(JSON.stringify({ renew: mint({ scope: 'orders:all', exp: later }) }));
    await until('it is told', () => client.texts.includes(JSON.stringify({ renew: { expires_at: later } })));
    client.socket.send(JSON.stringify({ renew: mint({ scope: 'orders:read' }) }));
    expect(await client.ended()).toBe('4401 scope_insufficient');
  });
});
