/** How many threads: what `auto` means. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

export interface ThreadCounts {
  readonly listeners: number;
  /** Verify workers of each listener. */
  readonly verifiersPerListener: number;
}

type Setting = 'auto' | number;

/**
 * Listeners and verify workers for `cores` cores.
 *
 * A listener that only finds known tokens serves about four times the requests that a worker verifies new tokens for, so
 * one worker beside each listener feeds it at a quarter of new tokens and rests otherwise: half of the cores each. Main
 * needs next to nothing, and on one core everything shares it.
 */
export function chooseThreads(listeners: Setting, verifiers: Setting, cores: number): ThreadCounts {
  const chosen = listeners === 'auto' ? Math.max(1, Math.floor(cores / 2)) : listeners;
  const left = Math.max(1, cores - chosen);
  return {
    listeners: chosen,
    verifiersPerListener: verifiers === 'auto' ? Math.max(1, Math.round(left / chosen)) : verifiers,
  };
}

/** Cores that this process may use: its affinity, and the quota of its container where there is one. */
export function usableCores(quotaFile = '/sys/fs/cgroup/cpu.max'): number {
  return Math.max(1, Math.min(availableParallelism(), quotaOf(quotaFile)));
}

/** Source: Linux kernel documentation, cgroup v2, `cpu.max`: quota and period in microseconds, or `max`. */
function quotaOf(file: string): number {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return Infinity;
  }
  const [quota, period] = text.split(' ').map(Number);
  const cores = Math.ceil((quota ?? 0) / (period ?? 0));
  return Number.isFinite(cores) && cores > 0 ? cores : Infinity;
}
