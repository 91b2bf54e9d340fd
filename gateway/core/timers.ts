/** Waiting as an argument, beside `clock.ts`. Nothing that waits here keeps the process alive. */

export interface Timers {
  /** Calls once, no sooner than `delayMs` from now. What it returns cancels it, at any time. */
  readonly after: (delayMs: number, run: () => void) => () => void;
  /** Calls once, behind everything that this turn of the event loop has in hand. */
  readonly soon: (run: () => void) => void;
}

/** Node cannot wait longer in one piece. */
const delayMsMax = 2 ** 31 - 1;

export const systemTimers: Timers = {
  after: (delayMs, run) => {
    const timer = setTimeout(run, Math.min(delayMs, delayMsMax)).unref();
    return () => clearTimeout(timer);
  },
  soon: (run) => {
    setImmediate(run);
  },
};
