import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { root } from '../support/built.ts';
import { run } from './memory-terminal.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-snippets-'));
});
afterAll(() => rm(folder, { recursive: true }));

const proxies = ['nginx', 'caddy', 'traefik', 'envoy', 'haproxy'] as const;

async function configFile(decision: string, port = 8080): Promise<string> {
  const file = join(folder, 'sallyport.yaml');
  await writeFile(
    file,
    `version: 1
listener: { port: ${port} }
${decision}
identity_headers: [X-Groups]
issuers: { main: { issuer: "https://i.example", algorithms: [RS256], keys: { jwks_uri: "https://i.example/jwks" } } }
upstreams:
  orders: { urls: ["http://10.0.0.1:3000", "http://10.0.0.2:3000"] }
  bill.internal: { urls: ["https://bill.example:8443"] }
  sallyport: { urls: ["http://10.0.0.3"] }
routes:
  - prefix: /orders
    upstream: orders
    forward: { claims: { x-user: sub, x_org_unit: org }, set: { x-fixed: '1' } }
    routes:
      - { path: '/{id}/bill', methods: [GET], upstream: bill.internal }
      - { path: '/files/{name*}', upstream: sallyport }
  - { path: '/a.b', methods: [POST], upstream: orders }
  - { path: /own, public: true, respond: { status: 204 } }
`,
  );
  return file;
}

const mounts = `decision: { peers: [127.0.0.1], mounts: [${proxies.map((mode) => `{ mode: ${mode} }`).join(', ')}] }`;

async function snippet(proxy: string, ...more: readonly string[]): Promise<string> {
  const { code, out, err } = await run(['snippets', proxy, '-c', await configFile(mounts), ...more]);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return out;
}

describe('sallyport snippets', () => {
  it.each(proxies)('%s: has the addresses, the mount, and every identity field', async (proxy) => {
    const text = await snippet(proxy, '--gateway', 'gw.example:81', '--listen', '0.0.0.0:82');
    const lua = proxy === 'haproxy' ? await snippet(proxy, '--gateway', 'gw.example:81', '--lua') : '';
    const whole = `${text}${lua}`;
    for (const part of ['10.0.0.1', '10.0.0.2', 'bill.example', `/-/decide/${proxy}`, 'gw.example'])
      expect(whole).toContain(part);
    for (const field of ['user', 'fixed', 'groups', 'org']) expect(whole.toLowerCase()).toContain(field);
    // Which other names are left out is for their tests; nothing of routes and scopes but paths for Traefik is in here.
    expect(whole).not.toContain('undefined');
    expect(whole.includes('/own')).toBe(proxy === 'traefik');
  });

  it.each(proxies)(
    '%s: what callers say of certificates goes no further (RFC 9440 section 4)',
    async (proxy) => {
      const removal = {
        nginx: 'proxy_set_header Client-Cert "";',
        caddy: 'request_header -Client-Cert\n',
        traefik: 'customRequestHeaders: { Client-Cert: "", Client-Cert-Chain: "" }',
        envoy: '- remove: client-cert\n',
        haproxy: 'http-request del-header Client-Cert\n',
      }[proxy];
      const text = await snippet(proxy);
      expect(text).toContain(removal);
      expect(text).not.toMatch(/certificate_der|ssl_c_der/);
    },
  );

  it('the gateway is the listener unless it is said where it is', async () => {
    expect(await snippet('nginx')).toContain('server 127.0.0.1:8080;');
    const { code, err } = await run(['snippets', 'nginx', '-c', await configFile(mounts, 0)]);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining('--gateway') as string });
  });

  it('a configuration without the mount is told what to add', async () => {
    for (const decision of ['', 'decision: { peers: [127.0.0.1], mounts: [{ mode: batch }] }']) {
      const { code, out, err } = await run(['snippets', 'caddy', '-c', await configFile(decision)]);
      expect({ code, out }).toEqual({ code: 2, out: '' });
      expect(err).toContain('mounts: [{ mode: caddy }]');
    }
  });

  it.each([
    ['apache', []],
    ['batch', []],
    ['nginx', ['--listen', '80; }']],
    ['nginx', ['--gateway', 'http://x:1']],
    ['nginx', ['--lua']],
  ])('%s %j cannot be used', async (proxy, more) => {
    const { code, out } = await run(['snippets', proxy, '-c', await configFile(mounts), ...more]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
  });

  it('a configuration that is no good is told as by check', async () => {
    const { code, err } = await run([
      'snippets',
      'nginx',
      '-c',
      await configFile('decision: { mounts: [] }'),
    ]);
    expect(code).toBe(2);
    expect(err).toContain('decision.mounts');
  });
});

interface Traefik {
  readonly http: {
    readonly routers: Readonly<
      Record<
        string,
        {
          readonly rule: string;
          readonly priority: number;
          readonly service: string;
          readonly middlewares?: readonly string[];
        }
      >
    >;
    readonly services: Readonly<Record<string, unknown>>;
    readonly middlewares: Readonly<
      Record<string, { readonly forwardAuth?: { readonly address: string }; readonly headers?: unknown }>
    >;
  };
}

describe('for Traefik', () => {
  it('the routers come in the order in which the gateway matches, each bound to its service', async () => {
    const { http } = parse(await snippet('traefik')) as Traefik;
    const routers = Object.values(http.routers).toSorted((a, b) => b.priority - a.priority);
    expect(routers.map(({ rule, service }) => `${service} ${rule}`)).toEqual([
      'to-sallyport PathRegexp(`^/orders/files/.+$`)',
      'to-bill.2einternal PathRegexp(`^/orders/[^/]+/bill$`) && (Method(`GET`) || Method(`HEAD`))',
      'to-orders Path(`/a.b`) && (Method(`POST`))',
      'sallyport Path(`/own`)',
      'to-orders (Path(`/orders`) || PathPrefix(`/orders/`))',
      'sallyport PathPrefix(`/`)',
    ]);
    for (const { service, middlewares = [] } of routers) {
      expect(Object.keys(http.services)).toContain(service);
      expect(middlewares[0]).toBe('sallyport-callers');
      if (service === 'sallyport') expect(middlewares).toHaveLength(1);
      else
        expect(http.middlewares[middlewares[1]!]!.forwardAuth!.address).toMatch(
          new RegExp(`[?]upstream=${service.slice(3)}$`),
        );
    }
  });
});

it.each([
  ['nginx', 'nginx.conf'],
  ['caddy', 'Caddyfile'],
  ['traefik', 'traefik.yml'],
  ['envoy', 'envoy.yml'],
  ['haproxy', 'haproxy.cfg'],
  ['haproxy', 'sallyport.lua', '--lua'],
])('the example has what is printed for %s: %s', async (proxy, name, ...more) => {
  const example = join(root, 'examples/fronts');
  const { out } = await run(['snippets', proxy, '-c', join(example, 'sallyport.yaml'), ...more]);
  expect(await readFile(join(example, 'printed', name), 'utf8')).toBe(out);
});

it('what is printed for Envoy is YAML in which every cluster that is used exists', async () => {
  const text = await snippet('envoy');
  const { static_resources: resources } = parse(text) as {
    static_resources: { clusters: { name: string }[] };
  };
  const names = resources.clusters.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const [, used] of text.matchAll(/cluster: ([\w.-]+)/g)) expect(names).toContain(used);
});
