/**
 * How much later than the provider's answer do the joiners of a burst get theirs?
 *
 * 10,000 starts at the same moment, from 4 real threads, over 100 keys, against a provider that takes 50 ms. Cold is the
 * first burst of fresh threads; warm comes after twenty others. What it does not show: HTTP, and more threads than cores.
 */
import { availableParallelism } from 'node:os';
import { pathToFileURL } from 'node:url';
import { burst } from '../../sim/real/burst.ts';
import type { BurstOptions, BurstReport } from '../../sim/real/burst.ts';

const BURST: Omit<BurstOptions, 'warmups'> = { threads: 4, starts: 10_000, keys: 100, providerMs: 50 };
const RUNS = 5;
/** The most that a joiner may wait beyond the provider, at the 99th percentile of a warm burst. */
const OVERHEAD_MS_MAX = 20;

export interface FlightBurstResult {
  readonly options: typeof BURST;
  readonly node: string;
  readonly cores: number;
  readonly cold: readonly BurstReport[];
  readonly warm: readonly BurstReport[];
  /** The median of the warm runs' 99th percentiles, less the provider's time. */
  readonly overheadP99Ms: number;
  readonly passed: boolean;
}

export async function flightBurst(): Promise<FlightBurstResult> {
  const cold: BurstReport[] = [];
  const warm: BurstReport[] = [];
  for (let run = 0; run < RUNS; run++) {
    cold.push(await burst({ ...BURST, warmups: 0 }));
    warm.push(await burst({ ...BURST, warmups: 20 }));
  }
  const right = [...cold, ...warm].every(({ creations, wrong }) => creations === BURST.keys && wrong === 0);
  const overheadP99Ms = median(warm.map(({ joinerP99Ms }) => joinerP99Ms)) - BURST.providerMs;
  return {
    options: BURST,
    node: process.version,
    cores: availableParallelism(),
    cold,
    warm,
    overheadP99Ms,
    passed: right && overheadP99Ms <= OVERHEAD_MS_MAX,
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const result = await flightBurst();
  console.log(JSON.stringify(result, null, 2));
  process.exitCode = result.passed ? 0 : 1;
}
