/**
 * The end of a listener that stopped accepting: when has everybody left?
 *
 * Answers during a drain ask their callers to leave, so connections in use close by themselves. A connection that stays
 * silent is closed once nothing has happened for a while.
 */

const quietMs = 1000;
const checkMs = 50;

export class Drain {
  begun = false;
  /** Open connections of this listener. */
  connections = 0;
  /** Requests that were suspended, and WebSockets, that are not over. */
  inFlight = 0;
  /** Set whenever a request arrives. */
  active = false;

  /** Calls `ended` once: when nothing is left, or after `timeoutMs` whatever is left. */
  begin(timeoutMs: number, ended: () => void): void {
    if (this.begun) return;
    this.begun = true;
    let passedMs = 0;
    let silentMs = 0;
    const timer = setInterval(() => {
      passedMs += checkMs;
      silentMs = this.active || this.inFlight > 0 ? 0 : silentMs + checkMs;
      this.active = false;
      const over = this.inFlight === 0 && (this.connections === 0 || silentMs >= quietMs);
      if (!over && passedMs < timeoutMs) return;
      clearInterval(timer);
      ended();
    }, checkMs);
  }
}
