/** The built gateway with everything that the console shows: two providers, an upstream that is well and one that is away. */
import { createHmac } from 'node:crypto';
import { freePort } from '../../../gateway/port.ts';
import { answer, Backend } from '../../support/backend.ts';
import { startGateway, type TestGateway } from '../../support/gateway.ts';
import { startLoginProvider, type TestLoginProvider } from '../../support/login-provider.ts';
import { startProvider, type TestProvider } from '../../support/provider.ts';
import { newKeyRing } from '../../oauth/http/login-gateway.ts';

/** What must be on no page, by where it comes from. */
export const secrets = {
  sharedSecret: 'shared-secret-0123456789abcdef0123456789abcdef',
  constantField: 'constant-field-secret-77',
  parameter: 'parameter-secret-88',
  clientSecret: 'client-secret-99',
  keysQuery: 'query-secret-66',
  fromEnvironment: 'environment-secret-55',
} as const;

/** A name that would be markup, wherever it came to stand. */
export const hostileName = '<img src=x onerror=alert(1)>"\'';

export interface ConsoleSite {
  readonly gateway: TestGateway;
  readonly issuer: TestProvider;
  readonly logins: TestLoginProvider;
  readonly backend: Backend;
  readonly config: string;
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

const audience = 'orders';

/** A token of the issuer with the shared secret. */
export function sharedToken(claims: object = {}): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const body = {
    iss: 'shared',
    sub: 'alice',
    scope: 'orders:read',
    exp: Math.floor(Date.now() / 1000) + 300,
    ...claims,
  };
  const signed = `${part({ alg: 'HS256' })}.${part(body)}`;
  return `${signed}.${createHmac('sha256', secrets.sharedSecret).update(signed).digest('base64url')}`;
}

export async function startConsoleSite(admin = '{ host: 127.0.0.1, port: 0 }'): Promise<ConsoleSite> {
  const [issuer, logins, backend, away] = await Promise.all([
    startProvider({ audience, clients: { alice: ['orders:read'] } }),
    startLoginProvider({ clients: { cli: [] } }),
    Backend.replying(answer('ok')),
    freePort('127.0.0.1', 0),
  ]);
  const quoted = JSON.stringify(hostileName);
  const config = `version: 1
listener: { host: 127.0.0.1, port: 0, threads: 2 }
admin: ${admin}
shutdown: { timeout_ms: 5000 }
issuers:
  main: { issuer: "${issuer.issuer}", audiences: [${audience}], algorithms: [RS256, ES256], keys: { discovery: true, unknown_kid_interval_seconds: 1 } }
  asked: { issuer: asked, algorithms: [ES256], keys: { jwks_uri: "http://127.0.0.1:${away}/jwks?key=${secrets.keysQuery}" } }
  shared: { issuer: shared, algorithms: [HS256], keys: { secret_env: SHARED_SECRET } }
upstreams:
  orders: { urls: ["http://127.0.0.1:${backend.port}"] }
  away: { urls: ["http://127.0.0.1:${away}"], health: { failures: 1, retry_after_ms: 60000 } }
  pair: { urls: ["http://127.0.0.1:${backend.port}", "http://127.0.0.1:${away}"], health: { failures: 1, retry_after_ms: 60000 } }
  ${quoted}: { urls: ["http://127.0.0.1:${backend.port}"] }
routes:
  - prefix: /orders
    issuers: [main, asked, shared]
    upstream: orders
    scopes: { all: [orders:read] }
    forward: { set: { x-api-key: ${secrets.constantField}, x-environment: "\${env:FIELD}" } }
    routes:
      - { path: "/{id}", methods: [PUT], scopes: { all: [orders:write] }, subject: { param: id } }
  - { prefix: /pair, public: true, upstream: pair }
  - { prefix: /away, public: true, upstream: away }
  - { id: ${quoted}, path: /odd, public: true, upstream: ${quoted} }
  - { prefix: /login, public: true, oauth: { serve: json, account: team } }
  - { path: /inbox, public: true, upstream: orders, credential: { provider: device, account: nobody } }
oauth:
  store: { file: ./credentials, key_env: STORE_KEY }
  providers:
    device: { flow: device, issuer: "${logins.issuer}", client_id: cli, scopes: [openid], parameters: { hint: ${secrets.parameter} } }
    web:
      flow: code
      issuer: "${logins.issuer}"
      client_id: cli
      client_auth: { method: client_secret_post, secret_env: CLIENT_SECRET }
      redirect_uri: http://127.0.0.1/callback
`;
  const env = {
    SHARED_SECRET: secrets.sharedSecret,
    CLIENT_SECRET: secrets.clientSecret,
    FIELD: secrets.fromEnvironment,
    STORE_KEY: newKeyRing(),
  };
  const gateway = await startGateway(config, { env });
  return {
    gateway,
    issuer,
    logins,
    backend,
    config,
    env,
    stop: async () => {
      await Promise.all([gateway.stop(), issuer.stop(), logins.stop(), backend.close()]);
    },
  };
}
