/** What cases are given to work with: tokens, and the gateway of one build. */
import type { Bench } from './case.ts';
import { startGateway } from './servers/gateway.ts';
import { openCorpus } from './tokens/corpus.ts';

/** Progress and remarks: not part of what a run prints as its result. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** On a terminal, a line that the next one replaces. */
export function sayForNow(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${line}`);
}

/** `program`: the built gateway to measure (`programOf`). */
export function openBench(seconds: number, program: string): Bench {
  return {
    seconds,
    corpus(count, algorithm = 'RS256') {
      sayForNow(`signing ${count} ${algorithm} tokens, unless they are there from an earlier run`);
      return openCorpus(count, algorithm);
    },
    gateway: (options) => startGateway(program, options),
  };
}
