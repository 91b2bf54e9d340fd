/** The built gateway, configured for the bench. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Corpus } from '../tokens/corpus.ts';
import type { Certificate } from './certificate.ts';
import { type Server, type ServerOptions, startServer } from './server.ts';

/** The build that the bench itself belongs to. */
export const ownProgram = programOf(fileURLToPath(new URL('../../..', import.meta.url)));

/** The built program of the checkout at `folder`, as its manifest says. */
export function programOf(folder: string): string {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    readonly bin: { readonly sallyport: string };
  };
  return join(folder, manifest.bin.sallyport);
}

export interface GatewayOptions extends ServerOptions {
  readonly corpus: Corpus;
  /** Where `/forward` goes; without it only `/decide` is there, which the gateway answers itself. */
  readonly upstreamUrl?: string;
  /** Listener threads, each with one verify worker. Default: one, what the figures of one core are compared with. */
  readonly threads?: number;
  /** Routes besides those that are asked for, each with a path and a scope of its own. Default: none. */
  readonly otherRoutes?: number;
  /** Scopes that are named besides the one that is asked for. Default: as many as there are other routes. */
  readonly otherScopes?: number;
  /** Tokens that are kept. Default: the gateway's. */
  readonly cacheEntries?: number;
  readonly tls?: Certificate;
  /** Series with a route label. Default: the gateway's. */
  readonly seriesMax?: number;
  /** Answered like `/decide`. */
  readonly extraPath?: string;
  /** Answers nginx's questions about requests, too. */
  readonly decides?: boolean;
}

export interface Gateway extends Server {
  readonly adminUrl: string;
  /** Read at a reload; not watched. */
  readonly configFile: string;
  /** Its `main.js`. */
  readonly program: string;
}

/** Starts a built gateway; `program`: `programOf` it. */
export async function startGateway(program: string, options: GatewayOptions): Promise<Gateway> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
  const configFile = join(folder, 'written', 'sallyport.yaml');
  mkdirSync(dirname(configFile));
  writeFileSync(configFile, gatewayConfig(options));
  // It watches the folder of the link: who writes the file decides when it is read.
  const file = join(folder, 'sallyport.yaml');
  symlinkSync(configFile, file);
  const server = await startServer(program, ['start', '-c', file], options);
  return {
    ...server,
    url: options.tls === undefined ? server.url : server.url.replace('http:', 'https:'),
    adminUrl: server.adminUrl!,
    configFile,
    program,
    stop: async () => {
      await server.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Of one of the other routes. */
export const otherPath = (route: number, id: string): string => `/group-${route % 100}/other-${route}/${id}`;

export function gatewayConfig(options: GatewayOptions): string {
  const {
    corpus,
    upstreamUrl,
    threads = 1,
    otherRoutes = 0,
    otherScopes = otherRoutes,
    cacheEntries,
    decides = false,
    seriesMax,
    extraPath,
  } = options;
  const keys = corpus.algorithm === 'HS256' ? 'secret_file' : 'jwks_file';
  const cache = cacheEntries === undefined ? '' : `, cache_entries: ${cacheEntries}, cache_bytes: 8589934592`;
  const tls =
    options.tls === undefined
      ? ''
      : `, tls: { certificates: [{ cert_file: ${options.tls.certFile}, key_file: ${options.tls.keyFile} }] }`;
  const lines = [
    'version: 1',
    `listener: { host: 127.0.0.1, port: 0, threads: ${threads}${tls} }`,
    'admin: { host: 127.0.0.1, port: 0 }',
    `verifier: { threads: 1${cache} }`,
    ...(seriesMax === undefined ? [] : [`metrics: { series_max: ${seriesMax} }`]),
    ...(decides ? ['decision: { peers: [127.0.0.1], mounts: [{ mode: nginx }] }'] : []),
    'issuers:',
    `  bench: { issuer: ${corpus.issuer}, audiences: [${corpus.audience}], algorithms: [${corpus.algorithm}], keys: { ${keys}: ${corpus.keysFile} } }`,
    ...(upstreamUrl === undefined ? [] : ['upstreams:', `  echo: { urls: [${upstreamUrl}] }`]),
    'routes:',
  ];
  for (let n = 0; n < Math.max(otherRoutes, otherScopes); n += 1) {
    // With more scopes than routes, some paths are there for their scope alone.
    const scope = `other:${n % Math.max(1, otherScopes)}`;
    lines.push(
      `  - { path: '${otherPath(n, '{id}')}', issuer: bench, scopes: { all: [${scope}] }, respond: { status: 204 } }`,
    );
  }
  for (const path of ['/decide', ...(extraPath === undefined ? [] : [extraPath])])
    lines.push(
      `  - { path: ${path}, issuer: bench, scopes: { all: [${corpus.scope}] }, respond: { status: 204 } }`,
    );
  if (upstreamUrl !== undefined)
    lines.push(`  - { path: /forward, issuer: bench, scopes: { all: [${corpus.scope}] }, upstream: echo }`);
  return `${lines.join('\n')}\n`;
}
