import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { run } from './memory-terminal.ts';

const folder = await mkdtemp(join(tmpdir(), 'sallyport-routes-'));
afterAll(() => rm(folder, { recursive: true }));

const file = join(folder, 'gw.yaml');
await writeFile(
  file,
  `version: 1
issuers:
  main:
    issuer: main
    audiences: [orders, carts]
    algorithms: [HS256]
    keys: { secret_env: GW_SECRET }
    token_types: { values: [execution, workload], default: execution }
  other: { issuer: other, algorithms: [HS256], keys: { secret_env: GW_SECRET } }
upstreams: { orders: { urls: ["http://127.0.0.1:3000"] } }
routes:
  - prefix: /orders
    issuer: main
    audiences: [orders]
    upstream: orders
    scopes: { all: [orders:read] }
    token_types: [execution]
    routes:
      - path: /{id}
        methods: [PATCH]
        scopes: { all: [orders:write], any: [a, b] }
        subject: { param: id }
        token_types: [workload]
        max_body_bytes: 10
      - { path: /health, methods: [GET], public: true, respond: { status: 204 } }
  - prefix: /odd
    closed: true
    issuers: [main, other]
    upstream: orders
    allow_in_path: [semicolon]
    routes:
      - { path: /x }
`,
);

describe('--json', async () => {
  const { out, code } = await run(['routes', '-c', file, '--json']);
  const table = JSON.parse(out) as { version: number; closed: string[]; routes: Record<string, unknown>[] };
  const row = (id: string) => table.routes.find((route) => route['id'] === id);

  test('has a version, every route in order of declaration, and the closed prefixes', () => {
    expect({ code, version: table.version, closed: table.closed }).toEqual({ code: 0, version: 1, closed: ['/odd/*'] });
    expect(table.routes.map(({ id }) => id)).toEqual(['/orders/*', 'PATCH /orders/{id}', 'GET /orders/health', '/odd/x']);
  }); // prettier-ignore

  test('a row is what was compiled, and for each setting the lines of the nodes that made it', () => {
    expect(row('PATCH /orders/{id}')).toEqual({
      id: 'PATCH /orders/{id}', methods: ['PATCH'], path: '/orders/{id}', public: false,
      tokens: [{ issuer: 'main', audiences: ['orders'], types: ['execution', 'workload'], certificate_bound: false, renewed: false }],
      scopes: { all: ['orders:read', 'orders:write'], any: [['a', 'b']] },
      subject: 'id', claims: [], access_hook: null, answer: { upstream: 'orders' }, websocket: false, allow_in_path: [], max_body_bytes: 10, json_body: false, exchange: null,
      at: `${file}:19`,
      from: {
        issuers: [`${file}:12`], audiences: [`${file}:12`], upstream: [`${file}:12`], subject: [`${file}:19`],
        max_body_bytes: [`${file}:19`], scopes: [`${file}:12`, `${file}:19`], token_types: [`${file}:12`, `${file}:19`],
      },
    });
  }); // prettier-ignore

  test('a public route asks for no token, whatever is said above it', () => {
    expect(row('GET /orders/health')).toMatchObject({
      public: true, tokens: [], scopes: { all: [], any: [] }, subject: null, answer: { respond: 204 },
      from: { public: [`${file}:25`], upstream: [`${file}:25`] },
    });
  }); // prettier-ignore

  test('an issuer without audiences or token types has null, and the default type stands for none named', () => {
    expect(row('/odd/x')).toMatchObject({
      methods: null,
      tokens: [
        { issuer: 'main', audiences: ['orders', 'carts'], types: ['execution'], certificate_bound: false },
        { issuer: 'other', audiences: null, types: null, renewed: false },
      ],
      allow_in_path: ['semicolon'],
      max_body_bytes: null,
    });
  });
});

test('as text it is one line a route, with the lines of inherited settings below', async () => {
  const { out, code } = await run(['routes', '-c', file]);
  expect(code).toBe(0);
  const lines = out.replaceAll(file, 'gw.yaml').split('\n');
  const patch = lines.findIndex((line) => line.startsWith('PATCH'));
  expect(lines[patch]!.split(/ {2,}/)).toEqual([
    'PATCH', '/orders/{id}', 'main:execution|workload', 'orders:read and orders:write and (a or b)', '{id}', 'orders', 'gw.yaml:19',
  ]); // prettier-ignore
  expect(lines).toContain('    scopes from gw.yaml:12');
  expect(lines.find((line) => line.startsWith('GET'))!.split(/ {2,}/)).toEqual([
    'GET', '/orders/health', 'public', 'itself (204)', 'gw.yaml:25',
  ]); // prettier-ignore
  expect(lines.at(-2)).toContain('/odd/*');
});

test('exchange, renewal, bound tokens and JSON bodies are told, to programs and to people, by `explain` as well', async () => {
  const busy = join(folder, 'busy.yaml');
  await writeFile(
    busy,
    `version: 1
listener: { trusted_proxies: [10.0.0.1], trust_client_cert: true }
issuers:
  main:
    issuer: main
    algorithms: [HS256]
    keys: { secret_env: GW_SECRET }
    token_types: { values: [execution, workload], default: execution }
    renewal: { signer: own, header: x-renewed }
signers: { own: { algorithm: HS256, secret_env: GW_SECRET } }
upstreams: { app: { urls: ["http://127.0.0.1:3000"] } }
routes:
  - path: /run
    methods: [POST]
    upstream: app
    token_types: [workload]
    certificate_bound: true
    json_body: true
    exchange: { signer: own, from: [workload], to: execution, header: x-new }
`,
  );
  const { out } = await run(['routes', '-c', busy, '--json']);
  expect((JSON.parse(out) as { routes: unknown[] }).routes).toMatchObject([
    {
      tokens: [{ issuer: 'main', certificate_bound: true, renewed: true }],
      json_body: true,
      exchange: { to: 'execution', signer: 'own', header: 'x-new' },
    },
  ]);
  const sentences = [
    'tokens of main must be bound to the client certificate (RFC 8705)',
    'a body must be JSON, which is looked at before the token',
    'workload tokens are exchanged for execution ones, in the field x-new, signed by own',
    'tokens of main are renewed in the field x-renewed, signed by own',
  ];
  const text = await run(['routes', '-c', busy]);
  const explained = await run(['explain', '-c', busy, '--path', '/run', '--method', 'POST']);
  for (const sentence of sentences) {
    expect(text.out).toContain(`\n    ${sentence}\n`);
    expect(explained.out).toContain(`           ${sentence}\n`);
  }
});

test('a configuration that cannot be used is exit code 2, with its problems', async () => {
  const bad = join(folder, 'bad.yaml');
  await writeFile(bad, 'version: 1\nroutes:\n  - { path: /a, upstream: nowhere, public: true }\n');
  expect(await run(['routes', '-c', bad])).toEqual({
    code: 2,
    out: '',
    err: expect.stringContaining('unknown upstream "nowhere"'),
  });
});
