/**
 * Exemplars: of each bucket of the request durations the trace of a recent request, so that a slow bar in a graph leads to a
 * trace. A thread writes at most one a second for each bucket; main reads at a scrape in the OpenMetrics format.
 *
 *   words (Int32):  | row 0, bucket 0 | row 0, bucket 1 | ...
 *   a bucket's:     | sequence | trace id (4 words) | duration, µs | time, s | time, ms of it |   sequence 0: none yet
 *
 * The sequence is odd while its words are written, and twice the same around a read of whole ones. All of it is atomic: a
 * plain store may be seen before the sequence that guards it.
 */
const wordsOfBucket = 8;
const idWords = 4;
const durationMicrosMax = 2 ** 31 - 1;

/** Writes what follows the value of a bucket: an exemplar, or nothing. */
export type AfterBucket = (row: number, bucket: number) => string;

export function exemplarBytes(rows: number, buckets: number): number {
  return rows * buckets * wordsOfBucket * Int32Array.BYTES_PER_ELEMENT;
}

interface Exemplar {
  readonly traceId: string;
  readonly seconds: number;
  readonly atSeconds: number;
}

export class Exemplars {
  readonly #words: Int32Array;
  readonly #buckets: number;

  /** `buckets` counts that of +Inf. */
  constructor(buffer: SharedArrayBuffer, buckets: number) {
    this.#words = new Int32Array(buffer);
    this.#buckets = buckets;
  }

  /** Only the thread whose these are calls it. `traceId`: 32 hex digits. */
  note(row: number, bucket: number, traceId: string, durationMs: number, nowMs: number): void {
    const words = this.#words;
    const at = (row * this.#buckets + bucket) * wordsOfBucket;
    const atSecond = Math.floor(nowMs / 1000);
    if (Atomics.load(words, at + 6) === atSecond) return;
    const sequence = Atomics.load(words, at);
    Atomics.store(words, at, sequence + 1);
    for (let i = 0; i < idWords; i++)
      Atomics.store(words, at + 1 + i, Number.parseInt(traceId.slice(8 * i, 8 * i + 8), 16));
    Atomics.store(words, at + 5, Math.min(Math.ceil(durationMs * 1000), durationMicrosMax));
    Atomics.store(words, at + 6, atSecond);
    Atomics.store(words, at + 7, Math.floor(nowMs % 1000));
    Atomics.store(words, at, sequence + 2);
  }

  /** Null: there is none, or it is being written. */
  read(row: number, bucket: number): Exemplar | null {
    const words = this.#words;
    const at = (row * this.#buckets + bucket) * wordsOfBucket;
    const sequence = Atomics.load(words, at);
    if (sequence === 0 || sequence % 2 !== 0) return null;
    const [a, b, c, d, micros, second, ms] = [1, 2, 3, 4, 5, 6, 7].map((i) => Atomics.load(words, at + i)) as [
      number, number, number, number, number, number, number,
    ]; // prettier-ignore
    if (Atomics.load(words, at) !== sequence) return null;
    const traceId = [a, b, c, d].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
    return { traceId, seconds: micros / 1e6, atSeconds: second + ms / 1000 };
  }
}

/** What a scrape writes behind the value of a bucket: the latest of all threads. Source: OpenMetrics 1.0, "Exemplars". */
export function exemplarText(threads: readonly Exemplars[]): AfterBucket {
  return (row, bucket) => {
    let latest: Exemplar | null = null;
    for (const thread of threads) {
      const exemplar = thread.read(row, bucket);
      if (exemplar !== null && (latest === null || exemplar.atSeconds > latest.atSeconds)) latest = exemplar;
    }
    if (latest === null) return '';
    return ` # {trace_id="${latest.traceId}"} ${String(latest.seconds)} ${latest.atSeconds.toFixed(3)}`;
  };
}
