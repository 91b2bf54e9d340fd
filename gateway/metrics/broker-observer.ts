/** The broker of one thread, written to the cells of that thread. */
import type { BrokerObserver } from '../oauth/observer.ts';
import type { Recorder } from './recorder.ts';

/** `ordinalOf` gives the ordinal of a provider's name in `LabelIndex`. */
export function observeBroker(recorder: Recorder, ordinalOf: (provider: string) => number): BrokerObserver {
  return {
    flowStarted: (provider) => recorder.flowStarted(ordinalOf(provider)),
    flowJoined: (provider) => recorder.flowJoined(ordinalOf(provider)),
    flowEnded: (provider, state, durationMs) => {
      if (state !== 'pending') recorder.flowEnded(ordinalOf(provider), state, durationMs);
    },
    providerCalled: (provider, step, outcome) => recorder.providerCalled(ordinalOf(provider), step, outcome),
    refreshed: (provider, role, ok) => recorder.refreshed(ordinalOf(provider), role, ok),
    storeFailed: (operation) => recorder.storeFailed(operation),
    waiting: (delta) => recorder.waiting(delta),
  };
}
