/** Time moved by hand: a clock and timers that go on only when a test says so. */
import type { Clock } from '../../gateway/core/clock.ts';
import type { Timers } from '../../gateway/core/timers.ts';

interface Alarm {
  readonly atMs: number;
  readonly run: () => void;
}

/** WebCrypto works on threads of its own: what it has in hand is counted, so that nobody has to guess how long. */
const subtle = { calls: 0 };

export function countSubtleCalls(): void {
  for (const name of ['importKey', 'digest'] as const) {
    const original = crypto.subtle[name].bind(crypto.subtle) as (...values: unknown[]) => Promise<unknown>;
    const counted = async (...values: unknown[]): Promise<unknown> => {
      subtle.calls += 1;
      try {
        return await original(...values);
      } finally {
        subtle.calls -= 1;
      }
    };
    Object.defineProperty(crypto.subtle, name, { value: counted, configurable: true });
  }
}

/** Lets everything run that promises have in hand. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 5 || subtle.calls > 0; i = subtle.calls > 0 ? 0 : i + 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export class HandTime {
  #ms = 1_000_000;
  readonly #alarms = new Set<Alarm>();
  #soon: (() => void)[] = [];

  readonly clock: Clock = {
    nowMs: () => 1_799_999_000_000 + this.#ms,
    monotonicMs: () => this.#ms,
  };

  readonly timers: Timers = {
    after: (delayMs, run) => {
      const alarm = { atMs: this.#ms + delayMs, run };
      this.#alarms.add(alarm);
      return () => this.#alarms.delete(alarm);
    },
    soon: (run) => {
      this.#soon.push(run);
    },
  };

  /** How many alarms are set. */
  get alarms(): number {
    return this.#alarms.size;
  }

  /** Ends a turn of the loop, and what follows from it. */
  async turn(): Promise<void> {
    do {
      for (const run of this.#soon.splice(0)) run();
      await settle();
    } while (this.#soon.length > 0);
  }

  /** Moves on, stopping at every alarm on the way. */
  async pass(ms: number): Promise<void> {
    const endMs = this.#ms + ms;
    for (;;) {
      const [next] = [...this.#alarms]
        .filter(({ atMs }) => atMs <= endMs)
        .toSorted((a, b) => a.atMs - b.atMs);
      if (next === undefined) break;
      this.#alarms.delete(next);
      this.#ms = Math.max(this.#ms, next.atMs);
      next.run();
      await this.turn();
    }
    this.#ms = endMs;
    await this.turn();
  }
}
