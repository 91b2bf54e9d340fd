import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Check } from '../../gateway/admin/health.ts';
import { startAdmin, type AdminOptions, type AdminServer } from '../../gateway/admin/server.ts';

const open: AdminServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

async function admin(overrides: Partial<AdminOptions> = {}) {
  const errors: unknown[] = [];
  const server = await startAdmin({
    host: '127.0.0.1',
    port: 0,
    checks: () => [],
    metrics: () =>
      Promise.resolve({
        contentType: 'text/plain; version=0.0.4',
        body: [Buffer.from('up '), Buffer.from('1\n')],
      }),
    reload: () => Promise.resolve({ outcome: 'applied', errors: [] }),
    console: null,
    onError: (error) => errors.push(error),
    ...overrides,
  });
  open.push(server);
  const ask = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, init);
    return { status: response.status, headers: response.headers, body: await response.text() };
  };
  return { ask, errors, port: server.port };
}

/** Sends bytes and reads until the server closes. */
async function exchange(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  let answer = '';
  socket.on('data', (chunk: Buffer) => {
    answer += chunk.toString('latin1');
  });
  socket.write(bytes);
  await once(socket, 'close');
  return answer;
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

describe('liveness', () => {
  it.each(['/livez', '/healthz'])('%s is ok whatever the checks say', async (path) => {
    const { ask } = await admin({ checks: () => [{ name: 'config', ok: false }] });
    expect(await ask(path)).toMatchObject({ status: 200, body: 'ok\n' });
  });
});

describe('readiness', () => {
  const good: Check = { name: 'config', ok: true };
  const stale: Check = {
    name: 'keys:main',
    ok: true,
    detail: 'fetch failed, 2 keys serve for another 86000 s',
  };
  const bad: Check = { name: 'listeners', ok: false, detail: '0 of 2 serve' };

  it('is 200 while every check holds, those with a detail too', async () => {
    const { ask } = await admin({ checks: () => [good, stale] });
    expect(await ask('/readyz')).toMatchObject({ status: 200, body: 'ok\n' });
  });

  it('is 503 with every check named as soon as one fails', async () => {
    const { ask } = await admin({ checks: () => [good, bad] });
    const { status, body } = await ask('/readyz');
    expect(status).toBe(503);
    expect(body).toBe('[+] config: ok\n[-] listeners: 0 of 2 serve\nnot ready\n');
  });

  it('asks for the checks each time', async () => {
    let ok = false;
    const { ask } = await admin({ checks: () => [{ name: 'config', ok }] });
    expect((await ask('/readyz')).status).toBe(503);
    ok = true;
    expect((await ask('/readyz')).status).toBe(200);
  });

  it('lists the checks when asked to be verbose', async () => {
    const { ask } = await admin({ checks: () => [good, stale] });
    const { status, body } = await ask('/readyz?verbose');
    expect({ status, body }).toEqual({
      status: 200,
      body: '[+] config: ok\n[+] keys:main: fetch failed, 2 keys serve for another 86000 s\nready\n',
    });
  });

  it('leaves out the checks that the caller excludes, and says which names it does not know', async () => {
    const { ask } = await admin({ checks: () => [good, bad] });
    expect((await ask('/readyz?exclude=listeners')).status).toBe(200);
    const { status, body } = await ask('/readyz?verbose&exclude=config&exclude=lisstenars');
    expect(status).toBe(503);
    expect(body).toContain('[+] config: excluded\n');
    expect(body).toContain('[?] no such check: "lisstenars"\n');
  });
});

describe('metrics', () => {
  it('come with the content type they have', async () => {
    const { ask } = await admin();
    const { status, headers, body } = await ask('/metrics');
    expect({ status, body }).toEqual({ status: 200, body: 'up 1\n' });
    expect(headers.get('content-type')).toBe('text/plain; version=0.0.4');
    expect(headers.get('cache-control')).toBe('no-store');
  });

  it('answer 500 without the reason when the scrape fails, and tell the log', async () => {
    const { ask, errors } = await admin({ metrics: () => Promise.reject(new Error('token abc')) });
    expect(await ask('/metrics')).toMatchObject({ status: 500, body: 'internal error\n' });
    expect(errors).toEqual([new Error('token abc')]);
  });
});

describe('reload', () => {
  it('answers the outcome', async () => {
    const { ask } = await admin();
    const { status, body } = await ask('/-/reload', { method: 'POST' });
    expect({ status, body }).toEqual({ status: 200, body: '{"outcome":"applied","errors":[]}\n' });
  });

  it('answers 422 with every error of a configuration that was rejected', async () => {
    const errors = ['sallyport.yaml:3:1: routes: is missing'];
    const { ask } = await admin({ reload: () => Promise.resolve({ outcome: 'rejected', errors }) });
    const { status, body } = await ask('/-/reload', { method: 'POST' });
    expect(status).toBe(422);
    expect(JSON.parse(body)).toEqual({ outcome: 'rejected', errors });
  });

  it.each([
    ['a page of another site', { origin: 'https://evil.example' }],
    ['a page without an origin', { origin: 'null' }],
    [
      'a page that DNS rebinding put under our name',
      { origin: 'http://127.0.0.1:9090', 'sec-fetch-site': 'same-origin' },
    ],
    ['a request whose origin was stripped', { 'sec-fetch-site': 'cross-site' }],
  ])('does nothing for %s', async (_, headers) => {
    let reloads = 0;
    const reload = () => {
      reloads += 1;
      return Promise.resolve({ outcome: 'applied', errors: [] } as const);
    };
    const { port } = await admin({ reload });
    const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const head = `POST /-/reload HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n${fields.join('')}\r\n`;
    expect(await exchange(port, head)).toMatch(/^HTTP\/1\.1 403 /);
    expect(reloads).toBe(0);
  });

  it('takes no body', async () => {
    const { ask } = await admin();
    expect((await ask('/-/reload', { method: 'POST', body: 'x' })).status).toBe(413);
  });
});

describe('everything else', () => {
  it.each(['/', '/admin', '/livez/', '/metrics2', '//metrics', '/-/config'])('%s is 404', async (path) => {
    const { ask } = await admin();
    expect((await ask(path)).status).toBe(404);
  });

  it.each([
    ['POST', '/livez', 'GET, HEAD'],
    ['DELETE', '/metrics', 'GET, HEAD'],
    ['GET', '/-/reload', 'POST'],
    ['HEAD', '/-/reload', 'POST'],
  ])('%s %s is 405 with the methods that are allowed', async (method, path, allow) => {
    const { ask } = await admin();
    const { status, headers } = await ask(path, { method });
    expect({ status, allow: headers.get('allow') }).toEqual({ status: 405, allow });
  });

  it('HEAD has the length of GET and no body', async () => {
    const { ask } = await admin();
    const { status, headers, body } = await ask('/metrics', { method: 'HEAD' });
    expect({ status, length: headers.get('content-length'), body }).toEqual({
      status: 200,
      length: '5',
      body: '',
    });
  });

  it('refuses a head that is too large, a target that is too long and what is not HTTP', async () => {
    const { port, ask } = await admin();
    const large = `GET /livez HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(9000)}\r\n\r\n`;
    expect(await exchange(port, large)).not.toContain('200 OK');
    expect(await exchange(port, 'not http\r\n\r\n')).not.toContain('200 OK');
    expect((await ask(`/livez?${'x'.repeat(1100)}`)).status).toBe(414);
    expect((await ask('/livez')).status).toBe(200);
  });
});

describe('the listener', () => {
  it('says when its address is taken', async () => {
    const { port } = await admin();
    await expect(admin({ port })).rejects.toThrow('EADDRINUSE');
  });

  it('closes at once, with connections that are still open', async () => {
    const scraped = deferred();
    const server = await startAdmin({
      host: '127.0.0.1',
      port: 0,
      checks: () => [],
      metrics: () => {
        scraped.resolve();
        return new Promise(() => {});
      },
      reload: () => Promise.resolve({ outcome: 'applied', errors: [] }),
      console: null,
      onError: () => {},
    });
    const answer = exchange(server.port, 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
    const idle = connect(server.port, '127.0.0.1');
    idle.on('error', () => {});
    await Promise.all([once(idle, 'connect'), scraped.promise]);
    await server.close();
    expect(await answer).toBe('');
  });
});
