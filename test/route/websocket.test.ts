import { describe, expect, it } from 'vitest';
import type { RouteSource, WebSocketSource } from '../../gateway/route/source.ts';
import { policyOf, problemsOf, up } from './policies.ts';

const webSocket = (more: Partial<WebSocketSource> = {}): WebSocketSource => ({
  requireOrigin: false,
  tokenIn: [],
  tokenPrefix: 'bearer.',
  maxMessageBytes: 1000,
  maxBufferedBytes: 65_536,
  idleTimeoutMs: 0,
  ...more,
});

const rulesOf = (...routes: readonly RouteSource[]) =>
  policyOf(routes).routes.map(({ id, websocket }) => [id, websocket] as const);

describe('the rules of WebSockets', () => {
  it('are those of the nearest node, on every route below it that has an upstream', () => {
    const rules = rulesOf({
      prefix: '/a', ...up, websocket: webSocket(),
      routes: [
        { id: 'as-above', path: '/b' },
        { id: 'own', path: '/c', websocket: webSocket({ maxMessageBytes: 5 }) },
        { id: 'answers', path: '/d', respond: { status: 204, headers: {}, body: '' } },
      ],
    }); // prettier-ignore
    expect(rules.map(([id, each]) => [id, each?.messageBytesMax])).toEqual([
      ['/a/*', 1000],
      ['as-above', 1000],
      ['own', 5],
      ['answers', undefined],
    ]);
  });

  it('are none where no node has any', () => {
    expect(rulesOf({ path: '/a', ...up })).toEqual([['/a', null]]);
  });

  it('compile: no limit of idleness is Infinity, `*` is any origin, no carrier is no prefix', () => {
    expect(rulesOf({ path: '/a', ...up, websocket: webSocket({ origins: ['https://a.example', '*'] }) })).toEqual([
      [
        '/a',
        {
          origins: 'any', requiresOrigin: false, tokenPrefix: null, takesTickets: false, messageBytesMax: 1000,
          bufferedBytesMax: 65_536, idleMsMax: Number.POSITIVE_INFINITY, renewBy: null,
        },
      ],
    ]); // prettier-ignore
    const listed = webSocket({
      origins: ['https://a.example'],
      tokenIn: ['subprotocol', 'ticket'],
      idleTimeoutMs: 5,
    });
    expect(rulesOf({ path: '/a', ...up, websocket: listed })[0]![1]).toMatchObject({
      origins: new Set(['https://a.example']), tokenPrefix: 'bearer.', takesTickets: true, idleMsMax: 5,
    }); // prettier-ignore
  });
});

describe('what cannot be meant', () => {
  it.each<[string, readonly RouteSource[], readonly string[]]>([
    [
      'WebSockets to nowhere',
      [{ path: '/a', respond: { status: 204, headers: {}, body: '' }, websocket: webSocket() }],
      ['routes[0].websocket: a WebSocket is passed through to an `upstream`, and this route has none'],
    ],
    [
      'tokens of a public route',
      [{ path: '/a', ...up, public: true, websocket: webSocket({ tokenIn: ['ticket'], renewBy: 'renew' }) }],
      [
        'routes[0].websocket.token_in: the route is public: no token is looked at',
        'routes[0].websocket.renew_by: the route is public: there is no token to renew',
      ],
    ],
    [
      'tickets that open nothing',
      [
        { id: 'live', path: '/a', ...up, websocket: webSocket() },
        { path: '/t', ticket: { for: 'live', seconds: 30 } },
      ],
      ['routes[1].ticket.for: unknown route with `websocket: { token_in: [ticket] }` "live"'],
    ],
    [
      'tickets without a token',
      [
        { id: 'live', path: '/a', ...up, websocket: webSocket({ tokenIn: ['ticket'] }) },
        { path: '/t', public: true, ticket: { for: 'live', seconds: 30 } },
      ],
      ['routes[1].ticket: a ticket stands for a token, and a public route has none'],
    ],
    [
      'tickets and an upstream',
      [
        { id: 'live', path: '/a', ...up, websocket: webSocket({ tokenIn: ['ticket'] }) },
        { path: '/t', ...up, ticket: { for: 'live', seconds: 30 } },
      ],
      ['routes[1].ticket: `upstream` and `ticket` exclude each other'],
    ],
  ])('%s', (_, routes, problems) => {
    expect(problemsOf(routes)).toEqual(problems);
  });
});
