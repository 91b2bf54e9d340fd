/** What failed on our side is told as that, and nothing is forwarded for it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mint } from '../hardening/arena.ts';
import { describeWith } from '../support/debian.ts';
import { type FrontProcess, type FrontProgram, startFront } from '../support/front.ts';
import { RawClient, type RawAnswer } from '../support/raw-client.ts';
import { codeIn, requestOf, Site } from './site.ts';

/** The port of tcpmux, where nobody listens. */
const nobody = 'http://127.0.0.1:1';

let site: Site;
beforeAll(async () => {
  site = await Site.start({ keys: `jwks_uri: "${nobody}/jwks"` });
});
afterAll(() => site.stop());

describe('keys that cannot be had', () => {
  it.each(['askOriginal', 'askForwarded', 'askBelow'] as const)(
    'are a 503 by %s, never a 401',
    async (ask) => {
      const answer = await site[ask]({ target: '/orders/7', token: mint() });
      expect([answer.status, codeIn(answer)]).toEqual([503, 'keys_unavailable']);
      expect(answer.values('retry-after')).toEqual(['5']);
      expect(answer.values('www-authenticate')).toEqual([]);
    },
  );

  it('are counted as failed', async () => {
    const failed = (): Promise<number> =>
      site.gateway.metric('sallyport_decisions_asked_total', 'mode="haproxy"', 'outcome="failed"');
    const before = await failed();
    await site.askOriginal({ target: '/orders/7', token: mint() }, '/-/decide/haproxy');
    expect(await failed()).toBe(before + 1);
  });
});

const fronts: readonly FrontProgram[] = ['nginx', 'caddy', 'haproxy'];

for (const program of fronts) {
  describeWith(program, `${program} before a gateway that cannot decide`, () => {
    async function ask(gatewayUrl: string, ...targets: readonly string[]): Promise<RawAnswer[]> {
      const front: FrontProcess = await startFront(program, site.gateway.configFile, gatewayUrl);
      const answers: RawAnswer[] = [];
      for (const target of targets)
        answers.push(await RawClient.once(front.port, requestOf('GET', target, { token: mint() })));
      await front.stop();
      return answers;
    }

    it('answers 503 while keys are missing, and forwards what needs none', async () => {
      const before = site.reached.length;
      const answers = await ask(site.gateway.url, '/orders/7', '/open/x');
      expect(answers.map(({ status }) => status)).toEqual([503, 200]);
      expect(answers[0]!.values('retry-after')).toHaveLength(1);
      expect(site.reached.length).toBe(before + 1);
    });

    it('answers 502 or 503 where the gateway is gone, and forwards nothing', async () => {
      const before = site.reached.length;
      for (const { status } of await ask(nobody, '/orders/7', '/open/y'))
        expect([502, 503]).toContain(status);
      expect(site.reached.length).toBe(before);
    });
  });
}
