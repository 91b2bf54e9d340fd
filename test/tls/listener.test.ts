/** TLS on the listener of the built program: names, versions, renewal under load, and what is said of it. */
import { Agent, request } from 'node:https';
import { join, dirname } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { Authority, replaceFile, type Pair } from '../support/certificates.ts';
import { describeWith } from '../support/debian.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { until } from '../support/until.ts';

const config = (tls: string): string => `version: 1
listener:
  host: 127.0.0.1
  port: 0
  threads: 2
  tls:
${tls}
admin: { host: 127.0.0.1, port: 0 }
routes:
  - { path: /open, public: true, respond: { status: 200, body: served } }
`;
const onePair = '    certificates: [{ cert_file: tls.crt, key_file: tls.key }]';

interface Seen {
  readonly status: number;
  readonly body: string;
  /** Of the certificate that was shown. */
  readonly commonName: string;
  readonly serial: string;
  readonly protocol: string | null;
  readonly cipher: string;
}

describeWith('openssl', 'TLS on the listener', () => {
  let authority: Authority;
  let gateway: TestGateway | null = null;

  beforeAll(() => {
    authority = new Authority();
  });
  afterAll(() => authority.remove());
  afterEach(async () => {
    await gateway?.stop();
    gateway = null;
  });

  const start = async (tls: string, files: Record<string, string>): Promise<TestGateway> => {
    gateway = await startGateway(config(tls), { files });
    return gateway;
  };
  const filesOf = (name: string, { cert, key }: Pair): Record<string, string> => ({
    [`${name}.crt`]: cert,
    [`${name}.key`]: key,
  });
  const portOf = (running: TestGateway): number => Number(new URL(running.url).port);

  /** One request, whose certificate must be signed by the authority and be for `servername`. */
  const ask = (
    servername: string,
    options: { agent?: Agent; maxVersion?: 'TLSv1.1' | 'TLSv1.2'; ciphers?: string } = {},
  ): Promise<Seen> =>
    new Promise((resolve, reject) => {
      const outgoing = request(
        {
          host: '127.0.0.1', port: portOf(gateway!), path: '/open', ca: authority.cert, servername,
          headers: { host: servername }, agent: false, minVersion: 'TLSv1', ...options,
        },
        (response) => {
          const socket = response.socket as TLSSocket;
          const { subject, serialNumber } = socket.getPeerCertificate();
          let body = '';
          response.on('data', (chunk: Buffer) => (body += chunk.toString())).on('end', () => {
            resolve({
              status: response.statusCode!, body, commonName: String(subject.CN), serial: serialNumber,
              protocol: socket.getProtocol(), cipher: socket.getCipher().name,
            });
          });
        },
      ); // prettier-ignore
      outgoing.on('error', reject).end();
    });

  it('serves by TLS 1.3, and by TLS 1.2 with suites of forward secrecy and AEAD alone', async () => {
    await start(onePair, filesOf('tls', authority.issue()));
    expect(await ask('gateway.test')).toMatchObject({ status: 200, body: 'served', protocol: 'TLSv1.3' });
    const older = await ask('gateway.test', { maxVersion: 'TLSv1.2' });
    expect(older).toMatchObject({ status: 200, protocol: 'TLSv1.2' });
    expect(older.cipher).toMatch(/^ECDHE-.*(?:GCM|POLY1305)/);
    for (const ciphers of ['ECDHE-ECDSA-AES128-SHA', 'ECDHE-ECDSA-AES256-SHA384', 'AES128-GCM-SHA256'])
      await expect(ask('gateway.test', { maxVersion: 'TLSv1.2', ciphers })).rejects.toThrow('alert');
    await expect(ask('gateway.test', { maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' })).rejects.toThrow(
      'alert protocol version',
    );
  });

  it('speaks TLS 1.3 alone where that is asked for', async () => {
    await start(`${onePair}\n    min_version: '1.3'`, filesOf('tls', authority.issue()));
    expect(await ask('gateway.test')).toMatchObject({ status: 200, protocol: 'TLSv1.3' });
    await expect(ask('gateway.test', { maxVersion: 'TLSv1.2' })).rejects.toThrow('alert');
  });

  it('answers no one who speaks plain HTTP to it', async () => {
    const { url } = await start(onePair, filesOf('tls', authority.issue()));
    await expect(fetch(`${url}/open`)).rejects.toThrow('fetch failed');
  });

  it('shows each server name its certificate, a wildcard included, and others the first one', async () => {
    const names = [['gateway.test', 'www.api.test'], ['*.api.test'], ['shop.test']];
    const [first, wild, named] = names.map((each) => authority.issue({ names: each }));
    await start(
      `    certificates:
      - { cert_file: first.crt, key_file: first.key }
      - { cert_file: wild.crt, key_file: wild.key }
      - { cert_file: named.crt, key_file: named.key, names: [shop.test] }`,
      { ...filesOf('first', first!), ...filesOf('wild', wild!), ...filesOf('named', named!) },
    );
    expect(await ask('gateway.test')).toMatchObject({ commonName: 'gateway.test', status: 200 });
    expect(await ask('eu.api.test')).toMatchObject({ commonName: '*.api.test', status: 200, body: 'served' });
    expect(await ask('www.api.test')).toMatchObject({ commonName: 'gateway.test', status: 200 });
    expect(await ask('shop.test')).toMatchObject({ commonName: 'shop.test', status: 200 });
    await expect(ask('unknown.test')).rejects.toThrow("does not match certificate's altnames");
    const exposition = await gateway!.metrics();
    for (const label of ['0', '1', 'shop.test'])
      expect(exposition).toContain(`not_after_timestamp_seconds{certificate="${label}"}`);
  });

  it('serves every request and handshake while certificates are renewed 20 times under load (issue 6, point 3)', async () => {
    const running = await start(onePair, filesOf('tls', authority.issue()));
    const folder = dirname(running.configFile);
    const failures: string[] = [];
    const serials = new Set<string>();
    const stopping = new AbortController();
    let [handshakes, reused] = [0, 0];
    const caller = async (agent?: Agent): Promise<void> => {
      while (!stopping.signal.aborted) {
        try {
          const { status, serial } = await ask('gateway.test', agent === undefined ? {} : { agent });
          if (status !== 200) failures.push(String(status));
          if (agent === undefined) handshakes += 1;
          else reused += 1;
          if (agent === undefined) serials.add(serial);
        } catch (error) {
          failures.push(String(error));
        }
      }
    };
    const agents = Array.from({ length: 4 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
    const callers = [...agents.map((agent) => caller(agent)), ...Array.from({ length: 8 }, () => caller())];
    await until('the first one is shown', () => serials.size === 1);
    for (let swap = 1; swap <= 20; swap += 1) {
      const { cert, key } = authority.issue();
      replaceFile(join(folder, 'tls.crt'), cert);
      replaceFile(join(folder, 'tls.key'), key);
      const shown = serials.size;
      await until(`renewal ${swap} is shown`, () => serials.size > shown);
    }
    stopping.abort();
    await Promise.all(callers);
    for (const agent of agents) agent.destroy();
    expect(failures).toEqual([]);
    expect(serials.size).toBe(21);
    expect(handshakes).toBeGreaterThan(100);
    expect(reused).toBeGreaterThan(100);
    expect(await running.metric('sallyport_tls_certificate_reloads_total', 'outcome="applied"')).toBe(20);
  });

  it('keeps a certificate whose renewal is broken, expired or of another key, and says so once', async () => {
    const good = authority.issue();
    const running = await start(onePair, filesOf('tls', good));
    const folder = dirname(running.configFile);
    const before = await ask('gateway.test');
    const rejected = (): Promise<number> =>
      running.metric('sallyport_tls_certificate_reloads_total', 'outcome="rejected"');
    expect(await rejected()).toBe(0);
    const expired = authority.issue({ days: -1 });
    const broken: readonly Pair[] = [
      { cert: 'nonsense', key: good.key },
      { ...authority.issue(), key: good.key },
      expired,
    ];
    for (const [index, { cert, key }] of broken.entries()) {
      replaceFile(join(folder, 'tls.crt'), cert);
      replaceFile(join(folder, 'tls.key'), key);
      await until('it is refused', async () => (await rejected()) === index + 1);
      expect((await ask('gateway.test')).serial).toBe(before.serial);
    }
    const reasons = running.logs
      .filter(({ msg }) => msg.includes('cannot be used'))
      .map(({ reason }) => String(reason));
    expect(reasons.map((reason) => reason.replace(/^certificates\[0\]: .*tls\.crt: /, ''))).toEqual([
      'no certificate in PEM form',
      'the key is not that of the certificate',
      'certificates[0]: it has expired, and the present one has not',
    ]);
    // And it goes on with the next good one.
    const next = authority.issue();
    replaceFile(join(folder, 'tls.key'), next.key);
    replaceFile(join(folder, 'tls.crt'), next.cert);
    await until('the good one is shown', async () => (await ask('gateway.test')).serial !== before.serial);
  });

  it('takes certificates that a reload adds, and refuses a reload whose certificates are broken', async () => {
    const running = await start(onePair, {
      ...filesOf('tls', authority.issue()),
      ...filesOf('shop', authority.issue({ names: ['shop.test'] })),
    });
    const more = `    certificates: [{ cert_file: tls.crt, key_file: tls.key }, { cert_file: shop.crt, key_file: shop.key }]`;
    running.writeConfig(config(more.replace('shop.key', 'tls.key')));
    const refusal = await running.reload();
    expect(refusal).toMatchObject({ outcome: 'rejected' });
    expect(refusal.errors[0]).toMatch(
      /listener\.tls\.certificates\[1\]: .*shop\.crt: the key is not that of the certificate$/,
    );
    running.writeConfig(config(more));
    expect((await running.reload()).errors).toEqual([]);
    await until('the new name is served', async () => (await ask('shop.test')).commonName === 'shop.test');
    running.writeConfig(config('    certificates: []').replace(/ {2}tls:\n.*\n/, ''));
    expect(await running.reload()).toMatchObject({
      outcome: 'rejected',
      errors: ['listener: a change here needs a restart'],
    });
  });

  it('starts with an expired certificate, stays ready, and tells: in the log, in metrics and at readiness', async () => {
    const running = await start(onePair, filesOf('tls', authority.issue({ days: -1 })));
    expect(running.logs).toContainEqual(
      expect.objectContaining({ level: 'warn', msg: 'a certificate has expired', certificate: '0' }),
    );
    expect(await running.metric('sallyport_tls_certificate_not_after_timestamp_seconds')).toBeLessThan(
      Date.now() / 1000,
    );
    const ready = await fetch(`${running.adminUrl}/readyz?verbose`);
    expect(ready.status).toBe(200);
    expect(await ready.text()).toContain('[+] certificate:0: expired 1 days ago');
  });

  it('does not start with a certificate that cannot be used, and says which', async () => {
    const [one, other] = [authority.issue(), authority.issue()];
    await expect(start(onePair, filesOf('tls', { cert: one.cert, key: other.key }))).rejects.toThrow(
      /listener\.tls\.certificates\[0\]: .*tls\.crt: the key is not that of the certificate/,
    );
    await expect(start(onePair, { 'tls.crt': one.cert })).rejects.toThrow('ENOENT');
  });
});
