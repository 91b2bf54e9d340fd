/**
 * What a listener remembers of tokens: facts as long as their key is in its set, refusals for one version of the profile.
 * Facts are no verdict: time, route and scopes are decided for every request anew.
 */
import { refusals } from '../core/errors.ts';
import type { Refusal } from '../core/errors.ts';
import type { Facts } from '../core/facts.ts';
import type { Outcome, VerifierProfile } from '../../workers/messages.ts';
import { FactsCache } from './facts-cache.ts';
import { isRejection } from './judge.ts';
import { liveKeysOf } from './lineage.ts';
import { RefusedTokens } from './refused-tokens.ts';
import type { VerifierObserver, VerifierOptions } from './verifier-parts.ts';

/** What a fetch of keys could turn around, or was our own failure, is not kept. */
const isKept = (refusal: Refusal): boolean =>
  refusal.source !== 'gateway' && refusal !== refusals.token_key_unknown;

export class Memory {
  readonly #facts: FactsCache;
  readonly #refused: RefusedTokens;
  readonly #observer: VerifierObserver;
  #version: number;
  #liveKeys: Uint8Array;

  constructor(profile: VerifierProfile, options: VerifierOptions, observer: VerifierObserver) {
    this.#facts = new FactsCache(options.cacheEntries, options.cacheBytes);
    this.#refused = new RefusedTokens(options.negativeEntries);
    this.#observer = observer;
    this.#version = profile.version;
    this.#liveKeys = liveKeysOf(profile);
  }

  /** By key id: 1 while the key is in its set. */
  get liveKeys(): Uint8Array {
    return this.#liveKeys;
  }

  /** Another profile holds. `isAlike`: it differs in keys alone. */
  renew(profile: VerifierProfile, isAlike: boolean): void {
    if (!isAlike) this.#facts.clear();
    this.#refused.clear();
    this.#version = profile.version;
    this.#liveKeys = liveKeysOf(profile);
  }

  /** What is remembered of this very token. */
  find(token: string): Facts | Refusal | undefined {
    const entry = this.#facts.get(token);
    if (entry !== undefined) {
      if (this.#liveKeys[entry.facts.keyId] === 1) {
        this.#observer.tokenSeen(entry.algorithm, 'accepted', 'hit');
        return entry.facts;
      }
      this.#facts.remove(entry);
    }
    const kept = this.#refused.find(token);
    if (kept === undefined) return undefined;
    this.#observer.tokenSeen(kept.algorithm, 'refused', 'negative');
    return kept.refusal;
  }

  /**
   * Remembers an outcome that was judged under `version` of a profile that differs from the present one in keys alone, and
   * returns it as callers know it. A refusal of another version says nothing about this one.
   */
  keep(
    token: string,
    algorithm: string,
    outcome: Outcome,
    version: number,
    nowSeconds: number,
  ): Facts | Refusal {
    if (!isRejection(outcome)) {
      const evicted = this.#facts.insert(token, outcome, algorithm, nowSeconds);
      if (evicted > 0) this.#observer.cacheEvicted(evicted);
      return outcome;
    }
    const refusal = refusals[outcome.code];
    if (isKept(refusal) && version === this.#version) this.#refused.keep(token, refusal, algorithm);
    return refusal;
  }

  /** Tells how much is remembered. */
  report(): void {
    this.#observer.cacheHolds(this.#facts.size, this.#facts.bytes);
  }
}
