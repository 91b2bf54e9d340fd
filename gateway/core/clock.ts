/** Time as an argument. JWT times are seconds since the epoch; everything else is milliseconds. */

export interface Clock {
  /** Wall clock, milliseconds since the Unix epoch. May step. */
  readonly nowMs: () => number;
  /** Monotonic, milliseconds from an arbitrary origin that all threads of the process share. Never steps. */
  readonly monotonicMs: () => number;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};
