// What a machine is made of.

import type { Program } from './program.ts';
import type { ValueTable } from './values.ts';

export interface MachineOptions {
  readonly words: number;
  readonly values: ValueTable;
  readonly programs: readonly Program[];
  readonly clock: number;
  readonly initial: readonly (readonly [address: number, value: bigint])[];
  /** A thread that dies instead of taking its step number `at` (0 is its first). */
  readonly crash?: { readonly thread: number; readonly at: number } | undefined;
  /** How many waits of each thread a timer may end at any moment, not only when nothing else can move. */
  readonly hasty?: number | undefined;
  /** Threads from this index on move in the second stage only, when the others have come to rest. */
  readonly stageTwoFrom?: number | undefined;
}
