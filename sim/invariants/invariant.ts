// One property of every execution, and how its violation is reported.

import type { InvariantId } from './ids.ts';
import type { History } from '../world/history.ts';

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
