// Is there an order of these overlapping calls, consistent with real time, in which each answer is the sequential
// one? (Wing and Gong 1993, with Lowe's memo on the set of linearized calls and the state.)

export interface Call<R> {
  readonly result: R;
  /** When it began and when it returned; Infinity when it never did, and it may then take effect or not. */
  readonly called: number;
  readonly returned: number;
}

export interface Spec<S, R> {
  readonly initial: S;
  /** The state after a call that answered so, or undefined when it could not have. */
  readonly apply: (state: S, result: R) => S | undefined;
  readonly nameOf: (state: S) => string;
}

/** The longest order found; it is a proof when it holds every call that returned. */
export interface Verdict {
  readonly linearizable: boolean;
  readonly longest: readonly number[];
}

export function linearize<S, R>(calls: readonly Call<R>[], spec: Spec<S, R>): Verdict {
  if (calls.length > 30) throw new RangeError('at most 30 calls: sets of calls are bit masks');
  let required = 0;
  calls.forEach((call, at) => {
    if (call.returned !== Infinity) required |= 1 << at;
  });
  const seen = new Set<string>();
  const order: number[] = [];
  let longest: readonly number[] = [];

  function search(done: number, state: S): boolean {
    if ((done & required) === required) return true;
    const memo = `${done}|${spec.nameOf(state)}`;
    if (seen.has(memo)) return false;
    seen.add(memo);
    // A call may come next if no call that is still missing had returned before it began.
    let horizon = Infinity;
    calls.forEach((call, at) => {
      if (!((done >>> at) & 1) && call.returned < horizon) horizon = call.returned;
    });
    for (let at = 0; at < calls.length; at++) {
      const call = calls[at] as Call<R>;
      if ((done >>> at) & 1 || call.called > horizon) continue;
      const next = spec.apply(state, call.result);
      if (next === undefined) continue;
      order.push(at);
      if (order.length > longest.length) longest = [...order];
      if (search(done | (1 << at), next)) return true;
      order.pop();
    }
    return false;
  }

  const linearizable = search(0, spec.initial);
  return { linearizable, longest: linearizable ? [...order] : longest };
}
