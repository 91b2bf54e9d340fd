/**
 * The keys of one issuer: the last good set, and how long it may still serve. Content comes from a source that issuers may
 * share; what of it fits this issuer is decided here.
 */
import type { Clock } from '../core/clock.ts';
import type { Timers } from '../core/timers.ts';
import type { IssuerConfig } from '../config/schema.ts';
import { importKeySet, importSecret } from '../token/jwk.ts';
import type { KeyMaterial, KeySet, LeftOut } from '../token/jwk.ts';
import type { VerificationKey } from '../../workers/messages.ts';
import { errorOf, SourceError } from './source.ts';

/** Unique for the life of the process; keys are made on the main thread alone. */
let lastKeyId = 0;

interface HeldKey {
  readonly identity: string;
  readonly key: VerificationKey;
}

export interface IssuerKeysParts {
  readonly clock: Clock;
  readonly timers: Timers;
  /** The keys are other ones than before, or there are none any more. */
  readonly changed: () => void;
}

async function parse(content: Buffer, config: IssuerConfig): Promise<KeySet> {
  const text = content.toString('utf8');
  if (config.keys.secretFile !== undefined || config.keys.secretEnv !== undefined) {
    return { keys: [importSecret(text, config.keys.secretEncoding, config.algorithms)], leftOut: [] };
  }
  return importKeySet(JSON.parse(text), config.algorithms);
}

export class IssuerKeys {
  readonly name: string;
  readonly config: IssuerConfig;
  readonly #parts: IssuerKeysParts;
  #held: readonly HeldKey[] | null = null;
  /** Held too long without a good refresh: not to be used until there is one. */
  #isStale = false;
  #leftOut: readonly LeftOut[] = [];
  #lastGoodMs: number | null = null;
  #lastError: string | null = null;
  #failingSinceMs: number | null = null;
  #cancelExpiry: () => void = () => {};

  constructor(name: string, config: IssuerConfig, parts: IssuerKeysParts) {
    this.name = name;
    this.config = config;
    this.#parts = parts;
    // One that signs nothing has all the keys that it ever will.
    if (config.algorithms.length === 0) this.#held = [];
  }

  /** Null: none were ever had, or the last good ones are too old. */
  get keys(): readonly VerificationKey[] | null {
    return this.#isStale ? null : (this.#held?.map(({ key }) => key) ?? null);
  }

  get leftOut(): readonly LeftOut[] {
    return this.#leftOut;
  }

  /** Monotonic, milliseconds. */
  get lastGoodMs(): number | null {
    return this.#lastGoodMs;
  }

  /** For operators; names no key and no token. Null while all is well. */
  get lastError(): string | null {
    return this.#lastError;
  }

  /** How long these serve after refreshes began to fail; Infinity for what is read from a file or the environment. */
  get maxStaleSeconds(): number {
    return this.#isLocal ? Number.POSITIVE_INFINITY : this.config.keys.maxStaleSeconds;
  }

  /** Takes over from the same issuer of the configuration before: its keys serve until there are own ones. */
  inherit(former: IssuerKeys): void {
    if (this.#held !== null) return;
    this.#held = former.#held;
    this.#isStale = former.#isStale;
    this.#lastGoodMs = former.#lastGoodMs;
  }

  /** Replaces the keys by those of `content`, if it has any that can be used; else keeps what there is. */
  async take(content: Buffer): Promise<boolean> {
    let set: KeySet;
    try {
      set = await parse(content, this.config);
    } catch (error) {
      // A parser's message may quote the text, and the text may be a secret.
      this.failed(error instanceof SyntaxError ? new SourceError('not JSON') : errorOf(error), true);
      return false;
    }
    this.#leftOut = set.leftOut;
    const wasStale = this.#isStale;
    this.#refreshed();
    if (this.#hold(set.keys) || wasStale) this.#parts.changed();
    return true;
  }

  /** What is held is what the source has. */
  confirm(): void {
    const wasStale = this.#isStale;
    this.#refreshed();
    if (wasStale) this.#parts.changed();
  }

  /** The source has nothing to offer. Refreshes that fail let the keys grow old. */
  failed(error: Error, isRefresh: boolean): void {
    this.#lastError = error.message;
    if (!isRefresh || this.#failingSinceMs !== null || this.#isLocal) return;
    this.#failingSinceMs = this.#parts.clock.monotonicMs();
    this.#cancelExpiry = this.#parts.timers.after(this.config.keys.maxStaleSeconds * 1000, () =>
      this.#expire(),
    );
  }

  stop(): void {
    this.#cancelExpiry();
  }

  /** What was read from a file or the environment stays good: nobody withdraws it by being away. */
  get #isLocal(): boolean {
    const { keys } = this.config;
    return keys.jwksUri === undefined && keys.discovery === undefined;
  }

  #refreshed(): void {
    this.#isStale = false;
    this.#lastGoodMs = this.#parts.clock.monotonicMs();
    this.#lastError = null;
    this.#failingSinceMs = null;
    this.#cancelExpiry();
  }

  /** True when these are other keys than before. */
  #hold(materials: readonly KeyMaterial[]): boolean {
    const former = new Map(this.#held?.map((held) => [held.identity, held]));
    const held = materials.map(
      ({ identity, kid, algorithms, key }) =>
        former.get(identity) ?? { identity, key: { keyId: (lastKeyId += 1), kid, algorithms, key } },
    );
    const isSame =
      this.#held !== null &&
      held.length === former.size &&
      held.every(({ identity }) => former.has(identity));
    this.#held = held;
    return !isSame;
  }

  #expire(): void {
    this.#isStale = true;
    if (this.#held !== null) this.#parts.changed();
  }
}
