/** A broker on a thread of its own, as a listener has it, that dies of an uncaught error where the test wants it to. */
import { parentPort, workerData } from 'node:worker_threads';
import type { OauthConfig } from '../../gateway/config/schema.ts';
import { systemClock } from '../../gateway/core/clock.ts';
import { realTimers } from '../../gateway/flight/timers.ts';
import { FlightTable, type Handle } from '../../gateway/flight/table.ts';
import { createAllowanceMemory } from '../../gateway/oauth/allowance.ts';
import { Broker } from '../../gateway/oauth/broker.ts';
import type { BrokerObserver } from '../../gateway/oauth/observer.ts';
import { openRelay } from '../../gateway/oauth/relay.ts';
import { openCredentialStore } from '../../gateway/oauth/store/open.ts';
import { createOauthFetch } from '../../gateway/upstream/oauth-fetch.ts';

/** Where the leading thread dies: before or after a request to a path, or before or after a write. */
export interface Sabotage {
  readonly at: 'before' | 'after';
  /** A path of the provider, or `store`. */
  readonly what: string;
}

export interface BrokerThreadData {
  readonly handle: Handle;
  readonly config: OauthConfig;
  readonly env: Readonly<Record<string, string>>;
  /** One word: how many threads are still to die. */
  readonly deaths: SharedArrayBuffer;
  readonly sabotage: Sabotage;
}

export type BrokerCall =
  | { readonly kind: 'start'; readonly account: string }
  | { readonly kind: 'poll'; readonly flowId: string }
  | { readonly kind: 'credential'; readonly account: string };

export interface BrokerRequest {
  readonly ticket: number;
  readonly call: BrokerCall;
}

const { handle, config, env, deaths, sabotage } = workerData as BrokerThreadData;
const deathsLeft = new Int32Array(deaths);
const owner = Buffer.alloc(32, 1);

/** Never returns on the thread whose turn it is to die. */
async function perhapsDie(at: Sabotage['at'], what: string): Promise<void> {
  if (sabotage.at !== at || sabotage.what !== what) return;
  if (Atomics.compareExchange(deathsLeft, 0, 1, 0) !== 1) return;
  setImmediate(() => {
    throw new Error('sabotage');
  });
  await new Promise(() => {});
}

const silent: BrokerObserver = {
  flowStarted: () => {},
  flowJoined: () => {},
  flowEnded: () => {},
  providerCalled: () => {},
  refreshed: () => {},
  storeFailed: () => {},
  waiting: () => {},
};

const store = await openCredentialStore(config.store, { env, clock: systemClock, warn: () => {} });
const write = store.write.bind(store);
store.write = async (...args) => {
  await perhapsDie('before', 'store');
  const replaced = await write(...args);
  await perhapsDie('after', 'store');
  return replaced;
};

const broker = new Broker({
  config,
  table: new FlightTable(handle),
  secret: handle.secret,
  starts: createAllowanceMemory(),
  store,
  relay: openRelay('test of dying brokers'),
  observer: silent,
  clock: systemClock,
  random: Math.random,
  shared: null,
  timers: realTimers,
  createFetch: (options) => {
    const fetch = createOauthFetch(options);
    return async (url, request) => {
      const { pathname } = new URL(url);
      await perhapsDie('before', pathname);
      const response = await fetch(url, request);
      await perhapsDie('after', pathname);
      return response;
    };
  },
  readFile: () => Promise.reject(new Error('no files here')),
  environment: () => undefined,
  failed: () => {},
});

parentPort!.on('message', ({ ticket, call }: BrokerRequest) => {
  void answer(call).then((answered) => parentPort!.postMessage({ ticket, answer: answered }));
});
parentPort!.postMessage({ ticket: 0, answer: null });

function answer(call: BrokerCall): Promise<unknown> {
  switch (call.kind) {
    case 'start':
      return broker.start({ provider: 'idp', account: call.account, owner });
    case 'poll':
      return broker.poll(call.flowId, owner);
    case 'credential':
      return broker.credential('idp', call.account);
  }
}
