import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { array, assert, constant, constantFrom, integer, oneof, property, record, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { paceOf } from '../../gateway/limits/gcra.ts';
import { createRateMemory, RateCells } from '../../gateway/limits/rate-cells.ts';
import { built } from '../support/built.ts';
import type { RateThreadData } from './rate-thread.ts';

const secret = Buffer.alloc(32, 7);

class Hand {
  nowMs = 1000;
  readonly memory = createRateMemory(secret);
  open = (): RateCells => new RateCells(this.memory, () => this.nowMs);
}

/** A bucket that leaks, one drop after another: the plain way to say what a rate with a burst is. */
class Bucket {
  #levelUs = 0;
  #lastUs = 0;
  readonly #spacingUs: number;
  readonly #sizeUs: number;

  constructor(requests: number, perSeconds: number, burst: number) {
    this.#spacingUs = Math.max(1, Math.round((perSeconds * 1e6) / requests));
    this.#sizeUs = this.#spacingUs * burst;
  }

  take(nowUs: number): boolean {
    this.#levelUs = Math.max(0, this.#levelUs - (nowUs - this.#lastUs));
    this.#lastUs = nowUs;
    if (this.#levelUs + this.#spacingUs > this.#sizeUs) return false;
    this.#levelUs += this.#spacingUs;
    return true;
  }
}

describe('a rate', () => {
  it('lets through what a leaking bucket does, at any pace and for any times of coming', () => {
    const setting = record({
      requests: integer({ min: 1, max: 5000 }),
      perSeconds: integer({ min: 1, max: 60 }),
      burst: integer({ min: 1, max: 20 }),
      key: string(),
      // Milliseconds between requests; the clock may stand, and it may come round while they come.
      waits: array(oneof(constant(0), integer({ min: 0, max: 3000 })), { maxLength: 60 }),
      startMs: constantFrom(0, 1000, 2 ** 40 / 1000 - 5000),
    });
    const memory = createRateMemory(secret);
    let run = 0;
    assert(
      property(setting, ({ requests, perSeconds, burst, key, waits, startMs }) => {
        run += 1;
        let nowMs = startMs;
        const cells = new RateCells(memory, () => nowMs);
        const bucket = new Bucket(requests, perSeconds, burst);
        const pace = paceOf(requests, perSeconds, burst);
        for (const wait of waits) {
          nowMs += wait;
          const { conforms } = cells.take(`${run} ${key}`, pace);
          expect(conforms).toBe(bucket.take(Math.floor(nowMs * 1000)));
        }
      }),
    );
  });

  it('tells what is left, when the next one may come, and when all is back', () => {
    const hand = new Hand();
    const cells = hand.open();
    const pace = paceOf(10, 10, 3);
    const told = (): unknown => cells.take('a', pace);
    expect(told()).toEqual({ conforms: true, remaining: 2, resetUs: 1_000_000, waitUs: 0 });
    expect(told()).toEqual({ conforms: true, remaining: 1, resetUs: 2_000_000, waitUs: 0 });
    expect(told()).toEqual({ conforms: true, remaining: 0, resetUs: 3_000_000, waitUs: 1_000_000 });
    hand.nowMs += 400;
    expect(told()).toEqual({ conforms: false, remaining: 0, resetUs: 2_600_000, waitUs: 600_000 });
    hand.nowMs += 600;
    expect(told()).toEqual({ conforms: true, remaining: 0, resetUs: 3_000_000, waitUs: 1_000_000 });
  });

  it('is that of its key alone', () => {
    const cells = new Hand().open();
    const pace = paceOf(1, 60, 1);
    expect(['a', 'b', 'a', 'b'].map((key) => cells.take(key, pace).conforms)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it('lets exactly the burst through to threads that come at the same time (issue 6, point 6)', async () => {
    const gate = new SharedArrayBuffer(4);
    const data: RateThreadData = { memory: createRateMemory(secret), burst: 5000, gate, takes: 4000 };
    const threads = Array.from(
      { length: 4 },
      () => new Worker(built('test/limits/rate-thread.js'), { workerData: data }),
    );
    await Promise.all(threads.map((thread) => once(thread, 'message')));
    const counts = threads.map(async (thread) => Number((await once(thread, 'message'))[0]));
    Atomics.store(new Int32Array(gate), 0, 1);
    Atomics.notify(new Int32Array(gate), 0);
    expect((await Promise.all(counts)).reduce((sum, count) => sum + count, 0)).toBe(5000);
  });

  it('is kept in memory that does not grow: with too many keys it forgets, and never refuses a first request', () => {
    const hand = new Hand();
    const cells = hand.open();
    const pace = paceOf(1, 60, 1);
    let refused = 0;
    for (let key = 0; key < 300_000; key += 1) if (!cells.take(`key ${key}`, pace).conforms) refused += 1;
    // Two keys that are alike in set and tag are one: of so many, a few hundredths of one.
    expect(refused).toBeLessThan(3);
    expect(hand.memory.words.byteLength).toBe(2 * 1024 * 1024);
    // What is back last is kept.
    const slow = paceOf(1, 3600, 1);
    cells.take('slow', slow);
    for (let key = 0; key < 300_000; key += 1) cells.take(`more ${key}`, pace);
    expect(cells.take('slow', slow).conforms).toBe(false);
  });

  it('names nobody in shared memory', () => {
    const hand = new Hand();
    hand.open().take('alice@example.test', paceOf(1, 60, 1));
    expect(Buffer.from(hand.memory.words).includes('alice')).toBe(false);
    const other = { words: hand.memory.words, secret: Buffer.alloc(32, 8) };
    expect(new RateCells(other, () => 1000).take('alice@example.test', paceOf(1, 60, 1)).conforms).toBe(true);
  });
});
