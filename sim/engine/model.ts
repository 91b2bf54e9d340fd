// What is simulated: some threads over some words. A model is plain data plus one function per thread.

import { Machine } from './machine.ts';
import { createProgram, type Body } from './program.ts';
import { createValueTable } from './values.ts';

export interface Thread {
  readonly name: string;
  readonly body: Body;
}

export interface Model {
  readonly threads: readonly Thread[];
  /** Words of shared memory, the clock included. */
  readonly words: number;
  /** The word that `tick` reads. */
  readonly clock: number;
  readonly initial?: readonly (readonly [address: number, value: bigint])[];
  readonly nameOf?: (address: number) => string;
  readonly crash?: { readonly thread: number; readonly at: number } | undefined;
  readonly hasty?: number | undefined;
  /** Threads from this index on take part in the liveness stage only. */
  readonly stageTwoFrom?: number | undefined;
}

export function machineOf(model: Model): Machine {
  const values = createValueTable();
  const nameOf = model.nameOf ?? ((address: number) => (address === model.clock ? 'CLK' : `M[${address}]`));
  const options = { values, clock: model.clock, nameOf };
  return new Machine({
    words: model.words,
    values,
    programs: model.threads.map((thread) => createProgram(thread.name, thread.body, options)),
    clock: model.clock,
    initial: model.initial ?? [],
    crash: model.crash,
    hasty: model.hasty,
    stageTwoFrom: model.stageTwoFrom,
  });
}
