/** The real memory: `Cells` over a SharedArrayBuffer. The only file of this folder that touches Atomics or a clock. */
import type { Cells, WaitHandle } from './cells.ts';
import { TICK_MS } from './cells.ts';
import { TICK_MASK } from './control-word.ts';
import { BLOCK_WORDS, BLOCKS, EPOCH, layoutOf, MAGIC, MAGIC_VALUE, SLOTS, THREADS } from './layout.ts';
import type { Layout, Shape } from './layout.ts';

const WORD_BYTES = 8;
const NOT_EQUAL: WaitHandle = { async: false, value: 'not-equal' };
const UNSUPPORTED: WaitHandle = { async: false, value: 'unsupported' };

/** Milliseconds on the one monotonic clock that all threads of a process share. */
export function processNowMs(): number {
  return performance.timeOrigin + performance.now();
}

export class RealCells implements Cells {
  readonly #view: BigInt64Array<SharedArrayBuffer>;
  readonly #epochMs: number;
  readonly #nowMs: () => number;
  readonly #canWait: boolean;

  constructor(
    buffer: SharedArrayBuffer,
    nowMs: () => number = processNowMs,
    canWait = 'waitAsync' in Atomics,
  ) {
    this.#view = new BigInt64Array(buffer);
    this.#epochMs = Number(Atomics.load(this.#view, EPOCH));
    this.#nowMs = nowMs;
    this.#canWait = canWait;
  }

  load(address: number): bigint {
    return Atomics.load(this.#view, address);
  }

  store(address: number, value: bigint): void {
    Atomics.store(this.#view, address, value);
  }

  compareExchange(address: number, expected: bigint, next: bigint): bigint {
    return Atomics.compareExchange(this.#view, address, expected, next);
  }

  add(address: number, delta: bigint): bigint {
    return Atomics.add(this.#view, address, delta);
  }

  notify(address: number): number {
    return Atomics.notify(this.#view, address);
  }

  waitAsync(address: number, expected: bigint): WaitHandle {
    if (!this.#canWait) return UNSUPPORTED;
    const wait = Atomics.waitAsync(this.#view, address, expected);
    return wait.async ? wait : NOT_EQUAL;
  }

  tick(): number {
    return Math.floor((this.#nowMs() - this.#epochMs) / TICK_MS) & TICK_MASK;
  }
}

/** Makes the zeroed memory of a table and writes its header. Units: `epochMs` is when tick 0 was. */
export function createBuffer(shape: Shape, epochMs: number = processNowMs()): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(layoutOf(shape).words * WORD_BYTES);
  const cells = new RealCells(buffer);
  cells.store(SLOTS, BigInt(shape.slots));
  cells.store(THREADS, BigInt(shape.threads));
  cells.store(BLOCKS, BigInt(shape.blocks));
  cells.store(BLOCK_WORDS, BigInt(shape.blockWords));
  cells.store(EPOCH, BigInt(Math.floor(epochMs)));
  cells.store(MAGIC, MAGIC_VALUE);
  return buffer;
}

/** Reads the layout of a table made by `createBuffer`. Errors: RangeError for any other memory. */
export function layoutOfBuffer(buffer: SharedArrayBuffer): Layout {
  const cells = new RealCells(buffer);
  if (cells.load(MAGIC) !== MAGIC_VALUE)
    throw new RangeError('flight table: this memory is not a table of layout version 1');
  const layout = layoutOf({
    slots: Number(cells.load(SLOTS)),
    threads: Number(cells.load(THREADS)),
    blocks: Number(cells.load(BLOCKS)),
    blockWords: Number(cells.load(BLOCK_WORDS)),
  });
  if (layout.words * WORD_BYTES !== buffer.byteLength)
    throw new RangeError('flight table: the memory has another size than its header says');
  return layout;
}
