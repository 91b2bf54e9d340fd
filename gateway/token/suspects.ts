/**
 * Peers whose tokens were refused a moment ago. Their next tokens wait in a lane of their own (`lanes.ts`), so that a flood
 * of forged tokens takes from other forgers what it takes. A score per address, halved every few seconds; bounded.
 */
import type { Clock } from '../core/clock.ts';
import { GenerationMap } from './generations.ts';

const addressesMax = 8192;
const halfLifeMs = 5000;
/** A few bad tokens are a client with an old one, not a flood. */
const suspectFrom = 4;
/** So that suspicion ends some 20 seconds after the flood did. */
const scoreMax = 64;

interface Score {
  value: number;
  atMs: number;
}

export class Suspects {
  readonly #clock: Clock;
  readonly #scores = new GenerationMap<Score>(addressesMax);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  isSuspect(address: string | null): boolean {
    if (address === null) return false;
    const score = this.#scores.get(address);
    return score !== undefined && this.#present(score) >= suspectFrom;
  }

  /** A token of this peer was judged and refused. */
  refused(address: string | null): void {
    if (address === null) return;
    const atMs = this.#clock.monotonicMs();
    const score = this.#scores.get(address);
    if (score === undefined) {
      this.#scores.set(address, { value: 1, atMs });
      return;
    }
    score.value = Math.min(scoreMax, this.#present(score) + 1);
    score.atMs = atMs;
  }

  #present(score: Score): number {
    return score.value * 2 ** ((score.atMs - this.#clock.monotonicMs()) / halfLifeMs);
  }
}
