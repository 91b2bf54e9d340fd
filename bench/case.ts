/** What a case of the bench is: one question, the contenders that answer it, and what their figures must show. */
import type { DebianPackage } from './peers/debian.ts';
import type { Gateway, GatewayOptions } from './servers/gateway.ts';
import type { Corpus, CorpusAlgorithm } from './tokens/corpus.ts';

/** What one round of one contender measured, by name of the figure. */
export type Sample = Readonly<Record<string, number>>;

/** How a round went, for the curves of the report. */
export interface Trace {
  /** Pairs of percentile and latency in microseconds, ascending, the last being 100. Closed loop: of the answered alone. */
  readonly latencyUs: readonly (readonly [number, number])[];
  /** Answers in each tenth of a second. Empty in open loop, where the rate is given. */
  readonly answered: readonly number[];
}

export interface Measured {
  readonly figures: Sample;
  readonly trace: Trace | null;
}

export interface Contender {
  readonly name: string;
  /** What it is made of besides this repository; where something is missing, it is left out. */
  readonly needs?: readonly DebianPackage[];
  /** One round, in fresh processes. Throws when an answer was not what it had to be: a wrong answer has no speed. */
  readonly measure: () => Promise<Measured>;
}

export interface Medians {
  /** The median of a figure over the rounds of a contender; NaN where the contender was left out. */
  readonly median: (contender: string, figure: string) => number;
}

export interface Ratio {
  readonly name: string;
  /** NaN is not shown. */
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
  /** How much there is for each contender, where the question is how cost grows with it. */
  readonly sizes?: readonly number[];
  contenders(bench: Bench): Promise<readonly Contender[]>;
  ratios(medians: Medians): readonly Ratio[];
}

export interface Bench {
  /** Length of a measured round. */
  readonly seconds: number;
  /** At least `count` tokens that no gateway has seen; RS256 unless said otherwise. */
  corpus(count: number, algorithm?: CorpusAlgorithm): Promise<Corpus>;
  /** Starts the gateway that is measured. */
  gateway(options: GatewayOptions): Promise<Gateway>;
}
