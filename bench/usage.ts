/** What a process has used, as Linux counts it: `/proc/PID/stat` (proc(5)). */
import { readdirSync, readFileSync } from 'node:fs';

/** `sysconf(_SC_CLK_TCK)`, which is 100 on every Linux that Node runs on. */
const ticksPerSecond = 100;

export interface Usage {
  /** User and system time of all its threads, and of the processes that it has started and that still run. */
  readonly cpuSeconds: number;
  /** Of the same. What several processes share counts for each. */
  readonly residentBytes: number;
  /** Of `cpuSeconds`, those of a second server that the first one asks. */
  readonly askedCpuSeconds?: number;
}

export function usageOf(pid: number): Usage {
  const fields = statFields(`/proc/${pid}/stat`);
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  const own = {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond,
    residentBytes: Number(kibibytes) * 1024,
  };
  return childrenOf(pid).map(usageOf).reduce(sum, own);
}

/** Both together. */
export function sum(one: Usage, other: Usage): Usage {
  return {
    cpuSeconds: one.cpuSeconds + other.cpuSeconds,
    residentBytes: one.residentBytes + other.residentBytes,
  };
}

/** User and system time of this process's children that have ended. */
export function childrenCpuSeconds(): number {
  const fields = statFields('/proc/self/stat');
  return (Number(fields[13]) + Number(fields[14])) / ticksPerSecond;
}

/** User and system time of those of its threads that let others go first, as verify workers do (`workers/priority.ts`). */
export function niceCpuSeconds(pid: number): number {
  let ticks = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const fields = statFields(`/proc/${pid}/task/${thread}/stat`);
    if (Number(fields[16]) > 0) ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / ticksPerSecond;
}

/** From the state on. The name in parentheses may contain spaces; what follows it does not. */
function statFields(file: string): readonly string[] {
  const stat = readFileSync(file, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** Started by its main thread, as daemons do. */
function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
}
