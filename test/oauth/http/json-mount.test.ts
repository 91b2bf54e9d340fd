/** The endpoints for programs, over HTTP, before a real provider. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loginPaths } from '../../support/login-provider.ts';
import { Caller, startLoginSite, type LoginSite } from './login-gateway.ts';

let site: LoginSite;
beforeAll(async () => {
  site = await startLoginSite();
});
afterAll(() => site.stop());

describe('a device login (RFC 8628)', () => {
  it('is started once, joined by others, finished by the user, and told to a long poll', async () => {
    const [one, other] = [new Caller(site), new Caller(site)];
    const before = await site.provider.calls(loginPaths.deviceAuthorization);
    const [first, second] = await Promise.all([one.start('device'), other.start('device')]);
    expect(await site.provider.calls(loginPaths.deviceAuthorization)).toBe(before + 1);
    expect(new Set([first.role, second.role])).toEqual(new Set(['joiner', 'leader']));
    expect(second.user_code).toBe(first.user_code);
    expect(second.flow_id).not.toBe(first.flow_id);
    expect(first.expires_in).toBeGreaterThan(590);
    const waiting = one.poll(first.flow_id, '?wait=30');
    await site.provider.enterCode(first.user_code, 'approve');
    expect((await waiting).status).toBe('success');
    expect((await other.poll(second.flow_id)).status).toBe('success');
    const { logins } = (await (await one.get('/flows')).json()) as {
      logins: { provider: string; credential: string }[];
    };
    expect(logins.find(({ provider }) => provider === 'device')).toMatchObject({ credential: 'valid' });
  });

  it('that is denied ends with access_denied', async () => {
    const caller = new Caller(site);
    const { flow_id: id, user_code: code } = await caller.start('device');
    const waiting = caller.poll(id, '?wait=30');
    await site.provider.enterCode(code, 'deny');
    expect(await waiting).toMatchObject({ status: 'error', error: 'access_denied' });
  });

  it('is followed as an event stream until it is cancelled', async () => {
    const caller = new Caller(site);
    const { flow_id: id } = await caller.start('web');
    const stream = await caller.get(`/flows/${id}`, { accept: 'text/event-stream' });
    expect(stream.headers.get('content-type')).toBe('text/event-stream');
    expect(stream.headers.get('cache-control')).toBe('no-store');
    const text = stream.text();
    expect(await (await caller.post(`/flows/${id}/cancel`, {})).json()).toMatchObject({
      status: 'cancelled',
    });
    const states = [...(await text).matchAll(/^data: (.*)$/gm)].map(
      ([, data]) => (JSON.parse(data!) as { status: string }).status,
    );
    expect(states).toEqual(['pending', 'cancelled']);
  });
});

it('the head of a stream waits for nothing', async () => {
  const caller = new Caller(site);
  const { flow_id: id } = await caller.start('web');
  const answer = await fetch(`${site.gateway.url}/oauth/flows/${id}`, {
    method: 'HEAD',
    headers: { cookie: caller.cookie, accept: 'text/event-stream' },
  });
  expect([answer.status, await answer.text()]).toEqual([200, '']);
  expect(answer.headers.get('content-type')).toBe('text/event-stream');
  await caller.post(`/flows/${id}/cancel`, {});
});

describe('a login in the browser (RFC 6749 section 4.1)', () => {
  it('comes back to the callback of the same session', async () => {
    const caller = new Caller(site);
    const { flow_id: id, authorization_uri: address } = await caller.start('web');
    const back = await site.provider.authorize(address, 'approve');
    const stranger = new Caller(site);
    const { search } = new URL(back);
    const theirs = await stranger.get(`/callback${search}`);
    expect([theirs.status, await theirs.json()]).toMatchObject([400, { error: 'oauth_callback_invalid' }]);
    expect(await (await caller.get(`/callback${search}`)).json()).toMatchObject({
      flow_id: id,
      status: 'success',
    });
    const again = await caller.get(`/callback${search}`);
    expect([again.status, await again.json()]).toMatchObject([400, { error: 'oauth_callback_used' }]);
  });
});

describe('a flow belongs to who started it (H8)', () => {
  it.each([
    ['poll', (caller: Caller, id: string) => caller.get(`/flows/${id}`)],
    ['follow', (caller: Caller, id: string) => caller.get(`/flows/${id}`, { accept: 'text/event-stream' })],
    ['cancel', (caller: Caller, id: string) => caller.post(`/flows/${id}/cancel`, {})],
  ])('others get 404 when they %s', async (_, call) => {
    const caller = new Caller(site);
    const { flow_id: id } = await caller.start('device');
    const answer = await call(new Caller(site), id);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ error: 'oauth_flow_unknown' });
    expect(await caller.poll(id)).toMatchObject({ status: 'pending' });
    await caller.post(`/flows/${id}/cancel`, {});
  });
});

describe('requests that are refused', () => {
  it.each([
    ['a provider that is not there', { provider: 'nobody' }, {}, 404, 'oauth_provider_unknown'],
    ['no provider', {}, {}, 400, 'oauth_request_invalid'],
    ['a body that is no object', [], {}, 400, 'oauth_request_invalid'],
    ['a form', { provider: 'device' }, { 'content-type': 'text/plain' }, 415, 'oauth_media_type'],
    ['another site', { provider: 'device' }, { origin: 'https://evil.example' }, 403, 'oauth_cross_origin'],
    ['a sandboxed page', { provider: 'device' }, { origin: 'null' }, 403, 'oauth_cross_origin'],
    ['too much', { provider: 'x'.repeat(9000) }, {}, 413, 'body_too_large'],
  ])('start with %s', async (_, body, headers, status, error) => {
    const answer = await new Caller(site).post('/start', body, headers);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect([answer.status, await answer.json()]).toMatchObject([status, { error }]);
  });

  it.each([
    ['GET', '/start', 405],
    ['POST', '/flows', 405],
    ['POST', '/callback', 405],
    ['GET', '/flows/0123/cancel', 405],
    ['GET', '/flows/00112233445566778899aabbccddeeff', 404],
    ['GET', '/flows/00112233445566778899aabbccddeeff?wait=soon', 400],
    ['GET', '/callback?state=x', 400],
    ['GET', '/nothing', 404],
    ['GET', '/flows/a/b/c', 404],
  ])('%s %s is %i', async (method, path, status) => {
    const caller = new Caller(site);
    const answer = await (method === 'GET' ? caller.get(path) : caller.post(path, {}));
    expect(answer.status).toBe(status);
    expect(answer.headers.get('allow') === null).toBe(status !== 405);
  });
});

it('a gateway that ends keeps nobody waiting, and cuts no stream', async () => {
  const ending = await startLoginSite();
  const caller = new Caller(ending);
  const { flow_id: id } = await caller.start('device');
  const stream = await caller.get(`/flows/${id}`, { accept: 'text/event-stream' });
  const [text, poll] = [stream.text(), caller.poll(id, '?wait=30')];
  const stopped = ending.stop();
  expect(await text).toContain('"status":"pending"');
  expect((await poll).status).toBe('pending');
  await stopped;
  expect(await ending.gateway.exited).toEqual({ code: 0, signal: null });
});
