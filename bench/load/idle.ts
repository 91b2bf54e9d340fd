/** Connections that are open and silent, held by a process of their own. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface IdleJob {
  readonly url: string;
  readonly connections: number;
  /** They come from 127.0.0.2 and following, so many from each: gateways limit the connections of one address. */
  readonly perAddress: number;
  readonly tokensFile: string;
}

export type IdleReport =
  { readonly kind: 'open' | 'asked' } | { readonly kind: 'count'; readonly open: number };

export interface IdleConnections {
  /** One request on each: servers close what has been silent for long. */
  ask(): Promise<void>;
  /** How many are open still. */
  count(): Promise<number>;
  stop(): void;
}

const entry = fileURLToPath(new URL('./idle-process.js', import.meta.url));

/** Resolves when all are open, and have brought one request each. */
export async function openIdle(job: IdleJob): Promise<IdleConnections> {
  const child = fork(entry);
  const ended = once(child, 'exit').then(() => {
    throw new Error('the process that holds the connections ended');
  });
  ended.catch(() => {});
  const next = async (): Promise<IdleReport> => {
    const [message] = (await Promise.race([once(child, 'message'), ended])) as [IdleReport];
    return message;
  };
  child.send(job);
  await next();
  return {
    async ask() {
      child.send('ask');
      await next();
    },
    async count() {
      child.send('count');
      const message = await next();
      return message.kind === 'count' ? message.open : 0;
    },
    stop: () => void child.kill(),
  };
}
