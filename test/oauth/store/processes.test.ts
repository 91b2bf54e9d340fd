/** Several processes on one directory, one of them killed in the midst of it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { built } from '../../support/built.ts';
import { ann, markOf, openStore, recordFolders, tokens, versionsIn, withFolder } from './stores.ts';

const writes = 60;
const program = built('test/oauth/store/writer-process.js');

interface Writer {
  readonly process: ChildProcess;
  /** The fences that were acknowledged so far. */
  readonly acknowledged: bigint[];
  /** Its code and signal. */
  readonly ended: Promise<readonly [number | null, string | null]>;
}

function startWriter(directory: string, first: number, count = writes): Writer {
  const child = spawn(process.execPath, [program, directory, String(first), '3', String(count)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const acknowledged: bigint[] = [];
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop()!;
    acknowledged.push(...lines.map(BigInt));
  });
  const ended = once(child, 'close').then(([code, signal]) => [code, signal] as const);
  return { process: child, acknowledged, ended };
}

test('the largest acknowledged fence stays, whoever writes and whoever is killed', () =>
  withFolder(async (folder) => {
    const directory = join(folder, 'credentials');
    // The victim does not come to its end, however late it is killed.
    const victim = startWriter(directory, 1, 1_000_000);
    const others = [2, 3].map((first) => startWriter(directory, first));
    const writers = [victim, ...others];
    victim.process.stdout!.once('data', () => victim.process.kill('SIGKILL'));

    // A reader meets whole records only, and never an older one than before.
    const reader = await openStore(directory);
    let seen = -1n;
    const isAlive = ({ process: { exitCode, signalCode } }: Writer): boolean =>
      exitCode === null && signalCode === null;
    while (writers.some(isAlive)) {
      const stored = await reader.read(ann);
      const fence = stored?.fence ?? -1n;
      expect(fence >= seen).toBe(true);
      if (stored !== null) expect(markOf(stored)).toBe(String(fence));
      seen = fence;
    }

    expect(await victim.ended).toEqual([null, 'SIGKILL']);
    for (const { ended } of others) expect(await ended).toEqual([0, null]);
    const acknowledged = writers.flatMap((writer) => writer.acknowledged);
    const largest = acknowledged.toSorted((a, b) => (a < b ? 1 : -1))[0]!;
    const last = (await reader.read(ann))!;
    // The victim may have written one more than it could tell.
    expect(last.fence >= largest).toBe(true);
    expect(last.fence === largest || last.fence % 3n === 1n).toBe(true);
    // Nobody has to clear up after it.
    await reader.write(tokens(ann, 'last'), 1000n, 'update');
    expect(markOf(await reader.read(ann))).toBe('last');
    const [record] = await recordFolders(directory);
    expect(await versionsIn(record!)).toHaveLength(1);
  }));
