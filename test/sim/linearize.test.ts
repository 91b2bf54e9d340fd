import { describe, expect, it } from 'vitest';
import { flightSpec, type Answer } from '../../sim/linearize/flight-spec.ts';
import { linearize, type Call } from '../../sim/linearize/wgl.ts';

const spec = flightSpec({ pending: 0, newest: 0 });
const call = (called: number, returned: number, result: Answer): Call<Answer> => ({
  called,
  returned,
  result,
});
const crashed = (called: number): Call<Answer> => call(called, Infinity, { what: 'crashed' });
const led = (fence: number): Answer => ({ what: 'led', fence });
const joined = (fence: number): Answer => ({ what: 'joined', fence });
const cancelled = (fence: number): Answer => ({ what: 'cancelled', fence });
const late = (fence: number): Answer => ({ what: 'cancel-late', fence });

const good: readonly (readonly [string, readonly Call<Answer>[]])[] = [
  ['nothing', []],
  ['a leader and an overlapping joiner that returned first', [call(0, 9, led(1)), call(1, 5, joined(1))]],
  [
    'a flow, its cancel, and the next flow',
    [call(0, 1, led(1)), call(2, 3, cancelled(1)), call(4, 5, led(2))],
  ],
  [
    'two cancels, of which one comes too late',
    [call(0, 1, led(1)), call(2, 6, late(1)), call(3, 5, cancelled(1))],
  ],
  ['a joiner of what a crashed start published', [crashed(0), call(5, 6, joined(1))]],
  ['a crashed start that published nothing', [crashed(0), call(5, 6, led(1))]],
  [
    'a shared failure',
    [call(0, 4, { what: 'failed', fence: 1 }), call(1, 5, { what: 'shared-failure', fence: 1 })],
  ],
  [
    'a flow that ended while it was joined',
    [call(0, 1, led(1)), call(2, 9, { what: 'joined-ended', fence: 1 }), call(3, 4, cancelled(1))],
  ],
];

const bad: readonly (readonly [string, readonly Call<Answer>[]])[] = [
  ['two leaders at once', [call(0, 9, led(1)), call(1, 8, led(2))]],
  ['a join before anybody began to lead', [call(0, 1, joined(1)), call(2, 3, led(1))]],
  ['a join after the cancel', [call(0, 1, led(1)), call(2, 3, cancelled(1)), call(4, 5, joined(1))]],
  ['one flow cancelled twice', [call(0, 1, led(1)), call(2, 5, cancelled(1)), call(3, 6, cancelled(1))]],
  [
    'an older generation after a newer one',
    [call(0, 1, led(2)), call(2, 3, cancelled(2)), call(4, 5, led(1))],
  ],
  ['a cancel too late of a flow that nobody ended', [call(0, 1, led(1)), call(2, 3, late(1))]],
  [
    'a failure shared while a flow is under way',
    [call(0, 1, led(1)), call(2, 3, { what: 'shared-failure', fence: 1 })],
  ],
];

describe('linearizability', () => {
  it.each(good)('holds for %s', (_, calls) => {
    expect(linearize(calls, spec).linearizable).toBe(true);
  });

  it.each(bad)('does not hold for %s', (_, calls) => {
    const verdict = linearize(calls, spec);
    expect(verdict.linearizable).toBe(false);
    expect(verdict.longest.length).toBeLessThan(calls.length);
  });

  it('does not depend on the order in which calls are listed', () => {
    for (const [, calls] of good) expect(linearize(calls.toReversed(), spec).linearizable).toBe(true);
    for (const [, calls] of bad) expect(linearize(calls.toReversed(), spec).linearizable).toBe(false);
  });

  it('starts from the state that it is given', () => {
    const running = flightSpec({ pending: 3, newest: 3 });
    expect(linearize([call(0, 1, joined(3))], running).linearizable).toBe(true);
    expect(linearize([call(0, 1, led(4))], running).linearizable).toBe(false);
  });
});
