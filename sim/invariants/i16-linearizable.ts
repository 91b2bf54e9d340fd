import { COMMITTING, isLive, PENDING } from '../../gateway/flight/control-word.ts';
import { flightSpec, type Answer } from '../linearize/flight-spec.ts';
import { linearize, type Call } from '../linearize/wgl.ts';
import type { Note } from '../engine/program.ts';
import type { History } from '../world/history.ts';
import { keyName } from '../world/threads.ts';
import { slotOfKey } from '../world/world.ts';
import type { Invariant } from './invariant.ts';

export const linearizable: Invariant = {
  id: 'I16',
  title: 'the answers of starts and cancels are those of some sequential order that respects real time',
  check,
};

function check(history: History): ReturnType<Invariant['check']> {
  const { plan } = history.world;
  if (plan.realTime !== true || history.end !== 'settled') return undefined;
  for (let key = 0; key < plan.keys; key++) {
    const calls = callsOf(history, keyName(key));
    const first = history.initial(slotOfKey(history.world, key));
    const pending = isLive(first.state) ? first.generation : 0;
    const verdict = linearize(calls, flightSpec({ pending, newest: first.generation }));
    if (verdict.linearizable) continue;
    const missing = calls.findIndex((_, at) => !verdict.longest.includes(at));
    const culprit = calls[missing]?.result;
    const what =
      culprit === undefined ? 'a call' : `${culprit.what}${'fence' in culprit ? ` g${culprit.fence}` : ''}`;
    const why = `no sequential order explains the answers on ${keyName(key)}: after ${verdict.longest.length} of ${calls.length} calls, "${what}" fits nowhere`;
    return { invariant: 'I16', step: history.steps - 1, why };
  }
  return undefined;
}

function callsOf(history: History, key: string): Call<Answer>[] {
  const open = new Map<number, { called: number; what: string }>();
  const calls: Call<Answer>[] = [];
  for (const { step, thread, note } of history.said) {
    if (note.key !== key || thread >= history.world.plan.threads.length) continue;
    if (note.value === 'call') {
      open.set(thread, { called: step, what: note.what });
      continue;
    }
    const result = answerOf(note);
    const call = open.get(thread);
    if (result === undefined || call === undefined) continue;
    calls.push({ result, called: call.called, returned: step });
    open.delete(thread);
  }
  for (const [thread, call] of open) {
    if (call.what === 'start' && history.deaths.has(thread)) {
      calls.push({ result: { what: 'crashed' }, called: call.called, returned: Infinity });
    }
  }
  return calls;
}

function answerOf(note: Note): Answer | undefined {
  const fence = note.fence ?? 0;
  switch (note.what) {
    case 'led':
      return { what: 'led', fence };
    case 'joined':
      return { what: note.code === PENDING || note.code === COMMITTING ? 'joined' : 'joined-ended', fence };
    case 'failed':
      return { what: note.value === 'shared' ? 'shared-failure' : 'failed', fence };
    case 'cancel:cancelled':
      return { what: 'cancelled', fence };
    case 'cancel:ended':
    case 'cancel:starting':
    case 'cancel:unknown':
    case 'cancel:too-late':
      return { what: 'cancel-late', fence };
    default:
      return undefined;
  }
}
