/**
 * Tokens that are bound to a client certificate, where another program ends the callers' TLS: Caddy and HAProxy of Debian
 * by the printed snippet, made to speak TLS, tell the certificate in `Client-Cert` (RFC 9440); nginx cannot.
 */
import { createHash, X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { request as plain } from 'node:http';
import { request as secure } from 'node:https';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { mint } from '../hardening/arena.ts';
import { Authority, type Pair } from '../support/certificates.ts';
import { describeWith } from '../support/debian.ts';
import { type FrontProcess, type FrontProgram, startFront } from '../support/front.ts';
import { testPreamble } from '../support/gateway.ts';
import { codeIn, requestOf, Site } from './site.ts';

describeWith('openssl', 'bound tokens behind another program', () => {
  let authority: Authority;
  let site: Site;
  let [alice, bob]: Pair[] = [];
  let token = '';

  beforeAll(async () => {
    authority = new Authority();
    const server = authority.issue({ names: ['site.example'] });
    writeFileSync(join(authority.folder, 'server.pem'), server.cert + server.key);
    alice = authority.issue({ names: ['alice.test'] });
    bob = authority.issue({ names: ['bob.test'] });
    const thumbprint = createHash('sha256').update(der(alice)).digest('base64url');
    token = mint({ cnf: { 'x5t#S256': thumbprint } });
    const preamble = testPreamble.replace(
      'threads: 1 }',
      'threads: 1, trusted_proxies: [127.0.0.1], trust_client_cert: true }',
    );
    site = await Site.start({ preamble });
  });
  afterAll(async () => {
    await site.stop();
    authority.remove();
  });

  const der = ({ cert }: Pair): Buffer => new X509Certificate(cert).raw;
  const field = (pair: Pair): string => `:${der(pair).toString('base64')}:`;

  interface Asked {
    readonly path?: string;
    readonly shows?: Pair;
    readonly forges?: Pair;
  }
  /** A status, and the code of a refusal. */
  const ask = (
    scheme: 'http' | 'https',
    port: number,
    { path = '/orders/1', shows, forges }: Asked,
  ): Promise<string> =>
    new Promise((resolve, reject) => {
      const forged =
        forges === undefined ? {} : { 'client-cert': field(forges), 'client-cert-chain': field(forges) };
      const request = scheme === 'https' ? secure : plain;
      const outgoing = request(
        {
          host: '127.0.0.1', port, path, agent: false, servername: 'site.example', rejectUnauthorized: false, ...shows,
          headers: { host: `site.example:${port}`, authorization: `Bearer ${token}`, ...forged },
        },
        (response) => {
          let text = '';
          response.on('data', (chunk: Buffer) => (text += chunk.toString())).on('end', () => {
            const isRefusal = response.headers['content-type'] === 'application/problem+json';
            const code = isRefusal ? ` ${(JSON.parse(text) as { code: string }).code}` : '';
            resolve(`${response.statusCode}${code}`);
          });
        },
      ); // prettier-ignore
      outgoing.on('error', reject).end();
    });

  it('are judged by what a trusted peer tells, asking or forwarding, and by nothing else', async () => {
    const asking = (fields: string, mount = 'nginx'): ReturnType<Site['askOriginal']> =>
      site.askOriginal({ target: '/orders/1', token, fields }, `/-/decide/${mount}`);
    const good = `Client-Cert: ${field(alice!)}\r\n`;
    // The mount's answer is not to be kept: no cache of a proxy looks at the certificate.
    const yes = await asking(good);
    expect([yes.status, yes.values('cache-control')]).toEqual([200, ['no-store']]);
    for (const fields of [
      '',
      `Client-Cert: ${field(bob!)}\r\n`,
      good + good,
      `Client-Cert: ${alice!.cert.split('\n')[1]}\r\n`,
    ]) {
      const no = await asking(fields);
      expect([no.status, codeIn(no)]).toEqual([401, 'token_certificate']);
      expect(no.values('www-authenticate')[0]).toContain('error="invalid_token"');
    }
    expect((await site.direct({ target: '/orders/1', token, fields: good })).status).toBe(200);
    expect(site.reached.at(-1)!.values('client-cert')).toEqual([field(alice!)]);
    expect(codeIn(await site.direct({ target: '/orders/1', token }))).toBe('token_certificate');
    // 127.0.0.2 is nobody's proxy.
    const stranger = await site.send(
      requestOf('GET', '/orders/1', { token, fields: good }),
      'GET',
      '127.0.0.2',
    );
    expect([stranger.status, codeIn(stranger)]).toEqual([401, 'token_certificate']);
  });

  it('are judged in a batch by the certificate that the batch tells', async () => {
    const body = JSON.stringify({ requests: [{ method: 'GET', path: '/orders/1' }] });
    const decide = async (fields: string): Promise<object> => {
      const framing = `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n`;
      const bytes = requestOf('POST', '/-/decide/batch', { token, fields: framing + fields, body });
      const { text } = await site.send(bytes, 'POST');
      return (JSON.parse(text) as { decisions: object[] }).decisions[0]!;
    };
    expect(await decide(`Client-Cert: ${field(alice!)}\r\n`)).toMatchObject({ allowed: true, max_age: 0 });
    expect(await decide('')).toMatchObject({ allowed: false, code: 'token_certificate' });
  });

  const speakingTls: Readonly<Record<Exclude<FrontProgram, 'nginx'>, (snippet: string) => string>> = {
    caddy: (snippet) =>
      snippet.replace(/^http:(\/\/:\d+ \{\n)/m, (_, rest: string) => {
        const [cert, key, ca] = ['1.crt', '1.key', 'ca.crt'].map((name) => join(authority.folder, name));
        return `https:${rest.replace('//:', '//site.example:')}    tls ${cert} ${key} {\n        client_auth {\n            mode verify_if_given\n            trusted_ca_cert_file ${ca}\n        }\n    }\n`;
      }),
    haproxy: (snippet) =>
      snippet.replace(/^( *bind .*)$/m, (_, bind: string) => {
        const [pem, ca] = ['server.pem', 'ca.crt'].map((name) => join(authority.folder, name));
        return `${bind} ssl crt ${pem} ca-file ${ca} verify optional`;
      }),
  };

  for (const program of ['caddy', 'haproxy'] as const) {
    describeWith(program, `${program} by its snippet, with TLS`, () => {
      let front: FrontProcess;
      beforeAll(async () => {
        front = await startFront(program, site.gateway.configFile, site.gateway.url, speakingTls[program]);
      });
      afterAll(() => front.stop());

      it.each(['/orders/1', '/own'])(
        '%s: passes with the certificate, and not with another or none',
        async (path) => {
          const through = (asked: Asked): Promise<string> => ask('https', front.port, { ...asked, path });
          expect(await through({ shows: alice! })).toMatch(/^20[04]$/);
          expect(await through({ shows: bob! })).toBe('401 token_certificate');
          expect(await through({})).toBe('401 token_certificate');
        },
      );

      it.each(['/orders/1', '/own'])('%s: believes no field of its caller', async (path) => {
        const through = (asked: Asked): Promise<string> => ask('https', front.port, { ...asked, path });
        expect(await through({ forges: alice! })).toBe('401 token_certificate');
        expect(await through({ shows: bob!, forges: alice! })).toBe('401 token_certificate');
        expect(await through({ shows: alice!, forges: bob! })).toMatch(/^20[04]$/);
      });
    });
  }

  describeWith('nginx', 'nginx by its snippet', () => {
    let front: FrontProcess;
    beforeAll(async () => {
      front = await startFront('nginx', site.gateway.configFile, site.gateway.url);
    });
    afterAll(() => front.stop());

    it.each(['/orders/1', '/own'])('%s: believes no field of its caller', async (path) => {
      expect(await ask('http', front.port, { path, forges: alice! })).toMatch(/^401/);
    });
  });
});
