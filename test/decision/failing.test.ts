/** What failed on our side is told as that, and nothing is forwarded for it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mint } from '../hardening/arena.ts';
import { describeWith } from '../support/debian.ts';
import { type FrontProcess, type FrontProgram, startFront } from '../support/front.ts';
import { RawClient, type RawAnswer } from '../support/raw-client.ts';
import { codeIn, requestOf, Site } from './site.ts';

let site: Site;
beforeAll(async () => {
  // Nobody listens on the port for tcpmux.
  site = await Site.start({ keys: 'jwks_uri: "http://127.0.0.1:1/jwks"' });
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
    const failed = await site.gateway.metric(
      'sallyport_decisions_asked_total',
      'mode="nginx"',
      'outcome="failed"',
    );
    expect(failed).toBe(1);
  });
});

const fronts: readonly FrontProgram[] = ['nginx', 'caddy', 'haproxy'];

for (const program of fronts) {
  describeWith(program, `${program} before a gateway that cannot decide`, () => {
    let front: FrontProcess;
    let asked: Site;
    beforeAll(async () => {
      asked = await Site.start({ keys: 'jwks_uri: "http://127.0.0.1:1/jwks"' });
      front = await startFront(program, asked.gateway.configFile, asked.gateway.url);
    });
    afterAll(async () => {
      await front.stop();
      await asked.stop();
    });
    const ask = (target: string): Promise<RawAnswer> =>
      RawClient.once(
        front.port,
        requestOf('GET', target, { token: mint(), fields: 'Connection: close\r\n' }),
      );

    it('answers 503 while keys are missing, and forwards what needs none', async () => {
      expect((await ask('/orders/7')).status).toBe(503);
      expect((await ask('/open/x')).status).toBe(200);
      expect(asked.reached.map(({ target }) => target)).toEqual(['/open/x']);
    });

    it('answers 502 or 503 when the gateway is gone, and forwards nothing', async () => {
      await asked.gateway.stop();
      for (const target of ['/orders/7', '/open/y']) expect([502, 503]).toContain((await ask(target)).status);
      expect(asked.reached.map(({ target }) => target)).toEqual(['/open/x']);
    });
  });
}
