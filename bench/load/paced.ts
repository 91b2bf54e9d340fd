/**
 * Load in open loop: requests are sent when they are due, whatever became of those before, and latency counts from the
 * moment they were due. In a process of its own.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface PacedJob {
  readonly url: string;
  readonly perSecond: number;
  readonly seconds: number;
  /** The first seconds are sent and not measured. */
  readonly warmUpSeconds: number;
  /** A request waits for a free one; more than are needed for the rate times the latency. */
  readonly connections: number;
  readonly expectedStatus: number;
  readonly tokensFile: string;
  /** `forge` gives every request another token with a signature that does not fit. */
  readonly tokens: 'repeat' | 'forge';
  /** Address to call from, so that two loads are two peers. */
  readonly localAddress: string;
}

/** Microseconds. */
export interface Percentiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  /** Pairs of percentile and latency. */
  readonly curve: readonly (readonly [number, number])[];
}

export interface PacedResult {
  readonly answered: number;
  readonly unexpected: Readonly<Record<string, number>>;
  /** From when it was due. */
  readonly latency: Percentiles;
  /** From when it was sent. The difference is what waiting for a connection, and the pacer itself, cost. */
  readonly service: Percentiles;
}

export interface PacedLoad {
  readonly result: Promise<PacedResult>;
  stop(): void;
}

const entry = fileURLToPath(new URL('./paced-process.js', import.meta.url));

/** The result rejects when an answer had another status than expected, or none came: what is missing would be missing from
 * the tail of the latencies. */
export function startPaced(job: PacedJob): PacedLoad {
  const child = fork(entry);
  const result = new Promise<PacedResult>((resolve, reject) => {
    child.once('message', (outcome: PacedResult) => {
      const due = job.perSecond * job.seconds;
      if (Object.keys(outcome.unexpected).length > 0) {
        reject(new Error(`unexpected answers: ${JSON.stringify(outcome.unexpected)}`));
      } else if (outcome.answered < due) {
        reject(new Error(`${outcome.answered} of ${due} requests were answered`));
      } else resolve(outcome);
    });
    child.once('exit', () => reject(new Error('the load process ended')));
  });
  child.send(job);
  return { result, stop: () => void child.kill() };
}
