/** Configurations for tests, and the ways to load them. */
import { expect } from 'vitest';
import { parseConfig, type Loaded } from '../../gateway/config/load.ts';
import { formatProblems, headline } from '../../gateway/config/problem.ts';

/** The configuration that the design and the README show, whole. */
export const example = `version: 1
listener: { host: 0.0.0.0, port: 8080, threads: auto }
admin:    { host: 127.0.0.1, port: 9090 }
verifier: { threads: auto, batch_max: 64, queue_max: 8192, deadline_ms: 500 }
issuers:
  main:
    issuer: https://issuer.example
    audiences: [orders]
    algorithms: [RS256, ES256, EdDSA]
    keys: { jwks_uri: https://issuer.example/jwks }        # or discovery: true, jwks_file:, secret_file:
    leeway_seconds: 10
    token_types: { claim: scope, values: [execution, workload], default: execution }   # optional
upstreams:
  orders: { urls: [http://127.0.0.1:3000] }
routes:
  - prefix: /orders
    issuer: main
    upstream: orders
    scopes: { all: [orders:read] }
    routes:
      - { path: /{id}, methods: [PATCH], scopes: { all: [orders:write] }, subject: { param: id } }
      - { path: /health, methods: [GET], public: true }
oauth:
  store: { file: ./credentials, key_file: ./store.key }
  providers:
    example: { issuer: https://issuer.example, client_id: cli, flow: device, scopes: [openid] }
`;

/** A good configuration to put lines in front of, or behind. */
export const base = `
issuers: { main: { issuer: "https://i.example", algorithms: [RS256], keys: { jwks_uri: "https://i.example/jwks" } } }
upstreams: { app: { urls: ["http://127.0.0.1:3000"] } }
routes: [{ prefix: /, upstream: app }]
`;

type Env = Readonly<Record<string, string>>;

/** What is wrong with a text, as headlines. */
export function problemsIn(text: string, env: Env = {}): string[] {
  const loaded = parseConfig(text, 'gw.yaml', env);
  return loaded.ok ? [] : loaded.problems.map((problem) => headline(problem));
}

/** A text that has to be good. */
export function good(
  text: string,
  env: Env = {},
  file = '/etc/sallyport/gw.yaml',
): Extract<Loaded, { ok: true }> {
  const loaded = parseConfig(text, file, env);
  expect(loaded.ok ? '' : formatProblems(loaded.problems)).toBe('');
  if (!loaded.ok) throw new Error('unreachable');
  return loaded;
}
