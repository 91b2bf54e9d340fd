/** One policy file, several fronts: whoever forwards, the verdict is the same, and about the path that the upstream sees. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { SeenRequest } from '../support/backend.ts';
import { describeWith } from '../support/debian.ts';
import { type FrontProcess, type FrontProgram, startFront } from '../support/front.ts';
import { RawClient, type RawAnswer } from '../support/raw-client.ts';
import { casesFrom, type Case } from './cases.ts';
import { codeIn, requestOf, Site } from './site.ts';

const seed = 20_261_128;
const cases = casesFrom(seed, 200);

interface Outcome {
  readonly verdict: 'allowed' | 'unauthenticated' | 'denied';
  readonly answer: RawAnswer;
  /** What an upstream saw, and which one. */
  readonly seen: SeenRequest | null;
  readonly upstream: 'orders' | 'billing' | null;
}

let site: Site;
let direct: readonly Outcome[];
beforeAll(async () => {
  site = await Site.start();
  direct = await outcomesAt(site.port);
});
afterAll(() => site.stop());

async function outcomesAt(port: number): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const each of cases) outcomes.push(await outcomeAt(port, each));
  return outcomes;
}

async function outcomeAt(port: number, each: Case): Promise<Outcome> {
  const before = { orders: site.orders.requests.length, billing: site.billing.requests.length };
  const framing = each.body === '' ? '' : `Content-Length: ${each.body.length}\r\n`;
  const token = each.token === undefined ? {} : { token: each.token };
  const bytes = requestOf(each.method, each.target, {
    ...token,
    fields: each.fields + framing,
    body: each.body,
  });
  const answer = await RawClient.once(port, bytes, { method: each.method });
  const seen = {
    orders: site.orders.requests.slice(before.orders),
    billing: site.billing.requests.slice(before.billing),
  };
  expect(seen.orders.length + seen.billing.length).toBeLessThanOrEqual(1);
  const upstream = seen.orders.length === 1 ? 'orders' : seen.billing.length === 1 ? 'billing' : null;
  const { status } = answer;
  const isError = status >= 400;
  expect({ status, reached: upstream !== null && isError }).toEqual({ status, reached: false });
  const verdict = !isError ? 'allowed' : status === 401 ? 'unauthenticated' : 'denied';
  return { verdict, answer, seen: seen.orders[0] ?? seen.billing[0] ?? null, upstream };
}

const identity = /^(?:x[-_](?:user|org[-_]unit|groups)|authorization)$/i;

const fieldsLike = (pattern: RegExp, { fields }: SeenRequest): string[] =>
  fields
    .filter(([name]) => pattern.test(name))
    .map(([name, value]) => `${name.toLowerCase()}: ${value}`)
    .toSorted();

const told = ({ method, target }: Case): string => `${method} ${target}`;

it('the cases have every kind of verdict, and disguised paths that are allowed and refused', () => {
  const count = (verdict: Outcome['verdict']): number =>
    direct.filter((each) => each.verdict === verdict).length;
  for (const verdict of ['allowed', 'unauthenticated', 'denied'] as const)
    expect({ seed, verdict, few: count(verdict) <= 10 }).toEqual({ seed, verdict, few: false });
  expect(new Set(direct.map(({ answer }) => answer.status))).toEqual(
    new Set([200, 204, 400, 401, 403, 404, 405, 501]),
  );
  expect(direct.filter(({ upstream }) => upstream === 'orders').length).toBeGreaterThan(10);
  expect(direct.filter(({ upstream }) => upstream === 'billing').length).toBeGreaterThan(10);
});

const fronts: readonly FrontProgram[] = ['nginx', 'caddy', 'haproxy'];

for (const program of fronts) {
  describeWith(
    program,
    `the same ${cases.length} requests through ${program}, by the snippet as printed`,
    () => {
      let front: FrontProcess;
      let through: readonly Outcome[];
      beforeAll(async () => {
        front = await startFront(program, site.gateway.configFile, site.gateway.url);
        through = await outcomesAt(front.port);
      });
      afterAll(() => front.stop());

      it('get the same verdicts, and go to the same upstreams', () => {
        const differing = cases.flatMap((each, index) => {
          const [here, there] = [direct[index]!, through[index]!];
          const isSame = here.verdict === there.verdict && here.upstream === there.upstream;
          return isSame
            ? []
            : [
                `${index} ${told(each)}: ${here.answer.status} ${here.upstream}, ${program} ${there.answer.status} ${there.upstream}`,
              ];
        });
        expect({ seed, differing }).toEqual({ seed, differing: [] });
      });

      it('C4: bring the identity fields of the verdict and no forged one, in any spelling', () => {
        for (const [index, { seen }] of through.entries()) {
          if (seen === null) continue;
          const why = `${index} ${told(cases[index]!)}`;
          expect({ why, fields: fieldsLike(identity, seen) }).toEqual({
            why,
            fields: fieldsLike(identity, direct[index]!.seen!),
          });
          // Constant fields of routes are the gateway's alone here, also on routes that have none.
          const constant = fieldsLike(/^x[-_](?:via[-_]policy|sallyport)/i, seen);
          const expected = direct[index]!.upstream === 'orders' ? ['x-via-policy: yes'] : [];
          expect({ why, constant }).toEqual({ why, constant: expected });
          expect(seen.raw.toString('latin1')).not.toMatch(/: (?:root|admin)\r\n/);
        }
      });

      it('P1: are decided by the path that the upstream sees', async () => {
        let asked = 0;
        for (const [index, { seen, upstream }] of through.entries()) {
          if (seen === null) continue;
          const { token } = cases[index]!;
          const question = {
            method: seen.method,
            target: seen.target,
            ...(token === undefined ? {} : { token }),
          };
          const answer = await site.askOriginal(question);
          const told = [answer.status, ...answer.values('x-sallyport-upstream')];
          expect([seen.target, ...told]).toEqual([seen.target, 200, upstream]);
          asked += 1;
        }
        expect(asked).toBeGreaterThan(20);
      });

      it('keep their bodies, which are not part of the question', () => {
        for (const [index, { seen }] of through.entries())
          if (seen !== null) expect(seen.body.length).toBe(cases[index]!.body.length);
        expect([...site.orders.faults, ...site.billing.faults]).toEqual([]);
      });

      it('C3: are told the challenge of a 401, and elsewhere the code of the refusal', () => {
        for (const [index, { verdict, answer }] of through.entries()) {
          const { answer: own } = direct[index]!;
          if (verdict === 'unauthenticated')
            expect(answer.values('www-authenticate')).toEqual(own.values('www-authenticate'));
          // Caddy escapes a `#` before it asks: it is refused for something else then.
          if (cases[index]!.target.includes('#')) continue;
          const isTold = answer.values('content-type').includes('application/problem+json');
          if (isTold && own.text !== '') expect(codeIn(answer)).toBe(codeIn(own));
        }
      });
    },
  );
}
