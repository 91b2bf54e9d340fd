/**
 * A gateway under traffic of every kind, so that each panel has something to show: tokens that are good, unseen, forged, of
 * an unknown key or without the scope; an upstream that answers and one that is not there; logins, and refreshes.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { freePort } from '../../gateway/port.ts';
import { Backend } from '../support/backend.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { startLoginProvider, type TestLoginProvider } from '../support/login-provider.ts';
import { startProvider, type TestProvider } from '../support/provider.ts';
import { ask, type Ask } from '../support/traffic.ts';
import { until } from '../support/until.ts';
import { newKeyRing } from '../oauth/http/login-gateway.ts';

export class MixedTraffic {
  readonly gateway: TestGateway;
  readonly #callers: TestProvider;
  readonly #people: TestLoginProvider;
  readonly #backend: Backend;
  readonly #ada: string;
  readonly #bob: string;
  #rounds = 0;

  static async start(): Promise<MixedTraffic> {
    const [callers, people, backend, nobody] = await Promise.all([
      startProvider({ audience: 'orders', clients: { ada: ['read', 'write'], bob: ['read'] } }),
      startLoginProvider({ clients: { cli: [] }, tokenSeconds: 4 }),
      Backend.start(),
      freePort('127.0.0.1', 0),
    ]);
    const gateway = await startGateway(
      `version: 1
listener: { host: 127.0.0.1, port: 0, threads: 2 }
admin: { host: 127.0.0.1, port: 0 }
metrics: { exemplars: true }
decision: { peers: [127.0.0.1/32], mounts: [{ mode: envoy }] }
issuers:
  main:
    issuer: ${callers.issuer}
    audiences: [orders]
    algorithms: [RS256]
    keys: { discovery: true, unknown_kid_interval_seconds: 1 }
upstreams:
  orders: { urls: ['http://127.0.0.1:${String(backend.port)}'] }
  gone: { urls: ['http://127.0.0.1:${String(nobody)}'] }
routes:
  - { path: /health, methods: [GET], public: true, respond: { status: 200, body: ok } }
  - prefix: /orders
    issuer: main
    upstream: orders
    scopes: { all: [read] }
    routes: [{ path: /{id}, methods: [PUT], scopes: { all: [write] } }]
  - { prefix: /gone, public: true, upstream: gone }
  - { prefix: /login, public: true, oauth: { serve: json, account: team } }
  - { path: /inbox, methods: [GET], public: true, upstream: orders, credential: { provider: idp, account: team } }
oauth:
  store: { file: ./credentials, key_env: RING }
  limits: { starts: 1000, starts_per_minute: 1000 }
  providers:
    idp: { issuer: '${people.issuer}', client_id: cli, flow: device, scopes: [openid, offline_access], interval_seconds_min: 1 }
`,
      { env: { RING: newKeyRing() } },
    );
    const [ada, bob] = await Promise.all([callers.token('ada'), callers.token('bob')]);
    return new MixedTraffic(gateway, callers, people, backend, ada, bob);
  }

  private constructor(
    gateway: TestGateway,
    callers: TestProvider,
    people: TestLoginProvider,
    backend: Backend,
    ada: string,
    bob: string,
  ) {
    this.gateway = gateway;
    this.#callers = callers;
    this.#people = people;
    this.#backend = backend;
    this.#ada = ada;
    this.#bob = bob;
  }

  /** A login from its start to the stored credential; a second caller joins it. */
  async logIn(): Promise<void> {
    const start = { path: '/login/start', method: 'POST', body: JSON.stringify({ provider: 'idp' }) };
    const [first] = await Promise.all([this.#login(start), this.#login(start)]);
    await this.#people.enterCode(String(first['user_code']), 'approve');
    await until('the login succeeds', async () => {
      const flow = await this.#login({ path: `/login/flows/${String(first['flow_id'])}?wait=5` });
      return flow['status'] === 'success';
    });
  }

  /** One request of a trace that its caller keeps, and one of a trace that it does not. Returns both trace ids. */
  async traced(): Promise<{ readonly kept: string; readonly dropped: string }> {
    const [kept, dropped] = [randomBytes(16).toString('hex'), randomBytes(16).toString('hex')];
    const send = (traceId: string, flags: string): Promise<Response> =>
      fetch(`${this.gateway.url}/orders/1`, {
        headers: {
          authorization: `Bearer ${this.#ada}`,
          traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-${flags}`,
        },
      });
    await Promise.all([send(kept, '01'), send(dropped, '00')]);
    return { kept, dropped };
  }

  /** A few dozen requests of all kinds, more in some rounds than in others; and now and then a login. */
  async round(): Promise<void> {
    this.#rounds += 1;
    const fresh = await this.#callers.token('ada');
    const asks: Ask[] = [
      { path: '/orders/7', method: 'PUT', token: this.#ada, body: '{}' },
      { path: '/orders/7', method: 'PUT', token: this.#bob },
      { path: '/orders/8', token: fresh },
      { path: '/orders/8', token: withOtherSignature(fresh) },
      { path: '/orders/8', token: ofUnknownKey(fresh) },
      { path: '/orders/9' },
      { path: '/nowhere' },
      { path: '/gone/1' },
      { path: '/health' },
      { path: '/inbox' },
      { path: '/-/decide/envoy/orders/8', token: this.#ada },
      { path: '/-/decide/envoy/orders/8' },
    ];
    const more = 10 + Math.round(20 * (1 + Math.sin(this.#rounds / 40)));
    for (let i = 0; i < more; i++)
      asks.push({ path: `/orders/${String(i)}`, token: i % 3 === 0 ? this.#bob : this.#ada });
    await Promise.all(asks.map((one) => ask(this.gateway.url, one)));
    if (this.#rounds % 60 === 0) await this.logIn();
  }

  async stop(): Promise<void> {
    await this.gateway.stop();
    await Promise.all([this.#callers.stop(), this.#people.stop(), this.#backend.close()]);
  }

  async #login(one: Ask): Promise<Readonly<Record<string, unknown>>> {
    const response = await fetch(this.gateway.url + one.path, {
      method: one.method ?? 'GET',
      headers: { cookie: `sallyport=${'s'.repeat(22)}`, 'content-type': 'application/json' },
      ...(one.body === undefined ? {} : { body: one.body }),
    });
    return (await response.json()) as Readonly<Record<string, unknown>>;
  }
}

/** The last character has bits that must be 0, so another place is changed. */
function withOtherSignature(token: string): string {
  return `${token.slice(0, -20)}${randomBytes(3).toString('hex')}${token.slice(-14)}`;
}

/** The same token under a key id that no set has: verified by nobody, but looked for. */
function ofUnknownKey(token: string): string {
  const [head, ...rest] = token.split('.');
  const header = JSON.parse(Buffer.from(head!, 'base64url').toString()) as Record<string, unknown>;
  const renamed = Buffer.from(JSON.stringify({ ...header, kid: randomUUID() })).toString('base64url');
  return [renamed, ...rest].join('.');
}
