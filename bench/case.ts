/** What a case of the bench is: one question, the contenders that answer it, and what their figures must show. */
import type { Corpus } from './tokens/corpus.ts';

/** What one round of one contender measured, by name of the figure. */
export type Sample = Readonly<Record<string, number>>;

export interface Contender {
  readonly name: string;
  /** One round, in fresh processes. Throws when an answer was not what it had to be: a wrong answer has no speed. */
  readonly measure: () => Promise<Sample>;
}

export interface Medians {
  /** The median of a figure over the rounds of a contender. */
  readonly median: (contender: string, figure: string) => number;
}

export interface Ratio {
  readonly name: string;
  readonly value: number;
  /** What it must reach: at least, or at most. */
  readonly target: { readonly atLeast: number } | { readonly atMost: number } | null;
}

export interface BenchCase {
  readonly name: string;
  /** What is asked, as a sentence. */
  readonly question: string;
  /** Figures in the order of the table, with their units; the first is the one that counts. */
  readonly figures: Readonly<Record<string, string>>;
  contenders(bench: Bench): Promise<readonly Contender[]>;
  ratios(medians: Medians): readonly Ratio[];
}

export interface Bench {
  /** Length of a measured round. */
  readonly seconds: number;
  /** At least `count` RS256 tokens that no gateway has seen. */
  corpus(count: number): Promise<Corpus>;
}
