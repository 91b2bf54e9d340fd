/**
 * The keys of all issuers of the configuration in force, on the main thread. Listeners get copies with every change; they
 * ask back when a token names a key that is not here.
 */
import type { IssuerConfig } from '../config/schema.ts';
import type { VerificationKey } from '../../workers/messages.ts';
import { IssuerKeys } from './issuer-keys.ts';
import { placeOf, settingsOf, SharedSource } from './shared-source.ts';
import type { SourceParts } from './shared-source.ts';

export interface IssuerKeysStatus {
  readonly issuer: string;
  /** Are there keys that may be used? */
  readonly available: boolean;
  readonly keys: readonly { readonly kid: string | null; readonly algorithms: readonly string[] }[];
  /** Keys of the set that cannot be used, each with its reason. */
  readonly leftOut: readonly { readonly position: number; readonly reason: string }[];
  /** When the keys were last read or confirmed, monotonic milliseconds; null before the first time. */
  readonly lastGoodMs: number | null;
  readonly maxStaleSeconds: number;
  readonly lastError: string | null;
  readonly nextAttemptInMs: number | null;
  readonly failuresInRow: number;
}

interface Seat {
  readonly issuer: IssuerKeys;
  readonly source: SharedSource;
}

const firstAttemptsMsMax = 10_000;

/** Everything that an issuer's keys depend on. */
const keysText = ({ issuer, algorithms, keys }: IssuerConfig): string =>
  JSON.stringify([issuer, algorithms, keys]);

export class Keyring {
  readonly #parts: SourceParts;
  #seats: readonly Seat[] = [];
  #generation = 0;
  readonly #listeners: (() => void)[] = [];

  constructor(parts: SourceParts) {
    this.#parts = parts;
  }

  /** Rises with every change of keys. */
  get generation(): number {
    return this.#generation;
  }

  /** By issuer, in the order of `configure`; null where none may be used. */
  keys(): readonly (readonly VerificationKey[] | null)[] {
    return this.#seats.map(({ issuer }) => issuer.keys);
  }

  /** Calls when keys have come or gone, except for changes that `configure` makes. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /**
   * Replaces the issuers. What an issuer had before and still asks for the same way is kept, keys and all. New sources get
   * their first attempt, and until those are over (or took too long) nothing changes: then everything does. Never rejects.
   */
  async configure(issuers: Readonly<Record<string, IssuerConfig>>): Promise<void> {
    const before = new Map(this.#seats.map((seat) => [seat.issuer.name, seat]));
    const next = Object.entries(issuers).map(([name, config]) =>
      this.#issuerFor(name, config, before.get(name)?.issuer),
    );
    const places = groupByPlace(next);
    const sources = new Map<string, SharedSource>();
    const started: Promise<unknown>[] = [];
    for (const [place, group] of places) {
      const settingsText = JSON.stringify(settingsOf(group));
      const kept = this.#seats.find(
        ({ source }) => source.place === place && source.settingsText === settingsText,
      );
      if (kept === undefined) {
        const source = new SharedSource(group, this.#parts);
        sources.set(place, source);
        started.push(source.source.start());
        continue;
      }
      // Until the change is made the former issuers go on taking from it too.
      const present = this.#seats.filter(({ source }) => source === kept.source).map(({ issuer }) => issuer);
      sources.set(place, kept.source);
      started.push(kept.source.serve([...new Set([...present, ...group])]));
    }
    await this.#within(firstAttemptsMsMax, Promise.allSettled(started));
    this.#swap(next.map((issuer) => ({ issuer, source: sources.get(placeOf(issuer))! })));
  }

  /**
   * A token of this issuer named a key that is not in the set. Resolves when the fetch that this causes, or caused a moment
   * ago and is still under way, is over and its keys are in place; 'cooldown': there will be none for now.
   */
  unknownKid(issuerIndex: number): 'cooldown' | Promise<void> {
    const seat = this.#seats[issuerIndex];
    if (seat === undefined) return 'cooldown';
    const fetched = seat.source.source.refetch();
    this.#parts.observer.unknownKid(seat.issuer.name, fetched === 'cooldown' ? 'suppressed' : 'fetched');
    return fetched;
  }

  status(): readonly IssuerKeysStatus[] {
    const nowMs = this.#parts.clock.monotonicMs();
    return this.#seats.map(({ issuer, source }) => {
      const { nextAttemptMs, failuresInRow } = source.source.status();
      return {
        issuer: issuer.name,
        available: issuer.keys !== null,
        keys: (issuer.keys ?? []).map(({ kid, algorithms }) => ({ kid, algorithms })),
        leftOut: issuer.leftOut,
        lastGoodMs: issuer.lastGoodMs,
        maxStaleSeconds: issuer.maxStaleSeconds,
        lastError: issuer.lastError,
        nextAttemptInMs: nextAttemptMs === null ? null : Math.max(0, nextAttemptMs - nowMs),
        failuresInRow,
      };
    });
  }

  close(): void {
    this.#swap([]);
  }

  #issuerFor(name: string, config: IssuerConfig, former: IssuerKeys | undefined): IssuerKeys {
    if (former !== undefined && keysText(former.config) === keysText(config)) return former;
    const { clock, timers } = this.#parts;
    const issuer = new IssuerKeys(name, config, { clock, timers, changed: () => this.#changed(issuer) });
    const isAlike =
      former !== undefined &&
      placeOf(former) === placeOf(issuer) &&
      former.config.algorithms.join() === config.algorithms.join();
    if (isAlike) issuer.inherit(former);
    return issuer;
  }

  #changed(issuer: IssuerKeys): void {
    if (!this.#seats.some((seat) => seat.issuer === issuer)) return;
    this.#generation += 1;
    for (const listener of this.#listeners) listener();
  }

  #swap(next: readonly Seat[]): void {
    const former = this.#seats;
    this.#seats = next;
    this.#generation += 1;
    for (const { issuer, source } of former) {
      if (!next.some((seat) => seat.issuer === issuer)) issuer.stop();
      if (!next.some((seat) => seat.source === source)) source.source.stop();
    }
    for (const source of new Set(next.map((seat) => seat.source))) {
      void source.serve(next.filter((seat) => seat.source === source).map(({ issuer }) => issuer));
    }
  }

  /** Waits for `work`, but no longer than this. */
  #within(delayMs: number, work: Promise<unknown>): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#parts.timers.after(delayMs, resolve);
      void work.then(() => {
        cancel();
        resolve();
      });
    });
  }
}

function groupByPlace(issuers: readonly IssuerKeys[]): Map<string, [IssuerKeys, ...IssuerKeys[]]> {
  const places = new Map<string, [IssuerKeys, ...IssuerKeys[]]>();
  for (const issuer of issuers) {
    const place = placeOf(issuer);
    const group = places.get(place);
    if (group === undefined) places.set(place, [issuer]);
    else group.push(issuer);
  }
  return places;
}
