/**
 * Tokens that were refused, so that the same one is not verified again: by the SHA-256 of the whole token, never by a part.
 *
 * The tokens themselves are let go. Kept as strings, a flood of forged ones (5,000 a second) outlived every scavenge of the
 * listener's heap, and copying them stopped its event loop for 6 to 10 ms, three times a second.
 */
import { hash } from 'node:crypto';
import type { Refusal } from '../core/errors.ts';
import { GenerationMap } from './generations.ts';

export interface KeptRefusal {
  readonly refusal: Refusal;
  readonly algorithm: string;
}

export class RefusedTokens {
  readonly #byDigest: GenerationMap<KeptRefusal>;
  /** One object for each pair: there are a few dozen refusals and a dozen algorithms. */
  readonly #pairs = new Map<Refusal, Map<string, KeptRefusal>>();

  constructor(entriesMax: number) {
    this.#byDigest = new GenerationMap(entriesMax);
  }

  /** Cost: 1 µs for a token of 800 characters, nothing while no token was refused. */
  find(token: string): KeptRefusal | undefined {
    return this.#byDigest.size === 0 ? undefined : this.#byDigest.get(digestOf(token));
  }

  keep(token: string, refusal: Refusal, algorithm: string): void {
    this.#byDigest.set(digestOf(token), this.#pair(refusal, algorithm));
  }

  clear(): void {
    this.#byDigest.clear();
  }

  #pair(refusal: Refusal, algorithm: string): KeptRefusal {
    let byAlgorithm = this.#pairs.get(refusal);
    if (byAlgorithm === undefined) this.#pairs.set(refusal, (byAlgorithm = new Map<string, KeptRefusal>()));
    let pair = byAlgorithm.get(algorithm);
    if (pair === undefined) byAlgorithm.set(algorithm, (pair = { refusal, algorithm }));
    return pair;
  }
}

const digestOf = (token: string): string => hash('sha256', token, 'base64url');
