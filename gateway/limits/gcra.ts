/**
 * The generic cell rate algorithm: a rate with room for a burst, in one number per key, the time at which all of the room
 * is back. Pure. Source: ITU-T I.371 annex A, as "virtual scheduling".
 */

export interface Pace {
  /** Time that one request takes up. */
  readonly spacingUs: number;
  /** Time that may be taken up in advance: the spacing, times the burst. */
  readonly spanUs: number;
}

export function paceOf(requests: number, perSeconds: number, burst: number): Pace {
  const spacingUs = Math.max(1, Math.round((perSeconds * 1_000_000) / requests));
  return { spacingUs, spanUs: spacingUs * burst };
}

/** When all would be back after one more request at `nowUs`; null when it does not conform. `backUs` may have passed. */
export function afterOne({ spacingUs, spanUs }: Pace, backUs: number, nowUs: number): number | null {
  const nextUs = Math.max(backUs, nowUs) + spacingUs;
  return nextUs - nowUs <= spanUs ? nextUs : null;
}

/** Requests that conform at once. */
export function remainingAt({ spacingUs, spanUs }: Pace, backUs: number, nowUs: number): number {
  return Math.max(0, Math.floor((spanUs - Math.max(0, backUs - nowUs)) / spacingUs));
}

/** How long until the next request conforms; 0 when one does. */
export function waitUs({ spacingUs, spanUs }: Pace, backUs: number, nowUs: number): number {
  return Math.max(0, Math.max(backUs, nowUs) + spacingUs - nowUs - spanUs);
}
