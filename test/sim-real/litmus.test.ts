/** What the flight table relies on the platform for. If one of these fails, the table's argument does not hold here. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';

const ROUNDS = 1000;

/** A worker from source text; `memory` is its view of 64-bit words. */
function worker(source: string, buffer: SharedArrayBuffer): Worker {
  const prelude = `
    const { workerData, parentPort, threadId, Worker } = require('node:worker_threads');
    const memory = new BigInt64Array(workerData);
  `;
  return new Worker(prelude + source, { eval: true, workerData: buffer });
}

/** Two threads run their line at the same moment, many times, and each keeps what it returned. */
async function together(first: string, second: string): Promise<(readonly [bigint, bigint])[]> {
  const buffer = new SharedArrayBuffer((16 + ROUNDS * 2) * 8);
  const loop = (me: number, line: string): string => `
    for (let round = 0; round < ${ROUNDS}; round++) {
      Atomics.add(memory, 8, 1n);
      while (Atomics.load(memory, 8) < BigInt(2 * (round + 1))) {}
      const returned = (() => { ${line} })();
      memory[16 + round * 2 + ${me}] = returned;
      Atomics.add(memory, 9, 1n);
      while (Atomics.load(memory, 9) < BigInt(2 * (round + 1))) {}
      if (${me} === 0) { Atomics.store(memory, 0, 0n); Atomics.store(memory, 1, 0n); }
    }`;
  const threads = [worker(loop(0, first), buffer), worker(loop(1, second), buffer)];
  await Promise.all(threads.map((thread) => once(thread, 'exit')));
  const words = new BigInt64Array(buffer);
  return Array.from(
    { length: ROUNDS },
    (_, round) => [words[16 + round * 2]!, words[17 + round * 2]!] as const,
  );
}

describe('memory', () => {
  it('orders a store before a later load of another word (store buffering)', async () => {
    const results = await together(
      'Atomics.store(memory, 0, 1n); return Atomics.load(memory, 1);',
      'Atomics.store(memory, 1, 1n); return Atomics.load(memory, 0);',
    );
    expect(results.filter(([a, b]) => a === 0n && b === 0n)).toEqual([]);
  });

  it('shows what was written before a flag to whoever sees the flag (message passing)', async () => {
    const results = await together(
      'Atomics.store(memory, 0, 42n); Atomics.store(memory, 1, 1n); return 0n;',
      'return Atomics.load(memory, 1) === 1n ? Atomics.load(memory, 0) : -1n;',
    );
    expect(results.filter(([, seen]) => seen !== -1n && seen !== 42n)).toEqual([]);
  });

  it('lets one of two exchanges of the same word win', async () => {
    const results = await together(
      'return Atomics.compareExchange(memory, 0, 0n, -1n);',
      'return Atomics.compareExchange(memory, 0, 0n, -2n);',
    );
    const winners = results.map(([a, b]) => [a, b].filter((found) => found === 0n).length);
    expect(new Set(winners)).toEqual(new Set([1]));
  });

  it('has 64-bit atomics without a lock', () => {
    expect(Atomics.isLockFree(8)).toBe(true);
  });
});

describe('waiting', () => {
  it('begins only while the word has the expected value', () => {
    const memory = new BigInt64Array(new SharedArrayBuffer(8));
    expect(Atomics.waitAsync(memory, 0, 1n)).toEqual({ async: false, value: 'not-equal' });
    expect(Atomics.waitAsync(memory, 0, 0n)).toMatchObject({ async: true });
    expect(Atomics.notify(memory, 0)).toBe(1);
    expect(Atomics.notify(memory, 0)).toBe(0);
  });

  it('loses no wake between the check and the sleep', async () => {
    const buffer = new SharedArrayBuffer(64);
    const memory = new BigInt64Array(buffer);
    const partner = worker(
      `for (let round = 0n; round < 500n; round++) {
        while (Atomics.load(memory, 0) !== 2n * round + 1n) Atomics.wait(memory, 0, 2n * round);
        Atomics.store(memory, 0, 2n * round + 2n);
        Atomics.notify(memory, 0);
      }`,
      buffer,
    );
    // Alive as long as the partner is: a pending wait alone would not keep this thread alive.
    for (let round = 0n; round < 500n; round++) {
      Atomics.store(memory, 0, 2n * round + 1n);
      Atomics.notify(memory, 0);
      const handle = Atomics.waitAsync(memory, 0, 2n * round + 1n);
      if (handle.async) await handle.value;
      expect(Atomics.load(memory, 0)).toBe(2n * round + 2n);
    }
    await once(partner, 'exit');
  });

  it('alone does not keep a process alive: whoever waits needs a timer', () => {
    const wait = 'Atomics.waitAsync(new BigInt64Array(new SharedArrayBuffer(8)), 0, 0n, 60_000)';
    const began = performance.now();
    execFileSync(process.execPath, ['-e', wait], { timeout: 20_000 });
    expect(performance.now() - began).toBeLessThan(20_000);
  });

  it('ends with its thread: a notify counts no waiter of a dead one', async () => {
    const buffer = new SharedArrayBuffer(64);
    const memory = new BigInt64Array(buffer);
    const sleeper = worker(
      `Atomics.waitAsync(memory, 0, 0n); Atomics.store(memory, 1, 1n); parentPort.postMessage('up');
       Atomics.wait(memory, 2, 0n);`,
      buffer,
    );
    await once(sleeper, 'message');
    await sleeper.terminate();
    expect(Atomics.notify(memory, 0)).toBe(0);
    expect(Atomics.notify(memory, 2)).toBe(0);
  });
});

describe('the death of a thread', () => {
  const SPIN = 'for (;;) Atomics.add(memory, 0, 1n);';

  it.each([
    ['terminate', SPIN, true],
    ['process.exit', 'for (let i = 0; i < 1e5; i++) Atomics.add(memory, 0, 1n); process.exit(3);', false],
    [
      'an uncaught error',
      'for (let i = 0; i < 1e5; i++) Atomics.add(memory, 0, 1n); throw new Error("x");',
      false,
    ],
  ])('by %s is told after its last write', async (_how, source, kill) => {
    const buffer = new SharedArrayBuffer(64);
    const memory = new BigInt64Array(buffer);
    const thread = worker(source, buffer);
    thread.on('error', () => {});
    const exit = new Promise((resolve) => {
      thread.once('exit', resolve);
    });
    while (Atomics.load(memory, 0) === 0n) await new Promise((resolve) => setImmediate(resolve));
    if (kill) void thread.terminate();
    await exit;
    const last = Atomics.load(memory, 0);
    for (let turns = 0; turns < 50; turns++) await new Promise((resolve) => setImmediate(resolve));
    expect(Atomics.load(memory, 0)).toBe(last);
  });

  it('has stopped its own threads before it is told', async () => {
    const buffer = new SharedArrayBuffer(64);
    const memory = new BigInt64Array(buffer);
    const child =
      "const m = new BigInt64Array(require('node:worker_threads').workerData); for (;;) Atomics.add(m, 0, 1n);";
    const parent = worker(
      `new Worker(${JSON.stringify(child)}, { eval: true, workerData }); setInterval(() => {}, 1000);`,
      buffer,
    );
    while (Atomics.load(memory, 0) === 0n) await new Promise((resolve) => setImmediate(resolve));
    await parent.terminate();
    const last = Atomics.load(memory, 0);
    for (let turns = 0; turns < 50; turns++) await new Promise((resolve) => setImmediate(resolve));
    expect(Atomics.load(memory, 0)).toBe(last);
  });
});

describe('time', () => {
  it('is one clock for all threads of a process', async () => {
    const buffer = new SharedArrayBuffer(64);
    const now = 'performance.timeOrigin + performance.now()';
    const thread = worker(`parentPort.on('message', () => parentPort.postMessage(${now}));`, buffer);
    thread.postMessage('ask');
    await once(thread, 'message');
    const before = performance.timeOrigin + performance.now();
    thread.postMessage('ask');
    const [there] = (await once(thread, 'message')) as [number];
    const after = performance.timeOrigin + performance.now();
    await thread.terminate();
    expect(there).toBeGreaterThanOrEqual(before - 1);
    expect(there).toBeLessThanOrEqual(after + 1);
  });
});
