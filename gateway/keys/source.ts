/** Where keys come from, as the keyring sees it: something that reports content, again and again, until it is stopped. */

export interface SourceStatus {
  /** Monotonic, milliseconds; null before the first attempt, or when there will be no further one. */
  readonly lastAttemptMs: number | null;
  readonly nextAttemptMs: number | null;
  readonly failuresInRow: number;
}

/** Who takes the content. `taken` comes back when it has been put to use, and tells whether it could be. */
export interface SourceOwner {
  taken(content: Buffer): Promise<boolean>;
  /** The content is the one that was taken last. */
  unchanged(): void;
  /** There is no content. Not called when `taken` could not use it. `isRefresh`: a scheduled attempt failed, so what is held grows stale; else one that somebody asked for. */
  failed(error: Error, isRefresh: boolean): void;
  /** One attempt is over. Not called for files. */
  attempted(outcome: 'changed' | 'unchanged' | 'failed', durationMs: number): void;
}

export interface KeySource {
  /** Begins. Resolves when the first attempt is over, however it went. */
  start(): Promise<void>;
  stop(): void;
  /** Somebody met an unknown key. Resolves when another attempt is over; 'cooldown': there was one a moment ago. */
  refetch(): 'cooldown' | Promise<void>;
  status(): SourceStatus;
}

/** The text or document cannot be what it should be. */
export class SourceError extends Error {
  override readonly name = 'SourceError';
}

/** The owner could not use the content, and knows why. */
export class UnusableContent extends SourceError {}

/** Any thrown value as an Error. */
export function errorOf(value: unknown): Error {
  return value instanceof Error ? value : new Error(String(value));
}
