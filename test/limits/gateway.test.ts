/** Rates of the built program with two listener threads: what is counted together, what callers are told, what lasts. */
import { Agent, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keySet, mint } from '../hardening/arena.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { issuerName } from '../token/tokens.ts';

const config = (more = ''): string => `version: 1
listener: { host: 127.0.0.1, port: 0, threads: 2, trusted_proxies: [127.0.0.1] }
admin: { host: 127.0.0.1, port: 0 }
issuers:
  main: { issuer: ${issuerName}, audiences: [orders], algorithms: [RS256, ES256, EdDSA], keys: { jwks_file: keys.json } }
routes:
${more}
  - path: /all
    public: true
    respond: { status: 204 }
    limits: { rate: { requests: 1, per_seconds: 600, burst: 50, by: route } }
  - path: /address
    public: true
    respond: { status: 204 }
    limits: { rate: { requests: 2, per_seconds: 3600, by: address } }
  - prefix: /own
    issuer: main
    respond: { status: 200, body: served }
    limits: { rate: { requests: 2, per_seconds: 3600 } }
    routes:
      - { path: /shares }
      - { path: /less, limits: { rate: { requests: 1, per_seconds: 3600 } } }
      - { path: /free, limits: { rate: none } }
      - { path: /open, public: true }
  - path: /tenant
    issuer: main
    respond: { status: 204 }
    limits: { rate: { requests: 1, per_seconds: 3600, by: { claim: tenant } } }
  - { path: /quick, public: true, respond: { status: 204 }, limits: { rate: { requests: 100, per_seconds: 10, burst: 1, by: route } } }
`;

interface Answer {
  readonly status: number;
  readonly fields: Readonly<Record<string, string | string[] | undefined>>;
  readonly code: string | null;
}

describe('rates', () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway(config(), { files: { 'keys.json': keySet } });
  });
  afterAll(async () => {
    await gateway.stop();
  });

  /** On a connection of its own, so that any thread may get it. */
  const ask = (path: string, token?: string, headers: Record<string, string> = {}): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const credentials = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const options = { agent: new Agent(), headers: { ...credentials, ...headers } };
      request(gateway.url + path, options, (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => (body += chunk.toString()));
        response.on('end', () =>
          resolve({
            status: response.statusCode!,
            fields: response.headers,
            code: body.startsWith('{') ? (JSON.parse(body) as { code: string }).code : null,
          }),
        );
      })
        .on('error', reject)
        .end();
    });
  const statuses = async (count: number, path: string, token?: string): Promise<number[]> => {
    const all: number[] = [];
    for (let i = 0; i < count; i += 1) all.push((await ask(path, token)).status);
    return all;
  };
  const limited = (route: string): Promise<number> =>
    gateway.metric('sallyport_authz_decisions_total', `route="${route}"`, 'reason="rate_limited"');

  it('are one for all listener threads, exactly', async () => {
    expect(await gateway.metrics()).toContain('route="/all",decision="denied",reason="rate_limited"} 0');
    const answers = await Promise.all(Array.from({ length: 200 }, () => ask('/all')));
    expect(answers.filter(({ status }) => status === 204)).toHaveLength(50);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(150);
    expect(await limited('/all')).toBe(150);
  });

  it('tell callers where they stand, and those who come too often when to come back', async () => {
    const token = mint({ sub: 'ada' });
    const first = await ask('/own/less', token);
    expect(first).toMatchObject({ status: 200 });
    expect(first.fields).toMatchObject({
      'ratelimit-policy': '"default";q=1;w=3600',
      ratelimit: '"default";r=0;t=3600',
    });
    expect(first.fields['retry-after']).toBeUndefined();
    const second = await ask('/own/less', token);
    expect(second).toMatchObject({ status: 429, code: 'rate_limited' });
    expect(second.fields).toMatchObject({
      'ratelimit-policy': '"default";q=1;w=3600',
      'cache-control': 'no-store',
    });
    expect(second.fields['ratelimit']).toMatch(/^"default";r=0;t=3\d\d\d$/);
    expect(Number(second.fields['retry-after'])).toBeGreaterThan(3500);
    expect(Number(second.fields['retry-after'])).toBeLessThanOrEqual(3600);
    const free = await ask('/own/free', token);
    expect(free.fields['ratelimit']).toBeUndefined();
  });

  it('are those of the nearest node, shared by all routes that have them from it', async () => {
    const token = mint({ sub: 'bob' });
    expect(await statuses(1, '/own/x', token)).toEqual([200]);
    expect(await statuses(2, '/own/shares', token)).toEqual([200, 429]);
    expect(await statuses(2, '/own/less', token)).toEqual([200, 429]);
    expect(await statuses(4, '/own/free', token)).toEqual([200, 200, 200, 200]);
    expect(await statuses(4, '/own/open')).toEqual([200, 200, 200, 200]);
  });

  it('are of a subject, whatever its tokens, and not of another one', async () => {
    expect(await statuses(1, '/own/x', mint({ sub: 'eve' }))).toEqual([200]);
    expect(await statuses(2, '/own/x', mint({ sub: 'eve' }))).toEqual([200, 429]);
    expect(await statuses(1, '/own/x', mint({ sub: 'Eve' }))).toEqual([200]);
  });

  it('are of a claim; tokens without it are counted together', async () => {
    expect(await statuses(2, '/tenant', mint({ sub: 'a', tenant: 't1' }))).toEqual([204, 429]);
    expect(await statuses(1, '/tenant', mint({ sub: 'b', tenant: 't1' }))).toEqual([429]);
    expect(await statuses(1, '/tenant', mint({ sub: 'b', tenant: 't2' }))).toEqual([204]);
    expect(await statuses(1, '/tenant', mint({ sub: 'c' }))).toEqual([204]);
    expect(await statuses(1, '/tenant', mint({ sub: 'd' }))).toEqual([429]);
  });

  it('are of the address that trusted proxies tell: what a caller wrote before it changes nothing', async () => {
    const from = async (forwarded: string): Promise<number> =>
      (await ask('/address', undefined, { 'x-forwarded-for': forwarded })).status;
    expect([await from('192.0.2.1'), await from('192.0.2.1'), await from('192.0.2.1')]).toEqual([
      204, 204, 429,
    ]);
    expect(await from('198.51.100.9, 192.0.2.1')).toBe(429);
    expect(await from('192.0.2.1, 127.0.0.1')).toBe(429);
    expect(await from('192.0.2.2')).toBe(204);
    // One IPv6 caller has a whole /64 to choose from.
    expect([await from('2001:db8::1'), await from('2001:db8:0:0:ff::2')]).toEqual([204, 204]);
    expect(await from('2001:0db8:0000:0000:1:2:3:4')).toBe(429);
    expect(await from('2001:db8:0:1::1')).toBe(204);
  });

  it('do not count what the policy refuses', async () => {
    const denied = mint({ sub: 'fay', exp: 1 });
    expect(await statuses(3, '/own/x', denied)).toEqual([401, 401, 401]);
    expect(await statuses(3, '/own/x', mint({ sub: 'fay' }))).toEqual([200, 200, 429]);
  });

  it('come back with time', async () => {
    const seen = new Set<number>();
    for (let i = 0; i < 100 && seen.size < 2; i += 1) seen.add((await ask('/quick')).status);
    expect(seen).toEqual(new Set([204, 429]));
    const { fields } = await ask('/quick');
    expect(fields['ratelimit-policy']).toBe('"default";q=100;w=10');
    // A tenth of a second later at the latest, however slow this machine.
    for (;;) if ((await ask('/quick')).status === 204) break;
  });

  it('last through a reload where they are the same, and begin anew where they are not', async () => {
    const token = mint({ sub: 'gil' });
    expect(await statuses(3, '/own/x', token)).toEqual([200, 200, 429]);
    const added = '  - { path: /added, public: true, respond: { status: 204 } }';
    gateway.writeConfig(config(added));
    expect((await gateway.reload()).errors).toEqual([]);
    expect(await statuses(1, '/own/x', token)).toEqual([429]);
    gateway.writeConfig(
      config(added).replace('{ requests: 2, per_seconds: 3600 }', '{ requests: 3, per_seconds: 3600 }'),
    );
    expect((await gateway.reload()).errors).toEqual([]);
    expect(await statuses(4, '/own/x', token)).toEqual([200, 200, 200, 429]);
  });
});
