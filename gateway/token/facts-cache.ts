/**
 * Facts of verified tokens, by the whole token.
 *
 * The text of tokens lies in pages outside of the engine's heap, in the order in which they came: as strings, every one of
 * them would be copied twice by the scavenger on its way to being old. A hash of the signature's end finds an entry and the
 * whole text is compared, which costs a quarter of hashing it. A token that ends like another one but is not the same is
 * not found.
 *
 *   oldest page ─▶ … ─▶ newest page        a page: | text | text | text |   room   |   and its entries, in the same order
 *
 * Bounded by entries and by bytes: where one more does not fit, the oldest page goes. Those of its entries that were hit
 * since they were written move on to the newest page (CLOCK with pages for a hand; Corbató, 1968). A hit pays for one move
 * at most, and making room never costs more than a page.
 */
import type { Facts } from '../core/facts.ts';
import { tailHash } from '../core/tail-hash.ts';

/** Tolerance of `exp` that any issuer may be given (configuration: `leeway_seconds`). */
export const leewaySecondsMax = 300;
/** What an entry takes besides the text of its token: 290 bytes with one-word masks; measured over 200,000, rounded up. */
const entryBytes = 320;
/** Of text; no token that is verified is longer. */
const pageBytesMax = 131_072;
/** A small cache gives up a sixteenth of itself at a time. */
const pagesMin = 16;
/** Entries whose text is kept as a string, too. */
const recentMax = 512;

interface Page {
  readonly text: Buffer;
  readonly entries: CachedFacts[];
  /** Bytes of text written. */
  written: number;
  /** Entries that can still be found. */
  live: number;
}

export interface CachedFacts {
  readonly facts: Facts;
  readonly algorithm: string;
  readonly hash: number;
  readonly length: number;
  readonly weight: number;
  page: Page;
  offset: number;
  /** Was hit since it was written. */
  visited: boolean;
}

function estimateBytes(token: string, facts: Facts): number {
  let bytes = entryBytes + token.length + 8 * (facts.scopes.length + facts.audiences.length);
  bytes += 2 * (facts.subject?.length ?? 0) + (facts.certificate?.length ?? 0);
  for (const claim of facts.claims) bytes += typeof claim === 'string' ? claim.length + 24 : 8;
  return bytes;
}

const isExpired = ({ facts }: CachedFacts, nowSeconds: number): boolean =>
  facts.expSeconds + leewaySecondsMax <= nowSeconds;

export class FactsCache {
  readonly #entriesMax: number;
  readonly #bytesMax: number;
  readonly #pageEntriesMax: number;
  readonly #pageBytes: number;
  readonly #entries = new Map<number, CachedFacts>();
  /** From the oldest to the newest, which is written to. */
  #pages: Page[] = [];
  /** Text of the page that went last, for the next one. */
  #spare: Buffer | null = null;
  /**
   * By the end of the hash: the entry that was found there last and, if it was found twice in a row, its token. To compare
   * strings takes 30 ns, and to make one of bytes first 190; of tokens that come now and then none is kept (see above).
   */
  readonly #recent: (CachedFacts | undefined)[] = Array.from({ length: recentMax }, () => undefined);
  readonly #recentTokens: string[] = Array.from({ length: recentMax }, () => '');
  #bytes = 0;
  #swept = 0;

  constructor(entriesMax: number, bytesMax: number) {
    this.#entriesMax = entriesMax;
    this.#bytesMax = bytesMax;
    this.#pageEntriesMax = Math.ceil(entriesMax / pagesMin);
    this.#pageBytes = Math.min(pageBytesMax, Math.floor(bytesMax / pagesMin));
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Estimated. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Cost: 0.1 µs for a token of 800 characters that comes often, else 0.2 µs. */
  get(token: string): CachedFacts | undefined {
    const entry = this.#entries.get(tailHash(token));
    if (entry === undefined) return undefined;
    const place = entry.hash & (recentMax - 1);
    const isRecent = this.#recent[place] === entry;
    if (!isRecent || this.#recentTokens[place] !== token) {
      if (!isTextOf(entry, token)) return undefined;
      this.#recent[place] = entry;
      this.#recentTokens[place] = isRecent ? token : '';
    }
    entry.visited = true;
    return entry;
  }

  /**
   * Keeps facts unless they have expired for everybody, or the token is larger than a page. One in a billion pairs of tokens has
   * one hash: then the later one stays. Returns how many entries made room.
   */
  insert(token: string, facts: Facts, algorithm: string, nowSeconds: number): number {
    const weight = estimateBytes(token, facts);
    if (this.#entriesMax === 0 || token.length > this.#pageBytes || weight > this.#bytesMax) return 0;
    if (facts.expSeconds + leewaySecondsMax <= nowSeconds) return 0;
    const hash = tailHash(token);
    const known = this.#entries.get(hash);
    if (known !== undefined) this.remove(known);
    const [page, evicted] = this.#pageFor(token.length, weight, nowSeconds);
    const entry = {
      facts,
      algorithm,
      hash,
      length: token.length,
      weight,
      page,
      offset: page.written,
      visited: false,
    };
    page.text.write(token, page.written, 'latin1');
    this.#add(page, entry);
    this.#entries.set(hash, entry);
    return evicted;
  }

  remove(entry: CachedFacts): void {
    if (this.#entries.get(entry.hash) !== entry) return;
    this.#entries.delete(entry.hash);
    this.#bytes -= entry.weight;
    entry.page.live -= 1;
  }

  clear(): void {
    this.#entries.clear();
    this.#recent.fill(undefined);
    this.#recentTokens.fill('');
    this.#pages = [];
    this.#spare = null;
    this.#bytes = 0;
  }

  #add(page: Page, entry: CachedFacts): void {
    page.entries.push(entry);
    page.written += entry.length;
    page.live += 1;
    this.#bytes += entry.weight;
  }

  /** The page that one more entry fits on, and how many entries went for it. */
  #pageFor(length: number, weight: number, nowSeconds: number): [Page, number] {
    const newest = this.#pages.at(-1);
    if (newest !== undefined && this.#hasRoom(weight) && this.#fits(newest, length)) return [newest, 0];
    this.#sweep(nowSeconds);
    const text = this.#spare ?? Buffer.allocUnsafeSlow(this.#pageBytes);
    this.#spare = null;
    const page = { text, entries: [], written: 0, live: 0 };
    let evicted = 0;
    for (
      let moves = true;
      !this.#hasRoom(weight) || this.#pages.length * this.#pageBytes >= this.#bytesMax;
    ) {
      evicted += this.#moveOn(this.#pages.shift()!, page, moves ? length : Infinity, nowSeconds);
      // Nothing moves from a second one: there must be an end.
      moves = false;
    }
    this.#pages.push(page);
    return [page, evicted];
  }

  #hasRoom(weight: number): boolean {
    return this.#entries.size < this.#entriesMax && this.#bytes + weight <= this.#bytesMax;
  }

  /** Is there place for one more entry, with `length` bytes of text? */
  #fits(page: Page, length: number): boolean {
    return page.entries.length < this.#pageEntriesMax && page.written + length <= this.#pageBytes;
  }

  /** Moves what was hit from a page that goes to one that comes, as long as one more entry of `length` bytes fits there. */
  #moveOn(from: Page, to: Page, length: number, nowSeconds: number): number {
    let evicted = 0;
    for (const entry of from.entries) {
      if (this.#entries.get(entry.hash) !== entry) continue;
      this.#bytes -= entry.weight;
      const moves =
        entry.visited &&
        !isExpired(entry, nowSeconds) &&
        to.entries.length + 1 < this.#pageEntriesMax &&
        this.#fits(to, entry.length + length);
      if (!moves) {
        this.#entries.delete(entry.hash);
        evicted += 1;
        continue;
      }
      from.text.copy(to.text, to.written, entry.offset, entry.offset + entry.length);
      entry.page = to;
      entry.offset = to.written;
      entry.visited = false;
      this.#add(to, entry);
    }
    this.#spare = from.text;
    return evicted;
  }

  /** Looks through two pages for entries that have expired, and gives up pages without any other: more leave than come. */
  #sweep(nowSeconds: number): void {
    for (let i = 0; i < 2 && this.#pages.length > 0; i += 1) {
      this.#swept = (this.#swept + 1) % this.#pages.length;
      const page = this.#pages[this.#swept]!;
      for (const entry of page.entries) if (isExpired(entry, nowSeconds)) this.remove(entry);
      if (page.live === 0) this.#pages.splice(this.#swept, 1);
    }
  }
}

function isTextOf({ page, offset, length }: CachedFacts, token: string): boolean {
  return length === token.length && page.text.toString('latin1', offset, offset + length) === token;
}
