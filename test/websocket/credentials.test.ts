/** Who may open a WebSocket, and how the token of a browser comes: origins, subprotocols, tickets. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bytesOf, codeOf, mint } from '../hardening/arena.ts';
import { testPreamble } from '../support/gateway.ts';
import { RawClient } from '../support/raw-client.ts';
import { until } from '../support/until.ts';
import { type Knock, type Stage, startStage } from './stage.ts';

const routes = `
  - { id: live, path: /live, upstream: live, scopes: { all: [orders:read] }, websocket: { token_in: [subprotocol, ticket] } }
  - { id: header, path: /header, upstream: live, websocket: {} }
  - { id: own, path: '/own/{user}', upstream: live, subject: { param: user }, websocket: { token_in: [ticket], token_prefix: x. } }
  - { id: listed, path: /listed, upstream: live, public: true, websocket: { origins: ['https://app.example', 'http://localhost:5173'] } }
  - { id: strict, path: /strict, upstream: live, public: true, websocket: { origins: ['*'], require_origin: true } }
  - { id: tickets, path: /tickets, methods: [POST], ticket: { for: live, seconds: 2 } }
  - { id: own-tickets, path: /own-tickets, methods: [POST], ticket: { for: own } }
`;

let stage: Stage;
beforeAll(async () => {
  stage = await startStage(routes, testPreamble.replace('threads: 1', 'threads: 2'));
});
afterAll(() => stage.stop());
beforeEach(() => {
  stage.upstream.choose = () => false;
});

/** What became of a request to open: `open`, or the refusal. */
async function outcome(path: string, knock: Knock = {}): Promise<string> {
  const client = await stage.knock(path, knock);
  if (typeof client === 'string') return client;
  client.socket.close();
  return 'open';
}

interface Given {
  readonly ticket: string;
  readonly subprotocol: string;
  readonly expires_in: number;
}

async function ticketOf(path: string, token = mint()): Promise<Given> {
  const response = await fetch(`${stage.gateway.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
  });
  expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store']);
  return (await response.json()) as Given;
}

describe('RFC 6455 section 10.2: origins', () => {
  const from = (origin: string): Knock => ({ headers: { origin } });

  it.each([
    ['/listed', 'https://app.example', 'open'],
    ['/listed', 'http://localhost:5173', 'open'],
    ['/listed', 'https://evil.example', '403 origin_not_allowed'],
    ['/listed', 'https://app.example.evil.example', '403 origin_not_allowed'],
    ['/listed', 'http://app.example', '403 origin_not_allowed'],
    ['/listed', 'https://app.example:444', '403 origin_not_allowed'],
    ['/listed', 'https://app.example, https://evil.example', '403 origin_not_allowed'],
    ['/listed', 'null', '403 origin_not_allowed'],
    ['/strict', 'https://any.example', 'open'],
    ['/header', 'https://evil.example', '403 origin_not_allowed'],
    ['/header', 'null', '403 origin_not_allowed'],
  ])('%s from %s: %s', async (path, origin, expected) => {
    expect(await outcome(path, from(origin))).toBe(expected);
  });

  it('without a list, a page of the very host that is asked is let in', async () => {
    const own = new URL(stage.gateway.url).host;
    expect(await outcome('/header', { token: mint(), headers: { origin: `https://${own}` } })).toBe('open');
    expect(await outcome('/header', { token: mint(), headers: { origin: 'http://127.0.0.1:1' } })).toBe(
      '403 origin_not_allowed',
    );
  });

  it('who sends none is no browser, and let in unless the route asks for one', async () => {
    expect(await outcome('/listed')).toBe('open');
    expect(await outcome('/strict')).toBe('403 origin_not_allowed');
  });
});

describe('a token in a subprotocol', () => {
  it('opens, and is shown neither to the upstream nor, where another was chosen, to the caller', async () => {
    const token = mint();
    stage.upstream.choose = (offered) => offered.values().next().value ?? false;
    const { client } = await stage.open('/live', { protocols: ['chat', `bearer.${token}`] });
    expect(client.socket.protocol).toBe('chat');
    const { rawHeaders } = stage.upstream.requests.at(-1)!;
    expect(rawHeaders.join('\n')).not.toContain(token);
    expect(stage.upstream.requests.at(-1)!.headers['sec-websocket-protocol']).toBe('chat');
    client.socket.close();
  });

  it('goes back to a caller that offered nothing else, as browsers take no answer without a choice', async () => {
    const offered = `bearer.${mint()}`;
    const { client } = await stage.open('/live', { protocols: [offered] });
    expect(client.socket.protocol).toBe(offered);
    expect(stage.upstream.requests.at(-1)!.headers['sec-websocket-protocol']).toBeUndefined();
    client.socket.close();
  });

  it.each<[string, () => Knock, string]>([
    ['that expired', () => ({ protocols: [`bearer.${mint({ exp: 1000, iat: 10 })}`] }), '401 token_expired'],
    [
      'of which there are two',
      () => ({ protocols: [`bearer.${mint()}`, `bearer.${mint()}`] }),
      '400 credentials_ambiguous',
    ],
    [
      'beside an Authorization field',
      () => ({ token: mint(), protocols: [`bearer.${mint()}`] }),
      '400 credentials_ambiguous',
    ],
    ['that is empty', () => ({ protocols: ['bearer.'] }), '401 token_malformed'],
    ['in no place', () => ({ protocols: ['chat'] }), '401 credentials_missing'],
  ])('C2: one %s is refused', async (_, knock, expected) => {
    expect(await outcome('/live', knock())).toBe(expected);
  });

  it('C1: is not looked for where the route does not say so', async () => {
    expect(await outcome('/header', { protocols: [`bearer.${mint()}`] })).toBe('401 credentials_missing');
  });
});

describe('a ticket', () => {
  it('opens one WebSocket with the token that it was given for, and no second one', async () => {
    const { ticket, subprotocol, expires_in } = await ticketOf('/tickets');
    expect([subprotocol, expires_in]).toEqual([`ticket.${ticket}`, 2]);
    const { client } = await stage.open('/live', { protocols: [subprotocol] });
    expect(await outcome('/live', { protocols: [subprotocol] })).toBe('401 ticket_invalid');
    client.socket.close();
  });

  it('of many at once, on two listener threads, opens exactly one', async () => {
    const { subprotocol } = await ticketOf('/tickets');
    const all = await Promise.all(
      Array.from({ length: 16 }, () => outcome('/live', { protocols: [subprotocol] })),
    );
    expect(all.filter((each) => each === 'open')).toHaveLength(1);
    expect(new Set(all)).toEqual(new Set(['open', '401 ticket_invalid']));
  });

  it('is good for its route alone, and not used up on another', async () => {
    const { subprotocol } = await ticketOf('/tickets');
    expect(await outcome('/own/user-1', { protocols: [subprotocol] })).toBe('401 ticket_invalid');
    expect(await outcome('/live', { protocols: [subprotocol] })).toBe('open');
  });

  it('stands for its token only: subject and scopes are decided where it is used', async () => {
    const one = await ticketOf('/own-tickets');
    expect(await outcome('/own/user-2', { protocols: [one.subprotocol] })).toBe('403 subject_mismatch');
    const two = await ticketOf('/own-tickets');
    expect(await outcome('/own/user-1', { protocols: [two.subprotocol] })).toBe('open');
    const weak = await ticketOf('/tickets', mint({ scope: 'other' }));
    expect(await outcome('/live', { protocols: [weak.subprotocol] })).toBe('403 scope_insufficient');
  });

  it('dies after its time', async () => {
    const { subprotocol } = await ticketOf('/tickets');
    const givenMs = Date.now();
    await until('its time is over', () => Date.now() > givenMs + 2000);
    expect(await outcome('/live', { protocols: [subprotocol] })).toBe('401 ticket_invalid');
  });

  it.each(['', 'x', 'AAAA'.repeat(20)])('that was never given is refused: "%s"', async (forged) => {
    expect(await outcome('/live', { protocols: [`ticket.${forged}`] })).toBe('401 ticket_invalid');
  });

  it('changed in any place is refused, and what was not changed still opens', async () => {
    const { ticket } = await ticketOf('/tickets');
    for (const at of [0, 20, ticket.length - 2]) {
      const other = ticket[at] === 'A' ? 'B' : 'A';
      const changed = ticket.slice(0, at) + other + ticket.slice(at + 1);
      expect(await outcome('/live', { protocols: [`ticket.${changed}`] })).toBe('401 ticket_invalid');
    }
    expect(await outcome('/live', { protocols: [`ticket.${ticket}`] })).toBe('open');
  });

  it('is not given without a token', async () => {
    const response = await fetch(`${stage.gateway.url}/tickets`, { method: 'POST' });
    expect(response.status).toBe(401);
  });
});

describe('RFC 6455 section 4.2.1: the form of a handshake', () => {
  const usual = {
    Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version': '13',
  }; // prettier-ignore
  const shake = (fields: Record<string, string | readonly string[]>): string => {
    const lines = Object.entries({ ...usual, ...fields }).flatMap(([name, values]) =>
      [values].flat().map((value) => `${name}: ${value}\r\n`),
    );
    return bytesOf('/strict', { fields: `Origin: https://a.example\r\n${lines.join('')}` });
  };

  it.each<[string, Record<string, string | readonly string[]>, string]>([
    ['the usual one', {}, '101'],
    ['words in other letters', { Upgrade: 'WebSocket', Connection: 'keep-alive, UPGRADE' }, '101'],
    ['another version', { 'Sec-WebSocket-Version': '8' }, '426 websocket_version'],
    ['two versions', { 'Sec-WebSocket-Version': ['13', '8'] }, '426 websocket_version'],
    ['no version', { 'Sec-WebSocket-Version': [] }, '426 websocket_version'],
    ['no Connection: Upgrade', { Connection: 'keep-alive' }, '400 websocket_invalid'],
    ['a key of 15 bytes', { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25j====' }, '400 websocket_invalid'],
    [
      'two keys',
      { 'Sec-WebSocket-Key': [usual['Sec-WebSocket-Key'], usual['Sec-WebSocket-Key']] },
      '400 websocket_invalid',
    ],
    ['a subprotocol twice', { 'Sec-WebSocket-Protocol': 'a, b, a' }, '400 websocket_invalid'],
    ['a subprotocol that is no token', { 'Sec-WebSocket-Protocol': 'a b' }, '400 websocket_invalid'],
    ['a body', { 'Content-Length': '3' }, '400 websocket_invalid'],
    ['another protocol', { Upgrade: 'h2c' }, '501 upgrade_unsupported'],
    ['no key', { 'Sec-WebSocket-Key': [] }, '501 upgrade_unsupported'],
  ])('%s', async (_, fields, expected) => {
    const answer = await RawClient.once(stage.port, shake(fields));
    expect(codeOf(answer)).toBe(expected);
    if (answer.status === 426) expect(answer.values('sec-websocket-version')).toEqual(['13']);
    if (answer.status === 101) {
      // RFC 6455 section 1.3 has this very example.
      expect(answer.values('sec-websocket-accept')).toEqual(['s3pPLMBiTxaQ9kYGzzhZRbK+xOo=']);
      expect(answer.values('sec-websocket-extensions')).toEqual([]);
    }
  });
});
