/**
 * The holes that the reference has, each shown to be closed here. H7, several processes, is closed for what they share on
 * one host, the store (`test/oauth/store/processes.test.ts`): the flight table is of one process.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../support/until.ts';
import { accounts, Client, startOnboardingSite, type OnboardingSite, type Told } from './onboarding-site.ts';

const many = <T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => make(index)));

const ids = (told: readonly Told[]): Set<unknown> => new Set(told.map(({ body }) => body['flow_id']));

describe('with room for all', () => {
  let site: OnboardingSite;
  beforeAll(async () => {
    site = await startOnboardingSite();
  });
  afterAll(() => site.stop());

  it('H1: 20 concurrent starts share the failure of one request', async () => {
    site.codex.failing.set('usercode', 500);
    site.codex.holding.add('usercode');
    const client = new Client(site);
    const starting = many(20, () => client.start('openai-codex'));
    await until('the request is under way', () => site.codex.calls.usercode === 1);
    site.codex.release();
    const told = await starting;
    expect(site.codex.calls.usercode).toBe(1);
    for (const { status, body } of told) {
      expect(status).toBe(500);
      expect(body['error']).toMatch(/^Failed to start Codex OAuth: /);
      expect(JSON.stringify(body)).not.toContain('secret');
    }
    site.codex.reset();
  });

  it('H4: an expired flow is told as expired for as long as any other end', async () => {
    site.codex.reset();
    site.codex.codes = { interval: 5, expires_in: 1 };
    const client = new Client(site, 'a');
    const { flow_id: id } = (await client.start('openai-codex')).body;
    await until('it expires', async () => (await client.poll(id)).body['status'] === 'expired');
    expect((await client.poll(id)).body).toMatchObject({ status: 'expired' });
    // A start meanwhile begins anew, and the old flow keeps its end.
    site.codex.codes = { interval: '1' };
    const next = await client.start('openai-codex');
    expect(next.body).toMatchObject({ status: 'pending' });
    expect((await client.poll(id)).body['status']).toBe('expired');
    await client.cancel(next.body['flow_id']);
  });

  it.each(accounts.slice(2).map((account, index) => [account, index] as const))(
    'H5: whatever moment a cancel comes, its answer is how the login ended (%s)',
    async (account, index) => {
      site.codex.reset();
      site.codex.approved = true;
      const client = new Client(site, account);
      const { flow_id: id } = (await client.start('openai-codex')).body;
      site.codex.holding.add('exchange');
      await until('the code is exchanged', () => site.codex.calls.exchange === 1);
      site.codex.release();
      // The exchange is answered now, and the credential is about to be stored: some turns later each time.
      for (let turns = 0; turns < index; turns++) await client.poll(id);
      const answer = (await client.cancel(id)).body['status'];
      expect(['cancelled', 'success']).toContain(answer);
      expect((await client.poll(id)).body['status']).toBe(answer);
      expect(await client.credential('openai-codex')).toBe(answer === 'success' ? 'valid' : 'none');
    },
  );

  it('H6: every spelling of a provider is the same login', async () => {
    const client = new Client(site, 'b');
    const told = await Promise.all(
      ['anthropic', 'Claude', ' claude-code ', 'ANTHROPIC\n'].map((provider) => client.start(provider)),
    );
    expect(ids(told).size).toBe(1);
    await client.cancel(told[0]!.body['flow_id']);
  });

  it('H8: a flow is nobody else’s: it cannot be polled, and a cancel of it does nothing', async () => {
    site.codex.reset();
    const [owner, other] = [new Client(site), new Client(site)];
    const { flow_id: id } = (await owner.start('openai-codex')).body;
    expect((await other.poll(id)).status).toBe(404);
    expect((await other.cancel(id)).body['status']).toBe('cancelled');
    expect((await owner.poll(id)).body['status']).toBe('pending');
    await owner.cancel(id);
  });
});

describe('with limits', () => {
  let site: OnboardingSite;
  beforeAll(async () => {
    site = await startOnboardingSite({ limits: '{ starts: 10, starts_per_minute: 1, flows: 4 }' });
  });
  afterAll(() => site.stop());

  it('H2: start and cancel, 100 times, make as many requests as the limit, and leave no poller', async () => {
    const client = new Client(site, 'a');
    const statuses: number[] = [];
    for (let turn = 0; turn < 100; turn++) {
      const { status, body } = await client.start('openai-codex');
      statuses.push(status);
      if (status === 200) await client.cancel(body['flow_id']);
    }
    expect(statuses).toEqual([...Array<number>(10).fill(200), ...Array<number>(90).fill(429)]);
    expect(site.codex.calls).toEqual({ usercode: 10, poll: 0, exchange: 0 });
  });

  it('H3: 100 starts with a credential at hand link as often as the limit, at most', async () => {
    site.logInElsewhere();
    const client = new Client(site, 'b');
    const told = await many(100, () => client.start('anthropic'));
    const linked = told.filter(({ status }) => status === 200);
    expect(linked.length).toBeGreaterThan(0);
    expect(ids(linked).size).toBeLessThanOrEqual(10);
    expect(new Set(told.map(({ status }) => status))).toEqual(
      new Set(linked.length < 100 ? [200, 429] : [200]),
    );
    site.logOutElsewhere();
  });

  it('H9: no more logins are under way than are allowed, and room is made by those that end', async () => {
    site.codex.reset();
    const clients = accounts.slice(3, 8).map((account) => new Client(site, account));
    const told = await Promise.all(clients.map((client) => client.start('openai-codex')));
    expect(told.map(({ status }) => status).toSorted((one, two) => one - two)).toEqual([
      200, 200, 200, 200, 503,
    ]);
    const index = told.findIndex(({ status }) => status === 200);
    await clients[index]!.cancel(told[index]!.body['flow_id']);
    const late = clients[told.findIndex(({ status }) => status === 503)]!;
    await until('there is room again', async () => (await late.start('openai-codex')).status === 200);
  });
});
