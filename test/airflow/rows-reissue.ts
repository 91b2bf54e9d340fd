/** 2.E: when a token is renewed. Clocks cannot be set from here; the edges to the second are in `reissuer.test.ts`. */
import { expect } from 'vitest';
import { until } from '../support/until.ts';
import { answers, type Row } from './row.ts';
import { claimsIn, mint, type Stage } from './stage.ts';

const line = 'GET /variables/key1';
const looked = (stage: Stage): Promise<number> => stage.gateway.metric('sallyport_jwt_verifications_total');

const aged = (id: string, age: number, lifetime: number, renewed: boolean): Row => ({
  ids: [id, '42'],
  says: `${age} s of ${lifetime}: ${renewed ? 'renewed' : 'not renewed'}, and the token is verified once`,
  run: async (stage) => {
    const before = await looked(stage);
    const answer = await answers(stage, line, { token: mint({ age, lifetime }) }, { status: 404, renewed });
    expect(await looked(stage)).toBe(before + 1);
    if (answer.renewed !== null) {
      const { exp, iat } = claimsIn(answer.renewed) as { exp: number; iat: number };
      expect(exp - iat).toBe(600);
    }
  },
});

export const reissueRows: readonly Row[] = [
  aged('38', 25, 60, false),
  aged('39', 31, 60, true),
  aged('40', 400, 600, false),
  aged('41', 480, 600, true),
  {
    ids: ['1.10'],
    says: 'a token that many requests bring at once is renewed once',
    differs: 'Airflow makes one for each request.',
    run: async (stage) => {
      const minted = (): Promise<number> =>
        stage.gateway.metric('sallyport_tokens_minted_total', 'purpose="renewal"');
      const before = await minted();
      const token = mint({ age: 590 });
      const asked = Array.from({ length: 20 }, () =>
        answers(stage, line, { token }, { status: 404, renewed: true }),
      );
      const renewed = new Set((await Promise.all(asked)).map((answer) => answer.renewed));
      // Five seconds may end in between.
      expect(renewed.size).toBeLessThanOrEqual(2);
      expect(await minted()).toBe(before + renewed.size);
    },
  },
  {
    ids: ['43'],
    says: 'a token that expires for good while its request is under way is renewed all the same',
    run: async (stage) => {
      // Expired 9 s ago, within the leeway of 10 s; a second later it is beyond it.
      const exp = Date.now() / 1000 - 9;
      const token = mint({ age: 609, claims: { exp } });
      const before = await looked(stage);
      let release = (): void => {};
      stage.upstream.gate = new Promise<void>((resolve) => (release = resolve));
      const reached = stage.upstream.seen.length;
      const answer = answers(stage, line, { token }, { status: 404, renewed: true });
      await until('the request reached the upstream', () => stage.upstream.seen.length > reached);
      await until('the leeway is over', () => Date.now() / 1000 > exp + 10);
      release();
      await answer;
      expect(await looked(stage)).toBe(before + 1);
      await answers(stage, line, { token }, { status: 403 });
    },
  },
];
