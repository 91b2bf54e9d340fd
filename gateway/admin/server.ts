/**
 * The admin listener: health, metrics, reload, the console. Lives on the main thread beside the data plane, on loopback by
 * default, and knows nothing but what it is given. So it answers while the listeners are saturated.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Entrance } from './console/entrance.ts';
import { readinessOf, type Check } from './health.ts';
import type { ReloadResult } from './reload-record.ts';
import { text, type Answer } from './answer.ts';

export interface MetricsText {
  readonly contentType: string;
  readonly body: readonly Buffer[];
}

export interface AdminOptions {
  readonly host: string;
  readonly port: number;
  /** What readiness depends on, as it is now. */
  readonly checks: () => readonly Check[];
  /** `accept` is the field of that name, or empty. */
  readonly metrics: (accept: string) => Promise<MetricsText>;
  readonly reload: () => Promise<ReloadResult>;
  /** Null: none is served. */
  readonly console: Entrance | null;
  /** Told of what an endpoint threw; the caller gets a bare 500. */
  readonly onError: (error: unknown) => void;
}

export interface AdminServer {
  /** The port in use, which `port: 0` leaves open. */
  readonly port: number;
  /** Stops listening and cuts what is left. */
  close(): Promise<void>;
}

const limits = {
  maxHeaderSize: 8192,
  headersTimeout: 5000,
  requestTimeout: 10_000,
  keepAliveTimeout: 15_000,
  connectionsCheckingInterval: 5000,
} as const;
const connectionsMax = 256;
const targetBytesMax = 1024;

type Endpoint = (query: URLSearchParams, request: IncomingMessage) => Answer | Promise<Answer>;

interface Resource {
  readonly method: 'GET' | 'POST';
  readonly endpoint: Endpoint;
}

/** Starts the listener. Rejects when the address cannot be had. */
export async function startAdmin(options: AdminOptions): Promise<AdminServer> {
  const resources = resourcesOf(options);
  const server = createServer(limits, (request, response) => {
    respond(resources, options.console, request)
      .catch((error: unknown): Answer => {
        options.onError(error);
        return text(500, 'internal error\n');
      })
      .then((answer) => send(request, response, answer), options.onError);
  });
  server.maxConnections = connectionsMax;
  server.on('clientError', (_error, socket) => socket.destroy());
  await listen(server, options);
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function resourcesOf(options: AdminOptions): ReadonlyMap<string, Resource> {
  const live: Endpoint = () => text(200, 'ok\n');
  return new Map<string, Resource>([
    ['/livez', { method: 'GET', endpoint: live }],
    ['/healthz', { method: 'GET', endpoint: live }],
    ['/readyz', { method: 'GET', endpoint: (query) => readinessOf(options.checks(), query) }],
    [
      '/metrics',
      {
        method: 'GET',
        endpoint: async (_, request) => {
          const { contentType, body } = await options.metrics(request.headers.accept ?? '');
          return { status: 200, contentType, body, headers: { vary: 'accept' } };
        },
      },
    ],
    [
      '/-/reload',
      {
        method: 'POST',
        endpoint: async () => {
          const result = await options.reload();
          const body = `${JSON.stringify(result)}\n`;
          return { status: result.outcome === 'rejected' ? 422 : 200, contentType: 'application/json', body };
        },
      },
    ],
  ]);
}

async function respond(
  resources: ReadonlyMap<string, Resource>,
  console: AdminOptions['console'],
  request: IncomingMessage,
): Promise<Answer> {
  const target = request.url ?? '';
  if (target.length > targetBytesMax) return text(414, 'target too long\n');
  const [path, query = ''] = target.split('?', 2) as [string, string?];
  if (console?.has(path) === true) {
    if (request.method !== 'POST' && hasBody(request)) return noBody;
    return console.answer(request, path, new URLSearchParams(query));
  }
  const resource = resources.get(path);
  if (resource === undefined) return text(404, 'not found\n');
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  if (method !== resource.method) {
    const allow = resource.method === 'GET' ? 'GET, HEAD' : resource.method;
    return { ...text(405, 'method not allowed\n'), headers: { allow } };
  }
  if (hasBody(request)) return noBody;
  if (resource.method === 'POST' && fromBrowser(request)) return text(403, 'not for browsers\n');
  return resource.endpoint(new URLSearchParams(query), request);
}

const noBody: Answer = { ...text(413, 'no body is taken here\n'), headers: { connection: 'close' } };

function hasBody(request: IncomingMessage): boolean {
  return (
    request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) !== 0
  );
}

/**
 * A page in an operator's browser can post to loopback, under its own name or, by DNS rebinding, under ours. Browsers send
 * Origin with every POST and Sec-Fetch-Site with every request to loopback; tools send neither.
 * Source: Fetch standard, "Origin header"; W3C Fetch Metadata section 2.3.
 */
function fromBrowser(request: IncomingMessage): boolean {
  const site = request.headers['sec-fetch-site'];
  return request.headers.origin !== undefined || (site !== undefined && site !== 'none');
}

function send(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  const pieces = typeof answer.body === 'string' ? [Buffer.from(answer.body)] : answer.body;
  response.writeHead(answer.status, {
    'content-type': answer.contentType,
    'content-length': pieces.reduce((sum, { length }) => sum + length, 0),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...answer.headers,
  });
  if (request.method !== 'HEAD') for (const piece of pieces) response.write(piece);
  response.end();
}

function listen(server: Server, { host, port }: AdminOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
