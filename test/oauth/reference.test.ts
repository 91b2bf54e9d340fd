/**
 * The cases that the onboarding endpoints of hermes-webui are held to, as black-box tests through the compatibility mount.
 * Numbers are those of the reference. 13, 23 and 24 are about that application's own files and environment: what they mean
 * is held for our store.
 */
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../support/until.ts';
import { secrets } from './http/codex-server.ts';
import {
  Client,
  filesIn,
  startOnboardingSite,
  type Account,
  type OnboardingSite,
} from './http/onboarding-site.ts';

let site: OnboardingSite;
beforeAll(async () => {
  site = await startOnboardingSite();
});
afterAll(() => site.stop());
afterEach(async () => {
  site.codex.reset();
  site.logOutElsewhere();
  for (const [client, flowId] of open.splice(0)) await client.cancel(flowId);
});

/** Flows that a test leaves behind, to be cancelled. */
const open: [Client, unknown][] = [];

async function started(client: Client, provider: string): Promise<Readonly<Record<string, unknown>>> {
  const { status, body } = await client.start(provider);
  expect(status).toBe(200);
  open.push([client, body['flow_id']]);
  return body;
}

const statusOf = async (client: Client, flowId: unknown): Promise<unknown> =>
  (await client.poll(flowId)).body['status'];

const ended = (client: Client, flowId: unknown): Promise<unknown> =>
  until('the flow ends', async () => {
    const status = await statusOf(client, flowId);
    return status !== 'pending' && status;
  });

describe('a login is started once', () => {
  it('1: two sequential Anthropic starts share a flow', async () => {
    const client = new Client(site);
    const [one, two] = [await started(client, 'anthropic'), await started(client, 'anthropic')];
    expect(two).toEqual(one);
  });

  it('2: two concurrent Anthropic starts share a flow', async () => {
    const client = new Client(site);
    const [one, two] = await Promise.all([started(client, 'anthropic'), started(client, 'anthropic')]);
    expect(two).toEqual(one);
  });

  it('3: two sequential Codex starts share flow, code, and one request', async () => {
    const client = new Client(site);
    const [one, two] = [await started(client, 'openai-codex'), await started(client, 'openai-codex')];
    expect(two).toEqual(one);
    expect(site.codex.calls.usercode).toBe(1);
  });

  it('4: while a provider is slow, other flows are not', async () => {
    const [slow, other] = [new Client(site), new Client(site, 'a')];
    const theirs = await started(other, 'openai-codex');
    site.codex.holding.add('usercode');
    const starting = started(slow, 'openai-codex');
    await until('the request is under way', () => site.codex.calls.usercode === 2);
    expect(await statusOf(other, theirs['flow_id'])).toBe('pending');
    expect((await other.cancel(theirs['flow_id'])).body['status']).toBe('cancelled');
    await started(other, 'anthropic');
    site.codex.release();
    expect((await starting)['status']).toBe('pending');
  });

  it('5: concurrent Codex starts make one request, and all get the code', async () => {
    const client = new Client(site);
    site.codex.holding.add('usercode');
    const starting = Promise.all(Array.from({ length: 25 }, () => started(client, 'openai-codex')));
    await until('the request is under way', () => site.codex.calls.usercode === 1);
    site.codex.release();
    const all = await starting;
    expect(new Set(all.map((body) => JSON.stringify(body))).size).toBe(1);
    expect(site.codex.calls.usercode).toBe(1);
  });
});

describe('what is asked, and what is told', () => {
  it('6: start and cancel are POST, poll is GET, and nothing else is there', async () => {
    const client = new Client(site);
    expect((await client.call('GET', '/start')).status).toBe(405);
    expect((await client.call('GET', '/cancel')).status).toBe(405);
    expect((await client.call('POST', '/poll', {})).status).toBe(405);
    expect((await client.call('POST', '/codex/start', {})).status).toBe(404);
  });

  it.each(['nous', 'qwen-oauth', 'copilot', 'bogus'])('7: %s is not supported', async (provider) => {
    const error = 'Only OpenAI Codex and Anthropic/Claude OAuth are supported in WebUI onboarding right now';
    expect(await new Client(site).start(provider)).toEqual({ status: 400, body: { error } });
    expect(await new Client(site).start('')).toEqual({
      status: 400,
      body: { error: 'provider is required' },
    });
  });

  it('8: a start tells code and address, and no secret', async () => {
    const body = await started(new Client(site), 'openai-codex');
    const fields = 'expires_at flow_id ok poll_interval_seconds provider status user_code verification_uri';
    expect(Object.keys(body).toSorted()).toEqual(fields.split(' '));
    expect(body).toMatchObject({
      ok: true,
      provider: 'openai-codex',
      status: 'pending',
      verification_uri: 'https://auth.openai.com/codex/device',
      flow_id: expect.stringMatching(/^[0-9a-f]{32}$/) as unknown,
      user_code: expect.stringMatching(/^CODE-\d+$/) as unknown,
    });
    expect(JSON.stringify(body)).not.toMatch(/secret|device_auth|verifier|token/);
    const left = Number(body['expires_at']) - Date.now() / 1000;
    expect(left).toBeGreaterThan(890);
    expect(left).toBeLessThanOrEqual(900);
  });

  it.each(['openai-codex', 'anthropic'])('9, 17: a poll of %s tells four things', async (provider) => {
    const client = new Client(site);
    const { flow_id: id } = await started(client, provider);
    expect((await client.poll(id)).body).toEqual({ ok: true, provider, flow_id: id, status: 'pending' });
  });

  it.each(['openai-codex', 'anthropic'])('10, 17: %s is cancelled, and stays so', async (provider) => {
    const client = new Client(site);
    const { flow_id: id } = await started(client, provider);
    const cancelled = { ok: true, provider, flow_id: id, status: 'cancelled' };
    expect((await client.cancel(id)).body).toEqual(cancelled);
    expect((await client.poll(id)).body).toEqual(cancelled);
  });

  it.each(['anthropic', 'claude', 'claude-code', ' Claude '])('14: "%s" is anthropic', async (name) => {
    expect(await started(new Client(site), name)).toMatchObject({ provider: 'anthropic', status: 'pending' });
  });

  it('16: a pending link says what to do, and nothing of the host', async () => {
    const body = await started(new Client(site), 'anthropic');
    expect(body).toMatchObject({
      poll_interval_seconds: 5,
      action_required: expect.stringMatching(/claude/) as unknown,
    });
    expect(JSON.stringify(body)).not.toMatch(/secret|token"|tmp|\.json|HOME|ANTHROPIC_/);
  });

  it('20: a flow that is not there is cancelled all the same, and polled as unknown', async () => {
    const client = new Client(site);
    const id = '0'.repeat(32);
    expect(await client.cancel(id, 'claude-code')).toEqual({
      status: 200,
      body: { ok: true, provider: 'anthropic', flow_id: id, status: 'cancelled' },
    });
    expect((await client.cancel(id)).body['provider']).toBe('openai-codex');
    expect(await client.poll(id)).toEqual({ status: 404, body: { error: "'OAuth flow not found'" } });
    expect(await client.poll('')).toEqual({ status: 400, body: { error: 'flow_id is required' } });
    expect(await client.cancel('')).toEqual({ status: 400, body: { error: 'flow_id is required' } });
  });
});

describe('how flows end', () => {
  it('11: a cancel while the provider is asked wins, and nothing is stored', async () => {
    const client = new Client(site, 'b');
    site.codex.holding.add('poll');
    const { flow_id: id } = await started(client, 'openai-codex');
    await until('the provider is asked', () => site.codex.calls.poll === 1);
    expect((await client.cancel(id)).body['status']).toBe('cancelled');
    site.codex.approved = true;
    site.codex.release();
    expect(await statusOf(client, id)).toBe('cancelled');
    expect(site.codex.calls.exchange).toBe(0);
    expect(await client.credential('openai-codex')).toBe('none');
  });

  it('12 (H4), 21: an expired flow says so, again and again, and is not asked for any more', async () => {
    const client = new Client(site);
    site.codex.codes = { interval: 5, expires_in: 1 };
    const { flow_id: id } = await started(client, 'openai-codex');
    expect(await ended(client, id)).toBe('expired');
    expect(await statusOf(client, id)).toBe('expired');
    expect(await statusOf(client, id)).toBe('expired');
    expect(site.codex.calls.poll).toBe(0);
  });

  it('13, 24: what is granted is stored for this account, encrypted, for nobody else to read', async () => {
    const [client, other] = [new Client(site, 'c'), new Client(site, 'd')];
    const { flow_id: id } = await started(client, 'openai-codex');
    site.codex.approved = true;
    expect(await ended(client, id)).toBe('success');
    expect(await client.credential('openai-codex')).toBe('valid');
    expect(await other.credential('openai-codex')).toBe('none');
    const files = filesIn(site.storeFolder);
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) {
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(readFileSync(file).includes('secret-')).toBe(false);
    }
    const plain = site.authFile('c');
    expect(statSync(plain).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(plain, 'utf8'))).toMatchObject({
      version: 1,
      credential_pool: {
        'openai-codex': [
          {
            id: expect.stringMatching(/^openai-codex-oauth-[0-9a-f]{12}$/) as unknown,
            auth_type: 'oauth',
            priority: 0,
            source: 'manual:device_code',
            access_token: secrets.accessToken,
            refresh_token: secrets.refreshToken,
          },
        ],
      },
    });
    expect(existsSync(site.authFile('d'))).toBe(false);
  });

  it('15, 23: a credential that is there already is linked at once, and not copied', async () => {
    const client = new Client(site, 'e');
    site.logInElsewhere();
    const body = await started(client, 'anthropic');
    expect(body).toMatchObject({
      ok: true,
      provider: 'anthropic',
      status: 'success',
      poll_interval_seconds: 5,
    });
    expect(body).not.toHaveProperty('action_required');
    expect(body).not.toHaveProperty('expires_at');
    expect(JSON.stringify(body)).not.toContain('secret');
    expect(await client.credential('anthropic')).toBe('valid');
    site.logOutElsewhere();
    // Nothing was kept of it but the link.
    expect(await client.credential('anthropic')).not.toBe('valid');
  });

  it.each<[string, Account]>([
    ['18: before the credential is there', 'f'],
    ['19: when it has just come', 'g'],
  ])('%s, a cancelled link is not linked afterwards', async (title, account) => {
    const client = new Client(site, account);
    const { flow_id: id } = await started(client, 'anthropic');
    if (title.startsWith('19')) site.logInElsewhere();
    expect((await client.cancel(id)).body['status']).toBe('cancelled');
    site.logInElsewhere();
    expect(await statusOf(client, id)).toBe('cancelled');
    expect(await client.credential('anthropic')).toBe('none');
  });
});

it('22: a link that cannot be stored is an error, whose text says nothing of why', async () => {
  const broken = await startOnboardingSite();
  try {
    const client = new Client(broken);
    const { flow_id: id } = (await client.start('anthropic')).body;
    rmSync(broken.storeFolder, { recursive: true, force: true });
    writeFileSync(broken.storeFolder, 'no folder');
    broken.logInElsewhere();
    expect(await ended(client, id)).toBe('error');
    expect((await client.poll(id)).body['error']).toBe(
      'Claude Code credential linking failed. Check server logs.',
    );
  } finally {
    await broken.stop();
  }
});
