/**
 * Tokens that are bound to a client certificate (RFC 8705 section 3): the built program with two listener threads, real
 * certificates, real TLS clients, a real upstream. What the driver does with a certificate before anybody sees a request is
 * held here, too, since nothing documents it.
 */
import { once } from 'node:events';
import { createHash, X509Certificate } from 'node:crypto';
import { request } from 'node:https';
import { dirname, join } from 'node:path';
import { connect } from 'node:tls';
import { WebSocket, WebSocketServer } from 'ws';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { keySet, mint } from '../hardening/arena.ts';
import { Backend } from '../support/backend.ts';
import { Authority, type Pair, replaceFile } from '../support/certificates.ts';
import { describeWith } from '../support/debian.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { until } from '../support/until.ts';
import { issuerName, makeSigner } from '../token/tokens.ts';

const thumbprintOf = ({ cert }: Pair): string =>
  createHash('sha256').update(new X509Certificate(cert).raw).digest('base64url');
/** A token that is good for whoever shows this certificate. */
const boundTo = (pair: Pair, more: object = {}): string =>
  mint({ cnf: { 'x5t#S256': thumbprintOf(pair) }, ...more });

interface Asked {
  readonly shows?: Pair;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly version?: 'TLSv1.2' | 'TLSv1.3';
  readonly servername?: string;
  readonly method?: string;
  readonly body?: string;
  /** Takes the token that the answer brings. */
  readonly onRenewed?: (token: string | undefined) => void;
}

describeWith('openssl', 'tokens that are bound to a client certificate', () => {
  const authorities: Authority[] = [];
  let backend: Backend;
  let sockets: WebSocketServer;
  let gateway: TestGateway;
  let [alice, bob, stranger, expired, forServers]: Pair[] = [];
  let own: Authority;

  beforeAll(async () => {
    own = new Authority('Callers');
    const other = new Authority('Strangers');
    authorities.push(own, other);
    alice = own.issue({ names: ['alice.test'] });
    bob = own.issue({ names: ['bob.test'] });
    expired = own.issue({ days: -1 });
    forServers = own.issue({ usage: 'serverAuth' });
    stranger = other.issue();
    backend = await Backend.start();
    sockets = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    sockets.on('connection', (socket) =>
      socket.on('message', (data) => socket.send(data as Buffer, { binary: false })),
    );
    await once(sockets, 'listening');
    const { port } = sockets.address() as { port: number };
    const named = own.issue({ names: ['shop.test'] });
    gateway = await startGateway(
      `version: 1
listener:
  host: 127.0.0.1
  port: 0
  threads: 2
  tls:
    certificates: [{ cert_file: tls.crt, key_file: tls.key }, { cert_file: shop.crt, key_file: shop.key }]
    client_certificates: { ca_file: callers.crt }
admin: { host: 127.0.0.1, port: 0 }
shutdown: { timeout_ms: 10000 }
signers: { own: { algorithm: EdDSA, key_file: own.pem, lifetime_seconds: 3600 } }
issuers:
  main:
    issuer: '${issuerName}'
    audiences: [orders]
    algorithms: [EdDSA]
    keys: { jwks_file: keys.json }
    renewal: { signer: own, header: x-renewed, share_percent: 100, answers: all }
upstreams:
  backend: { urls: ['${backend.url}'] }
  live: { urls: ['http://127.0.0.1:${port}'] }
routes:
  - { prefix: /orders, upstream: backend }
  - { path: /bound, certificate_bound: true, respond: { status: 204 } }
  - { path: /json, json_body: true, respond: { status: 204 } }
  - { prefix: /open, public: true, upstream: backend }
  - { path: /live, id: live, upstream: live, websocket: { renew_by: token } }
`,
      {
        files: {
          'keys.json': keySet,
          'callers.crt': own.cert,
          'own.pem': makeSigner('EdDSA').privateKey!.export({ type: 'pkcs8', format: 'pem' }) as string,
          ...filesOf('tls', own.issue()),
          ...filesOf('shop', named),
        },
      },
    );
  });
  afterAll(async () => {
    await gateway.stop();
    await backend.close();
    sockets.close();
    for (const authority of authorities) authority.remove();
  });

  const filesOf = (name: string, { cert, key }: Pair): Record<string, string> => ({
    [`${name}.crt`]: cert,
    [`${name}.key`]: key,
  });
  const port = (): number => Number(new URL(gateway.url).port);

  /** `401 token_certificate`, `204`; or why there was no answer. On a connection of its own. */
  const ask = (path: string, asked: Asked = {}): Promise<string> =>
    new Promise((resolve) => {
      const { shows, token, headers, version, servername = 'gateway.test', method = 'GET', body } = asked;
      const outgoing = request(
        {
          host: '127.0.0.1', port: port(), path, method, agent: false, servername, rejectUnauthorized: false,
          ...shows, ...(version === undefined ? {} : { minVersion: version, maxVersion: version }),
          headers: { host: servername, ...headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
        },
        (response) => {
          let text = '';
          response.on('data', (chunk: Buffer) => (text += chunk.toString())).on('end', () => {
            const isProblem = response.headers['content-type'] === 'application/problem+json';
            const code = isProblem ? ` ${(JSON.parse(text) as { code: string }).code}` : '';
            const challenge = response.headers['www-authenticate'];
            asked.onRenewed?.(response.headers['x-renewed'] as string | undefined);
            expect(challenge?.includes('error="invalid_token"') ?? false).toBe(response.statusCode === 401);
            resolve(`${response.statusCode}${code}`);
          });
        },
      ); // prettier-ignore
      outgoing.on('error', (error) =>
        resolve(String(/alert [a-z ]+\w/.exec(error.message) ?? error.message)),
      );
      outgoing.end(body);
    });

  /** On a connection that shows the certificate of alice, or resumes a session that did. */
  const talk = (
    token: string,
    session?: Buffer,
  ): Promise<{ reused: boolean; status: string; session: Buffer }> =>
    new Promise((resolve, reject) => {
      let [text, next]: [string, Buffer | undefined] = ['', session];
      const socket = connect({
        host: '127.0.0.1', port: port(), rejectUnauthorized: false, servername: 'gateway.test',
        ...(session === undefined ? alice! : { session }),
      }); // prettier-ignore
      const done = (): void => {
        if (!text.includes('\r\n\r\n') || next === undefined) return;
        resolve({ reused: socket.isSessionReused(), status: text.slice(9, 12), session: next });
        socket.destroy();
      };
      socket.on('session', (given: Buffer) => ((next = given), done()));
      socket.on('data', (chunk: Buffer) => ((text += chunk.toString()), done()));
      socket.on('error', reject);
      socket.write(`GET /bound HTTP/1.1\r\nHost: gateway.test\r\nAuthorization: Bearer ${token}\r\n\r\n`);
    });

  it('pass with the certificate, at the first look and from the cache, by TLS 1.2 and 1.3, for each server name', async () => {
    const token = boundTo(alice!);
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
      for (const servername of ['gateway.test', 'shop.test'])
        for (let i = 0; i < 3; i += 1)
          expect(await ask('/orders/1', { shows: alice!, token, version, servername })).toBe('200');
    expect(backend.requests.length).toBe(12);
  });

  it('are 401 invalid_token without it or with another one, also when their facts are known (RFC 8705 section 3)', async () => {
    const token = boundTo(alice!);
    const before = backend.requests.length;
    expect(await ask('/orders/1', { shows: bob!, token })).toBe('401 token_certificate');
    expect(await ask('/orders/1', { token })).toBe('401 token_certificate');
    expect(await ask('/orders/1', { shows: alice!, token })).toBe('200');
    // Until both threads know the token.
    for (let i = 0; i < 8; i += 1) {
      expect(await ask('/orders/1', { shows: bob!, token })).toBe('401 token_certificate');
      expect(await ask('/orders/1', { token })).toBe('401 token_certificate');
    }
    expect(backend.requests.length).toBe(before + 1);
    const refused = await gateway.metric('sallyport_authz_decisions_total', 'reason="token_certificate"');
    expect(refused).toBe(18);
  });

  it('are not helped by a Client-Cert field of the caller, which never gets to an upstream (RFC 9440 section 4)', async () => {
    const token = boundTo(alice!);
    const forged = `:${new X509Certificate(alice!.cert).raw.toString('base64')}:`;
    for (const name of ['Client-Cert', 'client_cert'])
      for (const shows of [bob!, undefined])
        expect(await ask('/orders/1', { token, headers: { [name]: forged }, ...(shows && { shows }) })).toBe(
          '401 token_certificate',
        );
    const headers = { 'Client-Cert': forged, client_cert: forged, 'Client-Cert-Chain': forged };
    expect(await ask('/open/1', { headers, shows: bob! })).toBe('200');
    expect(backend.requests.at(-1)!.raw.toString()).not.toMatch(/client.cert/i);
  });

  it('are asked for where the route says so; others are bearer tokens, whatever is shown', async () => {
    expect(await ask('/bound', { shows: alice!, token: boundTo(alice!) })).toBe('204');
    expect(await ask('/bound', { shows: alice!, token: mint() })).toBe('401 token_unbound');
    expect(await ask('/orders/1', { shows: alice!, token: mint() })).toBe('200');
    expect(await ask('/orders/1', { token: mint() })).toBe('200');
  });

  it('that are bound to anything else are refused: a DPoP token is no bearer token (RFC 9449 section 7.2)', async () => {
    const cnf = { jkt: thumbprintOf(alice!) };
    expect(await ask('/orders/1', { shows: alice!, token: mint({ cnf }) })).toBe('401 token_confirmation');
  });

  it('are held to it after a body was waited for', async () => {
    const asked = { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } };
    const token = boundTo(alice!);
    for (let i = 0; i < 2; i += 1) {
      expect(await ask('/json', { ...asked, token, shows: alice! })).toBe('204');
      expect(await ask('/json', { ...asked, token, shows: bob! })).toBe('401 token_certificate');
    }
  });

  it('are renewed, bound as they were, for who shows the certificate and for nobody else, on public routes too', async () => {
    const token = boundTo(alice!);
    for (const path of ['/orders/1', '/open/1', '/nowhere']) {
      const renewed: (string | undefined)[] = [];
      const onRenewed = (given: string | undefined): void => void renewed.push(given);
      for (const shows of [alice!, bob!]) await ask(path, { token, shows, onRenewed });
      await ask(path, { token, onRenewed });
      expect(renewed.slice(1)).toEqual([undefined, undefined]);
      const claims = JSON.parse(Buffer.from(renewed[0]!.split('.')[1]!, 'base64url').toString()) as object;
      expect(claims).toMatchObject({ cnf: { 'x5t#S256': thumbprintOf(alice!) } });
    }
  });

  it('the driver refuses the handshake of a certificate that is foreign, expired or for servers, and lets in who shows none', async () => {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const outcomes: string[] = [];
      for (const shows of [stranger!, expired!, forServers!])
        outcomes.push(await ask('/open/1', { shows, version }));
      expect(outcomes).toEqual([
        'alert unknown ca', 'alert certificate expired', 'alert unsupported certificate',
      ]); // prettier-ignore
      expect(await ask('/open/1', { version })).toBe('200');
    }
  });

  it('the driver keeps the certificate of a session that is resumed', async () => {
    const token = boundTo(alice!);
    const first = await talk(token);
    expect(first).toMatchObject({ reused: false, status: '204' });
    // Two threads, each with keys of its own for sessions.
    await until('a session is resumed', async () => {
      const again = await talk(token, first.session);
      expect(again.status).toBe(again.reused ? '204' : '401');
      return again.reused;
    });
  });

  it('open a WebSocket, and renew it, on the connection of their certificate only', async () => {
    const knock = (path: string, shows: Pair | null, token?: string): Promise<WebSocket | number> =>
      new Promise((resolve, reject) => {
        const socket = new WebSocket(`wss://127.0.0.1:${port()}${path}`, {
          rejectUnauthorized: false, ...shows, headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
        }); // prettier-ignore
        socket.on('open', () => resolve(socket));
        socket.on(
          'unexpected-response',
          (outgoing, { statusCode }) => (outgoing.destroy(), resolve(statusCode!)),
        );
        socket.on('error', (error) => reject(error));
      });
    const said = (socket: WebSocket, token: string): Promise<string> =>
      new Promise((resolve) => {
        socket.once('message', (data) => resolve((data as Buffer).toString()));
        socket.once('close', (code, reason) => resolve(`${code} ${reason.toString()}`));
        socket.send(JSON.stringify({ token }));
      });
    expect(await knock('/live', bob!, boundTo(alice!))).toBe(401);
    expect(await knock('/live', null, boundTo(alice!))).toBe(401);
    // Two of them at once: the driver's answer differs between the first and the others.
    const [one, two] = [await knock('/live', alice!, boundTo(alice!)), await knock('/live', alice!, mint())];
    for (const socket of [one, two] as WebSocket[]) {
      expect(await said(socket, boundTo(alice!))).toContain('expires_at');
      expect(await said(socket, boundTo(bob!))).toBe('4401 token_certificate');
    }
  });

  it('are held to authorities that are renewed while it runs; a broken file of them changes nothing', async () => {
    const file = join(dirname(gateway.configFile), 'callers.crt');
    const reloads = (outcome: string): Promise<number> =>
      gateway.metric('sallyport_tls_certificate_reloads_total', `outcome="${outcome}"`);
    /** On both threads, as far as sixteen connections find out. */
    const everywhere = async (shows: Pair, expected: string): Promise<boolean> => {
      for (let i = 0; i < 16; i += 1) if ((await ask('/open/1', { shows })) !== expected) return false;
      return true;
    };
    replaceFile(file, `${own.cert}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`);
    await until('it is refused', async () => (await reloads('rejected')) === 1);
    expect(await ask('/open/1', { shows: stranger! })).toBe('alert unknown ca');
    replaceFile(file, `${own.cert}${authorities[1]!.cert}`);
    await until('strangers are let in', () => everywhere(stranger!, '200'));
    expect(await ask('/orders/1', { shows: stranger!, token: boundTo(stranger!) })).toBe('200');
    const token = boundTo(alice!);
    const { session } = await talk(token);
    replaceFile(file, authorities[1]!.cert);
    await until('callers are foreign', () => everywhere(alice!, 'alert unknown ca'));
    expect(await reloads('applied')).toBe(2);
    // Nor by a session from before: on whichever thread it comes to.
    for (let i = 0; i < 8; i += 1)
      expect(await talk(token, session)).toMatchObject({ reused: false, status: '401' });
  });
});
