/**
 * The built program with `examples/airflow` before a small Execution API: a task instance has a state, and only a queued one
 * can be started. Tokens are minted with the times that a case needs.
 */
import { createHmac, createSecretKey, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { root } from '../support/built.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { makeToken, type Signer } from '../token/tokens.ts';

export const exampleText = readFileSync(join(root, 'examples/airflow/sallyport.yaml'), 'utf8');
export const secret = 'a secret of sixty-four bytes or more, as RFC 7518 section 3.2 asks of HS512';
export const audience = 'urn:airflow.apache.org:task';

export function secretSigner(alg: 'HS256' | 'HS512', text = secret): Signer {
  const key = createSecretKey(text, 'utf8');
  const hash = alg === 'HS512' ? 'sha512' : 'sha256';
  const sign = (data: Buffer): Buffer => createHmac(hash, key).update(data).digest();
  return { alg, kid: 'not-used', key, privateKey: null, sign };
}

const scheduler = secretSigner('HS512');

export interface Minted {
  /** Seconds before now. Default 0. */
  readonly age?: number;
  /** Default 600. */
  readonly lifetime?: number;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly header?: object;
  readonly signer?: Signer;
}

/** A token as the scheduler makes it. A claim of `undefined` is left out. */
export function mint({
  age = 0,
  lifetime = 600,
  claims = {},
  header = {},
  signer = scheduler,
}: Minted = {}): string {
  const iat = Math.floor(Date.now() / 1000) - age;
  const own = { jti: randomUUID(), aud: audience, sub: randomUUID(), iat, nbf: iat, exp: iat + lifetime };
  return makeToken(signer, { ...own, ...claims }, header);
}

export const claimsIn = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>;

export interface Ask {
  readonly token?: string;
  /** The whole Authorization field. */
  readonly authorization?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The member of the body, if it is JSON. */
  readonly detail: unknown;
  readonly renewed: string | null;
}

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

/** A stand-in for the Execution API. */
export class Upstream {
  readonly seen: Seen[] = [];
  /** Sent with every answer. */
  headers: Record<string, string> = {};
  /** An answer waits for this. */
  gate: Promise<unknown> = Promise.resolve();
  readonly #runs = new Map<string, string>();
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      const { method = '', url = '', headers } = request;
      this.seen.push({ method, url, headers });
      void json(request)
        .catch(() => null)
        .then(async (body) => {
          await this.gate;
          const [status, answer] = this.#answer(method, url, body);
          response.writeHead(status, { 'content-type': 'application/json', ...this.headers });
          response.end(status === 204 ? undefined : JSON.stringify(answer));
        });
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => void this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #answer(method: string, url: string, body: unknown): readonly [number, unknown] {
    const run = /^\/execution\/(?:task-instances|callbacks)\/([^/]+)\/run$/.exec(url)?.[1];
    if (run !== undefined) return this.#run(run, JSON.stringify(body));
    if (/\/(?:state|heartbeat)$/.test(url) && method !== 'GET') return [204, null];
    if (url.startsWith('/execution/variables/')) return [404, { detail: 'no such variable' }];
    if (url === '/execution/health') return [200, { status: 'healthy' }];
    return [200, { method, url }];
  }

  /** An identical start while it runs is the same; another one is a conflict. */
  #run(id: string, by: string): readonly [number, unknown] {
    const running = this.#runs.get(id);
    if (running === undefined) this.#runs.set(id, by);
    if (running === undefined || running === by) return [200, { dag_run: id, retries: 0 }];
    return [409, { detail: { reason: 'invalid_state', previous_state: 'running' } }];
  }
}

export class Stage {
  readonly gateway: TestGateway;
  readonly upstream: Upstream;

  /** `change` makes another configuration of the example's text. */
  static async start(
    change: (text: string) => string = (text) => text,
    files: Readonly<Record<string, string>> = {},
  ): Promise<Stage> {
    const upstream = new Upstream();
    const env = {
      SALLYPORT_PORT: '0',
      SALLYPORT_ADMIN_PORT: '0',
      AIRFLOW_API_URL: await upstream.listen(),
      AIRFLOW_JWT_SECRET: secret,
    };
    try {
      return new Stage(await startGateway(change(exampleText), { env, files }), upstream);
    } catch (error) {
      upstream.close();
      throw error;
    }
  }

  private constructor(gateway: TestGateway, upstream: Upstream) {
    this.gateway = gateway;
    this.upstream = upstream;
  }

  async stop(): Promise<void> {
    await this.gateway.stop();
    this.upstream.close();
  }

  /** `line` is method and path below `/execution`. */
  async ask(line: string, { token, authorization, headers = {}, body }: Ask = {}): Promise<Answer> {
    const [method = '', path = ''] = line.split(' ');
    const credentials = authorization ?? (token === undefined ? null : `Bearer ${token}`);
    const response = await fetch(`${this.gateway.url}/execution${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
        ...(credentials === null ? {} : { authorization: credentials }),
      },
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type') === 'application/json';
    return {
      status: response.status,
      headers: response.headers,
      text,
      detail: isJson && text !== '' ? (JSON.parse(text) as { detail?: unknown }).detail : undefined,
      renewed: response.headers.get('refreshed-api-token'),
    };
  }

  /** The request that reached the upstream last. */
  get last(): Seen | undefined {
    return this.upstream.seen.at(-1);
  }
}
