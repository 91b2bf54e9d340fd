/** The thread that leads a login or a refresh dies of an uncaught error at each stage; the others go on without it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parseConfig } from '../../gateway/config/load.ts';
import type { AccessToken } from '../../gateway/oauth/credentials.ts';
import type { Started } from '../../gateway/oauth/broker.ts';
import type { Flow } from '../../gateway/oauth/flow.ts';
import { createFlights } from '../../gateway/oauth/flights.ts';
import { makeRingEntry } from '../../gateway/oauth/store/key-ring.ts';
import type { FlightTable } from '../../gateway/flight/table.ts';
import { built } from '../support/built.ts';
import { until } from '../support/until.ts';
import type { BrokerCall, BrokerThreadData, Sabotage } from './broker-thread.ts';
import { type LoginProvider, startLoginProvider } from './login-provider.ts';
import { stepOf } from './stage.ts';

const threadsCount = 3;

class BrokerThread {
  readonly worker: Worker;
  isDead = false;
  #tickets = 0;
  readonly #waiting = new Map<number, (answer: unknown) => void>();
  readonly ready: Promise<unknown>;

  constructor(data: BrokerThreadData) {
    this.ready = new Promise((resolve) => this.#waiting.set(0, resolve));
    this.worker = new Worker(built('test/oauth/broker-thread.js'), { workerData: data });
    this.worker.on('message', ({ ticket, answer }: { ticket: number; answer: unknown }) => {
      this.#waiting.get(ticket)?.(answer);
      this.#waiting.delete(ticket);
    });
    this.worker.on('error', () => (this.isDead = true));
  }

  /** Never settles when the thread dies. */
  ask<T>(call: BrokerCall): Promise<T> {
    this.#tickets += 1;
    const ticket = this.#tickets;
    return new Promise<T>((resolve) => {
      this.#waiting.set(ticket, resolve as (answer: unknown) => void);
      this.worker.postMessage({ ticket, call });
    });
  }
}

let provider: LoginProvider;
let folder: string;
let root: FlightTable;
let threads: BrokerThread[] = [];
const deaths = new SharedArrayBuffer(4);
const ring = makeRingEntry(Date.now());

beforeAll(async () => {
  provider = await startLoginProvider();
  folder = mkdtempSync(join(tmpdir(), 'sallyport-death-'));
});

afterAll(async () => {
  await provider?.stop();
  rmSync(folder, { recursive: true, force: true });
});

afterEach(async () => {
  await Promise.all(threads.map(({ worker }) => worker.terminate()));
  await root.close();
});

async function open(sabotage: Sabotage): Promise<void> {
  const text = `version: 1
routes: [{ prefix: /, public: true, respond: {} }]
oauth:
  store: { file: ./credentials, key_env: RING }
  providers:
    idp: { issuer: '${provider.issuer}', client_id: cli, flow: device, scopes: [openid, offline_access] }
`;
  const loaded = parseConfig(text, join(folder, 'sallyport.yaml'), {});
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const config = loaded.config.oauth!;
  root = createFlights(config, threadsCount);
  threads = Array.from({ length: threadsCount }, () => {
    const seat = root.seat()!;
    const data = { handle: seat.handle, config, env: { RING: ring }, deaths, sabotage };
    const thread = new BrokerThread(data);
    seat.watch(thread.worker);
    return thread;
  });
  await Promise.all(threads.map(({ ready }) => ready));
}

const arm = (): number => Atomics.exchange(new Int32Array(deaths), 0, 1);
const living = (): BrokerThread[] => threads.filter(({ isDead }) => !isDead);
const oneDead = (): Promise<boolean> =>
  until('a thread has died', () => living().length === threadsCount - 1);

/** Starts on every thread several times at once; the answers of those that live. */
async function startEverywhere(account: string): Promise<readonly Started[]> {
  const asked = threads.flatMap((thread) =>
    Array.from({ length: 10 }, () => ({ thread, answer: thread.ask<Started>({ kind: 'start', account }) })),
  );
  await oneDead();
  return Promise.all(asked.filter(({ thread }) => !thread.isDead).map(({ answer }) => answer));
}

async function logIn(account: string): Promise<Flow> {
  const { flow } = await living()[0]!.ask<Started>({ kind: 'start', account });
  await provider.approve(stepOf(flow, 'device').userCode);
  return flow;
}

const endOf = (flow: Flow): Promise<Flow> =>
  until('the login ends', async () => {
    const seen = await living().at(-1)!.ask<Flow>({ kind: 'poll', flowId: flow.id });
    return seen.state === 'pending' ? null : seen;
  });

describe('the leading thread dies', () => {
  it.each(['before', 'after'] as const)(
    '%s the provider makes the device code: one of those who wait leads, and all get its flow',
    async (at) => {
      await open({ at, what: '/device/auth' });
      const before = (await provider.state()).counts['/device/auth'] ?? 0;
      arm();
      const started = await startEverywhere(`creating-${at}`);
      expect(started).toHaveLength(20);
      expect(new Set(started.map(({ flow }) => flow.id)).size).toBe(1);
      expect(started.filter(({ role }) => role === 'leader')).toHaveLength(1);
      const made = (await provider.state()).counts['/device/auth']! - before;
      expect(made).toBe(at === 'before' ? 1 : 2);
      expect(root.counters().published).toBe(1n);
    },
  );

  it('while it polls: the login ends as interrupted, and the next start makes another at once', async () => {
    await open({ at: 'before', what: '/token' });
    arm();
    const { flow } = await threads[0]!.ask<Started>({ kind: 'start', account: 'polling' });
    await oneDead();
    expect(await endOf(flow)).toMatchObject({ state: 'error', failure: 'interrupted' });
    const answers = await Promise.all(
      living().map((thread) => thread.ask<Started>({ kind: 'start', account: 'polling' })),
    );
    expect(answers.map(({ role }) => role).toSorted()).toEqual(['joiner', 'leader']);
    expect(new Set(answers.map((answer) => answer.flow.id)).size).toBe(1);
  });

  it.each(['before', 'after'] as const)(
    '%s the credential is stored: the login ends as interrupted, and the key is free',
    async (at) => {
      await open({ at, what: 'store' });
      arm();
      const account = `storing-${at}`;
      const flow = await logIn(account);
      await oneDead();
      expect(await endOf(flow)).toMatchObject({ state: 'error', failure: 'interrupted' });
      const credential = await living()[0]!.ask<AccessToken>({ kind: 'credential', account });
      expect(typeof credential.value === 'string').toBe(at === 'after');
      const next = await logIn(account);
      expect(await endOf(next)).toMatchObject({ state: 'success' });
    },
  );

  it('before a refresh is sent: another thread refreshes, once, for all who wait', async () => {
    await open({ at: 'before', what: '/token' });
    await provider.accessTokenSeconds(1);
    expect(await endOf(await logIn('refreshing'))).toMatchObject({ state: 'success' });
    await provider.accessTokenSeconds(3600);
    const before = (await provider.state()).grants['refresh_token'] ?? 0;
    arm();
    const asked = threads.flatMap((thread) =>
      Array.from({ length: 10 }, () => ({
        thread,
        answer: until('the token has expired', async () => {
          const token = await thread.ask<AccessToken>({ kind: 'credential', account: 'refreshing' });
          return typeof token.value === 'string' && token.expiresAtMs! > Date.now() + 60_000 ? token : null;
        }),
      })),
    );
    for (const { answer } of asked) answer.catch(() => {});
    await oneDead();
    const tokens = await Promise.all(
      asked.filter(({ thread }) => !thread.isDead).map(({ answer }) => answer),
    );
    expect(new Set(tokens.map(({ value }) => value)).size).toBe(1);
    const state = await provider.state();
    expect([state.grants['refresh_token']! - before, state.revokedGrants]).toEqual([1, 0]);
  });
});
