/**
 * A burst of starts on the flight table: 10,000 at the same moment, from 4 real threads, over 100 keys, against a provider
 * that takes 50 ms. Warm comes after twenty other bursts, cold is the first of fresh threads.
 *
 * What it does not show: HTTP, and more threads than cores.
 */
import { burst, type BurstOptions } from '../../sim/real/burst.ts';
import type { BenchCase, Measured } from '../case.ts';

const options: Omit<BurstOptions, 'warmups'> = { threads: 4, starts: 10_000, keys: 100, providerMs: 50 };

export const flightBurst: BenchCase = {
  name: 'flight-burst',
  question: "How much later than the provider's answer do the joiners of a burst get theirs?",
  figures: { beyondProviderMs: 'ms', creations: '1', wrong: '1' },
  contenders: () =>
    Promise.resolve([
      { name: 'warm threads', measure: () => measure(20) },
      { name: 'fresh threads', measure: () => measure(0) },
    ]),
  ratios: ({ median }) => [
    {
      name: 'ms that the 99th percentile of joiners waits beyond the provider',
      value: median('warm threads', 'beyondProviderMs'),
      target: { atMost: 20 },
    },
  ],
};

async function measure(warmups: number): Promise<Measured> {
  const { creations, wrong, joinerP99Ms } = await burst({ ...options, warmups });
  if (creations !== options.keys || wrong !== 0) {
    throw new Error(`${creations} creations for ${options.keys} keys, ${wrong} wrong answers`);
  }
  return {
    figures: { beyondProviderMs: joinerP99Ms - options.providerMs, creations, wrong },
    trace: null,
  };
}
