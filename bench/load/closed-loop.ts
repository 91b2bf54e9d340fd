/** Load in closed loop: every connection sends its next request when it has its answer. autocannon, in its own process. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Measured, Trace } from '../case.ts';
import type { Usage } from '../usage.ts';

export interface ClosedLoopJob {
  readonly url: string;
  readonly connections: number;
  readonly expectedStatus: number;
  readonly tokensFile: string;
  readonly warmUp: Phase;
  readonly measured: Phase;
  /** In the measured phase, tokens `from` to `to` come `times` times between any two of the phase's own. */
  readonly between?: { readonly from: number; readonly to: number; readonly times: number };
  readonly body: string | null;
}

/** Tokens `from` to `to` of the file, shared out to the connections. */
export interface Phase {
  readonly from: number;
  readonly to: number;
  /** Null: each token once. Else over and over for so long. */
  readonly seconds: number | null;
}

export type ClosedLoopReport =
  | { readonly kind: 'begun' }
  | {
      readonly kind: 'done';
      readonly answered: number;
      readonly seconds: number;
      /** Of the load process itself, as a share of one core: near 1, it is the load that was measured. */
      readonly loadCpu: number;
      readonly trace: Trace;
      readonly unexpected: Readonly<Record<string, number>>;
    };

function resultOf(
  report: Extract<ClosedLoopReport, { kind: 'done' }>,
  before: Usage,
  after: Usage,
): Measured {
  const per1000 = (from: number, to: number): number => ((to - from) / report.answered) * 1000;
  return {
    figures: {
      perSecond: report.answered / report.seconds,
      cpuSecondsPer1000: per1000(before.cpuSeconds, after.cpuSeconds),
      ...(after.askedCpuSeconds === undefined
        ? {}
        : { askedCpuPer1000: per1000(before.askedCpuSeconds!, after.askedCpuSeconds) }),
      residentBytes: after.residentBytes,
      loadCpu: report.loadCpu,
    },
    trace: report.trace,
  };
}

const entry = fileURLToPath(new URL('./closed-loop-process.js', import.meta.url));

/**
 * Runs one job; `usage` is asked at the beginning and at the end of the measured phase.
 *
 * Errors: when an answer had another status than expected, or none came.
 */
export async function runClosedLoop(
  job: ClosedLoopJob,
  usage: () => Usage,
  core: number | null,
): Promise<Measured> {
  const options =
    core === null ? {} : { execPath: 'taskset', execArgv: ['-c', String(core), process.execPath] };
  const child = fork(entry, options);
  let before: Usage | null = null;
  try {
    return await new Promise((resolve, reject) => {
      child.on('message', (report: ClosedLoopReport) => {
        if (report.kind === 'begun') {
          before = usage();
          return;
        }
        const after = usage();
        const unexpected = Object.entries(report.unexpected);
        if (unexpected.length > 0)
          reject(new Error(`unexpected answers: ${JSON.stringify(report.unexpected)}`));
        else resolve(resultOf(report, before!, after));
      });
      child.once('exit', () => reject(new Error('the load process ended')));
      child.send(job);
    });
  } finally {
    child.kill();
  }
}
