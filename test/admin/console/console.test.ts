/** The console over HTTP: who is let in, what browsers are told, what the form takes. */
import { connect } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formBytesMax } from '../../../gateway/admin/console/form.ts';
import { pages } from '../../../gateway/admin/console/layout.ts';
import { hasConsole } from '../../../gateway/admin/console/address.ts';
import { startGateway, testPreamble, type TestGateway } from '../../support/gateway.ts';

const routes = 'routes: [{ path: /health, public: true, respond: { status: 204 } }]\n';
const base = '/-/console';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway(testPreamble + routes);
});
afterAll(() => gateway.stop());

/** Header fields as they are written, which `fetch` does not let a caller say. */
async function ask(
  of: TestGateway,
  method: string,
  path: string,
  fields: Readonly<Record<string, string>> = {},
  body = '',
): Promise<{ readonly status: number; readonly head: string; readonly body: string }> {
  const { host, port } = new URL(of.adminUrl);
  const socket = connect(Number(port), '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => {});
  const all = { host, connection: 'close', ...fields };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`);
  await once(socket, 'close');
  const [head = '', content = ''] = Buffer.concat(chunks)
    .toString('utf8')
    .split(/\r\n\r\n(.*)/s, 2);
  return { status: Number(head.split(' ')[1]), head: head.toLowerCase(), body: content };
}

function post(
  fields: Readonly<Record<string, string>>,
  body = 'method=GET&path=/health',
): ReturnType<typeof ask> {
  const form = {
    'content-type': 'application/x-www-form-urlencoded',
    'content-length': String(Buffer.byteLength(body)),
  };
  return ask(gateway, 'POST', `${base}/routes`, { ...form, ...fields }, body);
}

describe('the pages', () => {
  it.each(pages)('/%s says what browsers may do with it', async (name) => {
    const { status, head, body } = await ask(gateway, 'GET', name === '' ? base : `${base}/${name}`);
    expect(status).toBe(200);
    expect(body).toContain('<!doctype html>');
    expect(body).not.toMatch(
      /<script(?! src="\/-\/console\/console\.[0-9a-f]{16}\.js" integrity=)|<style| style=| on\w+=/,
    );
    for (const field of [
      'content-type: text/html; charset=utf-8',
      "content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';",
      "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
      'x-frame-options: deny',
      'x-content-type-options: nosniff',
      'cross-origin-opener-policy: same-origin',
      'cross-origin-resource-policy: same-origin',
      'referrer-policy: same-origin',
      'cache-control: no-store',
    ])
      expect(head).toContain(field);
  });

  it('are found from the root, and are nowhere else', async () => {
    const root = await ask(gateway, 'GET', '/');
    expect({ status: root.status, leads: root.head.includes(`location: ${base}`) }).toEqual({
      status: 303,
      leads: true,
    });
    expect((await ask(gateway, 'GET', `${base}/nothing`)).status).toBe(404);
    expect((await ask(gateway, 'GET', `${base}/`)).status).toBe(200);
    expect((await ask(gateway, 'GET', '/-/consoles')).status).toBe(404);
  });

  it('have files that browsers keep, by names that change with them', async () => {
    const { body } = await ask(gateway, 'GET', base);
    for (const [, path] of body.matchAll(/(?:href|src)="(\/-\/console\/console\.[^"]+)"/g)) {
      const first = await ask(gateway, 'GET', path!);
      expect(first.status).toBe(200);
      expect(first.head).toContain('immutable');
      const etag = /etag: (\S+)/.exec(first.head)![1]!;
      expect((await ask(gateway, 'GET', path!, { 'if-none-match': etag })).status).toBe(304);
    }
  });

  it.each([
    ['DELETE', '', 'get, head'],
    ['POST', '', 'get, head'],
    ['POST', '/keys', 'get, head'],
    ['PUT', '/routes', 'get, head, post'],
  ])('refuse %s %s', async (method, path, allow) => {
    const { status, head } = await ask(gateway, method, base + path);
    expect(status).toBe(405);
    expect(head).toContain(`allow: ${allow}\r\n`);
  });
});

describe('a foreign Host, as DNS rebinding brings it, is refused', () => {
  it.each([
    'evil.example',
    'evil.example:9090',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    '',
    '[::1',
  ])('%s', async (host) => {
    const { status, body } = await ask(gateway, 'GET', base, { host });
    // The driver of the listener itself refuses some of them.
    expect([400, 421]).toContain(status);
    expect(body).not.toContain('<html');
  });

  it.each(['127.0.0.1', '127.0.0.1:1', 'localhost:9090', 'LOCALHOST', '[::1]:9090', '10.1.2.3'])(
    'but %s is not one',
    async (host) => {
      expect((await ask(gateway, 'GET', base, { host })).status).toBe(200);
    },
  );

  it('for the form, too', async () => {
    expect((await post({ host: 'evil.example', origin: 'http://evil.example' })).status).toBe(421);
  });

  it('and scrapers go on reaching metrics by whatever name they have', async () => {
    expect((await ask(gateway, 'GET', '/metrics', { host: 'sallyport.example:9090' })).status).toBe(200);
  });
});

describe('the form', () => {
  it.each([
    ['a page of another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }],
    ['a page of another port of this host', { 'sec-fetch-site': 'same-site', origin: 'http://127.0.0.1:1' }],
    ['a page of another site where fetch metadata is not sent', { origin: 'https://evil.example' }],
    ['a page without an origin', { origin: 'null' }],
    ['a bookmark', { 'sec-fetch-site': 'none' }],
  ])('is refused from %s', async (_, fields) => {
    const { status, body } = await post(fields);
    expect(status).toBe(403);
    expect(body).not.toContain('data-outcome');
  });

  it.each([
    ['our own page', { 'sec-fetch-site': 'same-origin' }],
    ['a program', {}],
  ])('is taken from %s', async (_, fields) => {
    const { status, body } = await post(fields);
    expect(status).toBe(200);
    expect(body).toContain('data-outcome');
  });

  it('is taken from our own page where fetch metadata is not sent', async () => {
    expect((await post({ origin: gateway.adminUrl })).status).toBe(200);
  });

  it('is taken as a form only, and up to a size', async () => {
    expect((await post({ 'content-type': 'application/json' }, '{}')).status).toBe(415);
    const large = `path=/${'x'.repeat(formBytesMax)}`;
    expect((await post({}, large)).status).toBe(413);
    const chunked = `${large.length.toString(16)}\r\n${large}\r\n0\r\n\r\n`;
    const undeclared = await ask(
      gateway,
      'POST',
      `${base}/routes`,
      { 'content-type': 'application/x-www-form-urlencoded', 'transfer-encoding': 'chunked' },
      chunked,
    );
    expect(undeclared.status).toBe(413);
    expect((await ask(gateway, 'GET', base)).status).toBe(200);
  });

  it('says which request cannot be one', async () => {
    const { body } = await post({}, 'method=brew&path=nothing');
    expect(body).toContain('method_not_supported');
    expect((await post({}, 'method=get&path=%2f%2e%2e')).body).toContain('data-outcome');
  });
});

describe('`admin.console`', () => {
  it.each([
    ['127.0.0.1', undefined, true],
    ['127.9.9.9', undefined, true],
    ['localhost', undefined, true],
    ['::1', undefined, true],
    ['0.0.0.0', undefined, false],
    ['::', undefined, false],
    ['10.0.0.1', undefined, false],
    ['127.0.0.1.example', undefined, false],
    ['10.0.0.1', true, true],
    ['127.0.0.1', false, false],
  ])('where it listens on %s and says %s: %s', (host, console, expected) => {
    expect(hasConsole({ host, console })).toBe(expected);
  });

  it('is off on the built gateway where the admin listener can be reached from elsewhere', async () => {
    const open = testPreamble.replace('admin: { host: 127.0.0.1,', 'admin: { host: 0.0.0.0,');
    const other = await startGateway(open + routes);
    try {
      expect((await ask(other, 'GET', base)).status).toBe(404);
      expect((await ask(other, 'GET', '/')).status).toBe(404);
      expect(other.logs.find(({ msg }) => msg === 'serving')).not.toHaveProperty('console');
    } finally {
      await other.stop();
    }
  });

  it('is on by default on loopback, and a start says where', () => {
    const serving = gateway.logs.find(({ msg }) => msg === 'serving')!;
    expect(serving['console']).toBe(`${gateway.adminUrl}${base}`);
  });
});
