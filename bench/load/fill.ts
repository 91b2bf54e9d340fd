/** Shows a server each of many tokens once, as fast as it answers. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface FillJob {
  readonly url: string;
  readonly tokensFile: string;
  readonly tokens: number;
  readonly expectedStatus: number;
}

const entry = fileURLToPath(new URL('./fill-process.js', import.meta.url));

/** Resolves when all were answered. Errors: when one had another status than expected. */
export async function fill(job: FillJob): Promise<void> {
  const child = fork(entry);
  child.send(job);
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error('not all tokens were answered as expected');
}
