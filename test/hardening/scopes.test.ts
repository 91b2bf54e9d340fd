/** Group Z: what scopes and routes grant. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Arena, arenaConfig, bytesOf, mint } from './arena.ts';

/** More than the bits of a word, and than those of a double. */
const many = Array.from({ length: 70 }, (_, index) => `s${index}`);
let arena: Arena;

beforeAll(async () => {
  arena = await Arena.start({
    config: (url) =>
      arenaConfig(url).concat(
        many
          .map(
            (scope) =>
              `  - { path: /by/${scope}, issuer: main, respond: { status: 204 }, scopes: { all: [${scope}] } }\n`,
          )
          .join(''),
        '  - { path: /all, issuer: main, respond: { status: 204 }, scopes: { all: [s0, s31, s32, s53, s69] } }\n',
        '  - { path: /any, issuer: main, respond: { status: 204 }, scopes: { any: [s31, s64] } }\n',
        '  - { path: /one, methods: [GET], issuer: main, respond: { status: 204 }, scopes: { all: [s1] } }\n',
        '  - { prefix: /closed, closed: true, issuer: main, upstream: backend, routes: [{ path: /here, methods: [GET] }] }\n',
      ),
  });
});
afterAll(() => arena.stop());

const present = (target: string, claims: Record<string, unknown>, reaches = 0): Promise<string> =>
  arena.send(bytesOf(target, { token: mint(claims) }), reaches);

describe('Z1: scopes are exact names separated by spaces', () => {
  it.each([
    'orders:rea',
    'orders:readx',
    'Orders:read',
    'ORDERS:READ',
    'xorders:read',
    'orders:read,x',
    'orders:read\tx',
    'x,orders:read',
    'orders',
    'orders:*',
    '*',
    'orders:read\u00a0',
    '"orders:read"',
    '',
    ' ',
  ])('the scope %j does not grant orders:read', async (scope) => {
    expect(await present('/orders/x', { scope })).toBe('403 scope_insufficient');
  });
  it.each([['a orders:read'], ['orders:read a'], ['a  orders:read  b'], [' orders:read']])(
    'the scope %j does',
    async (scope) => {
      expect(await present('/orders/x', { scope }, 1)).toBe('200');
    },
  );
  it.each([[['orders:read']], [{ 'orders:read': true }], [1], [null], [true], [[['orders:read']]]])(
    'the scope claim %j is refused',
    async (scope) => {
      expect(await present('/orders/x', { scope })).toMatch(/^401 token_claims_invalid$/);
    },
  );
  it('an array counts only where it is configured, and its elements are whole names', async () => {
    expect(await present('/orders/x', { scope: undefined, scp: ['a', 'orders:read'] }, 1)).toBe('200');
    expect(await present('/orders/x', { scope: undefined, scp: ['a orders:read'] })).toBe(
      '403 scope_insufficient',
    );
    expect(await present('/orders/x', { scope: undefined, permissions: ['orders:read'] })).toBe(
      '403 scope_insufficient',
    );
  });
});

describe('Z2: unknown names set no bit', () => {
  it.each([
    ['inherited names', '__proto__ constructor toString hasOwnProperty valueOf length'],
    ['numbers', '-1 0 1 31 32 53 64 NaN Infinity 1e3 4294967296'],
    ['a thousand unknown ones', Array.from({ length: 1000 }, (_, i) => `u${i}`).join(' ')],
  ])('%s', async (_, scope) => {
    for (const target of ['/orders/x', '/all', '/any', '/by/s0', '/by/s32', '/by/s64'])
      expect(await present(target, { scope })).toBe('403 scope_insufficient');
  });
  it('each of 70 scopes opens its own route and none that lies 32 or 64 bits away', async () => {
    for (const index of [0, 1, 5, 31, 32, 33, 37, 53, 63, 64, 65, 69]) {
      const claims = { scope: many[index] };
      expect(await present(`/by/s${index}`, claims)).toBe('204');
      for (const other of [index + 32, index - 32, index + 64, index - 64].filter((i) => i >= 0 && i < 70))
        expect(await present(`/by/s${other}`, claims)).toBe('403 scope_insufficient');
    }
  });
  it('all means all, any means one', async () => {
    const all = ['s0', 's31', 's32', 's53', 's69'];
    expect(await present('/all', { scope: all.join(' ') })).toBe('204');
    for (const left of all)
      expect(await present('/all', { scope: many.filter((s) => s !== left).join(' ') })).toBe(
        '403 scope_insufficient',
      );
    expect(await present('/any', { scope: 's64' })).toBe('204');
    expect(await present('/any', { scope: many.filter((s) => s !== 's31' && s !== 's64').join(' ') })).toBe(
      '403 scope_insufficient',
    );
  });
});

describe('Z3: routes deny unless they grant', () => {
  it.each([
    '/',
    '/nowhere',
    '/order',
    '/ordersx',
    '/orders-x/1',
    '/Orders/x',
    '/decide/x',
    '/decidex',
    '/closed',
    '/closed/',
    '/closed/there',
    '/by',
    '/by/s0/x',
  ])('%s is 404 and never forwarded', async (target) => {
    expect(await present(target, {})).toMatch(/^404 route_not_found$/);
  });
  it.each(['POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'])(
    '%s does not change the protection',
    async (method) => {
      const fields = method === 'POST' ? 'Content-Length: 0\r\n' : '';
      expect(
        await arena.attack(
          async (client) => (
            client.send(bytesOf('/orders/x', { method, fields })),
            (await client.read({ method })).status
          ),
        ),
      ).toBe(401);
      const got = await arena.attack(
        async (client) => (client.send(bytesOf('/one', { method, fields })), client.read({ method })),
      );
      expect(got.status).toBe(method === 'HEAD' ? 401 : 405);
      if (method !== 'HEAD') expect(got.values('allow')).toEqual(['GET, HEAD']);
    },
  );
  it.each([
    'X-HTTP-Method-Override: DELETE',
    'X-HTTP-Method: DELETE',
    'X-Method-Override: DELETE',
    'X-Original-URL: /admin',
    'X-Rewrite-URL: /admin',
    'x_http_method_override: DELETE',
  ])('%s changes nothing and is not forwarded', async (field) => {
    expect(await arena.send(bytesOf('/open/x', { fields: `${field}\r\n` }), 1)).toBe('200');
    expect(arena.reached.at(-1)!.raw.toString('latin1')).not.toMatch(/DELETE|admin/);
  });
  it('the same token opens the read route and not the write route', async () => {
    const token = mint();
    expect(await arena.send(bytesOf('/orders/x', { token }), 1)).toBe('200');
    expect(await arena.send(bytesOf('/orders/write', { token }))).toBe('403 scope_insufficient');
    expect(await arena.send(bytesOf('/orders/x', { token }), 1)).toBe('200');
  });
});
