/** Time that passes, as an argument: whoever waits in this folder is handed one of these. */
export interface Timers {
  /** Calls `ring` once after `ms`, and keeps the process alive until then. Returns how to call it off. */
  once(ms: number, ring: () => void): () => void;
  /** Calls `ring` every `ms`, without keeping the process alive. Returns how to stop it. */
  every(ms: number, ring: () => void): () => void;
}

export const realTimers: Timers = {
  once(ms, ring) {
    const timer = setTimeout(ring, ms);
    return () => clearTimeout(timer);
  },
  every(ms, ring) {
    const timer = setInterval(ring, ms);
    timer.unref();
    return () => clearInterval(timer);
  },
};
