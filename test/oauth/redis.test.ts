/** Several gateways, each a process of its own, that share their logins by a real Redis. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { freePort } from '../../gateway/port.ts';
import { makeRingEntry } from '../../gateway/oauth/store/key-ring.ts';
import { describeWith } from '../support/debian.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { Backend } from '../support/backend.ts';
import { until } from '../support/until.ts';
import { type LoginProvider, startLoginProvider } from './login-provider.ts';

interface Answered {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

class Redis {
  readonly port: number;
  readonly #folder: string;
  readonly #process: ReturnType<typeof spawn>;

  private constructor(port: number, folder: string) {
    this.port = port;
    this.#folder = folder;
    const settings = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder];
    this.#process = spawn('redis-server', settings, { stdio: ['ignore', 'pipe', 'ignore'] });
  }

  static async start(port?: number): Promise<Redis> {
    const redis = new Redis(port ?? (await freePort('127.0.0.1', 0)), mkdtempSync(join(tmpdir(), 'redis-')));
    let told = '';
    for await (const chunk of redis.#process.stdout!) {
      told += String(chunk);
      if (told.includes('Ready to accept connections')) break;
    }
    return redis;
  }

  async stop(): Promise<void> {
    const exited = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exited;
    rmSync(this.#folder, { recursive: true });
  }
}

describeWith('redis-server', 'gateways that share their logins', () => {
  let provider: LoginProvider;
  let backend: Backend;
  let redis: Redis;
  let folder: string;
  let gateways: TestGateway[] = [];
  const ring = makeRingEntry(Date.now());
  const session = `sallyport=${randomBytes(16).toString('base64url')}`;

  beforeAll(async () => {
    [provider, backend] = await Promise.all([startLoginProvider(), Backend.start()]);
  });
  afterAll(() => Promise.all([provider?.stop(), backend?.close()]));

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sallyport-shared-'));
    redis = await Redis.start();
    gateways = await Promise.all([start(), start(), start()]);
  }, 120_000);
  afterEach(async () => {
    await Promise.all(gateways.map((gateway) => gateway.stop()));
    await redis.stop();
    rmSync(folder, { recursive: true });
  });

  function start(): Promise<TestGateway> {
    return startGateway(
      `version: 1
listener: { host: 127.0.0.1, port: 0, threads: 1 }
admin: { host: 127.0.0.1, port: 0 }
upstreams: { api: { urls: ['http://127.0.0.1:${backend.port}'] } }
oauth:
  shared: { redis: 'redis://127.0.0.1:${redis.port}', lease_ms: 4500, timeout_ms: 1500 }
  store: { file: ${join(folder, 'credentials')}, key_env: RING }
  limits: { starts: 1000, starts_per_minute: 1000 }
  providers:
    idp: { issuer: '${provider.issuer}', client_id: cli, flow: device, scopes: [openid, offline_access], timeout_ms: 20000, interval_seconds_min: 1 }
routes:
  - { prefix: /login, public: true, oauth: { serve: json, account: team } }
  - { prefix: /use, public: true, upstream: api, credential: { provider: idp, account: team } }
`,
      { env: { RING: ring } },
    );
  }

  async function ask(gateway: TestGateway, method: string, path: string, body?: unknown): Promise<Answered> {
    const response = await fetch(gateway.url + path, {
      method,
      headers: { cookie: session, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = (response.headers.get('content-type') ?? '').includes('json');
    return { status: response.status, body: isJson ? (JSON.parse(text) as Answered['body']) : { text } };
  }

  const begin = (gateway: TestGateway): Promise<Answered> =>
    ask(gateway, 'POST', '/login/start', { provider: 'idp' });
  const codes = async (): Promise<number> => (await provider.state()).counts['/device/auth'] ?? 0;
  const ended = (gateway: TestGateway, { body }: Answered): Promise<string> =>
    until('the login ends', async () => {
      const flow = await ask(gateway, 'GET', `/login/flows/${String(body['flow_id'])}?wait=5`);
      return flow.body['status'] === 'pending' ? null : String(flow.body['status']);
    });

  it('H7: 60 starts at three processes make one device code, and all of them end with it', async () => {
    const before = await codes();
    const answers = await Promise.all(Array.from({ length: 60 }, (_, at) => begin(gateways[at % 3]!)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ body }) => body['user_code'])).size).toBe(1);
    expect((await codes()) - before).toBe(1);
    const polls = (await provider.state()).grants['urn:ietf:params:oauth:grant-type:device_code'] ?? 0;
    await provider.approve(String(answers[0]!.body['user_code']));
    const states = await Promise.all([0, 1, 2].map((at) => ended(gateways[at]!, answers[at]!)));
    expect(states).toEqual(['success', 'success', 'success']);
    // One poller for all: it was told at its first question or its second.
    const after = (await provider.state()).grants['urn:ietf:params:oauth:grant-type:device_code'] ?? 0;
    expect(after - polls).toBeLessThanOrEqual(2);
    for (const gateway of gateways) expect((await ask(gateway, 'GET', '/use/x')).status).toBe(200);
  }, 120_000);

  it('a cancel at one process ends the login at all', async () => {
    const answers = await Promise.all(gateways.map(begin));
    const id = String(answers[1]!.body['flow_id']);
    expect((await ask(gateways[1]!, 'POST', `/login/flows/${id}/cancel`, {})).body['status']).toBe(
      'cancelled',
    );
    const states = await Promise.all([0, 2].map((at) => ended(gateways[at]!, answers[at]!)));
    expect(states).toEqual(['cancelled', 'cancelled']);
  }, 120_000);

  it('a process that is killed loses what it led: after its lease the next start leads, with a new code', async () => {
    const first = await begin(gateways[0]!);
    const joined = await begin(gateways[1]!);
    expect([joined.body['user_code'], joined.body['role']]).toEqual([first.body['user_code'], 'leader']);
    const before = await codes();
    gateways[0]!.process.kill('SIGKILL');
    expect(await ended(gateways[1]!, joined)).toBe('error');
    const next = await until('another leads', async () => {
      const answer = await begin(gateways[2]!);
      return answer.status === 200 && answer.body['user_code'] !== first.body['user_code'] ? answer : null;
    });
    expect((await codes()) - before).toBe(1);
    await provider.approve(String(next.body['user_code']));
    expect(await ended(gateways[2]!, next)).toBe('success');
    gateways = gateways.slice(1);
  }, 120_000);

  it('B8: 90 requests at three processes refresh once, and the grant survives', async () => {
    await provider.accessTokenSeconds(1);
    const login = await begin(gateways[0]!);
    await provider.approve(String(login.body['user_code']));
    expect(await ended(gateways[0]!, login)).toBe('success');
    await provider.accessTokenSeconds(3600);
    await provider.refreshDelayMs(2000);
    await until('the access token has expired', async () => {
      const { body } = await ask(gateways[1]!, 'GET', '/login/flows');
      const [one] = body['logins'] as { readonly credential_expires_at: number }[];
      return one!.credential_expires_at + 1 < Date.now() / 1000;
    });
    const before = (await provider.state()).grants['refresh_token'] ?? 0;
    const answers = await Promise.all(
      Array.from({ length: 90 }, (_, at) => ask(gateways[at % 3]!, 'GET', '/use/x')),
    );
    await provider.refreshDelayMs(0);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const state = await provider.state();
    expect([state.grants['refresh_token']! - before, state.revokedGrants]).toEqual([1, 0]);
  }, 120_000);

  it('without Redis nothing is started: 503, and the provider hears nothing', async () => {
    const before = await codes();
    await redis.stop();
    const refused = await begin(gateways[0]!);
    expect([refused.status, refused.body['error']]).toEqual([503, 'oauth_shared_unavailable']);
    expect(await codes()).toBe(before);
    redis = await Redis.start(redis.port);
    const started = await until('Redis is there again', async () => {
      const answer = await begin(gateways[0]!);
      return answer.status === 200 ? answer : null;
    });
    expect(started.body['role']).toBe('leader');
  }, 120_000);
});
