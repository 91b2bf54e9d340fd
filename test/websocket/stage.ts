/** The built gateway between a real WebSocket client and a real WebSocket server, both `ws`. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { keySet } from '../hardening/arena.ts';
import { type GatewayOptions, startGateway, type TestGateway, testPreamble } from '../support/gateway.ts';
import { until } from '../support/until.ts';
import { issuerName } from '../token/tokens.ts';

/** What one end of a WebSocket saw. */
export class End {
  readonly socket: WebSocket;
  readonly messages: { readonly text: string; readonly isBinary: boolean }[] = [];
  readonly pings: string[] = [];
  readonly pongs: string[] = [];
  /** Null while it is open. */
  ending: { readonly code: number; readonly reason: string; readonly atMs: number } | null = null;

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('error', () => {}); // What fails, closes.
    socket.on('message', (data, isBinary) => {
      this.messages.push({ text: (data as Buffer).toString(), isBinary });
    });
    socket.on('ping', (payload) => this.pings.push(payload.toString()));
    socket.on('pong', (payload) => this.pongs.push(payload.toString()));
    socket.on('close', (code, reason) => {
      this.ending = { code, reason: reason.toString(), atMs: Date.now() };
    });
  }

  get texts(): string[] {
    return this.messages.map(({ text }) => text);
  }

  async ended(deadlineMs?: number): Promise<string> {
    const { code, reason } = await until('the WebSocket ends', () => this.ending, deadlineMs);
    return `${code} ${reason}`.trim();
  }
}

/** A client that was let in. */
export class Client extends End {
  readonly answer: IncomingMessage;

  constructor(socket: WebSocket, answer: IncomingMessage) {
    super(socket);
    this.answer = answer;
  }
}

export interface Knock {
  readonly token?: string;
  readonly protocols?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** An upstream that echoes, unless a test takes over its end. */
export class Upstream {
  readonly ends: End[] = [];
  readonly requests: IncomingMessage[] = [];
  /** Given the offered subprotocols, the one that is chosen. */
  choose: (offered: ReadonlySet<string>) => string | false = () => false;
  /** Takes over an end that opened; without it, what comes is sent back. */
  onOpen: ((end: End, request: IncomingMessage) => void) | null = null;
  /** Answers in place of 101. */
  decline: string | null = null;
  readonly #server = createServer((request, response) => {
    this.requests.push(request);
    this.onRequest(request, response);
  });
  onRequest: (request: IncomingMessage, response: ServerResponse) => void = (_, response) =>
    void response.end('ok');

  static async start(): Promise<Upstream> {
    const upstream = new Upstream();
    const sockets = new WebSocketServer({
      noServer: true,
      perMessageDeflate: true,
      maxPayload: 64 * 1024 * 1024,
      handleProtocols: (offered) => upstream.choose(offered),
    });
    upstream.#server.on('upgrade', (request, socket, head) => {
      upstream.requests.push(request);
      if (upstream.decline !== null) return void socket.end(upstream.decline);
      sockets.handleUpgrade(request, socket, head, (opened) => {
        const end = new End(opened);
        if (upstream.onOpen !== null) upstream.onOpen(end, request);
        else opened.on('message', (data, isBinary) => opened.send(data as Buffer, { binary: isBinary }));
        upstream.ends.push(end);
      });
    });
    upstream.#server.listen(0, '127.0.0.1');
    await once(upstream.#server, 'listening');
    return upstream;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The end that belongs to the next client. */
  async nextEnd(after: number): Promise<End> {
    return until('the upstream has an end', () => this.ends[after]);
  }

  async close(): Promise<void> {
    for (const { socket } of this.ends) socket.terminate();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export class Stage {
  readonly gateway: TestGateway;
  readonly upstream: Upstream;

  constructor(gateway: TestGateway, upstream: Upstream) {
    this.gateway = gateway;
    this.upstream = upstream;
  }

  get port(): number {
    return Number(new URL(this.gateway.url).port);
  }

  /** Asks for a WebSocket; a refusal is its status and code, as in `401 token_expired`. */
  async knock(path: string, { token, protocols = [], headers = {} }: Knock = {}): Promise<Client | string> {
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const socket = new WebSocket(`${this.gateway.url.replace('http', 'ws')}${path}`, [...protocols], {
      headers: { ...headers, ...authorization },
      perMessageDeflate: true,
      autoPong: true,
    });
    return new Promise((resolve, reject) => {
      let answer: IncomingMessage | null = null;
      socket.on('error', reject);
      socket.on('upgrade', (response) => (answer = response));
      socket.on('open', () => {
        socket.off('error', reject);
        resolve(new Client(socket, answer!));
      });
      socket.on('unexpected-response', (_, response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
        response.on('end', () => {
          const isRefusal = response.headers['content-type'] === 'application/problem+json';
          const code = isRefusal ? (JSON.parse(body) as { code: string }).code : body;
          resolve(`${response.statusCode} ${code}`.trim());
        });
      });
    });
  }

  /** A client that must be let in, and the upstream's end of it. */
  async open(path: string, knock: Knock = {}): Promise<{ client: Client; end: End }> {
    const before = this.upstream.ends.length;
    const client = await this.knock(path, knock);
    if (typeof client === 'string') throw new Error(`refused: ${client}`);
    return { client, end: await this.upstream.nextEnd(before) };
  }

  /** The sum of a metric. */
  metric(name: string, ...labels: readonly string[]): Promise<number> {
    return this.gateway.metric(name, ...labels);
  }

  async stop(): Promise<void> {
    await this.gateway.stop();
    await this.upstream.close();
  }
}

/** Not that of the arena: nothing but routes for WebSockets, to a real server of them. */
export const configOf = (upstreamUrl: string, routes: string, preamble = testPreamble): string => `${preamble}
issuers:
  main:
    issuer: ${issuerName}
    audiences: [orders]
    algorithms: [RS256, ES256, EdDSA]
    keys: { jwks_file: keys.json }
upstreams:
  live: { urls: ['${upstreamUrl}'] }
routes:
${routes}
`;

export async function startStage(
  routes: string,
  preamble = testPreamble,
  options: GatewayOptions = {},
): Promise<Stage> {
  const upstream = await Upstream.start();
  const gateway = await startGateway(configOf(upstream.url, routes, preamble), {
    ...options,
    files: { 'keys.json': keySet },
  });
  return new Stage(gateway, upstream);
}

/** Passes a message through and back, so that all before it has come as well. */
export async function roundTrip(
  { client }: { readonly client: Client },
  text = 'are you there',
): Promise<void> {
  const before = client.messages.length;
  client.socket.send(text);
  await until('the echo', () => client.texts.slice(before).includes(text));
}
