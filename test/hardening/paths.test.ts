/** Group P: one path for matching, deciding and forwarding. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Arena, arenaConfig, bytesOf, mint } from './arena.ts';

let arena: Arena;

beforeAll(async () => {
  arena = await Arena.start({
    config: (url) =>
      arenaConfig(url).concat(`  - prefix: /lenient
    public: true
    upstream: backend
    allow_in_path: [encoded_slash, semicolon, empty_segment]
    routes:
      - { prefix: /admin, public: false, issuer: main, scopes: { all: [admin] } }
  - { prefix: '/users/{id}', issuer: main, upstream: backend, subject: { param: id } }
`),
  });
});
afterAll(() => arena.stop());

describe('P1: what is decided is what is forwarded', () => {
  it.each([
    '/open',
    '/open/',
    '/open/a/b',
    '/open/a%20b',
    '/open/%C3%A9',
    '/open/a.b',
    '/open/...',
    '/open/a..b',
    '/open/.well-known',
    '/open/~a',
    "/open/!$&'()*+,=:@",
    '/open/a?',
    '/open/a?b=c&d=%2e%2e/;',
    '/open/a??',
    '/open/%25',
    '/open/%E2%82%AC',
    '/open/a|b',
  ])('%s arrives as it is', async (target) => {
    expect(await arena.send(bytesOf(target), 1)).toBe('200');
    // The driver does not tell a bare `?` from none.
    expect([target, target.replace(/\?$/, '')]).toContain(arena.reached.at(-1)!.target);
  });

  it.each(['/lenient/a;b', '/lenient/a%2Fb', '/lenient//a', '/lenient/a;b=c/d'])(
    '%s arrives as it is where the route allows it',
    async (target) => {
      expect(await arena.send(bytesOf(target), 1)).toBe('200');
      expect(arena.reached.at(-1)!.target).toBe(target);
    },
  );

  it.each([
    '/lenient//admin',
    '/lenient/%2Fadmin',
    '/lenient/admin;x',
    '/lenient/;x/admin',
    '/lenient/%61dmin',
    '/lenient/ADMIN',
    '/lenient/./admin',
    '/lenient/x/../admin',
    '/lenient/x%2F..%2Fadmin',
    '/lenient/..;/admin',
    '/lenient/admin%2Fx',
    '/lenient/admin//x',
  ])('%s never reaches the protected route behind a lenient one under its own name', async (target) => {
    const before = arena.reached.length;
    const code = await arena
      .send(bytesOf(target))
      .catch((error: Error) => (/saw 1 requests/.test(error.message) ? '200' : error.message));
    // Forwarded or not, byte for byte: it is for the operator of a lenient route to know what its upstream makes of it.
    if (code === '200') expect(arena.reached.slice(before).map((r) => r.target)).toEqual([target]);
    else expect(code).toMatch(/^(?:400|401|404)/);
    expect(await arena.send(bytesOf('/lenient/admin/x'))).toBe('401 credentials_missing');
  });

  it('a parameter that is compared is the raw one', async () => {
    const token = mint({ sub: 'alice' });
    expect(await arena.send(bytesOf('/users/alice', { token }), 1)).toBe('200');
    expect(await arena.send(bytesOf('/users/alice/files', { token }), 1)).toBe('200');
    for (const id of ['bob', 'Alice', '%61lice', 'alice%20', 'alice%00', 'alice.', 'alicex', '%E0alice'])
      expect(await arena.send(bytesOf(`/users/${id}`, { token }))).toMatch(
        /^(?:403 subject_mismatch|400 \w+)$/,
      );
  });
});

describe('P2: paths with more than one reading are refused', () => {
  it.each([
    '/open/../orders', '/open/..', '/open/.', '/open/./x', '/open/x/../y', '/..', '/../open', '/open/%2e%2e/orders',
    '/open/%2E%2E/orders', '/open/.%2e/orders', '/open/%2e./orders', '/open/%2e', '/open/x%2e', '/open/%252e%252e/x/..',
    '/open//x', '//open/x', '/open/x//', '//', '///open', '/open/a%2fb', '/open/a%2Fb', '/open/..%2forders', '/open/%5corders',
    '/open/..%5corders', '/open\\orders', '/open\\..\\orders', '/open/%00', '/open/x%00.png', '/open/%0d%0aX:y', '/open/%0a',
    '/open/%1f', '/open/%7f', '/open/;x', '/open/x;y', '/open/..;/orders', '/open;/x', '/open/%', '/open/%2', '/open/%zz',
    '/open/%g0', '/open/%c0%ae%c0%ae/x', '/open/%c0%af', '/open/%ff', '/open/%ed%a0%80', '/open/x#y', '/open/#', '/#', '/open/x?y#z', '/open/\x7f', '/open/x?\x7f', '/open/x\x80', '/open/\xc3\xa9', '/open/x?\xc3\xa9',
    'open/x', '*', 'x:/open', '?', '',
  ])('%j', async (target) => {
    expect(await arena.send(bytesOf(target))).toMatch(/^(?:400|404 route_not_found|505|closed)/);
    expect(await arena.send(bytesOf(target, { token: mint() }))).toMatch(/^(?:400|404 route_not_found|505|closed)/);
  }); // prettier-ignore

  it.each(['/open/a\tb', '/open/a\x01b', '/open/a\0b', '/open/a b'])(
    '%j is refused by the driver or by us',
    async (target) => {
      expect(await arena.send(bytesOf(target))).toMatch(/^(?:400|505|closed)/);
    },
  );
});

describe('P3: no authority of a target is ever used', () => {
  it.each([
    'http://127.0.0.1:1/open/x',
    'http://gateway.example/open/x',
    'HTTP://gateway.example/open/x',
    'https://gateway.example/open/x',
    'gateway.example:80',
    'http:/open/x',
    'http:open/x',
    'ftp://gateway.example/open/x',
  ])('%s is refused', async (target) => {
    expect(await arena.send(bytesOf(target))).toMatch(/^(?:400|404|505|closed)/);
  });
  it('a Host of another name changes nothing about where the request goes', async () => {
    for (const host of ['127.0.0.1:1', 'other.example', 'localhost', '[::1]:80', `127.0.0.1:${arena.port}`]) {
      const bytes = bytesOf('/open/x').replace('gateway.example', host);
      expect(await arena.send(bytes, 1)).toBe('200');
      expect(arena.reached.at(-1)!.values('host')).toEqual([new URL(arena.backend.url).host]);
    }
  });
  it('a target that begins with two slashes is no authority upstream', async () => {
    expect(await arena.send(bytesOf('//evil.example/open/x'))).toMatch(/^40[04]/);
    expect(await arena.send(bytesOf('/lenient//evil.example/x'), 1)).toBe('200');
  });
});
