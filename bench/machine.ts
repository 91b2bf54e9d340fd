/** What a figure was taken on: without it, it is not worth keeping. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { installedVersions } from './peers/debian.ts';

export interface Machine {
  /** Null outside of a checkout. */
  readonly commit: string | null;
  readonly cpu: string;
  readonly cores: number;
  /** The policy that sets the clock of the cores; null where it is hidden, as in most virtual machines. */
  readonly governor: string | null;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly versions: Readonly<Record<string, string>>;
  /** Of the last minute, before the run: what else the machine was doing. */
  readonly loadBefore: number;
}

export function describeMachine(): Machine {
  const [first, ...others] = cpus();
  return {
    commit: orNull(() =>
      execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim(),
    ),
    cpu: first?.model ?? 'unknown',
    cores: others.length + 1,
    governor: orNull(() =>
      readFileSync('/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor', 'utf8').trim(),
    ),
    memoryBytes: totalmem(),
    kernel: release(),
    versions: {
      node: process.versions.node,
      openssl: process.versions.openssl,
      v8: process.versions.v8,
      ...installedVersions(),
    },
    loadBefore: loadavg()[0]!,
  };
}

function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
