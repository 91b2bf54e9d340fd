/** Starts the flight of a login, or joins the one under way. */
import { TICK_MS } from '../flight/cells.ts';
import type { Answer } from '../flight/answer.ts';
import type { FlightKey } from '../flight/digest.ts';
import type { FlightTable } from '../flight/table.ts';
import type { Work } from '../flight/work.ts';
import { codeOf } from './failure.ts';

/** Longest wait for the provider's answer. */
const waitMs = 30_000;
/** Leases that the provider may take for it: discovery and the request itself. */
const leases = 4;
/** A failure is shared for one tick at least, and for no second one where its code asks for no pause. */
const retriesMax = 3;

/**
 * A denial is the end of a login that was under way. It is no answer to who starts another one, even within the tick in
 * which the table still shares it: a person who is told of it may be quicker than that.
 */
export async function startLogin(
  table: FlightTable,
  key: FlightKey,
  work: Work,
  until: 'published' | 'settled',
): Promise<Answer> {
  for (let retries = 0; ; retries += 1) {
    const answer = await table.start(key, work, { until, payload: true, waitMs, leases });
    const isStale = answer.kind === 'failed' && answer.shared && answer.code === codeOf('access_denied');
    if (!isStale || retries === retriesMax) return answer;
    await new Promise<void>((resolve) => table.timers.once(TICK_MS, resolve));
  }
}
