/** A server that has to refuse what is forged, shown before it is measured: one that verifies nothing is no peer of one that does. */
import type { Corpus } from '../tokens/corpus.ts';
import { forger } from '../tokens/forge.ts';
import { readTokens } from '../tokens/lines.ts';
import { type Server, withServer } from './server.ts';

/** As `withServer`. Errors: when a forged token on `path` is not answered with 401. */
export async function withVerifier<S extends Server, T>(
  starting: Promise<S>,
  { tokensFile }: Corpus,
  path: string,
  use: (server: S) => Promise<T>,
): Promise<T> {
  return await withServer(starting, async (server) => {
    const [genuine] = readTokens(tokensFile, 0, 1);
    const headers = { authorization: `Bearer ${forger(genuine!)()}`, connection: 'close' };
    const { status } = await fetch(`${server.url}${path}`, { headers });
    if (status !== 401) throw new Error(`a forged token was answered with ${status}`);
    return await use(server);
  });
}
