/**
 * Load in closed loop by wrk, which is written in C: a second opinion on autocannon, and a load that leaves more of the
 * machine to the server. It takes every status below 400 for an answer.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Measured } from '../case.ts';
import type { Server } from '../servers/server.ts';
import type { Corpus } from '../tokens/corpus.ts';
import { childrenCpuSeconds } from '../usage.ts';
import { warmUpTokens } from './decide.ts';

export interface WrkOptions {
  readonly seconds: number;
  /** Every request comes over a connection of its own. */
  readonly closes?: boolean;
  readonly core?: number | null;
  /** How many tokens take turns. */
  readonly tokens?: number;
  /** None of them comes twice, nor was one among those that warmed the server up. */
  readonly unseen?: boolean;
}

interface WrkResult {
  readonly answered: number;
  readonly us: number;
  readonly refused: number;
  /** Connections that ended where wrk had not been told that they would. */
  readonly cut: number;
  readonly failed: number;
  readonly latencyUs: readonly (readonly [number, number])[];
}

const script = fileURLToPath(new URL('../../../bench/load/wrk.lua', import.meta.url));
const run = promisify(execFile);
const warmUpSeconds = 2;

/**
 * Load on `/decide` with known tokens over 64 connections, as `runRepeated` has it, or with unseen ones over 128, as `runUnseen`
 * does. Errors: when an answer was a refusal, or none came, or there were not enough unseen tokens.
 */
export async function runWrk(
  { url, usage }: Server,
  { tokensFile }: Corpus,
  { seconds, closes = false, core = null, tokens = 100, unseen = false }: WrkOptions,
): Promise<Measured> {
  const connections = unseen ? 128 : 64;
  const load = async (forSeconds: number, skipped: number, count: number): Promise<WrkResult> => {
    const pinned = core === null ? [] : ['taskset', '-c', String(core)];
    const wrk = ['wrk', '-t1', `-c${connections}`, `-d${forSeconds}s`, '--latency', '-s', script];
    const told = [tokensFile, String(skipped), String(count), closes ? 'close' : 'keep'];
    const { stdout } = await run('env', [...pinned, ...wrk, `${url}/decide`, '--', ...told]);
    const line = /^result (.*)$/m.exec(stdout)?.[1];
    if (line === undefined) throw new Error(`wrk said ${stdout}`);
    return JSON.parse(line) as WrkResult;
  };
  const skipped = unseen ? warmUpTokens : 0;
  await load(warmUpSeconds, 0, unseen ? warmUpTokens : tokens);
  const [before, loadBefore] = [usage(), childrenCpuSeconds()];
  const { answered, us, refused, cut, failed, latencyUs } = await load(seconds, skipped, tokens);
  const [after, loadAfter] = [usage(), childrenCpuSeconds()];
  // Some servers close when asked to and do not say so in the answer.
  if (refused + failed > 0 || cut > (closes ? answered : 0))
    throw new Error(`${refused} requests were refused, ${failed} failed, ${cut} connections were cut`);
  if (unseen && answered + connections > tokens)
    throw new Error(`${answered} of ${tokens} tokens: some came twice`);
  return {
    figures: {
      perSecond: answered / (us / 1e6),
      cpuSecondsPer1000: ((after.cpuSeconds - before.cpuSeconds) / answered) * 1000,
      residentBytes: after.residentBytes,
      loadCpu: (loadAfter - loadBefore) / (us / 1e6),
    },
    trace: { latencyUs, answered: [] },
  };
}
