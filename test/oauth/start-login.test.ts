import { expect, test } from 'vitest';
import type { Answer } from '../../gateway/flight/answer.ts';
import type { FlightTable } from '../../gateway/flight/table.ts';
import type { Work } from '../../gateway/flight/work.ts';
import { codeOf, type FlightReason } from '../../gateway/oauth/failure.ts';
import { startLogin } from '../../gateway/oauth/start-login.ts';

const flow: Answer = {
  kind: 'flow',
  led: true,
  flowId: 'f',
  state: 'pending',
  payload: null,
  expiresInMs: 1,
};
const failed = (reason: FlightReason, shared: boolean): Answer => ({
  kind: 'failed',
  code: codeOf(reason),
  shared,
});

/** Starts on a table that answers so, one after the other; time passes by itself. */
async function startOn(
  answers: readonly Answer[],
): Promise<{ answer: Answer; starts: number; waits: number }> {
  const left = [...answers];
  let waits = 0;
  const table = {
    start: () => Promise.resolve(left.shift()!),
    timers: {
      once(_ms: number, ring: () => void) {
        waits += 1;
        ring();
        return () => {};
      },
    },
  };
  const key = { provider: 'p', account: 'a' };
  const answer = await startLogin(table as unknown as FlightTable, key, {} as Work, 'published');
  return { answer, starts: answers.length - left.length, waits };
}

test('the denial of the login before is no answer to a start', async () => {
  const denied = failed('access_denied', true);
  expect(await startOn([denied, denied, flow])).toEqual({ answer: flow, starts: 3, waits: 2 });
});

test('a failure of the provider is shared, and a denial of the start itself is told', async () => {
  const refused = failed('provider_refused', true);
  expect(await startOn([refused, flow])).toEqual({ answer: refused, starts: 1, waits: 0 });
  const own = failed('access_denied', false);
  expect(await startOn([own, flow])).toEqual({ answer: own, starts: 1, waits: 0 });
});

test('a table that says so for ever is asked four times', async () => {
  const denied = failed('access_denied', true);
  expect(await startOn([denied, denied, denied, denied, flow])).toMatchObject({ answer: denied, starts: 4 });
});
