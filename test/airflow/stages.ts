/** The example and its variants, started when the first case asks for one and shared by the rest. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { makeSigner } from '../token/tokens.ts';
import { Stage } from './stage.ts';

export const rsa = makeSigner('RS256', 'kid-rsa');
export const ed = makeSigner('EdDSA', 'kid-ed');
export const next = makeSigner('EdDSA', 'kid-next');

const jwkOf = ({ key, kid, alg }: typeof rsa): object => ({ ...key.export({ format: 'jwk' }), kid, alg });

/** The scheduler's key set, published over HTTP. */
export class Published {
  fetches = 0;
  #keys = [rsa, ed];
  readonly #server: Server;

  constructor() {
    this.#server = createServer((_, response) => {
      this.fetches += 1;
      response.end(JSON.stringify({ keys: this.#keys.map(jwkOf) }));
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => void this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/jwks`;
  }

  rotate(...keys: (typeof rsa)[]): void {
    this.#keys = keys;
  }

  close(): void {
    this.#server.close();
  }
}

export const published = new Published();
/** Another one, whose keys are replaced. */
export const rotating = new Published();
const signingPem = makeSigner('EdDSA').privateKey!.export({ type: 'pkcs8', format: 'pem' }) as string;

/** Replaces a text that must be there. */
export function replaced(text: string, from: string, to: string): string {
  if (!text.includes(from)) throw new Error(`not in the example: ${from}`);
  return text.replace(from, to);
}

const traced = (mode: string) => (text: string) =>
  replaced(text, 'trace_context: authenticated', `trace_context: ${mode}`) + 'log: { access: all }\n';

/** Keys are published by the scheduler, and the gateway signs with a key of its own. */
const asymmetric = (uri: string) => (text: string) => {
  const issuer = replaced(text, 'algorithms: [HS512]', 'algorithms: [RS256, EdDSA]\n    require_kid: true');
  const keys = replaced(
    issuer,
    'keys: { secret_env: AIRFLOW_JWT_SECRET }',
    `keys: { jwks_uri: '${uri}', refresh_seconds: 3600, unknown_kid_interval_seconds: 1 }`,
  );
  const own = replaced(
    keys,
    'algorithm: HS512\n    secret_env: AIRFLOW_JWT_SECRET\n    kid: not-used',
    'algorithm: EdDSA\n    key_file: signing.pem',
  );
  return `${own}  - { path: /keys, public: true, jwks: true }\n`;
};

const variants = {
  example: () => Stage.start(),
  reasons: () => Stage.start((text) => replaced(text, '{ body: detail }', '{ body: detail, reasons: true }')),
  strict: () =>
    Stage.start((text) =>
      replaced(text, 'required_claims: [aud, iat]', 'required_claims: [aud, iat, nbf]\n    issuer: airflow'),
    ),
  'trace-always': () => Stage.start(traced('always')),
  'trace-authenticated': () => Stage.start(traced('authenticated')),
  'trace-never': () => Stage.start(traced('never')),
  jwks: async () => Stage.start(asymmetric(await published.listen()), { 'signing.pem': signingPem }),
  rotation: async () => Stage.start(asymmetric(await rotating.listen()), { 'signing.pem': signingPem }),
  // Nobody listens on the port of this address.
  cold: () => Stage.start(asymmetric('http://127.0.0.1:1/jwks'), { 'signing.pem': signingPem }),
} as const;

export type StageName = keyof typeof variants;

export class Stages {
  readonly #started = new Map<StageName, Promise<Stage>>();

  get(name: StageName): Promise<Stage> {
    let stage = this.#started.get(name);
    if (stage === undefined) this.#started.set(name, (stage = variants[name]()));
    return stage;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#started.values()].map(async (stage) => (await stage).stop()));
    published.close();
    rotating.close();
  }
}
