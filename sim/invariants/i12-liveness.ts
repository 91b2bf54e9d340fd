import type { History } from '../world/history.ts';
import type { Invariant } from './invariant.ts';

export const liveness: Invariant = {
  id: 'I12',
  title: 'every start returns with an answer, and afterwards a fresh start wins',
  check,
};

function check(history: History): ReturnType<Invariant['check']> {
  const { plan } = history.world;
  const step = history.steps - 1;
  if (history.end === 'wedged') {
    return {
      invariant: 'I12',
      step,
      why: `thread ${history.asleep.join(' and ')} sleeps for ever: nobody is left to wake it`,
    };
  }
  if (history.end === 'runaway') {
    return { invariant: 'I12', step, why: `no end in sight after ${history.steps} steps` };
  }
  for (const { step: at, thread, note } of history.said) {
    if (note.what === 'contended') {
      return {
        invariant: 'I12',
        step: at,
        why: `thread ${thread} gave up: others were faster too many times`,
      };
    }
    if (note.what === 'waited-out' && plan.anyClock !== true && plan.mayWait !== true) {
      return {
        invariant: 'I12',
        step: at,
        why: `thread ${thread} waited until its deadline and was given nothing`,
      };
    }
    if (note.what === 'probe:lost' && plan.mayRefuse !== true) {
      return {
        invariant: 'I12',
        step: at,
        why: `long afterwards a fresh start on ${note.key} still cannot win`,
      };
    }
  }
  return undefined;
}
