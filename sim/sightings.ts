// Things that must have been seen at least once: a run in which nobody was ever taken over proves nothing about
// takeovers. Each is looked for in every execution; one that no scenario reaches fails the whole run.

import { COMMITTING, FAILED, IDLE, isTerminal, PENDING, RESERVED } from '../gateway/flight/control-word.ts';
import { Act, type Machine } from './engine/machine.ts';
import { Kind, Wake } from './engine/program.ts';
import type { History, Said, Turn } from './world/history.ts';

export const sights = [
  'a waiter is woken by a notify',
  'a waiter is woken by its timer',
  'a wait finds the word changed already',
  'a claim loses to another claim',
  'a reservation is taken over',
  'a stalled leader is fenced when it publishes',
  'a fenced leader discards its flow',
  'a key that was half bound is finished by a helper',
  'a key finds its home slot taken',
  'a start finds the table full',
  'a start finds no payload block',
  'a payload is read by a joiner',
  'a reader finds that the generation moved on',
  'a purge loses to a claim',
  'a purge frees a slot',
  'an expired flow is claimed again',
  'a cancel wins against the commit',
  'a cancel comes too late',
  'a failure is shared',
  'a poller fails to start',
  'a reservation is reaped',
  'a published flow is reaped',
  'a commit is reaped',
  'a second reap does nothing',
  'a lease is renewed',
  'a flow is persisted',
  'a notify is lost',
  'a refresh is led, and its tokens used',
  'a provider refuses a refresh token that has a successor',
  'a late refresh is refused for its fence',
  'tokens that the store did not take are kept',
  'kept tokens are stored',
  'a cancelled login is taken back',
] as const;

export type Sight = (typeof sights)[number];

const PATIENCE = 500;

export interface Sightings {
  readonly seen: ReadonlySet<Sight>;
  look(machine: Machine, history: History): void;
}

export function createSightings(): Sightings {
  const seen = new Set<Sight>();
  const turnSights = turnTable();
  let patience = PATIENCE;
  return {
    seen,
    look(machine, history) {
      if (seen.size === sights.length || --patience < 0) {
        // Nothing new for long: from here on, one execution in thirty-two will do.
        if (patience > -32) return;
        patience = 0;
      }
      const before = seen.size;
      for (const turn of history.turns) {
        for (const [sight, holds] of turnSights) if (!seen.has(sight) && holds(turn)) seen.add(sight);
      }
      for (const said of history.said) lookAtNote(seen, said);
      for (let d = 0; d < machine.depth; d++) lookAtStep(seen, machine, d);
      if (history.said.filter((said) => said.note.what === 'reaped').length > 1) {
        const buried = history.changes.filter((change) => change.site.startsWith('reap.store')).length;
        if (buried === 1) seen.add('a second reap does nothing');
      }
      if (seen.size > before) patience = PATIENCE;
    },
  };
}

function turnTable(): readonly (readonly [Sight, (turn: Turn) => boolean])[] {
  return [
    [
      'a reservation is taken over',
      ({ before, after }) =>
        before.state === RESERVED && after.state === RESERVED && before.generation !== after.generation,
    ],
    [
      'a lease is renewed',
      ({ before, after }) =>
        before.state === RESERVED && after.state === RESERVED && before.generation === after.generation,
    ],
    ['a purge frees a slot', ({ before, after }) => isTerminal(before.state) && after.state === IDLE],
    [
      'an expired flow is claimed again',
      ({ before, after }) => before.state === 7 && after.state === RESERVED,
    ],
    [
      'a reservation is reaped',
      ({ site, before, after }) =>
        site.startsWith('reap.') && before.state === RESERVED && after.state === FAILED,
    ],
    [
      'a published flow is reaped',
      ({ site, before, after }) =>
        site.startsWith('reap.') && before.state === PENDING && after.state === FAILED,
    ],
    [
      'a commit is reaped',
      ({ site, before, after }) =>
        site.startsWith('reap.') && before.state === COMMITTING && after.state === FAILED,
    ],
  ];
}

const noteSights: Readonly<Record<string, Sight>> = {
  discard: 'a fenced leader discards its flow',
  full: 'a start finds the table full',
  persist: 'a flow is persisted',
  'cancel:too-late': 'a cancel comes too late',
  'complete:stopped': 'a cancel wins against the commit',
  use: 'a refresh is led, and its tokens used',
  reuse: 'a provider refuses a refresh token that has a successor',
  superseded: 'a late refresh is refused for its fence',
  kept: 'tokens that the store did not take are kept',
  found: 'kept tokens are stored',
  'taken-back': 'a cancelled login is taken back',
};

function lookAtNote(seen: Set<Sight>, { note }: Said): void {
  const sight = noteSights[note.what];
  if (sight !== undefined) seen.add(sight);
  if (note.what === 'joined' && note.value !== 'none') seen.add('a payload is read by a joiner');
  if (note.what === 'failed' && note.value === 'shared') seen.add('a failure is shared');
  if (note.what === 'failed' && note.code === 3) seen.add('a poller fails to start');
  if (note.what === 'failed' && note.code === 7) seen.add('a start finds no payload block');
}

function lookAtStep(seen: Set<Sight>, machine: Machine, d: number): void {
  const node = machine.stepNode[d];
  if (node === undefined) return;
  const act = machine.stepAct[d];
  const result = machine.stepResult[d];
  if (act === Act.resume) {
    seen.add(result === Wake.woken ? 'a waiter is woken by a notify' : 'a waiter is woken by its timer');
    return;
  }
  if (act !== Act.operation) return;
  if (node.kind === Kind.wait && result === Wake.notEqual) seen.add('a wait finds the word changed already');
  else if (node.kind === Kind.choose && result === 1 && node.site.includes('is lost'))
    seen.add('a notify is lost');
  else if (node.kind === Kind.compareExchange) {
    const won = result === node.x;
    if (node.site.startsWith('publish.compareExchange CTL') && !won)
      seen.add('a stalled leader is fenced when it publishes');
    else if (node.site.startsWith('tryStart.compareExchange CTL') && !won)
      seen.add('a claim loses to another claim');
    else if (node.site.startsWith('purge.compareExchange CTL') && !won) seen.add('a purge loses to a claim');
    else if (node.site.startsWith('bind.compareExchange K2') && !won)
      seen.add('a key that was half bound is finished by a helper');
  } else if (node.kind === Kind.load && node.site === 'bind.load K1[1]')
    seen.add('a key finds its home slot taken');
  else if (node.kind === Kind.load && node.site.startsWith('readPayload.load CTL')) {
    const next = machine.stepNext[d];
    if (next?.site.startsWith('tryStart') === true) seen.add('a reader finds that the generation moved on');
  }
}
