/** Cells over a plain array, with a clock that tests set and a list of who was notified. */
import type { Cells, WaitHandle } from '../../gateway/flight/cells.ts';
import { layoutOf } from '../../gateway/flight/layout.ts';
import type { Layout, Shape } from '../../gateway/flight/layout.ts';

export class PlainCells implements Cells {
  readonly words: bigint[];
  readonly notified: number[] = [];
  now = 0;
  accesses = 0;
  /** Called before the n-th access, to let another thread come in between. */
  readonly between = new Map<number, () => void>();

  constructor(words: number) {
    this.words = Array.from({ length: words }, () => 0n);
  }

  #access(address: number): void {
    const interrupt = this.between.get(++this.accesses);
    if (interrupt !== undefined) {
      this.between.delete(this.accesses);
      interrupt();
    }
    if (address < 0 || address >= this.words.length) throw new RangeError(`no word ${address}`);
  }

  load(address: number): bigint {
    this.#access(address);
    return this.words[address]!;
  }

  store(address: number, value: bigint): void {
    this.#access(address);
    this.words[address] = BigInt.asIntN(64, value);
  }

  compareExchange(address: number, expected: bigint, next: bigint): bigint {
    this.#access(address);
    const found = this.words[address]!;
    if (found === BigInt.asIntN(64, expected)) this.words[address] = BigInt.asIntN(64, next);
    return found;
  }

  add(address: number, delta: bigint): bigint {
    this.#access(address);
    const found = this.words[address]!;
    this.words[address] = BigInt.asIntN(64, found + delta);
    return found;
  }

  notify(address: number): number {
    this.#access(address);
    this.notified.push(address);
    return 0;
  }

  waitAsync(): WaitHandle {
    return { async: false, value: 'unsupported' };
  }

  tick(): number {
    this.#access(0);
    return this.now & 0xffffff;
  }
}

export const SMALL: Shape = { slots: 4, threads: 4, blocks: 3, blockWords: 6 };

export function smallTable(shape: Shape = SMALL): { cells: PlainCells; layout: Layout } {
  const layout = layoutOf(shape);
  return { cells: new PlainCells(layout.words), layout };
}
