/** TLS to upstreams, from the built program to real servers: who is believed, what is shown, and what a reload renews. */
import { once } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { TLSSocket } from 'node:tls';
import { WebSocket } from 'ws';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Authority, type Pair, replaceFile } from '../support/certificates.ts';
import { describeWith } from '../support/debian.ts';
import { startGateway, testPreamble, type TestGateway } from '../support/gateway.ts';

describeWith('openssl', 'TLS to upstreams', () => {
  const servers: Server[] = [];
  let authority: Authority;
  let other: Authority;
  let gateway: TestGateway;
  let client: Pair;

  /** Answers with the name of the certificate that it was shown, and the server name that was asked for. */
  const serve = async (pair: Pair, more: object = {}): Promise<string> => {
    const server = createServer({ ...pair, ...more }, (request, response) => {
      const socket = request.socket as TLSSocket & { servername?: string | false };
      response.end(JSON.stringify([socket.getPeerCertificate().subject?.CN ?? null, socket.servername]));
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve));
    return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };

  const ask = async (name: string): Promise<string> => {
    const response = await fetch(`${gateway.url}/${name}`);
    const body = await response.text();
    return response.ok ? body : `${response.status} ${(JSON.parse(body) as { code: string }).code}`;
  };
  const failures = (name: string): Promise<number> =>
    gateway.metric('sallyport_upstream_errors_total', `upstream="${name}"`, 'kind="tls"');

  beforeAll(async () => {
    authority = new Authority('One');
    other = new Authority('Other');
    client = authority.issue({ names: ['gateway.client'] });
    const named = await serve(authority.issue({ names: ['app.test'] }));
    const expired = await serve(authority.issue({ names: ['app.test'], days: -1 }));
    const strict = { requestCert: true, rejectUnauthorized: true, ca: authority.cert };
    const mutual = await serve(authority.issue({ names: ['app.test'] }), strict);
    const mutualOf12 = await serve(authority.issue({ names: ['app.test'] }), {
      ...strict,
      maxVersion: 'TLSv1.2',
    });
    const ofOther = await serve(other.issue({ names: ['app.test'] }));
    const trusting = 'ca_file: ca.crt, server_name: app.test';
    const upstreams: Record<string, string> = {
      good: `{ urls: ['${named}'], tls: { ${trusting} } }`,
      unknown: `{ urls: ['${named}'] }`,
      misnamed: `{ urls: ['${named}'], tls: { ca_file: ca.crt } }`,
      expired: `{ urls: ['${expired}'], tls: { ${trusting} } }`,
      mutual: `{ urls: ['${mutual}'], tls: { ${trusting}, cert_file: client.crt, key_file: client.key } }`,
      unshown: `{ urls: ['${mutual}'], tls: { ${trusting} } }`,
      unshown12: `{ urls: ['${mutualOf12}'], tls: { ${trusting} } }`,
      renewed: `{ urls: ['${ofOther}'], tls: { ca_file: other.crt, server_name: app.test } }`,
    };
    const names = Object.keys(upstreams);
    gateway = await startGateway(
      `${testPreamble}
upstreams:
${names.map((name) => `  ${name}: ${upstreams[name]}`).join('\n')}
routes:
${names.map((name) => `  - { path: /${name}, public: true, upstream: ${name}, websocket: {} }`).join('\n')}
`,
      {
        files: {
          'ca.crt': authority.cert,
          'other.crt': authority.cert,
          'client.crt': client.cert,
          'client.key': client.key,
        },
      },
    );
  });
  afterAll(async () => {
    await gateway.stop();
    for (const server of servers) server.closeAllConnections();
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    authority.remove();
    other.remove();
  });

  it('asks for the configured name, and believes the configured authority', async () => {
    expect(await ask('good')).toBe('[null,"app.test"]');
    expect(await failures('good')).toBe(0);
  });

  it('shows its certificate to those who ask for one', async () => {
    expect(await ask('mutual')).toBe('["gateway.client","app.test"]');
  });

  it.each(['unknown', 'misnamed', 'expired', 'unshown12'])(
    'answers 502, and counts a failure of TLS, for one that is %s',
    async (name) => {
      const before = await failures(name);
      expect(await ask(name)).toBe('502 upstream_tls');
      expect(await failures(name)).toBe(before + 1);
    },
  );

  it.each(['unknown', 'misnamed', 'expired', 'unshown12'])(
    'answers 502 to a request for a WebSocket, too, and counts a failure of TLS, for one that is %s',
    async (name) => {
      const before = await failures(name);
      const knocking = new WebSocket(`${gateway.url.replace('http', 'ws')}/${name}`);
      const [outgoing, answer] = (await once(knocking, 'unexpected-response')) as [
        ClientRequest,
        IncomingMessage,
      ];
      const body = JSON.parse(await text(answer)) as { code: string };
      outgoing.destroy();
      expect([answer.statusCode, body.code]).toEqual([502, 'upstream_tls']);
      expect(await failures(name)).toBe(before + 1);
    },
  );

  it('answers 502 where TLS 1.3 finds out about a missing certificate behind the handshake', async () => {
    expect(await ask('unshown')).toMatch(/^502 upstream_(?:reset|tls)$/);
  });

  it('reads the files again at a reload, though the configuration is the same', async () => {
    expect(await ask('renewed')).toBe('502 upstream_tls');
    const file = join(dirname(gateway.configFile), 'other.crt');
    replaceFile(file, 'nonsense');
    expect((await gateway.reload()).errors).toEqual([
      `${gateway.configFile}: upstreams.renewed.tls.ca_file: no certificate in PEM form`,
    ]);
    replaceFile(file, other.cert);
    expect(await gateway.reload()).toMatchObject({ outcome: 'applied' });
    expect(await ask('renewed')).toBe('[null,"app.test"]');
    expect(await gateway.reload()).toMatchObject({ outcome: 'unchanged' });
  });
});
