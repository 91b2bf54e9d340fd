// The traces that are kept: at least one for each invariant. `sallyport sim shrink NAME --write` records one again.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { campaign } from '../campaign.ts';
import { mutantNamed } from '../mutants/all.ts';
import { variantOf } from '../mutants/mutant.ts';
import { scenarioNamed } from '../scenarios/all.ts';
import { shrink, type Shrunk } from '../shrink/shrink.ts';
import { parseTraceFile, record, type TraceFile } from './trace-file.ts';

/** File name, and the mutant whose failure it holds. */
export const corpus: readonly (readonly [file: string, mutant: string])[] = [
  ['seed-check-then-insert', 'seed'],
  ['cancel-versus-persist', 'commit-by-check'],
  ['i01-half-bound-key', 'unfinished-is-different'],
  ['i02-stalled-leader-publishes', 'publish-by-store'],
  ['i03-takeover-keeps-the-fence', 'same-generation'],
  ['i04-publishes-another-claim', 'publish-any-generation'],
  ['i05-half-a-digest', 'half-digest'],
  ['i06-payload-before-publish', 'publish-before-payload'],
  ['i07-cancelled-and-stored', 'cancel-commit'],
  ['i08-late-success', 'finish-by-store'],
  ['i09-record-freed-too-early', 'free-record-first'],
  ['i10-reaper-against-takeover', 'reap-by-store'],
  ['i11-takeover-without-patience', 'impatient-takeover'],
  ['i12-notify-before-publish', 'notify-first'],
  ['i13-trust-in-the-clock', 'trust-the-clock'],
  ['i14-purge-unbinds', 'purge-unbinds'],
  ['i15-secret-in-the-table', 'secret-in-table'],
  ['i16-cancel-of-another-flow', 'cancel-any-generation'],
  ['i12-end-that-was-overtaken', 'end-is-lost'],
  ['i17-lease-not-renewed', 'no-renewal-of-lease'],
  ['i17-refresh-token-sent-twice', 'refresh-remembered'],
  ['i18-used-before-stored', 'use-before-store'],
  ['i19-fence-ignored', 'fence-ignored'],
  ['i19-put-back-what-was-read', 'put-back-what-was-read'],
  ['i20-cancelled-login-stays', 'cancel-after-store'],
];

export interface ShrunkMutant {
  readonly file: TraceFile;
  readonly shrunk: Shrunk;
  readonly stepsBefore: number;
}

/** Finds a mutant's failure, shrinks it and makes a trace file of it. Errors: RangeError when it survives. */
export function shrinkMutant(mutantName: string, fileName = mutantName): ShrunkMutant {
  const mutant = mutantNamed(mutantName);
  const variant = variantOf(mutant);
  const found = campaign(scenarioNamed(mutant.scenario), variant);
  if (found.failure === undefined) throw new RangeError(`${mutantName} breaks nothing in ${mutant.scenario}`);
  const shrunk = shrink(found.failure.plan, variant, found.failure);
  const file = record({
    name: fileName,
    title: mutant.title,
    scenario: mutant.scenario,
    plan: shrunk.plan,
    variant,
    scheduler: found.scheduler,
    execution: found.failure.execution,
    failure: shrunk.failure,
    preemptions: shrunk.preemptions,
  });
  return { file, shrunk, stepsBefore: found.failure.schedule.length };
}

export function writeTraceFile(directory: string, file: TraceFile): string {
  const path = `${directory}/${file.name}.json`;
  writeFileSync(path, `${JSON.stringify(file, null, 2)}\n`);
  return path;
}

export function readCorpus(directory: string): TraceFile[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => parseTraceFile(readFileSync(`${directory}/${name}`, 'utf8')));
}
