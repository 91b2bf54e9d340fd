/**
 * Where tokens wait to be verified: a lane for everybody, and a lane for peers that sent forged tokens a moment ago. While
 * tokens wait in both, suspects get a quarter of what is sent; with nobody else waiting they get all of it.
 *
 * Both lanes are first in, first out, and bounded.
 */
import type { Lineage } from './lineage.ts';
import type { LaneName, Pending } from './pending.ts';

/** Removed entries are skipped where they stand, and dropped together when they are many. */
const slackMin = 1024;

class Lane {
  readonly lengthMax: number;
  /** A place is cleared when it is left: a token that nobody waits for is not kept alive by where it stood. */
  #items: (Pending | undefined)[] = [];
  #head = 0;
  length = 0;

  constructor(lengthMax: number) {
    this.lengthMax = lengthMax;
  }

  push(pending: Pending): void {
    if (this.#items.length > 2 * this.length + slackMin) {
      this.#items = this.#items.slice(this.#head).filter((pending) => pending?.state === 'queued');
      this.#head = 0;
    }
    this.#items.push(pending);
    this.length += 1;
  }

  /** For a token that has waited before: it stays in front of those that came later. */
  pushFront(pending: Pending): void {
    if (this.#head === 0) this.#items.unshift(pending);
    else {
      this.#head -= 1;
      this.#items[this.#head] = pending;
    }
    this.length += 1;
  }

  /** The token that waits longest; it stays. */
  first(): Pending | undefined {
    while (this.#head < this.#items.length) {
      const pending = this.#items[this.#head]!;
      if (pending.state === 'queued') return pending;
      this.#leave();
    }
    return undefined;
  }

  /** Takes the first of `lineage`; nothing when another lineage is first. */
  shift(lineage: Lineage): Pending | undefined {
    const pending = this.first();
    if (pending === undefined || pending.lineage !== lineage) return undefined;
    this.#leave();
    this.length -= 1;
    return pending;
  }

  #leave(): void {
    this.#items[this.#head] = undefined;
    this.#head += 1;
    if (this.#head < this.#items.length) return;
    this.#items = [];
    this.#head = 0;
  }
}

export class Lanes {
  readonly #lanes: Readonly<Record<LaneName, Lane>>;
  /** What suspects were owed and did not get, in tokens: small batches add up to their quarter too. */
  #owed = 0;

  constructor(queueMax: number, suspectQueueMax: number) {
    this.#lanes = { fresh: new Lane(queueMax), suspect: new Lane(suspectQueueMax) };
  }

  get length(): number {
    return this.#lanes.fresh.length + this.#lanes.suspect.length;
  }

  lengthOf(lane: LaneName): number {
    return this.#lanes[lane].length;
  }

  /** False when the lane is full. */
  push(pending: Pending): boolean {
    const lane = this.#lanes[pending.lane];
    if (lane.length >= lane.lengthMax) return false;
    pending.state = 'queued';
    lane.push(pending);
    return true;
  }

  /** Puts a token back that was judged once; it was counted before, so the bound lets it in. */
  pushAgain(pending: Pending): void {
    pending.state = 'queued';
    this.#lanes[pending.lane].pushFront(pending);
  }

  /** Takes a queued token out; its state must be set to something else right after. */
  forget(pending: Pending): void {
    this.#lanes[pending.lane].length -= 1;
  }

  /** Takes a token that has waited since `sinceMs` or longer, whichever lane it is in. */
  expired(sinceMs: number): Pending | undefined {
    for (const lane of [this.#lanes.fresh, this.#lanes.suspect]) {
      const pending = lane.first();
      if (pending !== undefined && pending.sinceMs <= sinceMs) return lane.shift(pending.lineage);
    }
    return undefined;
  }

  /** The next tokens to send, at most `count`, all of one lineage. They are still marked as queued. */
  take(count: number): Pending[] {
    const { fresh, suspect } = this.#lanes;
    const lineage = (fresh.first() ?? suspect.first())?.lineage;
    const batch: Pending[] = [];
    if (lineage === undefined) return batch;
    this.#owed = suspect.length === 0 ? 0 : Math.min(count, this.#owed + count / 4);
    const share = Math.min(suspect.length, Math.floor(this.#owed));
    this.#move(fresh, lineage, batch, count - share);
    const before = batch.length;
    this.#move(suspect, lineage, batch, count);
    this.#owed = Math.max(0, this.#owed - (batch.length - before));
    // Suspects of another lineage, or withdrawn ones, left room.
    this.#move(fresh, lineage, batch, count);
    return batch;
  }

  /** The same, of tokens that nobody is suspected for. */
  takeFresh(count: number): Pending[] {
    const { fresh } = this.#lanes;
    const batch: Pending[] = [];
    const lineage = fresh.first()?.lineage;
    if (lineage !== undefined) this.#move(fresh, lineage, batch, count);
    return batch;
  }

  #move(lane: Lane, lineage: Lineage, batch: Pending[], until: number): void {
    while (batch.length < until) {
      const pending = lane.shift(lineage);
      if (pending === undefined) return;
      batch.push(pending);
    }
  }
}
