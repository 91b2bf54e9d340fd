/** Timers that ring when a test says so. */
import type { Timers } from '../../gateway/flight/timers.ts';

interface Alarm {
  readonly at: number;
  readonly ring: () => void;
  readonly everyMs: number | null;
}

export class HandTimers implements Timers {
  nowMs = 0;
  readonly #alarms = new Set<Alarm>();

  get pending(): number {
    return this.#alarms.size;
  }

  once(ms: number, ring: () => void): () => void {
    return this.#set({ at: this.nowMs + ms, ring, everyMs: null });
  }

  every(ms: number, ring: () => void): () => void {
    return this.#set({ at: this.nowMs + ms, ring, everyMs: ms });
  }

  #set(alarm: Alarm): () => void {
    this.#alarms.add(alarm);
    return () => void this.#alarms.delete(alarm);
  }

  /** Lets time pass, ringing what falls due in its order; between two rings everything that was woken runs. */
  async pass(ms: number): Promise<void> {
    const end = this.nowMs + ms;
    for (;;) {
      await settled();
      const due = [...this.#alarms].filter((alarm) => alarm.at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#alarms.delete(due);
      this.nowMs = Math.max(this.nowMs, due.at);
      if (due.everyMs !== null) this.#alarms.add({ ...due, at: due.at + due.everyMs });
      due.ring();
    }
    this.nowMs = end;
    await settled();
  }
}

/** Lets promises and native wakes that are due run, without a timer. */
export async function settled(): Promise<void> {
  for (let turns = 0; turns < 8; turns++) await new Promise((resolve) => setImmediate(resolve));
}
