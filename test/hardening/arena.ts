/**
 * Where the hostile cases take place: the built gateway in a process of its own between a raw client and a strict backend.
 *
 * Whatever a case does goes through `attack`, which then sends a healthy request on another connection and expects its own
 * answer, and that the backend saw nothing but what the case says it may. `PROXY_UNDER_TEST` is not the gateway in
 * `seen.test.ts`, which proves that all this notices a proxy that does nothing right.
 */
import { answer, Backend, type SeenRequest } from '../support/backend.ts';
import { type GatewayOptions, startGateway, type TestGateway, testPreamble } from '../support/gateway.ts';
import { type RawAnswer, RawClient, RawClientError } from '../support/raw-client.ts';
import { startSecureGateway } from '../support/secure-gateway.ts';
import { until } from '../support/until.ts';
import { issuerName, makeSigner, makeToken, type Signer } from '../token/tokens.ts';

const [rs, es, ed] = [makeSigner('RS256', 'rs'), makeSigner('ES256', 'es'), makeSigner('EdDSA', 'ed')];
export const signers = { rs, es, ed } as const;

/** A public key as a set publishes it. */
export function jwkOf({ key, kid, alg }: Signer): Record<string, unknown> {
  return { ...key.export({ format: 'jwk' }), kid, alg, use: 'sig' };
}

export const keySet = JSON.stringify({ keys: Object.values(signers).map(jwkOf) });

/** Claims that open `/orders`, at the present time. */
export function claimsNow(): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1000);
  return {
    iss: issuerName, aud: 'orders', sub: 'user-1', scope: 'orders:read', iat: now - 10, exp: now + 600,
  }; // prettier-ignore
}

let minted = 0;

/** A token never seen before, good but for what is given. `undefined` takes a claim out. */
export function mint(claims: Record<string, unknown> = {}, header: object = {}, signer: Signer = ed): string {
  minted += 1;
  return makeToken(signer, { ...claimsNow(), jti: `t${minted}`, ...claims }, header);
}

export interface Ask {
  readonly method?: string;
  /** Field lines, each with its CRLF. */
  readonly fields?: string;
  readonly body?: string;
  readonly token?: string;
}

/** The bytes of a request with one Host. Framing is for `fields` to say. */
export function bytesOf(target: string, { method = 'GET', fields = '', body = '', token }: Ask = {}): string {
  const credentials = token === undefined ? '' : `Authorization: Bearer ${token}\r\n`;
  return `${method} ${target} HTTP/1.1\r\nHost: gateway.example\r\n${credentials}${fields}\r\n${body}`;
}

export const codeOf = (answer: RawAnswer): string => {
  if (!answer.values('content-type').includes('application/problem+json')) return String(answer.status);
  return `${answer.status} ${(JSON.parse(answer.text) as { code: string }).code}`;
};

/** Where and how requests reach what is tested. */
export interface Door {
  readonly port: number;
  stop(): Promise<void>;
}

export interface ArenaOptions extends GatewayOptions {
  /** Replaces the whole configuration; gets the backend's URL. */
  readonly config?: (backendUrl: string) => string;
  /** Stands in for the gateway. */
  readonly door?: (backendUrl: string) => Promise<Door>;
}

export const arenaConfig = (backendUrl: string, preamble = testPreamble, routes = ''): string => `${preamble}
issuers:
  main:
    issuer: ${issuerName}
    audiences: [orders]
    algorithms: [RS256, ES256, EdDSA]
    keys: { jwks_file: keys.json }
upstreams:
  backend: { urls: ['${backendUrl}'] }
routes:
  - prefix: /orders
    issuer: main
    upstream: backend
    scopes: { all: [orders:read] }
    forward: { claims: { x-user: sub } }
    routes:
      - { path: /write, scopes: { all: [orders:write] } }
  - { prefix: /open, public: true, upstream: backend }
  - { path: /small, public: true, upstream: backend, methods: [GET, POST], max_body_bytes: 1000 }
  - { path: /decide, issuer: main, respond: { status: 204 }, scopes: { all: [orders:read] } }
${routes}`;

/** What the backend answers to a healthy request, and to any other unless a test says otherwise. */
export const echo = ({ method, target, body }: SeenRequest): string =>
  answer(`${method} ${target} ${body.length}`);

const healthy = '/orders/healthy/';

let speaksTls = false;

/** From now on the gateway of each arena speaks TLS, and the raw client by way of a relay: the same cases, over TLS. */
export function speakTls(): void {
  speaksTls = true;
}

export class Arena {
  readonly backend: Backend;
  /** Absent where something else stands in for the gateway. */
  readonly gateway: TestGateway | null;
  readonly port: number;
  readonly #door: Door | null;
  /** Of the healthy requests. */
  token = mint({}, {}, signers.rs);
  #asked = 0;
  /** Answers requests in place of the echo; healthy ones are always answered by the echo. */
  onRequest: NonNullable<Backend['behaviour']['onRequest']> = (request, socket) =>
    socket.write(echo(request));
  onHead: NonNullable<Backend['behaviour']['onHead']> = () => false;

  static async start(options: ArenaOptions = {}): Promise<Arena> {
    const backend = await Backend.start();
    try {
      if (options.door !== undefined) return new Arena(backend, null, await options.door(backend.url));
      const config = (options.config ?? arenaConfig)(backend.url);
      const files = { 'keys.json': keySet, ...options.files };
      if (!speaksTls) return new Arena(backend, await startGateway(config, { ...options, files }), null);
      const { gateway, door } = await startSecureGateway(config, { ...options, files });
      return new Arena(backend, gateway, door);
    } catch (error) {
      await backend.close();
      throw error;
    }
  }

  private constructor(backend: Backend, gateway: TestGateway | null, door: Door | null) {
    this.backend = backend;
    this.gateway = gateway;
    this.#door = door;
    this.port = door?.port ?? Number(new URL(gateway!.url).port);
    backend.behaviour = {
      onRequest: (request, socket) => {
        if (request.target.startsWith(healthy)) socket.write(echo(request));
        else this.onRequest(request, socket);
      },
      onHead: (head, socket) => !head.startLine.includes(healthy) && this.onHead(head, socket),
    };
  }

  /** Requests that reached the backend, healthy ones aside. */
  get reached(): SeenRequest[] {
    return this.backend.requests.filter(({ target }) => !target.startsWith(healthy));
  }

  /**
   * Runs one hostile case on a connection of its own, then a healthy request on another.
   *
   * `reaches`: how many requests of the case the backend may see, and must. Errors: when the healthy request does not get
   * its own answer, or the backend saw something ungrammatical or unexpected.
   */
  async attack<T>(act: (client: RawClient) => T | Promise<T>, reaches = 0): Promise<T> {
    const before = this.reached.length;
    const faults = this.backend.faults.length;
    const client = await RawClient.connect(this.port);
    let result: T;
    try {
      result = await act(client);
    } finally {
      client.destroy();
    }
    await this.expectHealthy();
    const seen = this.reached.slice(before);
    if (seen.length !== reaches) {
      const lines = seen.map(({ raw }) => JSON.stringify(raw.toString('latin1', 0, 300)));
      throw new Error(`the backend saw ${seen.length} requests in place of ${reaches}: ${lines.join('; ')}`);
    }
    const wrong = this.backend.faults.slice(faults);
    if (wrong.length > 0) throw new Error(`the backend was sent: ${wrong.join('; ')}`);
    return result;
  }

  /** Sends bytes; resolves with the code of the first answer, or `closed` where none came. */
  async send(bytes: string | Buffer, reaches = 0, method = 'GET'): Promise<string> {
    return await this.attack(async (client) => {
      client.send(bytes);
      return await firstCode(client, method);
    }, reaches);
  }

  /**
   * Sends bytes that must end their connection, alone and then with a request behind them that nobody may serve. Resolves
   * with the code of the first answer, alone. An answer may be lost, with something behind it or without: a side that closes
   * while the other still sends resets the connection, and a reset takes along what was not read yet. Nothing else may come.
   */
  async sendAndBeCut(bytes: string | Buffer): Promise<string> {
    const first = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
    const codes = [];
    for (const behind of ['', bytesOf('/open/smuggled')]) {
      codes.push(
        await this.attack(async (client) => {
          client.send(Buffer.concat([first, Buffer.from(behind, 'latin1')]));
          const code = await firstCode(client);
          const rest = await client.readToEnd();
          if (rest.length > 0)
            throw new Error(`more after ${code}: ${JSON.stringify(rest.toString('latin1'))}`);
          return code;
        }),
      );
    }
    const [alone, withMore] = codes as [string, string];
    if (withMore !== alone && alone !== 'closed' && !/^(?:closed|400)$/.test(withMore))
      throw new Error(`${alone}, but with more ${withMore}`);
    return alone;
  }

  /**
   * Sends bytes that the driver waits for the rest of, until its own deadline: then a request behind them, and the caller's
   * end. Nothing may be served. Resolves with what came.
   */
  async sendAndHearNothing(bytes: string): Promise<string> {
    return await this.attack(async (client) => {
      client.send(bytes + bytesOf('/open/smuggled'));
      client.end();
      return (await client.readToEnd()).toString('latin1');
    });
  }

  /** A request of somebody else, with its own answer. */
  async expectHealthy(): Promise<void> {
    this.#asked += 1;
    const target = `${healthy}${this.#asked}`;
    const got = await RawClient.once(this.port, bytesOf(target, { token: this.token }));
    const expected = `GET ${target} 0`;
    if (got.status !== 200 || got.text !== expected)
      throw new Error(`a healthy request got ${got.status} ${got.text} in place of ${expected}`);
  }

  /** The gateway itself, where a case cannot be told of anything else. */
  get sallyport(): TestGateway {
    if (this.gateway === null) throw new Error('something else stands in for the gateway');
    return this.gateway;
  }

  /**
   * Ends everything. Errors: when the gateway does not end with 0, or has said something of a level that is not to be
   * expected.
   */
  async stop(expected: readonly string[] = ['warn']): Promise<void> {
    await this.#door?.stop();
    const exit = await this.gateway?.stop();
    await this.backend.close();
    const quiet = new Set(['info', ...expected]);
    const said = this.gateway?.logs.filter(({ level }) => !quiet.has(level)) ?? [];
    if (said.length > 0)
      throw new Error(`the gateway said: ${said.map((l) => JSON.stringify(l)).join('\n')}`);
    if (exit !== undefined && exit.code !== 0)
      throw new Error(`the gateway ended with ${JSON.stringify(exit)}`);
  }

  /** Resident bytes of the gateway's process, all threads. */
  async residentBytes(): Promise<number> {
    return await this.sallyport.metric('process_resident_memory_bytes');
  }

  /** Waits until the gateway has no connection to the backend that is in use. */
  async untilIdle(): Promise<void> {
    await until('no upstream connection is busy', async () => {
      return (await this.sallyport.metric('sallyport_upstream_connections', 'state="busy"')) === 0;
    });
  }
}

async function firstCode(client: RawClient, method = 'GET'): Promise<string> {
  try {
    return codeOf(await client.read({ method }));
  } catch (error) {
    if (error instanceof RawClientError && client.closed && client.pending.length === 0) return 'closed';
    throw error;
  }
}
