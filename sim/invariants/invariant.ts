// One property of every execution, and how its violation is reported.

import type { History } from '../world/history.ts';

export type InvariantId = `I${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15 | 16}`;

export interface Violation {
  readonly invariant: InvariantId;
  /** The step that broke it; the last step when it shows at the end only. */
  readonly step: number;
  /** One sentence: what is wrong, in terms of threads, slots and generations. */
  readonly why: string;
}

export interface Invariant {
  readonly id: InvariantId;
  readonly title: string;
  readonly check: (history: History) => Violation | undefined;
}
