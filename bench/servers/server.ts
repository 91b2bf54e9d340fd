/** A server under test in a process of its own, ready when it has printed its port. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { type Usage, usageOf } from '../usage.ts';

export interface Server {
  readonly pid: number;
  readonly url: string;
  /** Of its admin listener; null where there is none. */
  readonly adminUrl: string | null;
  readonly usage: () => Usage;
  readonly stop: () => Promise<void>;
}

export interface ServerOptions {
  /** The one core that it may use; null for all. */
  readonly core: number | null;
}

const startMsMax = 60_000;

/** Starts `node SCRIPT ...ARGS`; resolves at its first line of JSON that announces a server. */
export async function startServer(
  script: string,
  args: readonly string[],
  { core }: ServerOptions,
): Promise<Server> {
  const command = [process.execPath, script, ...args];
  const pinned = core === null ? command : ['taskset', '-c', String(core), ...command];
  const child = spawn(pinned[0]!, pinned.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
  const complaints = text(child.stderr);
  const killNow = (): void => void child.kill('SIGKILL');
  process.once('exit', killNow);
  const announced = await announcementOf(child);
  if (announced === null) {
    killNow();
    throw new Error(`${script} did not start\n${await complaints}`);
  }
  return {
    pid: child.pid!,
    url: `http://127.0.0.1:${announced.port}`,
    adminUrl: announced.admin_port === undefined ? null : `http://127.0.0.1:${announced.admin_port}`,
    usage: () => usageOf(child.pid!),
    stop: async () => {
      process.off('exit', killNow);
      killNow();
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}

interface Announcement {
  readonly msg?: string;
  readonly port: number;
  readonly admin_port?: number;
}

function announcementOf(child: ChildProcess): Promise<Announcement | null> {
  return new Promise((resolve) => {
    const deadline = setTimeout(() => resolve(null), startMsMax);
    const settle = (announcement: Announcement | null): void => {
      clearTimeout(deadline);
      resolve(announcement);
    };
    child.once('exit', () => settle(null));
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const said = JSON.parse(line) as Announcement;
      if (said.msg === 'serving') settle(said);
    });
  });
}

/** Starts a server, uses it, and stops it whatever happens. */
export async function withServer<S extends Server, T>(
  starting: Promise<S>,
  use: (server: S) => Promise<T>,
): Promise<T> {
  const server = await starting;
  try {
    return await use(server);
  } finally {
    await server.stop();
  }
}
