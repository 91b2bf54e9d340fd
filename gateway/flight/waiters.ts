/**
 * Sleeping on a word, for all callers of one thread.
 *
 * A native wait cannot be cancelled and does not keep the process alive, so there is one for each word and value that
 * this thread sleeps on, shared by all its callers, and each caller has a timer that does keep the process alive. A
 * native wait that outlives its callers is used again by the next ones, and is cleared by the next transition's notify.
 */
import type { Cells } from './cells.ts';
import type { Woken } from './effects.ts';
import type { Timers } from './timers.ts';

interface Native {
  readonly word: bigint;
  readonly wakes: Set<() => void>;
}

/** How often a word is looked at where the platform cannot wake us. */
const LOOK_MS = 20;

export class Waiters {
  readonly #cells: Cells;
  readonly #timers: Timers;
  readonly #natives = new Map<number, Native>();
  #sleeping = 0;

  constructor(cells: Cells, timers: Timers) {
    this.#cells = cells;
    this.#timers = timers;
  }

  /** How many native waits are under way: at most one for each word of the table and value slept on. */
  get natives(): number {
    return this.#natives.size;
  }

  /** How many callers sleep. */
  get sleeping(): number {
    return this.#sleeping;
  }

  /** Sleeps until the word differs from `word` and its notify arrives, or the time is over. Never rejects. */
  wait(address: number, word: bigint, timeoutMs: number): Promise<Woken> {
    const native = this.#native(address, word);
    if (native === 'not-equal') return Promise.resolve('woken');
    this.#sleeping++;
    return new Promise((resolve) => {
      const settle = (woken: Woken): void => {
        this.#sleeping--;
        resolve(woken);
      };
      if (native === 'unsupported') {
        this.#look(address, word, timeoutMs, settle);
        return;
      }
      const wake = (): void => {
        callOff();
        settle('woken');
      };
      const callOff = this.#timers.once(timeoutMs, () => {
        native.wakes.delete(wake);
        settle('timed-out');
      });
      native.wakes.add(wake);
    });
  }

  #native(address: number, word: bigint): Native | 'not-equal' | 'unsupported' {
    const known = this.#natives.get(address);
    // Checked against the word as it is: the notify that ends a known wait may be on its way already.
    if (known?.word === word && this.#cells.load(address) === word) return known;
    const handle = this.#cells.waitAsync(address, word);
    if (!handle.async) return handle.value;
    const native: Native = { word, wakes: new Set() };
    this.#natives.set(address, native);
    void handle.value.then(() => {
      if (this.#natives.get(address) === native) this.#natives.delete(address);
      for (const wake of native.wakes) wake();
    });
    return native;
  }

  /** The same without a native wait: looks at the word again and again until the time is over. */
  #look(address: number, word: bigint, leftMs: number, settle: (woken: Woken) => void): void {
    const pauseMs = Math.min(LOOK_MS, leftMs);
    this.#timers.once(pauseMs, () => {
      if (this.#cells.load(address) !== word) settle('woken');
      else if (leftMs <= pauseMs) settle('timed-out');
      else this.#look(address, word, leftMs - pauseMs, settle);
    });
  }
}
