/**
 * Lets listeners go before verify workers where cores are few: a listener that has to wait for a slice of a worker's delays
 * every request it has. Linux gives each thread a nice value of its own; elsewhere nothing is changed.
 */
import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';

const niceValue = 5;

/** Lowers the priority of the calling thread. Source: proc(5) `thread-self`; setpriority(2), notes on Linux. */
export function letListenersGoFirst(): void {
  try {
    setPriority(Number(readlinkSync('/proc/thread-self').split('/').at(-1)), niceValue);
  } catch {
    // Not Linux, or no /proc: all threads are equal.
  }
}
