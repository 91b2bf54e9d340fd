/**
 * Several brokers, as on several threads, over one flight table, one fake provider, one shelf of credentials and hand time.
 */
import { createHash } from 'node:crypto';
import { parseConfig } from '../../gateway/config/load.ts';
import type { OauthConfig } from '../../gateway/config/schema.ts';
import { processNowMs, RealCells } from '../../gateway/flight/real-cells.ts';
import { FlightTable } from '../../gateway/flight/table.ts';
import { createAllowanceMemory } from '../../gateway/oauth/allowance.ts';
import { Broker, type Started } from '../../gateway/oauth/broker.ts';
import type { Flow, FlowStep } from '../../gateway/oauth/flow.ts';
import { createFlights } from '../../gateway/oauth/flights.ts';
import type { BrokerObserver } from '../../gateway/oauth/observer.ts';
import type { Relay, RelayMessage } from '../../gateway/oauth/relay.ts';
import { HandTimers, settled } from '../flight/hand-timers.ts';
import { FakeIssuer, issuer } from './fake-issuer.ts';
import { PlainStore, Shelf } from './plain-store.ts';

export const ownerOf = (name: string): Uint8Array => createHash('sha256').update(name).digest();
export const ada = ownerOf('ada');
export const bob = ownerOf('bob');

/** The section `oauth` of a configuration with these providers and limits, in YAML. */
export function oauthConfig(providers: string, more = ''): OauthConfig {
  const text = `version: 1
routes: [{ prefix: /, public: true, respond: {} }]
oauth:
  store: { file: ./credentials, key_env: RING }
${more}
  providers:
${providers}
`;
  const loaded = parseConfig(text, '/etc/sallyport.yaml', {});
  if (!loaded.ok)
    throw new Error(loaded.problems.map(({ path, message }) => `${path}: ${message}`).join('\n'));
  return loaded.config.oauth!;
}

export const deviceProvider = `    idp: { issuer: '${issuer}', client_id: cli, flow: device, scopes: [openid] }`;

export interface Heard {
  readonly ended: { readonly provider: string; readonly state: string; readonly durationMs: number }[];
  readonly calls: string[];
  readonly refreshed: string[];
  started: number;
  joined: number;
  storeErrors: number;
  waiting: number;
}

export class Stage {
  readonly timers = new HandTimers();
  readonly issuer = new FakeIssuer(this.timers);
  readonly shelf = new Shelf();
  readonly stores: PlainStore[] = [];
  readonly brokers: Broker[] = [];
  readonly heard: Heard = {
    ended: [],
    calls: [],
    refreshed: [],
    started: 0,
    joined: 0,
    storeErrors: 0,
    waiting: 0,
  };
  readonly files = new Map<string, string>();
  /** Whether messages between threads arrive: nothing may depend on news alone. */
  isDeaf = false;
  readonly buffer: SharedArrayBuffer;
  readonly #root: FlightTable;
  readonly #starts = createAllowanceMemory();
  readonly #relays: ((message: RelayMessage) => void)[] = [];

  constructor(config: OauthConfig = oauthConfig(deviceProvider), brokers = 2) {
    // Tick 0 of the table is in the past by then, whatever the rounding.
    const epochMs = processNowMs() + 1000;
    this.#root = createFlights(config, brokers);
    this.buffer = this.#root.buffer;
    const clock = {
      nowMs: () => Date.UTC(2026, 0, 1) + this.timers.nowMs,
      monotonicMs: () => this.timers.nowMs,
    };
    for (let index = 0; index < brokers; index++) {
      const { handle } = this.#root.seat()!;
      const cells = new RealCells(handle.buffer, () => epochMs + this.timers.nowMs);
      const store = new PlainStore(this.shelf);
      this.stores.push(store);
      this.brokers.push(
        new Broker({
          config,
          table: new FlightTable(handle, this.timers, cells),
          secret: handle.secret,
          starts: this.#starts,
          store,
          relay: this.#relay(index),
          observer: this.#observer(),
          clock,
          random: () => 0,
          shared: null,
          timers: this.timers,
          createFetch: () => this.issuer.fetch,
          readFile: (path) => {
            const text = this.files.get(path);
            return text === undefined
              ? Promise.reject(new Error('ENOENT'))
              : Promise.resolve(Buffer.from(text));
          },
          environment: () => undefined,
          failed: () => {},
        }),
      );
    }
  }

  get first(): Broker {
    return this.brokers[0]!;
  }

  get second(): Broker {
    return this.brokers[1]!;
  }

  /** Starts a login that has to be answered with a flow. */
  async start(broker = this.first, account = 'ada', owner = ada, provider = 'idp'): Promise<Started> {
    const starting = broker.start({ provider, account, owner });
    await this.pass(0);
    const started = await starting;
    if ('code' in started) throw new Error(`the start was refused: ${started.code}`);
    return started;
  }

  async stateOf(flow: Flow, owner = ada, broker = this.second): Promise<string> {
    const seen = await broker.poll(flow.id, owner);
    return 'code' in seen ? seen.code : seen.state;
  }

  /** Lets time pass, and everything happen that has become possible. */
  async pass(ms: number): Promise<void> {
    await this.timers.pass(ms);
    for (let turns = 0; turns < 4; turns++) await settled();
  }

  /** The credential that is stored, as text; null when there is none. */
  stored(account = 'ada', provider = 'idp'): string | null {
    const credential = this.shelf.kept.get(`${provider} ${account}`)?.credential ?? null;
    if (credential === null) return null;
    const { grant } = credential;
    return grant.kind === 'tokens' ? grant.accessToken : grant.kind;
  }

  #relay(index: number): Relay {
    return {
      // Never before the sender goes on, as between threads.
      send: (message) =>
        void setImmediate(() => {
          if (this.isDeaf) return;
          for (const [other, hear] of this.#relays.entries()) if (other !== index) hear(message);
        }),
      listen: (hear) => {
        this.#relays[index] = hear;
      },
      close: () => {},
    };
  }

  #observer(): BrokerObserver {
    const { heard } = this;
    return {
      flowStarted: () => (heard.started += 1),
      flowJoined: () => (heard.joined += 1),
      flowEnded: (provider, state, durationMs) => heard.ended.push({ provider, state, durationMs }),
      providerCalled: (_, step, outcome) => heard.calls.push(`${step} ${outcome}`),
      refreshed: (_, role, ok) => heard.refreshed.push(`${role} ${ok ? 'ok' : 'failed'}`),
      storeFailed: () => (heard.storeErrors += 1),
      waiting: (delta) => (heard.waiting += delta),
    };
  }
}

export function stepOf<K extends FlowStep['kind']>(flow: Flow, kind: K): Extract<FlowStep, { kind: K }> {
  const step = flow.details?.step;
  if (step?.kind !== kind) throw new Error(`the step is ${String(step?.kind)}, not ${kind}`);
  return step as Extract<FlowStep, { kind: K }>;
}
