/** Logins in the browser through the built gateway on three threads, before a real provider in a process of its own. */
import { Agent, request } from 'node:http';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loginPaths } from '../../support/login-provider.ts';
import { until } from '../../support/until.ts';
import { startLoginSite, type LoginSite, type StartAnswer } from './login-gateway.ts';

let site: LoginSite;
beforeAll(async () => {
  site = await startLoginSite({ threads: 3 });
});
afterAll(() => site.stop());

/** A connection for each request, so that the system spreads them over all threads. */
const agent = new Agent({ keepAlive: false, maxSockets: Infinity });

interface Answered {
  readonly status: number;
  readonly body: StartAnswer;
}

/** A browser, or a program, with a session of its own. */
class Session {
  readonly #cookie = `sallyport=${randomBytes(16).toString('base64url')}`;

  /** A login that failed answers the next starts for a moment. */
  start(): Promise<Answered> {
    return until('a login is started', async () => {
      const answered = await this.#ask('POST', '/start', { provider: 'web' });
      return answered.status === 200 ? answered : null;
    });
  }

  poll(id: string, query = '?wait=20'): Promise<Answered> {
    return this.#ask('GET', `/flows/${id}${query}`);
  }

  cancel(id: string): Promise<Answered> {
    return this.#ask('POST', `/flows/${id}/cancel`, {});
  }

  /** Comes back from the provider to the address that it was sent to. */
  callback(address: string): Promise<Answered> {
    return this.#ask('GET', `/callback${new URL(address).search}`);
  }

  #ask(method: string, path: string, body?: unknown): Promise<Answered> {
    return new Promise((resolve, reject) => {
      const headers = { cookie: this.#cookie, 'content-type': 'application/json' };
      const outgoing = request(`${site.gateway.url}/oauth${path}`, { method, agent, headers }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (text += chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode!, body: JSON.parse(text) as StartAnswer }),
        );
        response.on('error', reject);
      });
      outgoing.on('error', reject);
      outgoing.end(body === undefined ? '' : JSON.stringify(body));
    });
  }
}

const exchanges = (): Promise<number> => site.provider.calls(loginPaths.token);
const parametersOf = ({ body }: Answered): URLSearchParams => new URL(body.authorization_uri).searchParams;

/** The address that the provider sends the browser back to, with one parameter changed. */
function forged(address: string, name: string, value: string): string {
  const url = new URL(address);
  url.searchParams.set(name, value);
  return url.href;
}

describe('a login in the browser', () => {
  it('B1, B2: 50 concurrent starts over all threads are one login, with a state for each browser', async () => {
    const before = await exchanges();
    const sessions = Array.from({ length: 50 }, () => new Session());
    const answers = await Promise.all(sessions.map((session) => session.start()));
    expect(answers.filter(({ body }) => body.role === 'leader')).toHaveLength(1);
    const each = answers.map(parametersOf);
    expect(new Set(each.map((one) => one.get('code_challenge'))).size).toBe(1);
    expect(new Set(each.map((one) => one.get('nonce'))).size).toBe(1);
    expect(new Set(each.map((one) => one.get('state'))).size).toBe(50);
    const first = each[0]!;
    expect(first.get('code_challenge_method')).toBe('S256');
    expect(first.get('code_challenge')).toMatch(/^[\w-]{43}$/);
    expect(first.get('response_type')).toBe('code');
    // Whoever comes back first ends the login for all; no other answer is exchanged.
    const back = await site.provider.authorize(answers[7]!.body.authorization_uri, 'approve');
    const other = await site.provider.authorize(answers[8]!.body.authorization_uri, 'approve');
    expect((await sessions[7]!.callback(back)).body).toMatchObject({ status: 'success' });
    expect(await sessions[8]!.callback(other)).toMatchObject({
      status: 400,
      body: { error: 'oauth_callback_used' },
    });
    const ends = await Promise.all(sessions.map((session, at) => session.poll(answers[at]!.body.flow_id)));
    expect(new Set(ends.map(({ body }) => body.status))).toEqual(new Set(['success']));
    expect(await exchanges()).toBe(before + 1);
  });

  it('comes back to any thread', async () => {
    for (let login = 0; login < 8; login++) {
      const session = new Session();
      const started = await session.start();
      const back = await site.provider.authorize(started.body.authorization_uri, 'approve');
      expect((await session.callback(back)).body).toMatchObject({ status: 'success' });
    }
  });

  it('that the user denies ends as denied, and nothing is exchanged', async () => {
    const before = await exchanges();
    const session = new Session();
    const { body } = await session.start();
    const back = await site.provider.authorize(body.authorization_uri, 'deny');
    expect((await session.callback(back)).body).toMatchObject({ status: 'error', error: 'access_denied' });
    expect(await exchanges()).toBe(before);
  });

  it('B4: with the answer of another issuer fails before its code goes anywhere', async () => {
    const before = await exchanges();
    const session = new Session();
    const { body } = await session.start();
    const back = await site.provider.authorize(body.authorization_uri, 'approve');
    const answer = await session.callback(forged(back, 'iss', 'https://evil.example'));
    expect(answer.body).toMatchObject({ status: 'error', error: 'callback_invalid' });
    expect(await exchanges()).toBe(before);
  });

  it('B2: with the state of another browser is refused, and goes on', async () => {
    const [mine, theirs] = [new Session(), new Session()];
    const started = await mine.start();
    const joined = await theirs.start();
    const back = await site.provider.authorize(started.body.authorization_uri, 'approve');
    const stolen = forged(back, 'state', parametersOf(joined).get('state')!);
    expect(await mine.callback(stolen)).toMatchObject({
      status: 400,
      body: { error: 'oauth_callback_invalid' },
    });
    expect((await mine.poll(started.body.flow_id, '')).body).toMatchObject({ status: 'pending' });
    expect((await mine.callback(back)).body).toMatchObject({ status: 'success' });
  });

  it('B5: with a code that the provider does not know ends, and the next one is a new login', async () => {
    const session = new Session();
    const { body } = await session.start();
    const back = await site.provider.authorize(body.authorization_uri, 'approve');
    expect((await session.callback(forged(back, 'code', 'x'.repeat(43)))).body).toMatchObject({
      status: 'error',
      error: 'provider_refused',
    });
    const again = await session.start();
    expect(again.body.role).toBe('leader');
    await session.cancel(again.body.flow_id);
  });

  it('survives a token endpoint that fails for a moment', async () => {
    const session = new Session();
    const { body } = await session.start();
    const back = await site.provider.authorize(body.authorization_uri, 'approve');
    await site.provider.setMode(loginPaths.token, { kind: 'fail', status: 503 });
    const before = await exchanges();
    const answer = session.callback(back);
    while ((await exchanges()) === before);
    await site.provider.setMode(loginPaths.token, { kind: 'serve' });
    expect((await answer).body).toMatchObject({ status: 'success' });
  });

  it('H5: cancelled while its code is being exchanged is not stored', async () => {
    const session = new Session();
    const { body } = await session.start();
    const back = await site.provider.authorize(body.authorization_uri, 'approve');
    await site.provider.setMode(loginPaths.token, { kind: 'delay', delayMs: 1000 });
    const before = await exchanges();
    const answer = session.callback(back);
    while ((await exchanges()) === before);
    expect((await session.cancel(body.flow_id)).body).toMatchObject({ status: 'cancelled' });
    expect((await answer).body).toMatchObject({ status: 'cancelled' });
    await site.provider.setMode(loginPaths.token, { kind: 'serve' });
    expect((await session.poll(body.flow_id)).body).toMatchObject({ status: 'cancelled' });
  });
});
