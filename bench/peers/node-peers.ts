/** The peers that are Node programs: how each is started. */
import { fileURLToPath } from 'node:url';
import { type Server, startServer } from '../servers/server.ts';
import type { Corpus } from '../tokens/corpus.ts';

const script = (name: string): string => fileURLToPath(new URL(`./${name}.js`, import.meta.url));
const rules = ({ keysFile, issuer, audience, scope }: Corpus): string[] => [
  keysFile,
  issuer,
  audience,
  scope,
];

export function startFastify(
  corpus: Corpus,
  core: number | null,
  upstreamUrl: string | null = null,
): Promise<Server> {
  const upstream = upstreamUrl === null ? [] : [upstreamUrl];
  return startServer(script('fastify'), [...rules(corpus), ...upstream], { core });
}

export function startExpress(corpus: Corpus, core: number | null): Promise<Server> {
  return startServer(script('express'), rules(corpus), { core });
}

export function startUndiciProxy(upstreamUrl: string, core: number | null): Promise<Server> {
  return startServer(script('undici-proxy'), [upstreamUrl], { core });
}
