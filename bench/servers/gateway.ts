/** The built gateway, configured for the bench. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Corpus } from '../tokens/corpus.ts';
import { type Server, type ServerOptions, startServer } from './server.ts';

const program = fileURLToPath(new URL('../../gateway/main.js', import.meta.url));

export interface GatewayOptions extends ServerOptions {
  readonly corpus: Corpus;
  /** Where `/forward` goes; without it only `/decide` is there, which the gateway answers itself. */
  readonly upstreamUrl?: string;
}

/** One listener and one verify worker: what the figures of one core are compared with. */
export async function startGateway(options: GatewayOptions): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
  const file = join(folder, 'sallyport.yaml');
  writeFileSync(file, config(options));
  const server = await startServer(program, ['start', '-c', file], options);
  return {
    ...server,
    stop: async () => {
      await server.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

const config = ({ corpus, upstreamUrl }: GatewayOptions): string => `version: 1
listener: { host: 127.0.0.1, port: 0, threads: 1 }
admin: { host: 127.0.0.1, port: 0 }
verifier: { threads: 1 }
issuers:
  bench:
    issuer: ${corpus.issuer}
    audiences: [${corpus.audience}]
    algorithms: [RS256]
    keys: { jwks_file: ${corpus.jwksFile} }
${upstreamUrl === undefined ? '' : `upstreams:\n  echo: { urls: [${upstreamUrl}] }`}
routes:
  - { path: /decide, issuer: bench, scopes: { all: [${corpus.scope}] }, respond: { status: 204 } }
${upstreamUrl === undefined ? '' : `  - { path: /forward, issuer: bench, scopes: { all: [${corpus.scope}] }, upstream: echo }`}
`;
