// The flight table of one key as a sequential object: a flow under way or none, and the newest generation so far.

import type { Spec } from './wgl.ts';

export type Answer =
  | { readonly what: 'led' | 'joined' | 'joined-ended' | 'failed' | 'shared-failure'; readonly fence: number }
  | { readonly what: 'cancelled' | 'cancel-late'; readonly fence: number }
  /** A start that crashed: it may have published a flow, at any time, or not. */
  | { readonly what: 'crashed' };

export interface KeyState {
  /** The generation under way; 0 = none. */
  readonly pending: number;
  readonly newest: number;
}

export function flightSpec(initial: KeyState): Spec<KeyState, Answer> {
  return { initial, apply, nameOf: (state) => `${state.pending}/${state.newest}` };
}

function apply(state: KeyState, answer: Answer): KeyState | undefined {
  const { pending, newest } = state;
  switch (answer.what) {
    case 'led':
      return pending === 0 && answer.fence > newest
        ? { pending: answer.fence, newest: answer.fence }
        : undefined;
    case 'crashed':
      return pending === 0 ? { pending: newest + 1, newest: newest + 1 } : undefined;
    case 'joined':
      return pending === answer.fence ? state : undefined;
    case 'joined-ended':
      return pending !== answer.fence && answer.fence <= newest ? state : undefined;
    case 'failed':
      return pending === 0 && answer.fence > newest ? { pending: 0, newest: answer.fence } : undefined;
    case 'shared-failure':
      return pending === 0 && answer.fence <= newest ? state : undefined;
    case 'cancelled':
      return pending === answer.fence ? { pending: 0, newest } : undefined;
    case 'cancel-late':
      return pending !== answer.fence ? state : undefined;
  }
}
