/**
 * Random histories on two brokers, drawn from a seed and run on hand time: starts, cancels, uses and logouts among faults of
 * the provider and the store. Whatever happens, what must happen once happens once.
 */
import { array, assert, asyncProperty, constantFrom, oneof, record, constant, nat } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Answer, broken, pending, refusal } from './fake-issuer.ts';
import { ada, deviceProvider, oauthConfig, Stage, stepOf } from './stage.ts';

type Mood = 'approves' | 'waits' | 'breaks' | 'loses the answer' | 'denies';

type Act =
  | { readonly does: 'start' | 'use' | 'forget' | 'fail a write'; readonly broker: number }
  | { readonly does: 'cancel'; readonly broker: number; readonly flow: number }
  | { readonly does: 'mood'; readonly mood: Mood }
  | { readonly does: 'hold' | 'release' }
  | { readonly does: 'pass'; readonly ms: number };

const broker = (): ReturnType<typeof nat> => nat(1);
const act = oneof(
  { weight: 4, arbitrary: record({ does: constantFrom('start', 'use', 'use'), broker: broker() }) },
  { weight: 1, arbitrary: record({ does: constantFrom('forget', 'fail a write'), broker: broker() }) },
  { weight: 3, arbitrary: record({ does: constant('cancel'), broker: broker(), flow: nat(3) }) },
  {
    weight: 3,
    arbitrary: record({
      does: constant('mood'),
      mood: constantFrom('approves', 'approves', 'waits', 'breaks', 'loses the answer', 'denies'),
    }),
  },
  { weight: 2, arbitrary: record({ does: constantFrom('hold', 'release') }) },
  {
    weight: 6,
    arbitrary: record({
      does: constant('pass'),
      ms: constantFrom(0, 10, 300, 2000, 5000, 9000, 60_000, 700_000),
    }),
  },
) as unknown as ReturnType<typeof constant<Act>>;

/** A provider that rotates refresh tokens, and notes when one is used whose successor it has handed over. */
class RotatingProvider {
  mood: Mood = 'waits';
  readonly reused: string[] = [];
  /** Refresh tokens whose successor was told. */
  readonly #superseded = new Set<string>();
  #granted = 0;

  readonly answer = (form: URLSearchParams): Answer => {
    const refreshToken = form.get('refresh_token');
    const deviceCode = form.get('device_code') ?? '';
    if (this.mood === 'breaks') return broken;
    if (refreshToken === null) {
      if (this.mood === 'waits') return pending;
      return this.mood === 'denies' ? refusal('access_denied') : this.#grant(deviceCode, null);
    }
    if (this.#superseded.has(refreshToken)) this.reused.push(refreshToken);
    if (this.mood === 'loses the answer') return broken;
    return this.mood === 'denies' ? refusal('invalid_grant') : this.#grant('refreshed', refreshToken);
  };

  #grant(of: string, former: string | null): Answer {
    this.#granted += 1;
    if (former !== null) this.#superseded.add(former);
    const name = `${of}:${this.#granted}`;
    const json = { access_token: `access:${name}`, refresh_token: `refresh:${name}`, token_type: 'bearer' };
    return { json: { ...json, expires_in: 100 } };
  }
}

interface KnownFlow {
  readonly id: string;
  readonly deviceCode: string;
  cancelledMs: number | null;
}

class Run {
  readonly stage = new Stage(
    oauthConfig(deviceProvider, '  limits: { starts: 1000, starts_per_minute: 1000 }'),
  );
  readonly provider = new RotatingProvider();
  readonly flows: KnownFlow[] = [];
  asked = 0;
  answered = 0;
  #release = (): void => {};

  constructor() {
    this.stage.issuer.rule('/token', this.provider.answer);
  }

  do(step: Act): Promise<void> {
    const { stage } = this;
    switch (step.does) {
      case 'start':
        return this.#ask(async () => {
          const started = await stage.brokers[step.broker]!.start({
            provider: 'idp',
            account: 'ada',
            owner: ada,
          });
          if ('code' in started) return;
          const { flow } = started;
          const deviceCode = stepOf(flow, 'device').userCode.replace('CODE', 'device-secret');
          if (!this.flows.some(({ id }) => id === flow.id))
            this.flows.push({ id: flow.id, deviceCode, cancelledMs: null });
        });
      case 'use':
        return this.#ask(() => stage.brokers[step.broker]!.credential('idp', 'ada'));
      case 'forget':
        return this.#ask(() => stage.brokers[step.broker]!.forget('idp', 'ada'));
      case 'cancel': {
        const known = this.flows.at(-1 - step.flow);
        if (known === undefined) return Promise.resolve();
        return this.#ask(async () => {
          const flow = await stage.brokers[step.broker]!.cancel(known.id, ada);
          if (!('code' in flow) && flow.state === 'cancelled') known.cancelledMs ??= stage.timers.nowMs;
        });
      }
      case 'fail a write': {
        const store = stage.stores[step.broker]!;
        store.beforeWrite = () => {
          store.beforeWrite = () => Promise.resolve();
          return Promise.reject(new Error('ENOSPC'));
        };
        return Promise.resolve();
      }
      case 'mood':
        this.provider.mood = step.mood;
        return Promise.resolve();
      case 'hold':
        this.#release();
        this.#release = stage.issuer.hold('/token');
        return Promise.resolve();
      case 'release':
        this.#release();
        return Promise.resolve();
      case 'pass':
        return stage.pass(step.ms);
    }
  }

  /** Everything that was begun comes to its end. */
  async finish(): Promise<void> {
    this.#release();
    this.provider.mood = 'approves';
    await this.stage.pass(1_000_000);
  }

  #ask(call: () => Promise<unknown>): Promise<void> {
    this.asked += 1;
    void call().then(() => {
      this.answered += 1;
    });
    return this.stage.pass(0);
  }
}

/** Access tokens of a login that were written, in order: what a cancel took back and put back is not a second grant. */
function writesOf(run: Run, { deviceCode }: KnownFlow): string[] {
  return run.stage.shelf.written.flatMap(({ grant }) =>
    grant.kind === 'tokens' && grant.accessToken.startsWith(`access:${deviceCode}:`)
      ? [grant.accessToken]
      : [],
  );
}

/** Every history begins with a login, so that there is something to refresh. */
const loggedIn: readonly Act[] = [
  { does: 'start', broker: 0 },
  { does: 'mood', mood: 'approves' },
  { does: 'pass', ms: 6000 },
];

describe('whatever happens', () => {
  it('credentials are stored once, cancels hold, no superseded refresh token is sent, and everybody is answered', async () => {
    let stored = 0;
    let cancelled = 0;
    let refreshed = 0;
    await assert(
      asyncProperty(array(act, { minLength: 10, maxLength: 60, size: 'max' }), async (acts) => {
        const run = new Run();
        for (const step of loggedIn) await run.do(step);
        for (const step of acts) await run.do(step);
        await run.finish();
        const { stage, provider, flows } = run;
        expect(run.answered).toBe(run.asked);
        expect(stage.heard.waiting).toBe(0);
        expect(provider.reused).toEqual([]);
        for (const flow of flows) {
          expect(new Set(writesOf(run, flow)).size).toBeLessThanOrEqual(1);
          stored += new Set(writesOf(run, flow)).size;
          if (flow.cancelledMs === null) continue;
          cancelled += 1;
          expect(stage.stored() ?? '').not.toContain(`${flow.deviceCode}:`);
          const late = stage.issuer
            .callsTo('/token')
            .filter(
              ({ form, atMs }) => form.get('device_code') === flow.deviceCode && atMs > flow.cancelledMs!,
            );
          expect(late).toEqual([]);
        }
        refreshed += stage.heard.refreshed.filter((role) => role === 'led ok').length;
      }),
      { numRuns: 300, seed: 20260822 },
    );
    // The histories are worth something: all of it happened, often.
    expect(stored).toBeGreaterThan(100);
    expect(cancelled).toBeGreaterThan(50);
    expect(refreshed).toBeGreaterThan(50);
  }, 120_000);
});
