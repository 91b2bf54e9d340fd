import { describe, expect, test } from 'vitest';
import type { PolicySource, RouteSource } from '../../gateway/route/source.ts';
import { main, policyOf, problemsOf, two, typed, up } from './policies.ts';

interface Refusal {
  readonly routes: readonly RouteSource[];
  readonly more?: Partial<PolicySource>;
  readonly problems: readonly string[];
}

const exchange = { signer: 'own', from: ['workload'], to: 'execution', header: 'h' };
const renewal = {
  signer: 'own', header: 'h', exceptTypes: [], sharePercent: 20, floorSeconds: 30, answers: 'served',
} as const; // prettier-ignore

describe('an impossible or ambiguous policy does not compile', () => {
  const refused: Readonly<Record<string, Refusal>> = {
    'neither path nor prefix': { routes: [{ ...up }], problems: ['routes[0]: a route has either `path` or `prefix`'] },
    'both path and prefix': {
      routes: [{ path: '/a', prefix: '/a', ...up }],
      problems: ['routes[0]: a route has either `path` or `prefix`'],
    },
    'issuer and issuers': {
      routes: [{ path: '/a', issuer: 'a', issuers: ['b'], ...up }],
      more: two,
      problems: ['routes[0].issuers: `issuer` and `issuers` exclude each other'],
    },
    'upstream and respond': {
      routes: [{ path: '/a', ...up, respond: { status: 204, headers: {}, body: '' } }],
      problems: ['routes[0].respond: `upstream` and `respond` exclude each other'],
    },
    'no place to go': {
      routes: [{ path: '/a' }],
      problems: ['routes[0]: where do requests go? The route has none of `upstream`, `respond`, `oauth`, `ticket` and `jwks`'],
    },
    'a serving group without a place to go': {
      routes: [{ prefix: '/g', routes: [{ path: '/a', ...up }] }],
      problems: [
        'routes[0]: where do requests go? The route has none of `upstream`, `respond`, `oauth`, `ticket` and `jwks`; or say `closed: true` when only its routes are served',
      ],
    },
    'an unknown upstream': { routes: [{ path: '/a', upstream: 'ap' }], problems: ['routes[0].upstream: unknown upstream "ap"'] },
    'an unknown issuer, even in a group that serves nothing': {
      routes: [{ prefix: '/g', closed: true, issuer: 'x', routes: [{ path: '/a', issuer: 'a', ...up }] }],
      more: two,
      problems: ['routes[0].issuer: unknown issuer "x"'],
    },
    'an unknown issuer among several': {
      routes: [{ path: '/a', issuers: ['a', 'x'], ...up }],
      more: two,
      problems: ['routes[0].issuers[1]: unknown issuer "x"'],
    },
    'a prototype property is no issuer': {
      routes: [{ path: '/a', issuer: 'constructor', ...up }],
      problems: ['routes[0].issuer: unknown issuer "constructor"'],
    },
    'no issuer while there are several': {
      routes: [{ path: '/a', ...up }],
      more: two,
      problems: ['routes[0]: which issuer? With several of them a route names one by `issuer`, or says `public: true`'],
    },
    'no issuer while there are none': {
      routes: [{ path: '/a', ...up }],
      more: { issuers: {} },
      problems: ['routes[0]: the route asks for a token, but no issuer is configured; add one, or `public: true`'],
    },
    'public with scopes': {
      routes: [{ path: '/a', public: true, scopes: { all: ['s'] }, ...up }],
      problems: ['routes[0].scopes: the route is public: no token is looked at'],
    },
    'public with subject, audiences, token types and issuer': {
      routes: [
        { path: '/{a}', public: true, subject: { param: 'a' }, audiences: ['orders'], tokenTypes: ['x'], issuer: 'main', ...up },
      ],
      problems: ['issuer', 'audiences', 'token_types', 'subject'].map(
        (key) => `routes[0].${key}: the route is public: no token is looked at`,
      ),
    },
    'a node below a public group asks for a token in passing': {
      routes: [{ prefix: '/g', public: true, ...up, routes: [{ path: '/a', scopes: { any: ['s'] } }] }],
      problems: ['routes[0].routes[0].scopes: a group above is public: say `public: false` here, or leave this out'],
    },
    'claims on a public route': {
      routes: [{ path: '/a', public: true, forward: { claims: { 'x-user': 'sub' } }, ...up }],
      problems: ['routes[0].forward.claims: a public route has no token to take claims from'],
    },
    'a subject bound to a parameter that is not there': {
      routes: [{ path: '/{id}', subject: { param: 'ID' }, ...up }],
      problems: ['routes[0].subject.param: "ID" is not a path parameter of this route'],
    },
    'a group’s subject that one of its routes lacks': {
      routes: [
        {
          prefix: '/g', closed: true, subject: { param: 'id' }, ...up,
          routes: [{ path: '/{id}' }, { path: '/x' }, { path: '/y' }],
        },
      ],
      problems: ['routes[0].subject.param: "id" is not a path parameter of a route that inherits this'],
    },
    'an unknown token type': {
      routes: [{ path: '/a', tokenTypes: ['execution', 'workloads'], ...up }],
      more: typed,
      problems: ['routes[0].token_types[1]: unknown token type "workloads"'],
    },
    'an exchange of what nobody knows': {
      routes: [
        { path: '/a', exchange: { signer: 'own', from: ['work', 'execution'], to: 'x', header: 'h' }, ...up },
      ],
      more: { ...typed, signers: { other: {} } },
      problems: [
        'routes[0].exchange.signer: unknown signer "own"',
        'routes[0].exchange.from[0]: unknown token type "work"',
        'routes[0].exchange.to: unknown token type "x"',
      ],
    },
    'an exchange that can never happen': {
      routes: [
        { path: '/a', public: true, exchange, ...up },
        { path: '/b', exchange, respond: { status: 204, headers: {}, body: '' } },
      ],
      more: { ...typed, signers: { own: {} } },
      problems: [
        'routes[0].exchange: a public route has no token that could be exchanged',
        'routes[1].exchange: tokens are exchanged when an upstream answers: the route has none',
      ],
    },
    'a renewal of what nobody knows': {
      routes: [{ path: '/a', ...up }],
      more: { issuers: { main: { ...typed.issuers!['main']!, renewal: { ...renewal, signer: 'x', exceptTypes: ['y'] } } } },
      problems: [
        'issuers.main.renewal.signer: unknown signer "x"',
        'issuers.main.renewal.except_types[0]: unknown token type "y"',
      ],
    },
    'keys and an upstream': {
      routes: [{ path: '/a', jwks: true, public: true, ...up }],
      problems: ['routes[0].jwks: `upstream` and `jwks` exclude each other'],
    },
    'a body that is too large to be looked at': {
      routes: [{ path: '/a', jsonBody: true, maxBodyBytes: 16_777_217, ...up }],
      problems: ['routes[0].max_body_bytes: a body that is looked at has at most 16777216 bytes'],
    },
    'an unknown error profile': {
      routes: [{ path: '/a', errorProfile: 'detial', ...up }],
      more: { errorProfiles: { detail: { body: 'detail', challenge: false, reasons: false } } },
      problems: ['routes[0].error_profile: unknown error profile "detial"'],
    },
    'an unknown token type of a group, once for all its routes': {
      routes: [{ prefix: '/g', tokenTypes: ['w'], ...up, routes: [{ path: '/a' }, { path: '/b' }] }],
      more: typed,
      problems: [
        'routes[0].token_types[0]: unknown token type "w"',
        'routes[0].token_types: no token of issuer "main" can pass: it has none of these token types',
      ],
    },
    'token types where an issuer has none': {
      routes: [{ path: '/a', issuers: ['main', 'plain'], tokenTypes: ['workload'], ...up }],
      more: { issuers: { ...typed.issuers, plain: main } },
      problems: ['routes[0].token_types: no token of issuer "plain" can pass: it has no token types'],
    },
    'audiences that the issuer does not accept': {
      routes: [{ path: '/a', audiences: ['other'], ...up }],
      problems: [
        'routes[0].audiences: no token can pass: issuer "main" accepts none of these audiences',
        'routes[0].audiences[0]: unknown audience "other"',
      ],
    },
    'one of several audiences is unknown': {
      routes: [{ path: '/a', audiences: ['orders', 'other'], ...up }],
      problems: ['routes[0].audiences[1]: unknown audience "other"'],
    },
    'one pattern and method twice': {
      routes: [{ path: '/a', methods: ['GET', 'PUT'], ...up }, { path: '/a', methods: ['POST', 'PUT'], ...up }],
      problems: ['routes[1].path: PUT /a is served by routes[0] already'],
    },
    'HEAD beside a GET that includes it': {
      routes: [{ path: '/a', methods: ['GET'], ...up }, { path: '/a', methods: ['HEAD'], ...up }],
      problems: ['routes[1].path: HEAD /a is served by routes[0] already'],
    },
    'two names of one parameter': {
      routes: [{ path: '/{a}', methods: ['GET'], ...up }, { path: '/{b}', id: 'x', ...up }],
      problems: ['routes[1].path: GET /{b} is served by routes[0] already'],
    },
    'one literal in two spellings': {
      routes: [{ path: '/admin', ...up }, { path: '/%61dmin', ...up }],
      problems: ['routes[1].path: GET /%61dmin is served by routes[0] already'],
    },
    'a group and the prefix `/` below it': {
      routes: [{ prefix: '/g', ...up, routes: [{ prefix: '/', id: 'x' }] }],
      problems: ['routes[0].routes[0].prefix: GET /g/* is served by routes[0] already'],
    },
    'one id twice': {
      routes: [{ path: '/a', id: 'x', ...up }, { path: '/b', id: 'x', ...up }],
      problems: ['routes[1].id: the id "x" is that of routes[0] already'],
    },
    'an id that another route has by default': {
      routes: [{ path: '/a', methods: ['GET'], ...up }, { path: '/b', id: 'GET /a', ...up }],
      problems: ['routes[1].id: the id "GET /a" is that of routes[0] already'],
    },
    'a default id that is too long': {
      routes: [{ path: `/${'a'.repeat(128)}`, ...up }],
      problems: ['routes[0]: the id made of methods and path has more than 128 characters: choose one by `id`'],
    },
    'a path with routes below it': {
      routes: [{ path: '/a', ...up, routes: [{ path: '/b' }] }],
      problems: ['routes[0].routes: a `path` has no routes below it; make it a `prefix`'],
    },
    'a closed path': { routes: [{ path: '/a', closed: true, ...up }], problems: [
      'routes[0].closed: a closed prefix without routes serves nothing',
      'routes[0].closed: only a `prefix` can be closed',
    ] },
    'a closed prefix without routes': {
      routes: [{ prefix: '/a', closed: true, ...up }],
      problems: ['routes[0].closed: a closed prefix without routes serves nothing'],
    },
    'a prefix both closed and served': {
      routes: [{ prefix: '/a', ...up }, { prefix: '/a', closed: true, routes: [{ path: '/b', ...up }] }],
      problems: ['routes[1].closed: /a/* is closed here and served by routes[0]'],
    },
    'an empty path without a parent': {
      routes: [{ path: '', ...up }],
      problems: ['routes[0].path: an empty path is the path of the parent, and there is no parent'],
    },
    'a field that the gateway writes': {
      routes: [{ path: '/a', forward: { claims: { host: 'sub' }, set: { x_forwarded_for: '1' } }, ...up }],
      problems: [
        'routes[0].forward.claims.host: the field "host" is written by the gateway itself',
        'routes[0].forward.set.x_forwarded_for: the field "x_forwarded_for" is written by the gateway itself',
      ],
    },
    'one field in two spellings': {
      routes: [{ path: '/a', forward: { claims: { 'x-user': 'sub' }, set: { x_user: '1' } }, ...up }],
      problems: ['routes[0].forward.set.x_user: the field "x_user" is already made by `claims.x-user`'],
    },
    'an authorization field both forwarded and set': {
      routes: [{ path: '/a', forward: { authorization: true, set: { authorization: 'Basic x' } }, ...up }],
      problems: ['routes[0].forward.authorization: the Authorization field is both forwarded and set'],
    },
    'a claim both joined and as JSON': {
      routes: [{ path: '/a', forward: { claims: { 'x-user': { claim: 'sub', join: ',', json: true } } }, ...up }],
      problems: ['routes[0].forward.claims.x-user: `join` and `json` exclude each other'],
    },
  }; // prettier-ignore

  test.each(Object.entries(refused))('%s', (_, { routes, more, problems }) => {
    expect(problemsOf(routes, more)).toEqual(problems);
  });

  test.each([
    ['/a{b}', 'is no parameter'],
    ['/{}', 'is no parameter'],
    ['/{a b}', 'is no parameter'],
    ['/{1}', 'is no parameter'],
    ['/{a}x', 'is no parameter'],
    ['/{a**}', 'is no parameter'],
    ['/*', 'stands in {name*} only'],
    ['/a*', 'stands in {name*} only'],
    ['/a//b', 'two slashes'],
    ['//', 'two slashes'],
    ['/{a}/{a}', 'the parameter "a" is there twice'],
    ['/{a*}/{b*}', 'at most one {name*}'],
    ['/a?b', 'a query is not matched'],
    ['/a/../b', 'not in canonical form'],
    ['/%2e', 'not in canonical form'],
    ['/a%2fb', 'not in canonical form'],
    ['/a;b', 'not in canonical form'],
    ['/a\\b', 'not in canonical form'],
    ['/a b', 'not in canonical form'],
    ['/%zz', 'not in canonical form'],
    ['/a\uD800', 'not valid Unicode'],
  ])('the pattern %s', (path, message) => {
    const problems = problemsOf([{ path, ...up }]);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^routes\[0\]\.path: /);
    expect(problems[0]).toContain(message);
  });

  test.each([
    ['/a/', 'a prefix ends without a slash: "/a"'],
    ['/{a*}', '{name*} stands in a `path` only'],
  ])('the prefix %s', (prefix, message) => {
    expect(problemsOf([{ prefix, ...up }])).toEqual([`routes[0].prefix: ${message}`]);
  });

  test('a parameter that a group has already', () => {
    const routes = [{ prefix: '/{id}', ...up, routes: [{ path: '/x/{id}' }] }];
    expect(problemsOf(routes)).toEqual(['routes[0].routes[0].path: the parameter "id" is there twice']);
  });

  test('everything is told at once', () => {
    const routes: RouteSource[] = [{ path: '/a' }, { path: '/b', upstream: 'x', issuer: 'y' }, {}];
    expect(problemsOf(routes)).toHaveLength(4);
  });
});

describe('ids and patterns', () => {
  test.each<[RouteSource, string]>([
    [{ path: '/orders/{id}', methods: ['GET'] }, 'GET /orders/{id}'],
    [{ path: '/a', methods: ['GET', 'POST'] }, 'GET|POST /a'],
    [{ prefix: '/a' }, '/a/*'],
    [{ prefix: '/' }, '/*'],
    [{ path: '/' }, '/'],
    [{ path: '/café' }, '/caf%C3%A9'],
  ])('%o is called %s', (node, id) => {
    expect(policyOf([{ ...node, ...up }]).routes[0]!.id).toBe(id);
  });

  test('paths are relative to their parents', () => {
    const policy = policyOf([
      { prefix: '/', closed: true, ...up, routes: [{ path: '' }, { prefix: '/a/{b}', routes: [{ path: '' , id: 'self' }, { path: '/' }, { path: '/c' }] }] },
    ]); // prettier-ignore
    expect(policy.routes.map(({ pattern }) => pattern)).toEqual([
      '/',
      '/a/{b}/*',
      '/a/{b}',
      '/a/{b}/',
      '/a/{b}/c',
    ]);
    expect(policy.routes.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4]);
    expect(policy.closed.map(({ pattern }) => pattern)).toEqual(['/*']);
  });
});
