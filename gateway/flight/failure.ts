/**
 * Why a flight failed, as the number that stands in its control word. The flight table's own reasons are below
 * `CALLER_CODES`; from there to 4095 the numbers belong to whoever starts flights (a provider's refusals).
 */
export const FAILURES = {
  'provider-failed': 1,
  'provider-timeout': 2,
  'spawn-failed': 3,
  /** The leading thread ended; a start that waited tries again by itself. */
  'owner-died': 4,
  /** The leader stalled past its lease. */
  'lease-lost': 5,
  /** The leader was lost while it persisted: look at the credential store before the next start. */
  'commit-unknown': 6,
  'no-payload-block': 7,
  'payload-oversized': 8,
  'persist-failed': 9,
} as const;

export const CALLER_CODES = 64;
