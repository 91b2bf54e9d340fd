/** A server that is not ours: a program that listens on the port it is told and says nothing that could be waited for. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { usageOf } from '../usage.ts';
import type { Server } from './server.ts';

export interface DaemonOptions {
  readonly command: string;
  /** `folder` holds `files`, and is the working directory. */
  readonly args: (folder: string) => readonly string[];
  readonly files: Readonly<Record<string, string>>;
  readonly port: number;
  /** The one core that it may use; null for all. */
  readonly core: number | null;
}

const startMsMax = 60_000;
const lookMs = 20;

/** Starts a program; resolves when its port takes connections. Errors: with what it said, when it ended or took too long. */
export async function startDaemon({ command, args, files, port, core }: DaemonOptions): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
  // Started by root, some go on as another user.
  chmodSync(folder, 0o755);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  const words = [command, ...args(folder)];
  const pinned = core === null ? words : ['taskset', '-c', String(core), ...words];
  const child = spawn(pinned[0]!, pinned.slice(1), { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  const complaints = text(child.stderr);
  // Not SIGKILL: the workers of a master that cannot tell them would go on.
  const endNow = (): void => void child.kill('SIGTERM');
  process.once('exit', endNow);
  const ended = once(child, 'exit');
  const untilMs = performance.now() + startMsMax;
  while (!(await listens(port))) {
    const isOver = child.exitCode !== null || child.signalCode !== null;
    if (isOver || performance.now() > untilMs) {
      endNow();
      throw new Error(`${command} did not start\n${await complaints}`);
    }
    await delay(lookMs);
  }
  return {
    pid: child.pid!,
    url: `http://127.0.0.1:${port}`,
    adminUrl: null,
    usage: () => usageOf(child.pid!),
    stop: async () => {
      process.off('exit', endNow);
      endNow();
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  return (await new Promise((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  }).finally(() => socket.destroy())) as boolean;
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
