import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSilentServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { fetchDocument, FetchError, isLoopback, type FetchOptions } from '../../gateway/upstream/fetch.ts';

const options: FetchOptions = { headers: {}, timeoutMs: 2000, bytesMax: 1000, allowHttp: false };
const servers: Server[] = [];

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function failure(url: string, more: Partial<FetchOptions> = {}): Promise<FetchError> {
  const error: unknown = await fetchDocument(url, { ...options, ...more }).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(FetchError);
  return error as FetchError;
}

afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

describe('K3: documents are fetched within bounds', () => {
  it('returns status, fields and body, and sends the fields it was given', async () => {
    let seen: string | undefined;
    const base = await serve((request, response) => {
      seen = request.headers['if-none-match'];
      response.setHeader('ETag', '"2"').end('{"keys":[]}');
    });
    const answer = await fetchDocument(`${base}/jwks?x=1`, {
      ...options,
      headers: { 'if-none-match': '"1"' },
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('etag')).toBe('"2"');
    expect(answer.body.toString()).toBe('{"keys":[]}');
    expect(seen).toBe('"1"');
  });

  it.each([304, 404, 500])('returns status %i for the caller to judge', async (status) => {
    const base = await serve((_, response) => response.writeHead(status).end());
    expect((await fetchDocument(base, options)).status).toBe(status);
  });

  it.each([301, 302, 303, 307, 308])('does not follow a %i', async (status) => {
    let requests = 0;
    const base = await serve((_, response) => {
      requests += 1;
      response.writeHead(status, { location: '/elsewhere' }).end();
    });
    expect((await failure(base)).kind).toBe('redirected');
    expect(requests).toBe(1);
  });

  it('refuses a body whose announced length is over the limit', async () => {
    const base = await serve((_, response) =>
      response.setHeader('content-length', 1001).end('x'.repeat(1001)),
    );
    expect((await failure(base)).kind).toBe('too_large');
  });

  it('refuses a chunked body once it goes over the limit, without waiting for its end', async () => {
    const base = await serve((_, response) => void response.write('x'.repeat(1001)));
    expect((await failure(base)).kind).toBe('too_large');
  });

  it('gives up on a peer that accepts and stays silent', async () => {
    const server = createSilentServer(() => {});
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as AddressInfo;
    const error = await failure(`http://127.0.0.1:${port}/jwks?secret=1`, { timeoutMs: 50 });
    server.close();
    expect(error.kind).toBe('timeout');
    expect(error.message).toContain('/jwks');
    expect(error.message).not.toContain('secret');
  });

  it('gives up on a body that never ends', async () => {
    const base = await serve((_, response) => void response.write('{'));
    expect((await failure(base, { timeoutMs: 50 })).kind).toBe('timeout');
  });

  it('fails when the connection is cut within the body', async () => {
    const base = await serve((request, response) => {
      response.setHeader('content-length', 100).write('{', () => request.socket.destroy());
    });
    expect((await failure(base)).kind).toBe('unreachable');
  });

  it('fails at once when nobody listens', async () => {
    const base = await serve(() => {});
    servers.pop()?.close();
    expect((await failure(base)).kind).toBe('unreachable');
  });

  it('refuses a content coding that it did not ask for', async () => {
    const base = await serve((_, response) => response.setHeader('content-encoding', 'gzip').end('x'));
    expect((await failure(base)).kind).toBe('invalid');
  });

  it.each([
    'http://issuer.example/jwks',
    'ftp://127.0.0.1/',
    'file:///etc/passwd',
    'jwks',
    'https://u:p@issuer.example/',
  ])('refuses %s without any connection', async (url) =>
    expect((await failure(url)).kind).toBe('url_refused'),
  );

  it('knows the names of this machine from those that only look like it', () => {
    expect(['localhost', '127.0.0.1', '127.9.9.9', '[::1]'].every(isLoopback)).toBe(true);
    expect(
      ['localhost.example', '127.0.0.1.example', '128.0.0.1', '[::2]', '10.0.0.1'].some(isLoopback),
    ).toBe(false);
  });
});
