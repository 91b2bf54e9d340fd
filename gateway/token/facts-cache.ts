/**
 * Facts of verified tokens, by the whole token. The map is keyed by the end of the signature and the rest is compared:
 * engines hash every character of a key that they see for the first time, which costs 1 µs for a token, and comparing
 * costs a tenth of that. A token that ends like another one but is not the same is not found.
 *
 * Bounded by entries and by bytes; what goes is chosen by SIEVE (Zhang et al., NSDI 2024): a hit sets one bit, and a hand
 * moves from the oldest entry to the newest and takes the first that was not hit since it last came by.
 *
 *   newest ◀── next ── entry ── prev ──▶ … ──▶ oldest        the hand and the sweeper move from oldest to newest
 */
import type { Facts } from '../core/facts.ts';

/** Tolerance of `exp` that any issuer may be given (configuration: `leeway_seconds`). */
export const leewaySecondsMax = 300;
/** What an entry takes besides its strings and words; measured with heap snapshots, rounded up. */
const entryBytes = 480;
/** Entries looked at for expiry with each insertion: more leave than come, so the dead do not pile up. */
const sweptPerInsert = 2;

/** Characters of the signature's end that an entry is found by: 24 bytes that nobody but the signer can choose. */
const tailLength = 32;

export interface CachedFacts {
  readonly token: string;
  readonly tail: string;
  readonly facts: Facts;
  readonly algorithm: string;
  readonly bytes: number;
  visited: boolean;
  /** Towards the newest. */
  next: CachedFacts | null;
  /** Towards the oldest. */
  prev: CachedFacts | null;
}

function estimateBytes(token: string, facts: Facts): number {
  let bytes = entryBytes + token.length + 8 * (facts.scopes.length + facts.audiences.length);
  bytes += 2 * (facts.subject?.length ?? 0);
  for (const claim of facts.claims) bytes += typeof claim === 'string' ? claim.length + 24 : 8;
  return bytes;
}

export class FactsCache {
  readonly #entriesMax: number;
  readonly #bytesMax: number;
  readonly #entries = new Map<string, CachedFacts>();
  #bytes = 0;
  #newest: CachedFacts | null = null;
  #oldest: CachedFacts | null = null;
  #hand: CachedFacts | null = null;
  #sweeper: CachedFacts | null = null;

  constructor(entriesMax: number, bytesMax: number) {
    this.#entriesMax = entriesMax;
    this.#bytesMax = bytesMax;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Estimated. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Cost: 0.3 µs for a token of 800 characters that was never seen as a string before. */
  get(token: string): CachedFacts | undefined {
    const entry = this.#entries.get(token.slice(-tailLength));
    if (entry === undefined || entry.token !== token) return undefined;
    entry.visited = true;
    return entry;
  }

  /** Keeps facts unless they have expired for everybody. Returns how many entries made room. */
  insert(token: string, facts: Facts, algorithm: string, nowSeconds: number): number {
    if (facts.expSeconds + leewaySecondsMax <= nowSeconds) return 0;
    // A copy, and flat: that is what look-ups compare fastest with.
    const tail = Buffer.from(token.slice(-tailLength), 'latin1').toString('latin1');
    const known = this.#entries.get(tail);
    if (known !== undefined) this.remove(known);
    this.#sweep(nowSeconds);
    const bytes = estimateBytes(token, facts);
    if (this.#entriesMax === 0 || bytes > this.#bytesMax) return 0;
    let evicted = 0;
    while (this.#entries.size >= this.#entriesMax || this.#bytes + bytes > this.#bytesMax) {
      this.#evict();
      evicted += 1;
    }
    const entry: CachedFacts = {
      token,
      tail,
      facts,
      algorithm,
      bytes,
      visited: false,
      next: null,
      prev: this.#newest,
    };
    if (this.#newest !== null) this.#newest.next = entry;
    this.#newest = entry;
    this.#oldest ??= entry;
    this.#entries.set(tail, entry);
    this.#bytes += bytes;
    return evicted;
  }

  remove(entry: CachedFacts): void {
    if (this.#entries.get(entry.tail) !== entry) return;
    this.#entries.delete(entry.tail);
    this.#bytes -= entry.bytes;
    if (this.#hand === entry) this.#hand = entry.next;
    if (this.#sweeper === entry) this.#sweeper = entry.next;
    if (entry.next === null) this.#newest = entry.prev;
    else entry.next.prev = entry.prev;
    if (entry.prev === null) this.#oldest = entry.next;
    else entry.prev.next = entry.next;
    entry.next = null;
    entry.prev = null;
  }

  clear(): void {
    this.#entries.clear();
    this.#bytes = 0;
    this.#newest = null;
    this.#oldest = null;
    this.#hand = null;
    this.#sweeper = null;
  }

  #evict(): void {
    // At most one round clears every bit, so the second finds one.
    let entry = this.#hand ?? this.#oldest;
    while (entry !== null && entry.visited) {
      entry.visited = false;
      entry = entry.next ?? this.#oldest;
    }
    if (entry === null) return;
    this.#hand = entry.next;
    this.remove(entry);
  }

  #sweep(nowSeconds: number): void {
    for (let i = 0; i < sweptPerInsert; i += 1) {
      const entry: CachedFacts | null = this.#sweeper ?? this.#oldest;
      if (entry === null) return;
      this.#sweeper = entry.next;
      if (entry.facts.expSeconds + leewaySecondsMax <= nowSeconds) this.remove(entry);
    }
  }
}
